// Lists in dump payloads: nodes of a quicklist, each a listpack as a string, or one long element as it is. They are taken
// apart and made again, so that nothing of a client's bytes is believed.

import { assert } from "../base/assert.ts";
import { LargeList } from "../store/large-list.ts";
import { putNewList } from "../store/list-changes.ts";
import { isListpack, LISTPACK_HEADER_BYTES, ListpackEntry, nextEntry } from "../store/listpack.ts";
import { ListpackBuilder } from "../store/listpack-builder.ts";
import { FLAG_OBJECT, LIST } from "../store/types.ts";
import type { DumpReader, DumpWriter } from "./dump-format.ts";
import type { DumpCodec } from "./dump-types.ts";

// RDB's numbers.
const FORM_QUICKLIST_2 = 18;
const NODE_PLAIN = 1;
const NODE_PACKED = 2;

const builder = new ListpackBuilder();
const entry = new ListpackEntry();

export const listCodec: DumpCodec = {
  type: LIST,
  forms: [FORM_QUICKLIST_2],
  encode(keys, handle, writer) {
    writer.byte(FORM_QUICKLIST_2);
    if ((keys.kindOf(handle) & FLAG_OBJECT) === 0) {
      keys.valueOf(handle);
      writer.size(1);
      writeNode(writer, keys.valueBytes, keys.valueStart, keys.valueEnd);
      return;
    }
    const list = keys.collectionOf(handle);
    assert(list instanceof LargeList, "a large list is a LargeList");
    writer.size(list.nodes.length);
    for (const { bytes, start, end, count } of list.nodes) {
      builder.begin().entries(bytes, start, end, count).finish();
      writeNode(writer, builder.bytes, 0, builder.length);
    }
  },
  decode(_form, reader, { listListpackSize }) {
    const list = new LargeList();
    const nodes = readNodes(reader, list, listListpackSize);
    if (nodes === undefined || list.count === 0) return undefined;
    // Redis keeps the nodes that came, and a list of several is not small.
    return (keys, bytes, start, end) =>
      putNewList(keys, { bytes, start, end }, list, nodes === 1, listListpackSize);
  },
};

function writeNode(writer: DumpWriter, bytes: Buffer, start: number, end: number): void {
  writer.size(NODE_PACKED);
  writer.blob(bytes, start, end);
}

/** Appends what the nodes hold; returns how many nodes hold something. */
function readNodes(reader: DumpReader, list: LargeList, listListpackSize: number): number | undefined {
  const count = reader.size();
  if (count === undefined) return undefined;
  let nodes = 0;
  for (let i = 0; i < count; i++) {
    const kind = reader.size();
    const blob = reader.string();
    if (blob === undefined || (kind !== NODE_PACKED && kind !== NODE_PLAIN)) return undefined;
    const before = list.count;
    if (kind === NODE_PLAIN) list.push(blob, 0, blob.length, false, listListpackSize);
    else if (!readPacked(blob, list, listListpackSize)) return undefined;
    if (list.count > before) nodes++;
  }
  return nodes;
}

function readPacked(blob: Buffer, list: LargeList, listListpackSize: number): boolean {
  if (!isListpack(blob, 0, blob.length)) return false;
  for (let at = LISTPACK_HEADER_BYTES; at < blob.length - 1; at = nextEntry(blob, at)) {
    const { bytes, start, end } = entry.read(blob, at);
    list.push(bytes, start, end, false, listListpackSize);
  }
  return true;
}
