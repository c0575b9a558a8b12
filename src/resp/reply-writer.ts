// Replies to bytes, RESP2 and RESP3. In: values. Out: bytes in a buffer that the session lends and sends.
// Knows no socket; makes no string and allocates nothing per reply unless the buffer must grow.

import { assert } from "../base/assert.ts";
import { copyBytes } from "../base/copy.ts";
import { formatDouble, INTEGER_BYTES_MAX, writeInteger } from "../base/numbers.ts";

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const HASH = 0x23; // #
const DOLLAR = 0x24; // $
const PERCENT = 0x25; // %
const PARENTHESIS = 0x28; // (
const STAR = 0x2a; // *
const PLUS = 0x2b; // +
const COMMA = 0x2c; // ,
const MINUS = 0x2d; // -
const DIGIT_0 = 0x30;
const COLON = 0x3a; // :
const EQUALS = 0x3d; // =
const GREATER = 0x3e; // >
const UNDERSCORE = 0x5f; // _
const LOWER_F = 0x66;
const LOWER_T = 0x74;
const TILDE = 0x7e; // ~

/** Mark, digits, line end. */
const HEADER_BYTES_MAX = 1 + INTEGER_BYTES_MAX + 2;
const BUFFER_BYTES_MIN = 1024;
const LONG_BYTES = 4 * 1024 * 1024;

/** Header numbers 0..999 are written from a table: four bytes an entry, digits first, then their count. */
const TABLE_NUMBERS = 1000;
const digitTable = new Uint8Array(4 * TABLE_NUMBERS);
for (let n = 0; n < TABLE_NUMBERS; n++) {
  digitTable[4 * n + 3] = writeInteger(digitTable, 4 * n, n) - 4 * n;
}

/** Where larger buffers come from, and outgrown ones go to. */
export interface ReplyBuffers {
  acquire(bytesMin: number): Buffer;
  release(buffer: Buffer): void;
}

export class ReplyWriter {
  /** Where replies go, and how far it is filled: the session swaps them. */
  buffer: Buffer = Buffer.alloc(0);
  position = 0;
  /** RESP version of the client being answered. */
  protocol: 2 | 3 = 2;
  /** Nobody is listening (a follower applying): every method returns at once and counts nothing. */
  muted = false;
  /** Error replies written so far, for INFO; and the last of them, "ERR ...". */
  errors = 0;
  lastError = "";
  readonly #buffers: ReplyBuffers | undefined;

  /** Without `buffers` larger ones are made, and outgrown ones dropped. */
  constructor(buffers?: ReplyBuffers) {
    this.#buffers = buffers;
  }

  /** Makes room for `bytes` more bytes; what is written so far moves into the larger buffer. */
  ensure(bytes: number): void {
    if (this.position + bytes > this.buffer.length) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    assert(bytes >= 0 && this.position <= this.buffer.length, `position ${this.position}, ${bytes} more`);
    const needed = this.position + bytes;
    let size = Math.max(2 * this.buffer.length, BUFFER_BYTES_MIN);
    // A long one gets what it needs: nobody keeps its memory for another one.
    if (needed > LONG_BYTES) size = Math.max(size, needed);
    while (size < needed) size *= 2;
    // Not from Node's shared pool: a reply buffer lives long and would pin it.
    const larger = this.#buffers?.acquire(size) ?? Buffer.allocUnsafeSlow(size);
    this.buffer.copy(larger, 0, 0, this.position);
    this.#buffers?.release(this.buffer);
    this.buffer = larger;
  }

  ok(): void {
    if (this.muted) return;
    this.ensure(5);
    const buffer = this.buffer;
    const at = this.position;
    buffer[at] = PLUS;
    buffer[at + 1] = 0x4f;
    buffer[at + 2] = 0x4b;
    buffer[at + 3] = CR;
    buffer[at + 4] = LF;
    this.position = at + 5;
  }

  /** A status, "PONG". Latin1; line ends become spaces. */
  simple(text: string): void {
    if (this.muted) return;
    this.#line(PLUS, text);
  }

  /** "ERR ...", without the leading '-'. Characters are bytes (latin1); line ends become spaces, as in Redis. */
  error(text: string): void {
    if (this.muted) return;
    this.errors++;
    this.lastError = text;
    this.#line(MINUS, text);
  }

  #line(mark: number, text: string): void {
    const length = text.length;
    this.ensure(length + 3);
    const buffer = this.buffer;
    let at = this.position;
    buffer[at++] = mark;
    for (let i = 0; i < length; i++) {
      const byte = text.charCodeAt(i) & 0xff;
      buffer[at++] = byte === CR || byte === LF ? SPACE : byte;
    }
    buffer[at] = CR;
    buffer[at + 1] = LF;
    this.position = at + 2;
  }

  /** A safe integer. */
  integer(value: number): void {
    if (this.muted) return;
    this.#header(COLON, value);
  }

  /** A signed 64-bit integer. */
  integerBig(value: bigint): void {
    if (this.muted) return;
    this.#line(COLON, value.toString());
  }

  /** `<mark><number>\r\n` */
  #header(mark: number, value: number): void {
    this.ensure(HEADER_BYTES_MAX);
    this.position = writeHeader(this.buffer, this.position, mark, value);
  }

  /** bytes[start, end) as a bulk string. */
  bulk(bytes: Uint8Array, start: number, end: number): void {
    if (this.muted) return;
    const length = end - start;
    this.ensure(length + HEADER_BYTES_MAX + 2);
    const buffer = this.buffer;
    const header = writeHeader(buffer, this.position, DOLLAR, length);
    const at = copyBytes(buffer, header, bytes, start, end);
    buffer[at] = CR;
    buffer[at + 1] = LF;
    this.position = at + 2;
  }

  /** A bulk string of the text's utf8 bytes. */
  bulkText(text: string): void {
    if (this.muted) return;
    this.#text(DOLLAR, "", text, "utf8");
  }

  /** A bulk string whose bytes are the text's characters. */
  bulkLatin1(text: string): void {
    if (this.muted) return;
    this.#text(DOLLAR, "", text, "latin1");
  }

  #text(mark: number, prefix: string, text: string, encoding: "utf8" | "latin1"): void {
    const length = prefix.length + (encoding === "utf8" ? Buffer.byteLength(text) : text.length);
    this.ensure(length + HEADER_BYTES_MAX + 2);
    const buffer = this.buffer;
    const at = writeHeader(buffer, this.position, mark, length);
    if (prefix !== "") buffer.write(prefix, at, "latin1");
    buffer.write(text, at + prefix.length, encoding);
    buffer[at + length] = CR;
    buffer[at + length + 1] = LF;
    this.position = at + length + 2;
  }

  nil(): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#null3();
    else this.#header(DOLLAR, -1);
  }

  nilArray(): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#null3();
    else this.#header(STAR, -1);
  }

  #null3(): void {
    this.ensure(3);
    this.#three(UNDERSCORE);
  }

  #three(mark: number): void {
    const buffer = this.buffer;
    buffer[this.position] = mark;
    buffer[this.position + 1] = CR;
    buffer[this.position + 2] = LF;
    this.position += 3;
  }

  /** `count` replies follow. */
  array(count: number): void {
    if (this.muted) return;
    this.#header(STAR, count);
  }

  /** `count` pairs of replies follow. RESP2: a flat array. */
  map(count: number): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#header(PERCENT, count);
    else this.#header(STAR, 2 * count);
  }

  /** `count` replies in no order follow. RESP2: an array. */
  set(count: number): void {
    if (this.muted) return;
    this.#header(this.protocol === 3 ? TILDE : STAR, count);
  }

  /** An out-of-band message of `count` replies. RESP2: an array. */
  push(count: number): void {
    if (this.muted) return;
    this.#header(this.protocol === 3 ? GREATER : STAR, count);
  }

  /**
   * An array whose count is known only after its elements: they were written from `mark` (a `position` taken
   * before the first of them) on, and are moved up to make room. Costs a copy of them.
   */
  arrayAt(mark: number, count: number): void {
    if (this.muted) return;
    this.#insertHeader(mark, STAR, count);
  }

  /** The same for a set. */
  setAt(mark: number, count: number): void {
    if (this.muted) return;
    this.#insertHeader(mark, this.protocol === 3 ? TILDE : STAR, count);
  }

  /** The same for a map of `count` pairs. */
  mapAt(mark: number, count: number): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#insertHeader(mark, PERCENT, count);
    else this.#insertHeader(mark, STAR, 2 * count);
  }

  #insertHeader(mark: number, kind: number, count: number): void {
    assert(mark >= 0 && mark <= this.position, `mark ${mark} is past position ${this.position}`);
    const end = this.position;
    this.#header(kind, count);
    const size = this.position - end;
    this.buffer.copyWithin(mark + size, mark, end);
    writeHeader(this.buffer, mark, kind, count);
  }

  /** Redis 7.0's %.17g, "inf", "-inf". RESP2: a bulk string. */
  double(value: number): void {
    if (this.muted) return;
    // Safe integers print as %.17g would, without a string on the way. Not minus zero.
    if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) this.#integerAsDouble(value);
    else this.doubleText(formatDouble(value));
  }

  #integerAsDouble(value: number): void {
    if (this.protocol === 3) {
      this.#header(COMMA, value);
      return;
    }
    this.ensure(INTEGER_BYTES_MAX + 8);
    const at = this.position;
    // The digits go where they belong after a header of one length digit, and are moved if it has two.
    let end = writeInteger(this.buffer, at + 4, value);
    const length = end - at - 4;
    if (length >= 10) {
      this.buffer.copyWithin(at + 5, at + 4, end);
      end++;
    }
    writeHeader(this.buffer, at, DOLLAR, length);
    this.buffer[end] = CR;
    this.buffer[end + 1] = LF;
    this.position = end + 2;
  }

  /** A floating point number already formatted (INCRBYFLOAT's long doubles). RESP2: a bulk string. */
  doubleText(text: string): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#line(COMMA, text);
    else this.#text(DOLLAR, "", text, "latin1");
  }

  /** RESP2: 1 or 0. */
  boolean(value: boolean): void {
    if (this.muted) return;
    if (this.protocol === 2) {
      this.#header(COLON, value ? 1 : 0);
    } else {
      this.ensure(4);
      this.buffer[this.position++] = HASH;
      this.#three(value ? LOWER_T : LOWER_F);
    }
  }

  /** A text meant for eyes, utf8. RESP2: a bulk string. */
  verbatim(format: "txt" | "mkd", text: string): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#text(EQUALS, `${format}:`, text, "utf8");
    else this.#text(DOLLAR, "", text, "utf8");
  }

  /** An integer of any size, in decimal. RESP2: a bulk string. */
  bigNumber(text: string): void {
    if (this.muted) return;
    if (this.protocol === 3) this.#line(PARENTHESIS, text);
    else this.#text(DOLLAR, "", text, "latin1");
  }

  /** Bytes that are whole replies already: what another node answered, or a cached one. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    if (this.muted) return;
    this.ensure(end - start);
    this.position = copyBytes(this.buffer, this.position, bytes, start, end);
  }

  /** The same before what was written from `mark` (a former `position`) on. Costs a copy of that. */
  rawAt(mark: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.muted) return;
    this.ensure(end - start);
    this.buffer.copyWithin(mark + end - start, mark, this.position);
    copyBytes(this.buffer, mark, bytes, start, end);
    this.position += end - start;
  }
}

/** Writes `<mark><number>\r\n`; returns the position after it. The caller has made room. */
function writeHeader(buffer: Buffer, at: number, mark: number, value: number): number {
  buffer[at] = mark;
  if (value >= 0 && value < 10) {
    buffer[at + 1] = DIGIT_0 + value;
    at += 2;
  } else if (value >= 0 && value < TABLE_NUMBERS) {
    // Three digits are always written: what is too much is overwritten by the line end.
    const entry = 4 * value;
    buffer[at + 1] = digitTable[entry]!;
    buffer[at + 2] = digitTable[entry + 1]!;
    buffer[at + 3] = digitTable[entry + 2]!;
    at += 1 + digitTable[entry + 3]!;
  } else {
    at = writeInteger(buffer, at + 1, value);
  }
  buffer[at] = CR;
  buffer[at + 1] = LF;
  return at + 2;
}
