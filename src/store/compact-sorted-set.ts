// Small sorted sets: a listpack of member, score, member, score ... in order, as Redis keeps it: scores that are integers as
// integers (minus zero as 0), others as their text. Byte ranges of listpacks in; scores, places, and new listpacks out.

import { writeInteger } from "../base/integers.ts";
import { formatDouble } from "../base/numbers.ts";
import { findEntry, LISTPACK_HEADER_BYTES, ListpackEntry, listpackCount, nextEntry } from "./listpack.ts";
import { ListpackBuilder } from "./listpack-builder.ts";
import { compareBytes } from "./record.ts";
import { COMPACT_BYTES_MAX, type Thresholds } from "./thresholds.ts";

/** Redis takes integers of up to half of 64 bits for such. */
const INTEGER_SCORE_MAX = 2 ** 62;
const LOWER_N = 0x6e;
const text = Buffer.alloc(40);
const entry = new ListpackEntry();

/** What the last change made: compactResult.bytes[0, compactResult.length), until the next one. */
export const compactResult = new ListpackBuilder();
/** For a step in between: a pair that moves is taken out first. */
export const compactRest = new ListpackBuilder();

/** The position of the entry where the last searchPlace() found the place. */
export let placeAt = 0;

/** May a set of `count` members, the longest of `memberBytes`, be compact, when a listpack of `listpackBytes` gets one more? */
export function fitsCompact(
  thresholds: Thresholds,
  count: number,
  memberBytes: number,
  listpackBytes: number,
): boolean {
  if (count > thresholds.zsetListpackEntriesMax || memberBytes > thresholds.zsetListpackValueBytesMax)
    return false;
  return listpackBytes + memberBytes <= COMPACT_BYTES_MAX;
}

/** Where the member's entry begins, or -1. Its score is the next entry. */
export function findPair(
  bytes: Buffer,
  start: number,
  end: number,
  member: Buffer,
  memberStart: number,
  memberEnd: number,
): number {
  return findEntry(bytes, start, end, member, memberStart, memberEnd, 2);
}

/** The score whose entry begins at `at`. */
export function readScore(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first === 0xf4) return Number(bytes.readBigInt64LE(at + 1));
  entry.read(bytes, at);
  return entry.isInteger ? entry.integer : parseScore(entry);
}

function parseScore({ bytes, start, end }: ListpackEntry): number {
  const value = Number(bytes.toString("latin1", start, end));
  if (!Number.isNaN(value)) return value;
  return bytes[start + 1] === LOWER_N ? Infinity : -Infinity; // "inf", "-inf"
}

/** Appends a score to a listpack being built. */
export function appendScore(builder: ListpackBuilder, score: number): void {
  if (score >= -INTEGER_SCORE_MAX && score <= INTEGER_SCORE_MAX && Number.isInteger(score)) {
    const isSafe = Number.isSafeInteger(score);
    builder.text(
      text,
      0,
      isSafe ? writeInteger(text, 0, score) : text.write(String(BigInt(score)), "latin1"),
    );
  } else {
    builder.text(text, 0, text.write(formatDouble(score), "latin1"));
  }
}

/** Sets placeAt to where a member that is not there belongs. */
export function searchPlace(
  bytes: Buffer,
  start: number,
  end: number,
  score: number,
  member: Buffer,
  memberStart: number,
  memberEnd: number,
): void {
  let at = start + LISTPACK_HEADER_BYTES;
  while (at < end - 1) {
    const scoreAt = nextEntry(bytes, at);
    const other = readScore(bytes, scoreAt);
    if (other > score) break;
    if (other === score) {
      entry.read(bytes, at);
      if (compareBytes(entry.bytes, entry.start, entry.end, member, memberStart, memberEnd) > 0) break;
    }
    at = nextEntry(bytes, scoreAt);
  }
  placeAt = at;
}

/** Makes a listpack of those before and behind `at`, and the new pair there. */
export function insertPair(
  bytes: Buffer,
  start: number,
  end: number,
  at: number,
  score: number,
  member: Buffer,
  memberStart: number,
  memberEnd: number,
): void {
  compactResult.begin();
  compactResult.entries(bytes, start + LISTPACK_HEADER_BYTES, at, 0);
  compactResult.text(member, memberStart, memberEnd);
  appendScore(compactResult, score);
  compactResult.entries(bytes, at, end - 1, listpackCount(bytes, start, end));
  compactResult.finish();
}

/** Makes in `into` a listpack without `pairs` pairs from `at` to `until`. */
export function removePairs(
  into: ListpackBuilder,
  bytes: Buffer,
  start: number,
  end: number,
  at: number,
  until: number,
  pairs: number,
): void {
  into.begin();
  into.entries(bytes, start + LISTPACK_HEADER_BYTES, at, 0);
  into.entries(bytes, until, end - 1, listpackCount(bytes, start, end) - 2 * pairs);
  into.finish();
}

/** A pair of one. */
export function singlePair(score: number, member: Buffer, memberStart: number, memberEnd: number): void {
  compactResult.begin().text(member, memberStart, memberEnd);
  appendScore(compactResult, score);
  compactResult.finish();
}

/** The pair's end: where the next one begins. */
export function nextPair(bytes: Buffer, at: number): number {
  return nextEntry(bytes, nextEntry(bytes, at));
}
