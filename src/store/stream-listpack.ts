// A stream's nodes as the listpacks that Redis keeps and dumps, and back: what stands there before the entries is put
// before them, or taken away.

import {
  encodeInteger,
  isListpack,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  nextEntry,
  writeBackLength,
} from "./listpack.ts";
import { checkNode, countAt } from "./stream-check.ts";
import { ID_BYTES } from "./stream-id.ts";
import { listpackBytes, type StreamNode } from "./stream-node.ts";

const COUNT_MAX = 0xffff;

/** The whole listpack, in memory of its own. */
export function toListpack(node: StreamNode): Buffer {
  const listpack = Buffer.allocUnsafe(listpackBytes(node));
  let at = LISTPACK_HEADER_BYTES;
  for (const count of [node.alive, node.deleted]) {
    const end = encodeInteger(listpack, at, count);
    at = writeBackLength(listpack, end, end - at);
  }
  at += node.bytes.copy(listpack, at, ID_BYTES, node.end);
  listpack[at] = LISTPACK_END;
  let elements = 2;
  for (let from = ID_BYTES; from < node.end; from = nextEntry(node.bytes, from)) elements++;
  listpack.writeUInt32LE(listpack.length, 0);
  listpack.writeUInt16LE(Math.min(elements, COUNT_MAX), 4);
  return listpack;
}

/** The node whose first id is id[0, 16), or undefined if the listpack makes no sense. Keeps nothing of either. */
export function fromListpack(id: Buffer, listpack: Buffer): StreamNode | undefined {
  const last = listpack.length - 1;
  if (id.length !== ID_BYTES || !isListpack(listpack, 0, listpack.length)) return undefined;
  const alive = countAt(listpack, LISTPACK_HEADER_BYTES, last);
  const deletedAt = alive < 0 ? last : nextEntry(listpack, LISTPACK_HEADER_BYTES);
  const deleted = countAt(listpack, deletedAt, last);
  if (deleted < 0) return undefined;
  const bodyAt = nextEntry(listpack, deletedAt);
  const bytes = Buffer.allocUnsafeSlow(ID_BYTES + last - bodyAt);
  id.copy(bytes, 0);
  listpack.copy(bytes, ID_BYTES, bodyAt, last);
  return checkNode(bytes, alive, deleted);
}
