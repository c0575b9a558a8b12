// How long commands took, as a Prometheus histogram in text form, written at each scrape from what the node has counted
// already. prom-client's own histograms take observations one by one, which every command would have to pay for.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/

import type { CommandFigures, CommandStatistics } from "../node/service/command-statistics.ts";

const NAME = "seshat_command_duration_seconds";
const HELP = "Time in the handler, of the calls that were timed (INFO latencystats).";
const MICROSECONDS_PER_SECOND = 1e6;

export function commandDurationsText(
  statistics: CommandStatistics,
  commands: readonly CommandFigures[],
): string {
  const lines = [`# HELP ${NAME} ${HELP}`, `# TYPE ${NAME} histogram`];
  for (const { name: command } of commands) {
    const durations = statistics.durations(command);
    if (durations === undefined) continue;
    const { bounds, counts, calls, microseconds } = durations;
    // Names are the table's: nothing in them needs to be escaped.
    const label = `command="${command}"`;
    bounds.forEach((bound, i) => {
      lines.push(`${NAME}_bucket{${label},le="${seconds(bound)}"} ${counts[i]}`);
    });
    lines.push(
      `${NAME}_bucket{${label},le="+Inf"} ${calls}`,
      `${NAME}_sum{${label}} ${microseconds / MICROSECONDS_PER_SECOND}`,
      `${NAME}_count{${label}} ${calls}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

const seconds = (microseconds: number): number =>
  Number((microseconds / MICROSECONDS_PER_SECOND).toPrecision(6));
