// Small sorted sets: a listpack of member, score, member, score ... in order, as Redis keeps it: scores that are integers as
// integers (minus zero as 0), others as their text. Byte ranges of listpacks in; scores and places out.

import { writeInteger } from "../base/integers.ts";
import { formatDouble } from "../base/numbers.ts";
import { findEntry, LISTPACK_HEADER_BYTES, ListpackEntry, nextEntry } from "./listpack.ts";
import { compareBytes } from "./record.ts";
import { COMPACT_BYTES_MAX, type Thresholds } from "./thresholds.ts";

/** Redis takes integers of up to half of 64 bits for such. */
const INTEGER_SCORE_MAX = 2 ** 62;
const LOWER_N = 0x6e;
const entry = new ListpackEntry();

/** The text of the last writeScore(). */
export const scoreText = Buffer.alloc(40);

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

/** Writes a score's text, as it is kept, to scoreText; returns its end. A listpack makes an integer of one that is. */
export function writeScore(score: number): number {
  if (score >= -INTEGER_SCORE_MAX && score <= INTEGER_SCORE_MAX && Number.isInteger(score)) {
    if (Number.isSafeInteger(score)) return writeInteger(scoreText, 0, score);
    return scoreText.write(String(BigInt(score)), "latin1");
  }
  return scoreText.write(formatDouble(score), "latin1");
}

/** Where a member that is not there belongs: the entry before which it comes, or the end mark. */
export function searchPlace(
  bytes: Buffer,
  start: number,
  end: number,
  score: number,
  member: Buffer,
  memberStart: number,
  memberEnd: number,
): number {
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
  return at;
}

/** The pair's end: where the next one begins. */
export function nextPair(bytes: Buffer, at: number): number {
  return nextEntry(bytes, nextEntry(bytes, at));
}
