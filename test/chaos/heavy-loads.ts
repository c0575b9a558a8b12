// The faults that are loads: large values, commands that take long, and writers who go on while a member comes back. Each is
// as large as `npm run chaos` wants it or a tenth of that, and takes away in the end what it has written.

import { BigValueWriter } from "./big-values.ts";
import { Connection } from "./connection.ts";
import type { Begin } from "./faults.ts";
import { LoadWriter } from "./load-writer.ts";
import { eventually, type Members } from "./members.ts";
import { at } from "./strength.ts";

const MIB = 1 << 20;
const BIG_VALUE_BYTES = { full: [32 * MIB, 128 * MIB], small: [300_000, 1_500_000] } as const;
const SLOW_BYTES = { full: [16 * MIB, 128 * MIB], small: [4 * MIB, 64 * MIB] } as const;
const SLOW_MEMBERS = { full: 200_000, small: 20_000 } as const;
const SLOW_TIMES = 2;
const MEMBERS_PER_COMMAND = 1000;
/** Values of 10 KiB: 80 to 240 MiB, or 8 to 24. */
const LOAD_KEYS = { full: [8000, 24_000], small: [800, 2400] } as const;
const KEYS_PER_COMMAND = 1000;

const sizeOf = (isFull: boolean): "full" | "small" => (isFull ? "full" : "small");
const within = (strength: number, [least, most]: readonly [number, number]): number =>
  Math.round(at(strength, least, most));

/**
 * Writers of values that travel in pieces. Small ones at every member; of the large ones, which cost each process a few times
 * their size, one at the victim.
 */
export const bigValues: Begin = async ({ members, isFull }, victim, { strength }) => {
  const bytes = within(strength, BIG_VALUE_BYTES[sizeOf(isFull)]);
  const homes = isFull ? [members.names.indexOf(victim)] : members.names.map((_name, i) => i);
  const writers = homes.map((home) => new BigValueWriter(members, home, bytes));
  return async () => {
    await Promise.all(writers.map((writer) => writer.stop()));
  };
};

/** In one piece they keep the event loop of every member busy, for longer than an election timeout. */
export const slowCommands: Begin = async ({ members, isFull }, victim, { strength }) => {
  const connection = await Connection.open(members.node(victim).port);
  const last = String(within(strength, SLOW_BYTES[sizeOf(isFull)]) - 1);
  const keys = ["chaos:slow", "chaos:slow:copy", "chaos:slow:set", "chaos:slow:union"];
  const [text = "", copy = "", set = "", union = ""] = keys;
  const slow = [
    ["DEL", text],
    ["SETRANGE", text, last, "x"],
    ["BITOP", "NOT", text, text],
    ["COPY", text, copy, "REPLACE"],
    ["ZUNIONSTORE", union, "2", set, set],
  ];
  const commands = [...fillingOf(set, SLOW_MEMBERS[sizeOf(isFull)])];
  for (let i = 0; i < SLOW_TIMES; i++) commands.push(...slow);
  const answered = new Promise((resolve) => {
    if (connection === undefined) resolve(undefined);
    const end = commands.length - 1;
    connection?.send(commands.map((command, i) => [command, i === end ? resolve : () => {}] as const));
  });
  return async () => {
    await answered;
    connection?.close();
    await remove(members, keys);
  };
};

function* fillingOf(key: string, members: number): Generator<readonly string[]> {
  for (let from = 0; from < members; from += MEMBERS_PER_COMMAND) {
    const command = ["ZADD", key];
    for (let i = from; i < from + MEMBERS_PER_COMMAND; i++) command.push(String(i), `member:${i}`);
    yield command;
  }
}

/** Killed and started again, empty, while everybody else is written to as fast as it goes, until it is a member again. */
export const rejoinUnderLoad: Begin = async ({ members, links, isFull, wellMsMax }, victim, { strength }) => {
  const keys = within(strength, LOAD_KEYS[sizeOf(isFull)]);
  const writers = links.others(victim).map((name, i) => new LoadWriter(members.node(name).port, keys, i));
  const stop = async (): Promise<void> => {
    await Promise.all(writers.map((writer) => writer.stop()));
    await remove(members, LoadWriter.keys(keys));
  };
  try {
    await eventually("there is something to send to who comes back", async () =>
      writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0) >= keys ? true : undefined,
    );
  } catch (problem) {
    await stop();
    throw problem;
  }
  await members.end(victim, "SIGKILL");
  return async () => {
    members.restart(victim);
    try {
      await members.isBack(victim, wellMsMax);
    } finally {
      await stop();
    }
  };
};

/** By whichever member takes it. */
async function remove(members: Members, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += KEYS_PER_COMMAND) {
    const command = ["UNLINK", ...keys.slice(from, from + KEYS_PER_COMMAND)];
    let at = from;
    await eventually("keys are removed", async () => {
      const name = members.names[at++ % members.names.length]!;
      return (await members.ask(name, ...command))?.startsWith(":") === true ? true : undefined;
    });
  }
}
