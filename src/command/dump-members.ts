// Hashes and sets in dump payloads. A listpack or intset is a string in the payload; it is taken apart and made again,
// so that nothing of a client's bytes is believed. What is large is its members one after the other.

import { HashReader } from "../store/hash-reader.ts";
import { HashWriter } from "../store/hash-writer.ts";
import { intsetCount, isIntset } from "../store/intset.ts";
import {
  isListpack,
  LISTPACK_HEADER_BYTES,
  ListpackEntry,
  listpackCount,
  nextEntry,
} from "../store/listpack.ts";
import type { HashSeed } from "../store/member-table.ts";
import type { MemberWriter } from "../store/member-writer.ts";
import { SetReader } from "../store/set-reader.ts";
import { SetWriter } from "../store/set-writer.ts";
import type { Thresholds } from "../store/thresholds.ts";
import { FLAG_INTSET, FLAG_OBJECT, HASH, SET } from "../store/types.ts";
import { readPairsListpack, writeCompact } from "./dump-compact.ts";
import type { DumpReader } from "./dump-format.ts";
import type { DumpCodec, StoreValue } from "./dump-types.ts";

// RDB's numbers.
const FORM_SET = 2;
const FORM_HASH = 4;
const FORM_SET_INTSET = 11;
const FORM_HASH_LISTPACK = 16;
const FORM_SET_LISTPACK = 20;

const hashReader = new HashReader();
const hashWriter = new HashWriter();
const setReader = new SetReader();
const setWriter = new SetWriter();
const entry = new ListpackEntry();
const valueEntry = new ListpackEntry();

/** Stores what the writer holds. Decoding and storing are in one command, so the writer is as it was left. */
const storing =
  (writer: MemberWriter, type: typeof HASH | typeof SET): StoreValue =>
  (keys, bytes, start, end) =>
    writer.commitTo(keys, bytes, start, end, type);

export const hashCodec: DumpCodec = {
  type: HASH,
  forms: [FORM_HASH, FORM_HASH_LISTPACK],
  encode(keys, handle, writer) {
    if ((keys.kindOf(handle) & FLAG_OBJECT) === 0)
      return writeCompact(keys, handle, FORM_HASH_LISTPACK, writer);
    hashReader.open(keys, handle);
    writer.byte(FORM_HASH);
    writer.size(hashReader.count);
    while (hashReader.next()) {
      writer.string(hashReader.fieldBytes, hashReader.fieldStart, hashReader.fieldEnd);
      writer.string(hashReader.valueBytes, hashReader.valueStart, hashReader.valueEnd);
    }
  },
  decode(form, reader, thresholds, seed) {
    const isRead =
      form === FORM_HASH ? readHash(reader, thresholds, seed) : readHashListpack(reader, thresholds, seed);
    return isRead ? storing(hashWriter, HASH) : undefined;
  },
};

function readHash(reader: DumpReader, thresholds: Thresholds, seed: HashSeed): boolean {
  const count = reader.size();
  if (count === undefined || count === 0) return false;
  hashWriter.beginNew(thresholds, seed);
  if (count > thresholds.hashListpackEntriesMax) hashWriter.makeLarge();
  for (let i = 0; i < count; i++) {
    const field = reader.string();
    const value = field === undefined ? undefined : reader.string();
    if (field === undefined || value === undefined) return false;
    if (!hashWriter.set(field, 0, field.length, value, 0, value.length)) return false;
  }
  return true;
}

function readHashListpack(reader: DumpReader, thresholds: Thresholds, seed: HashSeed): boolean {
  const blob = readPairsListpack(reader);
  if (blob === undefined) return false;
  const count = listpackCount(blob, 0, blob.length);
  // Redis looks at the number of fields only: what was compact where it comes from stays so.
  hashWriter.beginNew({ ...thresholds, hashListpackValueBytesMax: Infinity }, seed);
  if (count / 2 > thresholds.hashListpackEntriesMax) hashWriter.makeLarge();
  for (let at = LISTPACK_HEADER_BYTES; at < blob.length - 1; ) {
    const field = entry.read(blob, at);
    const valueAt = nextEntry(blob, at);
    const value = valueEntry.read(blob, valueAt);
    if (!hashWriter.set(field.bytes, field.start, field.end, value.bytes, value.start, value.end))
      return false;
    at = nextEntry(blob, valueAt);
  }
  return true;
}

export const setCodec: DumpCodec = {
  type: SET,
  forms: [FORM_SET, FORM_SET_INTSET, FORM_SET_LISTPACK],
  encode(keys, handle, writer) {
    if ((keys.kindOf(handle) & FLAG_INTSET) !== 0) return writeCompact(keys, handle, FORM_SET_INTSET, writer);
    // A listpack too, for Redis 7.0 knows no sets of that form.
    setReader.open(keys, handle);
    writer.byte(FORM_SET);
    writer.size(setReader.count);
    while (setReader.next()) writer.string(setReader.bytes, setReader.start, setReader.end);
  },
  decode(form, reader, thresholds, seed) {
    const isRead =
      form === FORM_SET ? readSet(reader, thresholds, seed) : readCompactSet(form, reader, thresholds, seed);
    return isRead ? storing(setWriter, SET) : undefined;
  },
};

function readSet(reader: DumpReader, thresholds: Thresholds, seed: HashSeed): boolean {
  const count = reader.size();
  if (count === undefined || count === 0) return false;
  setWriter.beginNew(thresholds, seed);
  if (count > Math.max(thresholds.setIntsetEntriesMax, thresholds.setListpackEntriesMax))
    setWriter.makeLarge();
  for (let i = 0; i < count; i++) {
    const member = reader.string();
    if (member === undefined || !setWriter.add(member, 0, member.length)) return false;
  }
  return true;
}

function readCompactSet(form: number, reader: DumpReader, thresholds: Thresholds, seed: HashSeed): boolean {
  const blob = reader.string();
  if (blob === undefined) return false;
  const isOfIntegers = form === FORM_SET_INTSET;
  const { length } = blob;
  if (!(isOfIntegers ? isIntset(blob, 0, length) : isListpack(blob, 0, length))) return false;
  const count = isOfIntegers ? intsetCount(blob, 0) : listpackCount(blob, 0, length);
  if (count === 0) return false;
  setWriter.beginNew({ ...thresholds, setListpackValueBytesMax: Infinity }, seed);
  if (count > (isOfIntegers ? thresholds.setIntsetEntriesMax : thresholds.setListpackEntriesMax)) {
    setWriter.makeLarge();
  } else if (!isOfIntegers) {
    setWriter.preferListpack();
  }
  setReader.openCompact(isOfIntegers, blob, 0, length, count);
  while (setReader.next()) {
    if (!setWriter.add(setReader.bytes, setReader.start, setReader.end)) return false;
  }
  setReader.close();
  return true;
}
