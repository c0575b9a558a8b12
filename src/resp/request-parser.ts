// Client bytes to commands, RESP multibulk and inline, as Redis 7.0's processMultibulkBuffer and
// processInlineBuffer read them. In: a range of a buffer. Out: one command as argument offsets.
// Never throws on any input, makes no string unless it refuses, allocates nothing per command, and never
// allocates on the word of the client alone.

import { assert } from "../base/assert.ts";
import { parseInteger64 } from "../base/numbers.ts";
import { splitInline } from "./inline.ts";
import { ParserScratch } from "./parser-scratch.ts";

export { encodeArguments, encodeCommand } from "./encode-command.ts";
export { ParserScratch } from "./parser-scratch.ts";

export const NEED_MORE = 0;
export const COMMAND = 1;
export const PROTOCOL_ERROR = -1;

/** Internal outcome: an empty command was passed over. */
const SKIPPED = 2;

/** `#lineEnd`: no end of line yet, or none within the limit. */
const LINE_UNFINISHED = -1;
const LINE_TOO_LONG = -2;

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOLLAR = 0x24;
const STAR = 0x2a;
const DIGIT_0 = 0x30;
const DIGIT_1 = 0x31;

/** A count of more digits than this is above every limit. */
const COUNT_DIGITS_MAX = 10;
/** Offsets are 32-bit. */
const COMMAND_BYTES_MAX = 0x7fff_ffff;
/** A command cut off with no more arguments than this is simply read again: cheaper than keeping them. */
const REREAD_ARGUMENTS_MAX = 32;

export interface ParserLimits {
  /** proto-max-bulk-len; at most 2^31 - 1. */
  readonly bulkBytesMax: number;
  readonly argumentsMax: number;
  /** The longest inline command, and the longest line that announces a count. */
  readonly inlineBytesMax: number;
  /** For clients that still have to authenticate. */
  readonly unauthenticated: { readonly arguments: number; readonly bulk: number };
}

export const redisLimits: ParserLimits = {
  bulkBytesMax: 512 * 1024 * 1024,
  argumentsMax: 1024 * 1024,
  inlineBytesMax: 64 * 1024,
  unauthenticated: { arguments: 10, bulk: 16 * 1024 },
};

/** A multibulk command of which many arguments have arrived. Positions are relative to its first byte. */
interface Pending {
  offsets: Int32Array;
  argumentsTotal: number;
  argumentsDone: number;
  resumeAt: number;
}

const NO_BYTES = Buffer.alloc(0);
const sharedScratch = new ParserScratch();

/**
 * Reads one command at a time. The caller's loop:
 *
 *   next(chunk, from, to)   COMMAND          use it now, go on from `position`
 *                           NEED_MORE        keep [position, to), call again with these bytes and more
 *                           PROTOCOL_ERROR   answer `errorText`, close
 *
 * `offsets` and `argsBuffer` live in the scratch: they hold until any parser of the same scratch is called.
 */
export class RequestParser {
  authenticated = true;
  /** First byte after the command, or (NEED_MORE) first byte to keep, or (PROTOCOL_ERROR) first bad command. */
  position = 0;
  argumentCount = 0;
  isInline = false;
  /** Redis's words, from "ERR" on; its characters are bytes (latin1). */
  errorText = "";
  /** After NEED_MORE: bytes from `position` on without which the next call cannot get further. */
  bytesWanted = 0;

  readonly #limits: ParserLimits;
  readonly #scratch: ParserScratch;
  #pending: Pending | undefined = undefined;
  /** Where the unfinished line begins and how far it has been searched, from the command's first byte. */
  #lineAt = 0;
  #lineSearched = 0;
  /** What `#count` and `#bulkLength` have read. */
  #announced = 0;

  /** Give a scratch of its own to a parser whose arguments must outlive calls of other parsers. */
  constructor(limits: ParserLimits, scratch: ParserScratch = sharedScratch) {
    this.#limits = limits;
    this.#scratch = scratch;
  }

  /** [start0, end0, start1, end1, ...]: positions in `argsBuffer`, 2 * argumentCount of them. */
  get offsets(): Int32Array {
    return this.#scratch.offsets;
  }

  /** The buffer given to `next`, or for an inline command the one with its unquoted arguments. */
  get argsBuffer(): Buffer {
    return this.#scratch.argsBuffer;
  }

  /**
   * Forgets a half-received command. To be called whenever the next bytes will not be those kept after
   * NEED_MORE: something was put in front of them, or they were dropped.
   */
  reset(): void {
    this.#pending = undefined;
    this.#lineSearched = 0;
  }

  /** Lets go of the bytes of the last command, which may be long. */
  forget(): void {
    this.#scratch.argsBuffer = NO_BYTES;
  }

  /** Parses one command out of buffer[from, to). */
  next(buffer: Buffer, from: number, to: number): number {
    const scratch = this.#scratch;
    scratch.offsets = scratch.kept;
    if (this.#pending !== undefined) return this.#resume(this.#pending, buffer, from, to);
    let start = from;
    while (start < to) {
      let outcome: number;
      if (buffer[start]! !== STAR) {
        outcome = this.#inline(buffer, start, to);
      } else {
        // Nearly all commands have 1 to 9 arguments: "*3\r\n".
        let count = start + 4 <= to && buffer[start + 2]! === CR ? buffer[start + 1]! - DIGIT_0 : 0;
        let at = start + 4;
        if (
          count > 0 &&
          count <= 9 &&
          (this.authenticated || count <= this.#limits.unauthenticated.arguments)
        ) {
          outcome = this.#arguments(buffer, start, at, to, count, 0, 0);
        } else {
          outcome = this.#count(buffer, start, to);
          if (outcome === COMMAND) {
            count = this.#announced;
            at = this.position;
            outcome = this.#arguments(buffer, start, at, to, count, 0, 0);
          }
        }
      }
      if (outcome === COMMAND) return COMMAND;
      if (outcome !== SKIPPED) return this.#stop(outcome, from, start, to);
      start = this.position;
    }
    this.bytesWanted = 1;
    return this.#stop(NEED_MORE, from, start, to);
  }

  /** The way out without a command. */
  #stop(outcome: number, from: number, start: number, to: number): number {
    assert(to - start <= COMMAND_BYTES_MAX, "the caller limits its query buffer to 2 GiB");
    // A caller that keeps the skipped bytes too would shift what was learnt; then it is not remembered.
    if (start !== from) this.reset();
    this.position = start;
    this.argumentCount = 0;
    this.#scratch.release();
    return outcome;
  }

  /**
   * The arguments from number `done` on. Offsets are written relative to `base`. Sets `position` after them.
   *
   *   $ 3 \r \n S E T \r \n $ 1 ...        `at` is on the '$' at the top of the loop
   */
  #arguments(
    buffer: Buffer,
    start: number,
    at: number,
    to: number,
    count: number,
    done: number,
    base: number,
  ): number {
    const scratch = this.#scratch;
    const bulkMax = this.#bulkMax();
    let offsets = scratch.offsets;
    let slot = 2 * done;
    const last = 2 * count;
    while (slot < last) {
      let body = at + 4;
      let length = -1;
      // "$0\r\n" to "$99\r\n" here, all the rest there. Five bytes always follow: "$0\r\n\r\n" is six.
      if (at + 5 <= to && buffer[at]! === DOLLAR) {
        const first = buffer[at + 1]! - DIGIT_0;
        const second = buffer[at + 2]!;
        if (second === CR) {
          if (first >= 0 && first <= 9) length = first;
        } else if (first > 0 && first <= 9 && second >= DIGIT_0 && second <= 0x39 && buffer[at + 3]! === CR) {
          length = first * 10 + second - DIGIT_0;
          body = at + 5;
        }
      }
      if (length < 0 || length > bulkMax) {
        const outcome = this.#bulkLength(buffer, start, at, to);
        if (outcome === PROTOCOL_ERROR) return PROTOCOL_ERROR;
        if (outcome === NEED_MORE) return this.#suspend(start, at, count, slot >> 1, base);
        length = this.#announced;
        body = this.position;
      }
      const end = body + length;
      // Redis skips the two bytes after an argument without looking at them.
      if (end + 2 > to) {
        this.bytesWanted = end + 2 - start;
        return this.#suspend(start, at, count, slot >> 1, base);
      }
      if (slot + 2 > offsets.length) offsets = scratch.grow();
      offsets[slot] = body - base;
      offsets[slot + 1] = end - base;
      slot += 2;
      at = end + 2;
    }
    scratch.argsBuffer = buffer;
    this.#lineSearched = 0;
    this.argumentCount = count;
    this.isInline = false;
    this.position = at;
    return COMMAND;
  }

  #bulkMax(): number {
    const limits = this.#limits;
    return this.authenticated
      ? limits.bulkBytesMax
      : Math.min(limits.bulkBytesMax, limits.unauthenticated.bulk);
  }

  /** Keeps what is known about a command cut off before the argument at `at`, if that is worth it. */
  #suspend(start: number, at: number, count: number, done: number, base: number): number {
    const pending = this.#pending;
    if (pending !== undefined) {
      pending.offsets = this.#scratch.offsets;
      pending.argumentsDone = done;
      pending.resumeAt = at - start;
    } else if (done > REREAD_ARGUMENTS_MAX) {
      const offsets = this.#scratch.offsets.slice(0, 2 * done);
      for (let i = 0; i < offsets.length; i++) offsets[i] = offsets[i]! - start + base;
      this.#pending = { offsets, argumentsTotal: count, argumentsDone: done, resumeAt: at - start };
    }
    return NEED_MORE;
  }

  #resume(pending: Pending, buffer: Buffer, from: number, to: number): number {
    const scratch = this.#scratch;
    scratch.offsets = pending.offsets;
    const { argumentsTotal, argumentsDone, resumeAt } = pending;
    const at = from + resumeAt;
    const outcome = this.#arguments(buffer, from, at, to, argumentsTotal, argumentsDone, from);
    if (outcome !== COMMAND) return this.#stop(outcome, from, from, to);
    this.#pending = undefined;
    const offsets = scratch.offsets;
    for (let i = 0; i < 2 * argumentsTotal; i++) offsets[i] = offsets[i]! + from;
    return COMMAND;
  }

  /**
   * The general way to read "*<count>\r\n". COMMAND: `#announced` and `position` are set. SKIPPED: no
   * arguments were announced.
   */
  #count(buffer: Buffer, start: number, to: number): number {
    const limits = this.#limits;
    const end = this.#lineEnd(buffer, start, start, to, CR);
    if (end === LINE_TOO_LONG) return this.#refuse("too big mbulk count string");
    if (end === LINE_UNFINISHED) return NEED_MORE;
    const count = parseInteger64(buffer, start + 1, end);
    if (count === undefined || count > limits.argumentsMax) return this.#refuse("invalid multibulk length");
    if (!this.authenticated && count > limits.unauthenticated.arguments) {
      return this.#refuse("unauthenticated multibulk length");
    }
    this.position = end + 2;
    if (count <= 0) return SKIPPED;
    this.#announced = Number(count);
    return COMMAND;
  }

  /** The general way to read "$<length>\r\n". COMMAND: `#announced` is the length, `position` the body. */
  #bulkLength(buffer: Buffer, start: number, at: number, to: number): number {
    const limits = this.#limits;
    if (at + 1 < to && buffer[at]! === DOLLAR && buffer[at + 1]! >= DIGIT_1) {
      const last = Math.min(to - 1, at + 1 + COUNT_DIGITS_MAX);
      let length = 0;
      let digitAt = at + 1;
      while (digitAt < last) {
        const digit = buffer[digitAt]! - DIGIT_0;
        if (digit < 0 || digit > 9) break;
        length = length * 10 + digit;
        digitAt++;
      }
      if (digitAt < to - 1 && buffer[digitAt]! === CR && length <= this.#bulkMax()) {
        this.#announced = length;
        this.position = digitAt + 2;
        return COMMAND;
      }
    }
    const end = this.#lineEnd(buffer, start, at, to, CR);
    if (end === LINE_TOO_LONG) return this.#refuse("too big bulk count string");
    if (end === LINE_UNFINISHED) return NEED_MORE;
    if (buffer[at]! !== DOLLAR) return this.#refuse(`expected '$', got '${printable(buffer[at]!)}'`);
    const length = parseInteger64(buffer, at + 1, end);
    if (length === undefined || length < 0 || length > limits.bulkBytesMax) {
      return this.#refuse("invalid bulk length");
    }
    if (!this.authenticated && length > limits.unauthenticated.bulk) {
      return this.#refuse("unauthenticated bulk length");
    }
    this.#announced = Number(length);
    this.position = end + 2;
    return COMMAND;
  }

  #inline(buffer: Buffer, start: number, to: number): number {
    const newline = this.#lineEnd(buffer, start, start, to, LF);
    if (newline === LINE_TOO_LONG) return this.#refuse("too big inline request");
    if (newline === LINE_UNFINISHED) return NEED_MORE;
    const end = newline > start && buffer[newline - 1]! === CR ? newline - 1 : newline;
    const count = splitInline(buffer, start, end, this.#scratch);
    if (count < 0) return this.#refuse("unbalanced quotes in request");
    this.position = newline + 1;
    if (count === 0) return SKIPPED;
    this.argumentCount = count;
    this.isInline = true;
    return COMMAND;
  }

  /**
   * Position of `mark` in the line that begins at `at`, or LINE_UNFINISHED or LINE_TOO_LONG. As in Redis a NUL
   * byte hides the rest of the line (strchr), and a CR counts only with one more byte behind it.
   * `start` is the command's first byte. What has been searched once is not searched again.
   */
  #lineEnd(buffer: Buffer, start: number, at: number, to: number, mark: number): number {
    const searchEnd = Math.min(to, at + this.#limits.inlineBytesMax + 1);
    let i = at - start === this.#lineAt ? Math.max(at, start + this.#lineSearched) : at;
    while (i < searchEnd && buffer[i]! !== mark && buffer[i]! !== NUL) i++;
    if (i < searchEnd && buffer[i]! === mark && (mark === LF || i + 1 < to)) {
      this.#lineSearched = 0;
      return i;
    }
    if (to - at > this.#limits.inlineBytesMax && (i === searchEnd || buffer[i]! === NUL))
      return LINE_TOO_LONG;
    this.#lineAt = at - start;
    this.#lineSearched = i - start;
    this.bytesWanted = to - start + 1;
    return LINE_UNFINISHED;
  }

  #refuse(reason: string): number {
    this.errorText = `ERR Protocol error: ${reason}`;
    return PROTOCOL_ERROR;
  }
}

/** One byte as Redis puts it into an error reply: as it is, but a line end becomes a space. */
function printable(byte: number): string {
  return byte === CR || byte === LF ? " " : String.fromCharCode(byte);
}
