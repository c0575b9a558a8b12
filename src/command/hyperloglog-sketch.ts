// One HyperLogLog being changed: dense where it is, sparse in a copy. In: hashes of elements, registers. Out: bytes that
// are those Redis would have after the same steps; so runs are split and joined exactly as there.

import { murmur64, murmurHigh, murmurLow } from "../base/murmur64.ts";
import * as format from "./hyperloglog-format.ts";

/** Redis's seed. */
const SEED = 0xadc83b19;
/** A run that is split takes at most this many bytes more. */
const SPLIT_BYTES_MAX = 3;
/** Runs from the one before a change on, that are looked at for neighbours to join. */
const RUNS_JOINED = 5;

export const UNCHANGED = 0;
export const CHANGED = 1;
export const CORRUPT = -1;

/** The register that the last hashElement chose, and the value it asks for there. */
let elementRegister = 0;
let elementValue = 0;

function hashElement(bytes: Buffer, start: number, end: number): void {
  murmur64(bytes, start, end, SEED);
  elementRegister = murmurLow & (format.REGISTERS - 1);
  const rest = murmurLow >>> format.INDEX_BITS;
  if (rest !== 0) elementValue = trailingZeros(rest) + 1;
  else if (murmurHigh !== 0) elementValue = trailingZeros(murmurHigh) + 32 - format.INDEX_BITS + 1;
  else elementValue = format.VALUE_MAX;
}

const trailingZeros = (value: number): number => 31 - Math.clz32(value & -value);

export class Sketch {
  /** The sketch is bytes[start, start + length). */
  bytes: Buffer = format.EMPTY_SKETCH;
  start = 0;
  length = 0;
  readonly #sparse = Buffer.alloc(format.SPARSE_BYTES_MAX + SPLIT_BYTES_MAX);
  readonly #dense = Buffer.alloc(format.DENSE_BYTES);
  readonly #run = Buffer.alloc(SPLIT_BYTES_MAX + 2);

  /** Works on a dense sketch where it is. */
  useDense(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.length = format.DENSE_BYTES;
  }

  /** Takes a copy of a sparse one; false if it is too long to be one. */
  loadSparse(bytes: Buffer, start: number, end: number): boolean {
    if (end - start > format.SPARSE_BYTES_MAX) return false;
    bytes.copy(this.#sparse, 0, start, end);
    this.bytes = this.#sparse;
    this.start = 0;
    this.length = end - start;
    return true;
  }

  get isDense(): boolean {
    return this.bytes[this.start + format.ENCODING_AT] === format.DENSE;
  }

  /** CHANGED, UNCHANGED or CORRUPT. */
  addElement(bytes: Buffer, start: number, end: number, sparseBytesMax: number): number {
    hashElement(bytes, start, end);
    return this.raise(elementRegister, elementValue, sparseBytesMax);
  }

  /** Raises a register to `value`, if it is less. A sparse sketch that would get longer than allowed becomes dense. */
  raise(index: number, value: number, sparseBytesMax: number): number {
    if (this.isDense) return this.#raiseDense(index, value);
    if (value > format.SPARSE_VALUE_MAX) return this.#raisePromoted(index, value);
    return this.#raiseSparse(index, value, sparseBytesMax);
  }

  #raiseDense(index: number, value: number): number {
    const at = this.start + format.HEADER_BYTES;
    if (format.denseRegister(this.bytes, at, index) >= value) return UNCHANGED;
    format.setDenseRegister(this.bytes, at, index, value);
    return CHANGED;
  }

  #raisePromoted(index: number, value: number): number {
    return this.makeDense() ? this.#raiseDense(index, value) : CORRUPT;
  }

  /** False if it is corrupt. The header's count stays. */
  makeDense(): boolean {
    if (this.isDense) return true;
    const dense = this.#dense;
    dense.fill(0);
    registers.fill(0);
    if (!format.mergeRegisters(registers, this.bytes, this.start, this.start + this.length)) return false;
    this.bytes.copy(dense, 0, this.start, this.start + format.HEADER_BYTES);
    dense[format.ENCODING_AT] = format.DENSE;
    for (let i = 0; i < format.REGISTERS; i++) {
      if (registers[i] !== 0) format.setDenseRegister(dense, format.HEADER_BYTES, i, registers[i]!);
    }
    this.useDense(dense, 0);
    return true;
  }

  #raiseSparse(index: number, value: number, sparseBytesMax: number): number {
    const bytes = this.bytes;
    const end = this.length;
    let at = format.HEADER_BYTES;
    let before = at; // where the run before begins
    let first = 0; // the first register of the run
    for (; at < end; ) {
      const span = format.runLength(bytes, at);
      if (index < first + span) break;
      before = at;
      at += format.isLongZeroRun(bytes[at]!) ? 2 : 1;
      first += span;
    }
    const byte = bytes[at]!;
    const bytesBefore = format.isLongZeroRun(byte) ? 2 : 1;
    if (at + bytesBefore > end) return CORRUPT;
    if (format.runValue(byte) >= value) return UNCHANGED;

    const run = this.#run;
    const last = first + format.runLength(bytes, at) - 1;
    let length = writeRun(run, 0, format.runValue(byte), index - first);
    length = writeRun(run, length, value, 1);
    length = writeRun(run, length, format.runValue(byte), last - index);
    const longer = length - bytesBefore;
    if (longer > 0 && end + longer > sparseBytesMax) return this.#raisePromoted(index, value);
    if (longer !== 0) bytes.copy(bytes, at + length, at + bytesBefore, end);
    run.copy(bytes, at, 0, length);
    this.length = end + longer;
    this.#joinRuns(before);
    format.markOutOfDate(bytes, 0);
    return CHANGED;
  }

  /** Joins equal neighbours that fit in one run, among the few from bytes[at] on. */
  #joinRuns(at: number): void {
    const bytes = this.bytes;
    for (let looks = 0; looks < RUNS_JOINED && at < this.length; looks++) {
      const byte = bytes[at]!;
      if (!format.isValueRun(byte)) {
        at += format.isLongZeroRun(byte) ? 2 : 1;
        continue;
      }
      const next = at + 1 < this.length ? bytes[at + 1]! : 0;
      const isEqual = format.isValueRun(next) && format.runValue(next) === format.runValue(byte);
      const together = isEqual ? format.runLength(bytes, at) + format.runLength(bytes, at + 1) : Infinity;
      if (together > format.VALUE_RUN_MAX) {
        at++;
        continue;
      }
      bytes.copy(bytes, at, at + 1, this.length);
      this.length--;
      writeRun(bytes, at, format.runValue(byte), together);
    }
  }
}

/** For makeDense. */
const registers = new Uint8Array(format.REGISTERS);

/** Writes a run of `length` registers, if that is not 0, and returns where the next one goes. */
function writeRun(target: Buffer, at: number, value: number, length: number): number {
  if (length === 0) return at;
  if (value !== 0) {
    target[at] = 0x80 | ((value - 1) << 2) | (length - 1);
    return at + 1;
  }
  if (length <= format.ZERO_RUN_MAX) {
    target[at] = length - 1;
    return at + 1;
  }
  target[at] = 0x40 | ((length - 1) >> 8);
  target[at + 1] = (length - 1) & 0xff;
  return at + 2;
}
