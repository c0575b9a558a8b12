// The commands that the comparison with redis-server has to draw: all that touch data, but for some
// that other tests compare.

import { logRows, rows } from "../../src/command/lookup.ts";

/** Data commands that the generator leaves out, and why. */
const NOT_COMPARED: ReadonlyMap<string, string> = new Map([
  ["debug|stringmatch-len", "came after Redis 7.0"],
  ["exec", "transactions.test.ts compares it, with several clients"],
  ["watch", "transactions.test.ts compares it, with several clients"],
  ["unwatch", "transactions.test.ts compares it, with several clients"],
  ["memory|usage", "allocation is each side's own"],
  ["publish", "publish-subscribe.test.ts compares it, with subscribers"],
  ["spublish", "publish-subscribe.test.ts compares it, with subscribers"],
  ...rows
    .filter((row) => row.flags.includes("blocking"))
    .map(({ name }): [string, string] => [name, "blocking.test.ts compares it, with several clients"]),
  ...logRows.map(({ name }): [string, string] => [name, "a word of the log"]),
]);

/** Names of rows, "object|freq" among them. */
export const comparedCommands: readonly string[] = rows
  .filter((row) => row.route === "read" || row.route === "write")
  .map((row) => row.name)
  .filter((name) => !NOT_COMPARED.has(name));
