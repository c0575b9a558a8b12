// Finds the row of a command by the bytes of its name, in any case, allocating nothing.
//
// One open-addressed table holds commands and subcommands; the parent's id is part of the hash:
//
//   slots:  |  0 | id+1 |  0 | ...        hash(parent, length, bytes) & mask, linear probing
//   names:  g e t s e t d e l ...         lower case, row `id` owns [nameStart[id], nameStart[id + 1])
//
// A row's id is its index in `rows`: stable while the process lives, for counters in typed arrays.

import type { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import { logRows, rows, topLevelRows } from "./table.ts";
import type { CommandRow } from "./types.ts";

export { logRows, rows, topLevelRows } from "./table.ts";

const NO_PARENT = 0;
const idOf = new Map<CommandRow, number>(rows.map((row, id) => [row, id]));
const idByName = new Map<string, number>(rows.map((row, id) => [row.name, id]));
assert(idOf.size === rows.length, "a row object is in the table twice");
assert(idByName.size === rows.length, `command names repeat: ${repeatedNames().join(", ")}`);

const slotCount = powerOfTwoFor(8 * rows.length);
const mask = slotCount - 1;
const slots = new Uint16Array(slotCount);
/** Parent id + 1 of each row; NO_PARENT for commands. */
const parents = new Uint16Array(rows.length);
const nameStart = new Uint32Array(rows.length + 1);
const names = packNames();
const wordBytesMax = Math.max(...rows.map((row) => wordOf(row).length));
const isContainer = Uint8Array.from(rows, (row) => (row.route === "container" ? 1 : 0));
fillSlots();

/**
 * The row that `args` selects, or undefined when the command is unknown. A container's row itself comes back
 * when the subcommand is missing or unknown: the caller tells which by args.count.
 */
export function lookup(args: Args): CommandRow | undefined {
  const id = lookupId(args);
  return id < 0 ? undefined : rows[id];
}

/** As `lookup`, but the row's id; -1 when the command is unknown. `rows[id]` is the row. */
export function lookupId(args: Args): number {
  const bytes = args.bytes;
  const id = find(NO_PARENT, bytes, args.start(0), args.end(0));
  if (id < 0 || isContainer[id] === 0 || args.count < 2) return id;
  const subcommand = find(id + 1, bytes, args.start(1), args.end(1));
  return subcommand < 0 ? id : subcommand;
}

/** Index of `row` in `rows`. */
export function rowId(row: CommandRow): number {
  const id = idOf.get(row);
  assert(id !== undefined, `row ${row.name} is not in the table`);
  return id;
}

/** The row called `name`, in any case; a subcommand as "client|list". For COMMAND INFO and the like. */
export function lookupName(name: string): CommandRow | undefined {
  const id = idByName.get(name.toLowerCase());
  return id === undefined ? undefined : rows[id];
}

function find(parent: number, bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length > wordBytesMax) return -1;
  for (let slot = firstSlot(parent, bytes, start, end); ; slot = (slot + 1) & mask) {
    const id = slots[slot]! - 1;
    if (id < 0) return -1;
    if (parents[id] === parent && nameEquals(id, bytes, start, length)) return id;
  }
}

function firstSlot(parent: number, bytes: Buffer, start: number, end: number): number {
  let hash = Math.imul(parent, 0x9e3779b1) ^ (end - start);
  // Setting 0x20 folds the case of letters, and of a few signs that the comparison tells apart.
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i]! | 0x20), 0x01000193);
  return (hash ^ (hash >>> 15)) & mask;
}

function nameEquals(id: number, bytes: Buffer, start: number, length: number): boolean {
  const from = nameStart[id]!;
  if (nameStart[id + 1]! - from !== length) return false;
  for (let i = 0; i < length; i++) {
    let byte = bytes[start + i]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== names[from + i]) return false;
  }
  return true;
}

/** The word that selects the row: "list" for "client|list". */
function wordOf(row: CommandRow): string {
  return row.name.slice(row.name.lastIndexOf("|") + 1);
}

function packNames(): Buffer {
  const words = rows.map(wordOf);
  words.forEach((word, id) => {
    assert(word.length > 0 && word === word.toLowerCase(), `row name ${rows[id]!.name} is not lower case`);
    nameStart[id + 1] = nameStart[id]! + word.length;
  });
  return Buffer.from(words.join(""), "latin1");
}

function fillSlots(): void {
  let parent = NO_PARENT;
  const topLevel = new Set<CommandRow>([...topLevelRows, ...logRows]);
  rows.forEach((row, id) => {
    if (topLevel.has(row)) {
      insert(NO_PARENT, id);
      parent = id + 1;
    } else {
      insert(parent, id);
    }
  });
}

function insert(parent: number, id: number): void {
  assert(find(parent, names, nameStart[id]!, nameStart[id + 1]!) < 0, `${rows[id]!.name}: the word is taken`);
  parents[id] = parent;
  let slot = firstSlot(parent, names, nameStart[id]!, nameStart[id + 1]!);
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = id + 1;
}

function repeatedNames(): string[] {
  return rows.map((row) => row.name).filter((name, i, all) => all.indexOf(name) !== i);
}

function powerOfTwoFor(count: number): number {
  let size = 64;
  while (size < count) size *= 2;
  return size;
}
