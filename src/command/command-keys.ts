// Which arguments of a command are keys, by Redis's key specifications. Not for the hot path: routing a command
// needs no keys here. In: a row's facts and a command's arguments. Out: argument numbers.

import type { Args } from "../base/args.ts";
import { factsOf, type KeySpec } from "./command-docs.ts";
import { integerArgument } from "./local-arguments.ts";
import type { CommandRow } from "./types.ts";

export interface KeyFound {
  /** Argument number, counted from the command's name. */
  readonly index: number;
  readonly flags: readonly string[];
}

/** The command inside `args` starts at argument `from` and has `count` arguments. */
export interface CommandSlice {
  readonly args: Args;
  readonly from: number;
  readonly count: number;
}

/** Undefined when the arguments make no sense ("numkeys" is no number, or more than there are). */
export function findKeys(row: CommandRow, command: CommandSlice): readonly KeyFound[] | undefined {
  const specs = factsOf(row).keySpecs;
  if (specs === undefined) return rowKeys(row, command);
  const found: KeyFound[] = [];
  for (const spec of specs) {
    const indexes = specKeys(spec, command);
    if (indexes === undefined) return undefined;
    const flags = flagsOf(row, spec, command);
    if (!flags.includes("not_key")) for (const index of indexes) found.push({ index, flags });
  }
  if (row.name === "sort") found.push(...sortDestination(command));
  return found;
}

/** May the command have keys at all? */
export function hasKeys(row: CommandRow): boolean {
  return (
    row.keys.first !== 0 || (factsOf(row).keySpecs ?? []).some((spec) => !spec.flags.includes("not_key"))
  );
}

function rowKeys({ keys }: CommandRow, { count }: CommandSlice): readonly KeyFound[] {
  const last = keys.last < 0 ? count + keys.last : keys.last;
  return keys.first === 0
    ? []
    : stepped(keys.first, last, keys.step, count).map((index) => ({ index, flags: [] }));
}

function stepped(first: number, last: number, step: number, count: number): readonly number[] {
  const indexes: number[] = [];
  for (let index = first; index <= last && index < count; index += step) indexes.push(index);
  return indexes;
}

function specKeys(spec: KeySpec, command: CommandSlice): readonly number[] | undefined {
  const first = beginOf(spec, command);
  if (first === undefined || spec.find.type === "unknown") return [];
  const { find } = spec;
  const { count } = command;
  if (find.type === "range") return range(first, rangeLast(first, find, count), find.step, count);
  if (first + find.count >= count) return undefined;
  const keyCount = integerArgument(command.args, command.from + first + find.count);
  if (keyCount === undefined || keyCount < 0) return undefined;
  const firstKey = first + find.first;
  return range(firstKey, firstKey + (keyCount - 1) * find.step, find.step, count);
}

/** Undefined when it is empty, or goes beyond the arguments. */
function range(first: number, last: number, step: number, count: number): readonly number[] | undefined {
  return first <= last && last < count ? stepped(first, last, step, count) : undefined;
}

function rangeLast(
  first: number,
  find: { readonly last: number; readonly limit: number },
  count: number,
): number {
  if (find.last >= 0) return first + find.last;
  // -1 with a limit of 2: the first half of what is left (XREAD's streams, then as many ids).
  return find.limit <= 1 ? count + find.last : first + Math.floor((count - first) / find.limit) + find.last;
}

function beginOf({ begin }: KeySpec, { args, from, count }: CommandSlice): number | undefined {
  if (begin.type === "index") return begin.index;
  if (begin.type === "unknown") return undefined;
  const forwards = begin.startFrom > 0;
  const start = forwards ? begin.startFrom : count + begin.startFrom;
  // What comes last, or first when looking backwards, is not looked at: nothing could be behind it.
  for (let i = start; forwards ? i < count - 1 : i > 1; i += forwards ? 1 : -1) {
    if (args.is(from + i, begin.keyword)) return i + 1;
  }
  return undefined;
}

/** Where the flags depend on the options: SET with GET also reads, BITFIELD with GETs only reads. */
function flagsOf(row: CommandRow, spec: KeySpec, command: CommandSlice): readonly string[] {
  const { args, from, count } = command;
  if (row.name === "set") {
    for (let i = 3; i < count; i++) if (args.is(from + i, "GET")) return ["RW", "access", "update"];
    return ["OW", "update"];
  }
  if (row.name === "bitfield") return onlyGets(command) ? ["RO", "access"] : ["RW", "access", "update"];
  return spec.flags.filter((flag) => flag !== "variable_flags" && flag !== "incomplete");
}

function onlyGets({ args, from, count }: CommandSlice): boolean {
  for (let i = 2; i < count; i++) {
    if (args.is(from + i, "GET") && i + 2 < count) i += 2;
    else if (args.is(from + i, "OVERFLOW") && i + 1 < count) i += 1;
    else return false;
  }
  return true;
}

/**
 * SORT key ... STORE destination: its place cannot be said in a specification. The last STORE counts, and a destination that
 * is called so is one too, though SORT itself does not take it for that: as in Redis.
 */
function sortDestination({ args, from, count }: CommandSlice): readonly KeyFound[] {
  let destination: number | undefined;
  for (let i = 2; i + 1 < count; i++) {
    if (args.is(from + i, "LIMIT")) i += 2;
    else if (args.is(from + i, "GET") || args.is(from + i, "BY")) i += 1;
    else if (args.is(from + i, "STORE")) destination = i + 1;
  }
  return destination === undefined ? [] : [{ index: destination, flags: ["OW", "update"] }];
}
