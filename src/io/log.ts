// The node's log port on pino: one JSON object a line. Maps Redis's levels, formats nothing below the level.

import { type DestinationStream, pino } from "pino";
import type { Log } from "../node/ports.ts";

export type LogLevel = Parameters<Log["setLevel"]>[0];

const PINO_LEVEL = {
  debug: "debug",
  verbose: "debug",
  notice: "info",
  warning: "warn",
  nothing: "silent",
} as const satisfies Record<LogLevel, string>;

/** Lines are written at once, so that the last ones before a crash are there. */
export function createLog(level: LogLevel, destination: DestinationStream): Log {
  const logger = pino({ level: PINO_LEVEL[level], base: { pid: process.pid } }, destination);
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    setLevel: (next) => {
      logger.level = PINO_LEVEL[next];
    },
  };
}

/** Standard output for "", else the file, appended to. Throws what opening the file throws. */
export function logDestination(file: string): DestinationStream {
  return pino.destination({ dest: file === "" ? 1 : file, append: true, sync: true });
}
