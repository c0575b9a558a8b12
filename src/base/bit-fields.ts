// Integers of 1 to 64 bits inside bytes, at any bit: reading, writing, and what happens when they overflow. Bits are
// numbered from the highest of byte 0 on, as in Redis's BITFIELD. Values are bigints: exact, and not for hot paths.

export interface FieldType {
  readonly signed: boolean;
  /** 1 to 64 when signed, 1 to 63 when not. */
  readonly bits: number;
}

export type Overflow = "WRAP" | "SAT" | "FAIL";

/** The field at bit `offset` of bytes[start, end); what lies behind the end reads as zeros. */
export function readField(
  bytes: Uint8Array,
  start: number,
  end: number,
  offset: number,
  type: FieldType,
): bigint {
  const first = start + Math.floor(offset / 8);
  const span = bytesSpanned(offset, type.bits);
  let value = 0n;
  for (let i = 0; i < span; i++) {
    const at = first + i;
    value = (value << 8n) | BigInt(at < end ? bytes[at]! : 0);
  }
  value >>= BigInt(span * 8 - (offset % 8) - type.bits);
  return type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value);
}

/** Writes the low bits of `value` to the field at bit `offset` of the bytes from `start` on, which must be there. */
export function writeField(
  bytes: Uint8Array,
  start: number,
  offset: number,
  type: FieldType,
  value: bigint,
): void {
  const first = start + Math.floor(offset / 8);
  const span = bytesSpanned(offset, type.bits);
  const shift = BigInt(span * 8 - (offset % 8) - type.bits);
  const mask = ((1n << BigInt(type.bits)) - 1n) << shift;
  const field = BigInt.asUintN(type.bits, value) << shift;
  for (let i = 0; i < span; i++) {
    const down = BigInt((span - 1 - i) * 8);
    const byteMask = Number((mask >> down) & 0xffn);
    const byte = Number((field >> down) & 0xffn);
    bytes[first + i] = (bytes[first + i]! & ~byteMask) | byte;
  }
}

function bytesSpanned(offset: number, bits: number): number {
  return Math.ceil(((offset % 8) + bits) / 8);
}

/** What a field holds after `exact` was to be put into it; undefined if it does not fit and must not be changed. */
export function fitField(exact: bigint, type: FieldType, overflow: Overflow): bigint | undefined {
  const bits = BigInt(type.bits);
  const max = (1n << (type.signed ? bits - 1n : bits)) - 1n;
  const min = type.signed ? -max - 1n : 0n;
  if (exact >= min && exact <= max) return exact;
  if (overflow === "FAIL") return undefined;
  if (overflow === "SAT") return exact > max ? max : min;
  return type.signed ? BigInt.asIntN(type.bits, exact) : BigInt.asUintN(type.bits, exact);
}
