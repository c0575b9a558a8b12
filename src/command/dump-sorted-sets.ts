// Sorted sets in dump payloads: a listpack as a string, taken apart and made again, or members with their scores one after the
// other. Whatever order they come in, they are put in order; nothing of a client's bytes is believed.

import { parseDouble } from "../base/numbers.ts";
import { LISTPACK_HEADER_BYTES, ListpackEntry, nextEntry } from "../store/listpack.ts";
import { SortedSetDraft } from "../store/sorted-set-draft.ts";
import { SortedSetReader } from "../store/sorted-set-reader.ts";
import { FLAG_OBJECT, ZSET } from "../store/types.ts";
import { readPairsListpack, writeCompact } from "./dump-compact.ts";
import type { DumpReader } from "./dump-format.ts";
import type { DumpCodec } from "./dump-types.ts";

// RDB's numbers.
const FORM_SORTED_SET = 5;
const FORM_SORTED_SET_LISTPACK = 17;

const set = new SortedSetReader();
const draft = new SortedSetDraft();
const entry = new ListpackEntry();

interface Pair {
  readonly member: Buffer;
  readonly score: number;
}

export const sortedSetCodec: DumpCodec = {
  type: ZSET,
  forms: [FORM_SORTED_SET, FORM_SORTED_SET_LISTPACK],
  encode(keys, handle, writer) {
    if ((keys.kindOf(handle) & FLAG_OBJECT) === 0)
      return writeCompact(keys, handle, FORM_SORTED_SET_LISTPACK, writer);
    set.open(keys, handle);
    writer.byte(FORM_SORTED_SET);
    writer.size(set.count);
    // From the last one on, as Redis does.
    for (let more = set.goTo(set.count - 1); more; more = set.previous()) {
      writer.string(set.bytes, set.start, set.end);
      writer.double(set.score);
    }
  },
  decode(form, reader, thresholds, seed) {
    const isCompact = form === FORM_SORTED_SET_LISTPACK;
    const pairs = isCompact ? readListpack(reader) : readPairs(reader);
    if (pairs === undefined || !putInOrder(pairs)) return undefined;
    // Redis looks at the number of members only: what was compact where it comes from stays so.
    const limits = isCompact ? { ...thresholds, zsetListpackValueBytesMax: Infinity } : thresholds;
    const longestBytes = pairs.reduce((longest, { member }) => Math.max(longest, member.length), 0);
    draft.begin(limits, seed, pairs.length, longestBytes);
    for (const { score, member } of pairs) draft.append(score, member, 0, member.length);
    return (keys, bytes, start, end) => draft.put(keys, bytes, start, end);
  },
};

function readPairs(reader: DumpReader): Pair[] | undefined {
  const count = reader.size();
  if (count === undefined || count === 0) return undefined;
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const member = reader.string();
    const score = reader.double();
    if (member === undefined || score === undefined || Number.isNaN(score)) return undefined;
    pairs.push({ member, score });
  }
  return pairs;
}

function readListpack(reader: DumpReader): Pair[] | undefined {
  const blob = readPairsListpack(reader);
  if (blob === undefined) return undefined;
  const pairs: Pair[] = [];
  for (let at = LISTPACK_HEADER_BYTES; at < blob.length - 1; ) {
    const { bytes, start, end } = entry.read(blob, at);
    const member = Buffer.from(bytes.subarray(start, end));
    const scoreAt = nextEntry(blob, at);
    const text = entry.read(blob, scoreAt);
    const score = parseDouble(text.bytes, text.start, text.end);
    if (score === undefined) return undefined;
    pairs.push({ member, score });
    at = nextEntry(blob, scoreAt);
  }
  return pairs;
}

/** False: a member is there twice. */
function putInOrder(pairs: Pair[]): boolean {
  const members = new Set(pairs.map(({ member }) => member.toString("latin1")));
  if (members.size !== pairs.length) return false;
  pairs.sort((a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : a.member.compare(b.member)));
  return true;
}
