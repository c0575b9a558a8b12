// Finds an id in a stream's node: a walk over entries that looks at ids only, as numbers where these are exact. Each node
// remembers where the last walk ended, so that reading on from one entry to the next does not begin at the front.

import { nextEntry } from "./listpack.ts";
import { StreamId } from "./stream-id.ts";
import {
  FLAG_SAME_FIELDS,
  FLAGS_BYTES,
  NO_HINT,
  readEntryId,
  type StreamNode,
  smallInteger,
} from "./stream-node.ts";

const WORD = 0x1_0000_0000;
/** First ids with both high words below this are exact as numbers, and with a difference of 32 bits added. */
const EXACT_HIGH = 0x10_0000;

const exact = new StreamId();

/** Where the first entry that is not before `id` begins, alive or deleted; node.end if there is none. */
export function seekInNode(node: StreamNode, id: StreamId): number {
  const { bytes, end } = node;
  let at = beginOf(node, id);
  exact.read(bytes, 0);
  const isExact = exact.msHigh < EXACT_HIGH && exact.seqHigh < EXACT_HIGH;
  const firstMs = exact.msHigh * WORD + exact.msLow;
  const firstSeq = exact.seqHigh * WORD + exact.seqLow;
  const ms = id.msHigh * WORD + id.msLow;
  const seq = id.seqHigh * WORD + id.seqLow;
  while (at < end) {
    const msAt = at + FLAGS_BYTES;
    const seqAt = msAt + differenceBytes(bytes, msAt);
    const entryMs = firstMs + differenceAt(bytes, msAt);
    const entrySeq = firstSeq + differenceAt(bytes, seqAt);
    if (isExact && entryMs >= 0 && entrySeq >= 0) {
      if (entryMs > ms || (entryMs === ms && entrySeq >= seq)) break;
    } else {
      readEntryId(node, at, exact);
      if (exact.compare(id) >= 0) break;
    }
    at = behindValues(node, at, seqAt + differenceBytes(bytes, seqAt));
  }
  if (at < end && node.hintAt !== NO_HINT) node.hintAt = at;
  return at;
}

/** No entry before this one is wanted. */
function beginOf(node: StreamNode, id: StreamId): number {
  if (node.hintAt <= 0) return node.entriesAt;
  readEntryId(node, node.hintAt, exact);
  return exact.compare(id) <= 0 ? node.hintAt : node.entriesAt;
}

/** The number at `at`, which may be negative; NaN if it has 64 bits. */
function differenceAt(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return first;
  if (first < 0xe0) return (((first << 8) | bytes[at + 1]!) << 19) >> 19;
  if (first === 0xf1) return bytes.readInt16LE(at + 1);
  if (first === 0xf2) return bytes.readIntLE(at + 1, 3);
  return first === 0xf3 ? bytes.readInt32LE(at + 1) : Number.NaN;
}

/** Its bytes, with its length. */
function differenceBytes(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 2;
  if (first < 0xe0) return 3;
  return first === 0xf4 ? 10 : first - 0xf1 + 4;
}

/** The end of the entry at `at`, whose values begin at `valuesAt`. */
function behindValues(node: StreamNode, at: number, valuesAt: number): number {
  const { bytes } = node;
  const hasSameFields = (bytes[at]! & FLAG_SAME_FIELDS) !== 0;
  let next = valuesAt;
  const elements = hasSameFields ? node.fieldCount : 1 + 2 * smallInteger(bytes, valuesAt);
  for (let left = elements + 1; left > 0; left--) next = nextEntry(bytes, next);
  return next;
}
