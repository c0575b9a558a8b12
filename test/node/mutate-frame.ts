// Frames spoilt on purpose, for the fuzzers of the peer port: at the level of protobuf, field by field, without knowing the
// schema, and byte by byte. A frame and a seeded generator in, another frame out, its length prefix right again.

import type { Xoshiro } from "../../src/base/prng.ts";

const PREFIX_BYTES = 4;
/** What counters, indices, terms and kinds are least prepared for. */
const NUMBERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  100n,
  1_000_000n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 52n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

interface Field {
  readonly number: number;
  readonly wireType: number;
  /** Of wire type 0. */
  value: bigint;
  /** Of the others. */
  bytes: Buffer;
  /** If `bytes` may be a message. */
  readonly fields: Field[] | undefined;
}

interface Varint {
  readonly value: bigint;
  readonly end: number;
}

function varintAt(bytes: Buffer, at: number): Varint | undefined {
  let value = 0n;
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    const byte = bytes[at + i]!;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return undefined;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let left = BigInt.asUintN(64, value); ; left >>= 7n) {
    if (left < 0x80n) return Buffer.from([...bytes, Number(left)]);
    bytes.push(Number(left & 0x7fn) | 0x80);
  }
}

/** Undefined when the bytes are no message. */
function parse(bytes: Buffer, depth = 0): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = varintAt(bytes, at);
    if (tag === undefined || tag.value >= 2n ** 29n) return undefined;
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    at = tag.end;
    if (number === 0) return undefined;
    if (wireType === 0) {
      const read = varintAt(bytes, at);
      if (read === undefined) return undefined;
      fields.push({ number, wireType, value: read.value, bytes: Buffer.alloc(0), fields: undefined });
      at = read.end;
      continue;
    }
    const length = wireType === 2 ? varintAt(bytes, at) : undefined;
    if (wireType === 2 && length === undefined) return undefined;
    if (wireType !== 1 && wireType !== 2 && wireType !== 5) return undefined;
    const start = length?.end ?? at;
    const end = start + (length === undefined ? (wireType === 1 ? 8 : 4) : Number(length.value));
    if (end > bytes.length) return undefined;
    const value = bytes.subarray(start, end);
    const inner = wireType === 2 && value.length > 0 && depth < 6 ? parse(value, depth + 1) : undefined;
    fields.push({ number, wireType, value: 0n, bytes: value, fields: inner });
    at = end;
  }
  return fields;
}

function write(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wireType, value, bytes, fields: inner }) => {
      const tag = varint(BigInt(number * 8 + wireType));
      if (wireType === 0) return [tag, varint(value)];
      const body = inner === undefined ? bytes : write(inner);
      return wireType === 2 ? [tag, varint(BigInt(body.length)), body] : [tag, body];
    }),
  );
}

/** A field that shares nothing with the one it was. */
const flat = (field: Field): Field => ({
  ...field,
  bytes: field.fields === undefined ? field.bytes : write(field.fields),
  fields: undefined,
});

/** Every list of fields in the message, its own first. */
function levels(fields: Field[]): Field[][] {
  return [fields, ...fields.flatMap(({ fields: inner }) => (inner === undefined ? [] : levels(inner)))];
}

function mutateFields(fields: Field[], random: Xoshiro): void {
  const all = levels(fields).filter((level) => level.length > 0);
  const level = all[random.below(all.length)]!;
  const at = random.below(level.length);
  const field = level[at]!;
  const kind = random.below(10);
  if (kind === 0) level.splice(at, 1);
  else if (kind === 1) level.push(flat(field));
  else if (kind === 2) level[at] = { ...field, number: 1 + random.below(20) };
  else if (kind === 3) {
    const donors = all[random.below(all.length)]!;
    level[at] = { ...flat(donors[random.below(donors.length)]!), number: field.number };
  } else if (field.wireType === 0) {
    const isNear = random.below(3) === 0;
    const near = field.value + BigInt(random.below(9)) - 4n;
    field.value = isNear && near >= 0n ? near : NUMBERS[random.below(NUMBERS.length)]!;
  } else {
    level[at] = { ...flat(field), bytes: mutateBytes(Buffer.from(flat(field).bytes), random) };
  }
}

function mutateBytes(bytes: Buffer, random: Xoshiro): Buffer {
  if (bytes.length === 0) return Buffer.alloc(random.below(16), random.below(256));
  const kind = random.below(4);
  if (kind === 0) return bytes.subarray(0, random.below(bytes.length));
  if (kind === 1) return Buffer.concat([bytes, Buffer.alloc(1 + random.below(16), random.below(256))]);
  for (let i = 1 + random.below(4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** The frame with one to three things wrong with it. */
export function mutateFrame(frame: Buffer, random: Xoshiro): Buffer {
  let body: Buffer = Buffer.from(frame.subarray(PREFIX_BYTES));
  for (let i = 1 + random.below(3); i > 0; i--) {
    const fields = random.below(6) === 0 ? undefined : parse(body);
    if (fields === undefined || fields.length === 0) body = Buffer.from(mutateBytes(body, random));
    else {
      mutateFields(fields, random);
      body = write(fields);
    }
  }
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(body.length);
  return Buffer.concat([prefix, body]);
}
