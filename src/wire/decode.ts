// Turns what protobufjs makes of foreign bytes into checked values. Everything that can be wrong with a frame
// comes back as a code; nothing is thrown through.

import protobuf from "protobufjs/minimal.js";
import { asBuffer } from "../base/as-buffer.ts";
import { InvariantError } from "../base/assert.ts";
import { FRAME_FIELDS_MAX } from "../base/limits.ts";

export type DecodeErrorCode =
  | "malformed" // not protobuf, or cut short
  | "outOfRange" // an integer that is no safe integer
  | "unknownKind" // an enum value of a later version
  | "missing"; // a part without which the message says nothing

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: DecodeErrorCode; readonly text: string };

/** Only between the checks below and `decoded`. */
class DecodeError extends Error {
  readonly code: DecodeErrorCode;

  constructor(code: DecodeErrorCode, text: string) {
    super(text);
    this.code = code;
  }
}

/** Runs `decode`; whatever foreign bytes make it throw becomes a value. */
export function decoded<T>(decode: () => T): Decoded<T> {
  try {
    return { ok: true, value: decode() };
  } catch (error) {
    if (error instanceof InvariantError) throw error;
    if (error instanceof DecodeError) return { ok: false, error: error.code, text: error.message };
    // protobufjs throws Error and RangeError for bytes that are no message.
    return { ok: false, error: "malformed", text: error instanceof Error ? error.message : String(error) };
  }
}

/** Every field becomes an object or an element: a frame of nothing but empty ones would cost a hundred times its bytes. */
class CountingReader extends protobuf.BufferReader {
  #left = FRAME_FIELDS_MAX;

  override tag(): number {
    if (--this.#left < 0) refuse("outOfRange", `more than ${FRAME_FIELDS_MAX} fields`);
    return super.tag();
  }

  override uint64s(numbers?: number[]): number[] {
    // Of one byte each, perhaps.
    if (this.len - this.pos > FRAME_FIELDS_MAX)
      refuse("outOfRange", `a list of more than ${FRAME_FIELDS_MAX} bytes`);
    return super.uint64s(numbers) as number[];
  }
}

/** Reads a message with the fields that only later versions know. */
export function keepingReader(encoded: Uint8Array): protobuf.Reader {
  const reader = new CountingReader(asBuffer(encoded));
  reader.discardUnknown = false;
  return reader;
}

/** What the checks here do not know is wrong with a message. */
export function refuse(code: DecodeErrorCode, text: string): never {
  throw new DecodeError(code, text);
}

/** A uint64 as a safe integer. Above 2^53 protobufjs rounds, to something that is not safe either. */
export function safeInteger(value: number | null | undefined, field: string): number {
  if (value === null || value === undefined) return 0;
  if (!Number.isSafeInteger(value) || value < 0) throw new DecodeError("outOfRange", `${field} is ${value}`);
  return value;
}

export function finite(value: number | null | undefined, field: string): number {
  if (value === null || value === undefined) return 0;
  if (!Number.isFinite(value)) throw new DecodeError("outOfRange", `${field} is ${value}`);
  return value;
}

const NO_BYTES = Buffer.alloc(0);

/** A view into the frame, never a copy. */
export function bytes(value: Uint8Array | null | undefined): Buffer {
  if (value === null || value === undefined || value.length === 0) return NO_BYTES;
  return asBuffer(value);
}

export function present<T>(value: T | null | undefined, field: string): T {
  if (value === null || value === undefined) throw new DecodeError("missing", `no ${field}`);
  return value;
}

/** The name of an enum value by its number: `names[number]`. */
export function kind<Name extends string>(
  names: readonly (Name | undefined)[],
  value: number | null | undefined,
  field: string,
): Name {
  const name = names[value ?? 0];
  if (name === undefined) throw new DecodeError("unknownKind", `${field} ${value ?? 0} is not known here`);
  return name;
}

/** The inverse of a table of wire numbers; a name with number -1 never travels. */
export function namesByNumber<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
): readonly (Name | undefined)[] {
  const names: (Name | undefined)[] = [];
  for (const name in numbers) if (numbers[name] >= 0) names[numbers[name]] = name;
  return names;
}
