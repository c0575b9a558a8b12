// Which value types can be dumped and restored, and how. A type that joins is one more DumpCodec in the list.

import { fail } from "../base/assert.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { HashSeed } from "../store/member-table.ts";
import type { Thresholds } from "../store/thresholds.ts";
import { STRING, type ValueType } from "../store/types.ts";
import type { DumpReader, DumpWriter } from "./dump-format.ts";
import { listCodec } from "./dump-lists.ts";
import { hashCodec, setCodec } from "./dump-members.ts";
import { sortedSetCodec } from "./dump-sorted-sets.ts";
import { streamCodec } from "./dump-streams.ts";

/** Stores a decoded value at key bytes[start, end), which does not exist, and returns its handle. */
export type StoreValue = (keys: Keyspace, bytes: Buffer, start: number, end: number) => number;

export interface DumpCodec {
  readonly type: ValueType;
  /** RDB's numbers of the forms that `decode` reads. */
  readonly forms: readonly number[];
  /** Writes the form's number and the value of a record. Changes nothing. */
  encode(keys: Keyspace, handle: number, writer: DumpWriter): void;
  /**
   * Reads a value of the form whose number has just been read. Undefined if it is corrupt: everything is checked here,
   * for what follows must succeed. Members are hashed with the seed. Nothing of the reader's bytes may be kept beyond the command.
   */
  decode(form: number, reader: DumpReader, thresholds: Thresholds, seed: HashSeed): StoreValue | undefined;
}

const FORM_STRING = 0;

const stringCodec: DumpCodec = {
  type: STRING,
  forms: [FORM_STRING],
  encode(keys, handle, writer) {
    keys.valueOf(handle);
    writer.byte(FORM_STRING);
    writer.string(keys.valueBytes, keys.valueStart, keys.valueEnd);
  },
  decode(_form, reader) {
    const value = reader.string();
    if (value === undefined) return undefined;
    return (keys, bytes, start, end) => keys.setString(bytes, start, end, value, 0, value.length, false);
  },
};

const codecs: readonly DumpCodec[] = [
  stringCodec,
  hashCodec,
  setCodec,
  sortedSetCodec,
  listCodec,
  streamCodec,
];

export const codecOfType = (type: number): DumpCodec =>
  codecs.find((codec) => codec.type === type) ?? fail(`no dump of type ${type}`);

export const codecOfForm = (form: number): DumpCodec | undefined =>
  codecs.find((codec) => codec.forms.includes(form));
