// What random commands are made of: keys, numbers, values, times, options, from one seed. Latin1 texts come out.
//
// Deadlines are either far off or past, never near: the two sides read their clocks some milliseconds apart.

import { Xoshiro } from "../../src/base/prng.ts";

/** Keys of all families: here types meet. */
export const SHARED_KEYS = [
  "a",
  "b",
  "c",
  "d",
  "e",
  "f",
  "key:1",
  "key:2",
  "a*b",
  "[x]",
  "",
  "\x00\xff\x80",
  "list",
];
/** Databases that commands go to on purpose; chance takes keys to the others. */
export const DATABASES_USED = 4;
const WORDS = ["junk", "", "N", "EXX", "a\r\nb"];
const INTEGERS =
  "0 1 2 3 7 10 42 100 -1 -2 -5 -100 9999 10000 123456789 4294967296 9007199254740991 9007199254740993 " +
  "-9007199254740993 9223372036854775806 9223372036854775807 -9223372036854775807 -9223372036854775808";
const INTEGER_POOL = INTEGERS.split(" ");
const NOT_INTEGERS = [
  ..."abc 1.5 +1 01 -0 00 - 9223372036854775808 -9223372036854775809 1e3 0x10 99999999999999999999999".split(
    " ",
  ),
  ...["", " 1", "1 ", "1\x00", "\x001"],
];
const FLOATS =
  "0.1 0.2 0.3 1.5 -1.5 3.14159265358979 1e10 1e-10 -2.5e3 5e-324 1e300 .5 5. -.25 1e17 123456789.123456789 " +
  "0.00000000000000001 0.000000000000000005 0x1.8p1 0xff 1e400 1e4932 1e-4940 17e-4951 -0 +3 0.1e1 1e20 7e-17";
const FLOAT_POOL = FLOATS.split(" ");
const NOT_FLOATS = [
  "abc",
  "",
  " 1",
  "1 ",
  "nan",
  "1e5000",
  "1e-5000",
  "1e",
  "0x",
  "1.2.3",
  "--1",
  "1\x00",
  "in",
];
const INFINITE_FLOATS = ["inf", "-inf", "infinity", "+INF"];
const MINUTE_S = 60;
const TIME_S_MAX = 10_000_000;
const BAD_TIMES = ["0", "-1", "-9223372036854775808", "9223372036854775807"];
/** Huge, or too large, by the unit. Not for PX: the same relative time twice would be decided by the clocks. */
const HUGE_TIMES = ["9223372036854775", "99999999999999999"];

export class Draw {
  /** Keys of the family whose command is being made. */
  familyKeys: readonly string[] = [];
  readonly #random: Xoshiro;
  readonly #nowMs: number;
  readonly #allKeys: readonly string[];
  readonly #words: readonly string[];

  /** `nowMs`: wall clock, for absolute times to be future or past by. */
  constructor(seed: number, nowMs: number, familyKeys: readonly string[], optionWords: readonly string[]) {
    this.#random = new Xoshiro(seed);
    this.#nowMs = nowMs;
    this.#allKeys = [...SHARED_KEYS, ...familyKeys];
    this.#words = [...WORDS, ...optionWords];
  }

  below(limit: number): number {
    return this.#random.below(limit);
  }

  chance(of: number, outOf: number): boolean {
    return this.below(outOf) < of;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Any option of any command, or nonsense. */
  word(): string {
    return this.pick(this.#words);
  }

  /** One of the words, or nothing. */
  maybe(...words: readonly string[]): string[] {
    return this.chance(1, 2) ? [this.pick(words)] : [];
  }

  /** Of the family whose turn it is mostly, so that its keys hold its type; else one of all. */
  key(): string {
    const own = this.familyKeys;
    return own.length > 0 && this.chance(5, 6) ? this.pick(own) : this.pick(this.#allKeys);
  }

  /** Always of the family whose turn it is. */
  ownKey(): string {
    return this.pick(this.familyKeys);
  }

  keys(): string[] {
    return Array.from({ length: 1 + this.below(4) }, () => this.key());
  }

  integer(): string {
    if (this.chance(1, 12)) return this.pick(NOT_INTEGERS);
    return this.chance(1, 2) ? this.pick(INTEGER_POOL) : String(this.below(40) - 20);
  }

  float(): string {
    if (this.chance(1, 12)) return this.pick(NOT_FLOATS);
    if (this.chance(1, 40)) return this.pick(INFINITE_FLOATS);
    if (this.chance(1, 2)) return this.pick(FLOAT_POOL);
    const digits = String(this.below(1_000_000)) + String(this.below(1_000_000));
    const at = this.below(digits.length);
    return `${this.maybe("-")}${digits.slice(0, at)}.${digits.slice(at)}${this.maybe(`e${this.below(40) - 20}`)}`;
  }

  value(): string {
    const how = this.below(10);
    if (how < 3) return this.integer();
    if (how < 4) return this.float();
    if (how < 5) return this.bytes(43 + this.below(4));
    if (how < 6) return this.bytes(this.chance(1, 20) ? 2000 : 200);
    return this.bytes(this.below(20));
  }

  /** Latin1 text of few different bytes, so that LCS finds something. */
  bytes(length: number): string {
    const alphabet = this.chance(1, 2) ? "abc" : "ab\x00\xff\r\nz0";
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join("");
  }

  anything(): string {
    return this.pick([this.key(), this.integer(), this.float(), this.value(), this.word()]);
  }

  /** A count of seconds or milliseconds, relative or absolute: far in the future, past, or wrong. */
  time(unit: "EX" | "PX" | "EXAT" | "PXAT"): string {
    if (this.chance(1, 12)) return this.pick(NOT_INTEGERS);
    if (this.chance(1, 8)) return this.pick(BAD_TIMES);
    if (unit !== "PX" && this.chance(1, 30)) return this.pick(HUGE_TIMES);
    const seconds = MINUTE_S + this.below(TIME_S_MAX);
    if (unit === "EX") return String(seconds);
    if (unit === "PX") return String(seconds * 1000 + this.below(1000));
    const absoluteS = this.chance(1, 6)
      ? 1 + this.below(1_000_000_000)
      : Math.floor(this.#nowMs / 1000) + seconds;
    return String(unit === "EXAT" ? absoluteS : absoluteS * 1000 + this.below(1000));
  }

  /** A database's number; sometimes none. */
  database(): string {
    return this.chance(1, 6) ? this.integer() : String(this.below(DATABASES_USED));
  }

  timeOption(): string[] {
    const unit = this.pick(["EX", "PX", "EXAT", "PXAT"] as const);
    return [this.mixCase(unit), this.time(unit)];
  }

  mixCase(word: string): string {
    return this.chance(1, 2)
      ? word.toLowerCase()
      : [...word].map((c) => (this.chance(1, 2) ? c.toLowerCase() : c)).join("");
  }

  /** Up to `count` options: sensible ones mostly, any word sometimes. */
  options(count: number, ...makers: readonly (() => string[])[]): string[] {
    const words: string[] = [];
    for (let i = this.below(count + 1); i > 0; i--) {
      if (this.chance(1, 25)) words.push(this.word());
      else words.push(...this.pick(makers)());
    }
    return words;
  }
}
