// How a run ends: the faults are over, so the cluster must show that it lives. Everything is answered, every process
// whose name is a member's is one, each writes and reads, and all hold the same state.

import { SimClient } from "./clients.ts";
import { describe } from "./linearizability.ts";
import { lastLooks } from "./mix.ts";
import type { SimProcess } from "./process.ts";
import type { Simulation } from "./simulation.ts";

/** After the faults: silence on links is noticed after four seconds, elections and deadlines take one or two more. */
const RECOVERY_MS_MAX = 15_000;
/** One process after the other is let in, and each that was refused asks again after five seconds. */
const RETURN_MS_MAX = 40_000;
const SILENCE_MS = 5000;
const SETTLING_MS_MAX = 10_000;
const ROT_MS_MAX = 20_000;

/** Somebody leads, every command that is still open gets its answer, and every node serves. */
export function recover(simulation: Simulation): void {
  const { clients } = simulation;
  simulation.advance(
    RECOVERY_MS_MAX,
    "after the faults somebody leads and everything is answered",
    () => isServing(simulation) && clients.every((client) => client.unanswered.length === 0),
    () => openCommands(simulation),
  );
  // Links that are dead without a word are found out by silence; what is asked on them until then is uncertain.
  simulation.advanceTo(simulation.timeline.nowMs + SILENCE_MS);
  simulation.advance(
    RETURN_MS_MAX,
    "everybody is a member, and serves",
    () => simulation.census.isWhole && isServing(simulation) && outsiders(simulation).every(isBarred),
    () => standing(simulation),
  );
  if (!simulation.hasFailed) askEverybody(simulation);
}

/** What is left of all keys is read at every member: it joins the history. Whoever is none refuses. */
function askEverybody(simulation: Simulation): void {
  const { clients, census, eviction, random } = simulation;
  const groups = new Set(clients.flatMap((client) => client.history.map(({ group }) => group)));
  const askers: SimClient[] = [];
  for (const process of census.members) {
    for (const database of [0, 1]) {
      const world = simulation.worldOf(random, () => [process]);
      const asker = new SimClient(`${process.machine}:${database}`, world, database);
      askers.push(asker);
      asker.connect(process);
      asker.ask({ command: ["INCR", "counter0"], group: "counter0" });
      // That may be refused.
      if (eviction !== undefined) asker.ask({ command: ["GET", "counter0"], group: "counter0" });
      for (const group of groups) {
        const [key = "", home] = group.split("/");
        if (home !== String(database)) continue;
        for (const command of lastLooks(key)) asker.ask({ command, group: key });
      }
    }
  }
  clients.push(...askers);
  let refused = 0;
  const out = outsiders(simulation);
  for (const process of out) {
    const stranger = new SimClient(
      `${process.machine}?`,
      simulation.worldOf(random, () => []),
      0,
    );
    stranger.connect(process);
    stranger.ask({
      command: ["GET", "counter0"],
      expected: /^-CLUSTERDOWN this node /,
      answered: () => refused++,
    });
  }
  simulation.advance(
    RECOVERY_MS_MAX,
    "every member writes and reads, and whoever is none refuses",
    () => refused === out.length && askers.every((asker) => asker.unanswered.length === 0),
    () => openCommands(simulation),
  );
  for (const { name, history } of askers) {
    const bad = history.find(({ reply }) => reply === undefined);
    if (bad === undefined && history.length > 0) continue;
    simulation.fail(
      "every member writes and reads",
      `${name}: ${bad === undefined ? "refused" : describe(bad)}`,
    );
  }
}

export function settle(simulation: Simulation): void {
  const { checks, census, eviction, rot, timeline } = simulation;
  if (rot !== undefined) {
    simulation.advance(ROT_MS_MAX, "what is rotten is found and mended", () => rot.isMended);
    rot.rest();
  }
  if (eviction !== undefined)
    simulation.advance(
      SETTLING_MS_MAX,
      "nobody is above maxmemory who could do something about it",
      () => eviction.isSettled,
    );
  let equalSinceMs = 0;
  simulation.advance(
    SETTLING_MS_MAX,
    "all members hold the same state",
    () => {
      if (checks.difference(census.members) !== undefined) equalSinceMs = 0;
      else if (equalSinceMs === 0) equalSinceMs = timeline.nowMs;
      return equalSinceMs > 0 && timeline.nowMs - equalSinceMs > 300;
    },
    () => checks.difference(census.members) ?? "",
  );
}

/** Living processes whose names are not in the table. */
function outsiders({ living, census }: Simulation): SimProcess[] {
  const { names } = census;
  return living.filter(({ machine }) => !names.includes(machine));
}

const isBarred = ({ node }: SimProcess): boolean => node.cluster.problem !== undefined;

function isServing({ leader, census }: Simulation): boolean {
  return (
    leader?.node.replica.mode === 1 && census.members.every((process) => process.node.replica.mode !== 0)
  );
}

function openCommands({ clients, living, leader }: Simulation): string {
  const open = clients.filter((client) => client.unanswered.length > 0);
  const shown = open.map(
    (it) => `${it.name} at ${it.server}: ${it.unanswered.map((command) => command.join(" ")).join("; ")}`,
  );
  const modes = living.map((it) => `${it.label} mode ${it.node.replica.mode}`).join(", ");
  return [`leader ${leader?.label ?? "nobody"}: ${modes}`, ...shown].join("\n  ");
}

/** For whoever has to explain why they do not. */
export function standing({ living, leader, census }: Simulation): string {
  const raft = leader?.node.replica.raft;
  const lines = living.map(
    ({ label, node }) =>
      `${label}: mode ${node.replica.mode}, ${node.cluster.membership.self.incarnation}, ${node.cluster.problem ?? "no problem"}`,
  );
  return [
    `leader ${leader?.label ?? "nobody"} of ${census.names.join(" ")}: ${JSON.stringify(raft?.confState)}`,
    ...lines,
  ].join("\n  ");
}
