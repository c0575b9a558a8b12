// Random commands from a seed: every data command with every option, over few keys so that they meet, with
// wrong types, wrong counts and wrong arguments among them.
//
// Deadlines are either far off or past, never near: the two sides read their clocks some milliseconds apart.

import { Xoshiro } from "../../src/base/prng.ts";
import type { Command } from "./executor.ts";

const DATABASES = 16;
/** Those that commands go to on purpose; chance takes keys to the others. */
const DATABASES_USED = 4;
const KEYS = ["a", "b", "c", "d", "e", "f", "key:1", "key:2", "a*b", "[x]", "", "\x00\xff\x80", "list"];
const WORDS =
  "NX XX GET EX PX EXAT PXAT KEEPTTL PERSIST GT LT REPLACE DB COUNT MATCH TYPE LEN IDX MINMATCHLEN WITHMATCHLEN ASYNC SYNC";
const OPTION_WORDS = [...WORDS.split(" "), "junk", "", "N", "EXX", "a\r\nb"];
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
const PATTERNS = [
  "*",
  "**",
  "?",
  "a*",
  "*b*",
  "key:?",
  "key:[0-9]",
  "[^a]",
  "[a-c]",
  "\\a",
  "[",
  "[^",
  "a\\*b",
];
const TYPES = ["string", "STRING", "list", "hash", "nonsense", ""];
const MINUTE_S = 60;
const TIME_S_MAX = 10_000_000;
const BAD_TIMES = ["0", "-1", "-9223372036854775808", "9223372036854775807"];
/** Huge, or too large, by the unit. Not for PX: the same relative time twice would be decided by the clocks. */
const HUGE_TIMES = ["9223372036854775", "99999999999999999"];

type Maker = (g: Generator) => string[];

export class Generator {
  readonly #random: Xoshiro;
  readonly #nowMs: number;
  readonly #makers: readonly Maker[];

  readonly #withLists: boolean;

  /** `nowMs`: wall clock, for absolute times to be future or past by. `withLists`: RPUSH may make wrong types. */
  constructor(seed: number, nowMs: number, withLists: boolean) {
    this.#withLists = withLists;
    this.#random = new Xoshiro(seed);
    this.#nowMs = nowMs;
    this.#makers = makers.flatMap(([weight, maker]) => Array<Maker>(weight).fill(maker));
  }

  /** A few commands that belong together; mostly one. */
  next(): Command[] {
    if (this.chance(1, 100)) return this.#composite().map(toBuffers);
    const command = this.pick(this.#makers)(this);
    if (this.chance(1, 30)) this.#spoil(command);
    keepDeadlinesFar(command);
    if (this.chance(1, 8))
      return [toBuffers(command.map((word, i) => (i === 0 ? this.mixCase(word) : word)))];
    return [toBuffers(command)];
  }

  #spoil(command: string[]): void {
    const how = this.below(4);
    if (how === 0) command.pop();
    else if (how === 1) command.push(this.pick(OPTION_WORDS));
    else if (how === 2) command.push(this.pick(INTEGER_POOL), this.pick(OPTION_WORDS));
    else if (command.length > 1) command[1 + this.below(command.length - 1)] = this.anything();
    if (command.length === 0) command.push("NOSUCH");
  }

  /** Sequences that only make sense together. */
  #composite(): string[][] {
    const how = this.below(10);
    if (how < 2 && this.#withLists) {
      const key = this.pick(["list", "a", "f"]);
      return [
        ["DEL", key],
        ["RPUSH", key, "x"],
      ];
    }
    if (how < 4) return [...this.settle(), [this.pick(["SELECT"]), String(this.below(DATABASES_USED))]];
    if (how === 4) return [["HELLO", this.pick(["2", "3"])]];
    if (how === 5)
      return [
        [this.pick(["FLUSHDB", "FLUSHDB", "FLUSHDB", "FLUSHALL"]), ...this.maybe("ASYNC", "SYNC", "no")],
      ];
    if (how > 7) {
      // In Redis these show dead keys as well; EXISTS drops them first.
      const keys = this.keys();
      return [
        ["EXISTS", ...keys],
        ["DEBUG", "OBJECT", keys[0]!],
        ["DEBUG", "DIGEST-VALUE", ...keys],
      ];
    }
    return [["SELECT", String(this.chance(1, 2) ? 0 : this.below(DATABASES_USED))]];
  }

  /** Walks over every key, so that Redis drops what is dead, then asks about whole databases. */
  settle(): string[][] {
    const commands: string[][] = [];
    for (let database = 0; database < DATABASES; database++) {
      commands.push(["SELECT", String(database)], ["SCAN", "0", "COUNT", "10000"], ["DBSIZE"], ["KEYS", "*"]);
    }
    commands.push(["DEBUG", "DIGEST"]);
    return commands;
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

  /** One of the words, or nothing. */
  maybe(...words: readonly string[]): string[] {
    return this.chance(1, 2) ? [this.pick(words)] : [];
  }

  key(): string {
    return this.pick(KEYS);
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
    return this.pick([this.key(), this.integer(), this.float(), this.value(), this.pick(OPTION_WORDS)]);
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
      if (this.chance(1, 25)) words.push(this.pick(OPTION_WORDS));
      else words.push(...this.pick(makers)());
    }
    return words;
  }
}

const offset = (g: Generator): string =>
  g.chance(1, 15) ? g.pick(["536870912", "9223372036854775807", "-1", "x"]) : String(g.below(60));

const pairs = (g: Generator): string[] =>
  Array.from({ length: 1 + g.below(3) }, () => [g.key(), g.value()]).flat();

const setOptions = (g: Generator): string[] =>
  g.options(
    3,
    () => [g.mixCase(g.pick(["NX", "XX", "GET", "KEEPTTL"]))],
    () => g.timeOption(),
  );

const conditions = (g: Generator): string[] =>
  g.options(2, () => [g.mixCase(g.pick(["NX", "XX", "GT", "LT"]))]);

const expireWith =
  (name: string, unit: "EX" | "PX" | "EXAT" | "PXAT"): Maker =>
  (g) => [name, g.key(), g.time(unit), ...(g.chance(1, 2) ? conditions(g) : [])];

/** [weight, command] */
const makers: readonly (readonly [number, Maker])[] = [
  [6, (g) => ["SET", g.key(), g.value()]],
  [8, (g) => ["SET", g.key(), g.value(), ...setOptions(g)]],
  [2, (g) => ["SETNX", g.key(), g.value()]],
  [2, (g) => ["SETEX", g.key(), g.time("EX"), g.value()]],
  [2, (g) => ["PSETEX", g.key(), g.time("PX"), g.value()]],
  [5, (g) => ["GET", g.key()]],
  [3, (g) => ["GETSET", g.key(), g.value()]],
  [2, (g) => ["GETDEL", g.key()]],
  [
    5,
    (g) => [
      "GETEX",
      g.key(),
      ...g.options(
        2,
        () => ["PERSIST"],
        () => g.timeOption(),
        () => g.timeOption(),
      ),
    ],
  ],
  [3, (g) => ["MGET", ...g.keys()]],
  [3, (g) => ["MSET", ...pairs(g)]],
  [2, (g) => ["MSETNX", ...pairs(g)]],
  [4, (g) => ["APPEND", g.key(), g.value()]],
  [3, (g) => ["STRLEN", g.key()]],
  [3, (g) => ["INCR", g.key()]],
  [3, (g) => ["DECR", g.key()]],
  [4, (g) => ["INCRBY", g.key(), g.integer()]],
  [4, (g) => ["DECRBY", g.key(), g.integer()]],
  [6, (g) => ["INCRBYFLOAT", g.key(), g.float()]],
  [4, (g) => ["SETRANGE", g.key(), offset(g), g.value()]],
  [4, (g) => ["GETRANGE", g.key(), g.integer(), g.integer()]],
  [1, (g) => ["SUBSTR", g.key(), g.integer(), g.integer()]],
  [
    4,
    (g) => [
      "LCS",
      g.key(),
      g.key(),
      ...g.options(
        3,
        () => ["IDX"],
        () => ["LEN"],
        () => ["WITHMATCHLEN"],
        () => ["MINMATCHLEN", g.integer()],
      ),
    ],
  ],
  [3, (g) => ["DEL", ...g.keys()]],
  [1, (g) => ["UNLINK", ...g.keys()]],
  [2, (g) => ["EXISTS", ...g.keys()]],
  [2, (g) => ["TYPE", g.key()]],
  [1, (g) => ["TOUCH", ...g.keys()]],
  [1, (g) => ["KEYS", g.pick(PATTERNS)]],
  [
    3,
    (g) => [
      "SCAN",
      "0",
      "COUNT",
      "10000",
      ...g.options(
        2,
        () => ["MATCH", g.pick(PATTERNS)],
        () => ["TYPE", g.pick(TYPES)],
      ),
    ],
  ],
  [
    2,
    (g) => [
      "SCAN",
      g.integer(),
      ...g.options(
        3,
        () => ["COUNT", g.integer()],
        () => ["MATCH", g.pick(PATTERNS)],
        () => ["TYPE", g.pick(TYPES)],
      ),
    ],
  ],
  [1, () => ["RANDOMKEY"]],
  [4, (g) => ["RENAME", g.key(), g.key()]],
  [3, (g) => ["RENAMENX", g.key(), g.key()]],
  [
    5,
    (g) => [
      "COPY",
      g.key(),
      g.key(),
      ...g.options(
        2,
        () => ["REPLACE"],
        () => ["DB", g.chance(1, 6) ? g.integer() : String(g.below(DATABASES_USED))],
      ),
    ],
  ],
  [
    2,
    (g) => [
      "MOVE",
      g.key(),
      g.chance(1, 6)
        ? g.pick(["-1", "16", "x", "4294967296", "99999999999999999999"])
        : String(g.below(DATABASES_USED)),
    ],
  ],
  [4, expireWith("EXPIRE", "EX")],
  [4, expireWith("PEXPIRE", "PX")],
  [4, expireWith("EXPIREAT", "EXAT")],
  [4, expireWith("PEXPIREAT", "PXAT")],
  [3, (g) => ["TTL", g.key()]],
  [3, (g) => ["PTTL", g.key()]],
  [3, (g) => ["EXPIRETIME", g.key()]],
  [3, (g) => ["PEXPIRETIME", g.key()]],
  [3, (g) => ["PERSIST", g.key()]],
  [
    1,
    (g) => [
      "SWAPDB",
      g.chance(1, 6) ? g.integer() : "0",
      g.chance(1, 6) ? "x" : String(g.below(DATABASES_USED)),
    ],
  ],
  [3, (g) => ["OBJECT", "ENCODING", g.key()]],
  [1, (g) => ["OBJECT", "REFCOUNT", g.key()]],
  [1, (g) => ["OBJECT", "IDLETIME", g.key()]],
  [1, (g) => ["OBJECT", "FREQ", g.key()]],
  [1, (g) => ["OBJECT", g.pick(["HELP", "NOSUCH", ""]), ...g.maybe("x")]],
  [
    1,
    (g) => [
      g.pick(["NOSUCH", "GE", "SETT", "", "OBJECT|ENCODING"]),
      ...g.maybe(g.value()),
      ...g.maybe(g.key()),
    ],
  ],
];

/** Chance may have put a small number where a relative time is read: 0 is past on both sides. */
function keepDeadlinesFar(command: string[]): void {
  const name = command[0]?.toUpperCase() ?? "";
  const timeFirst = /^(P?EXPIRE|P?SETEX)$/.test(name);
  if (!timeFirst && !/^(SET|GETEX)$/.test(name)) return;
  for (let i = 2; i < command.length; i++) {
    const isTime = (timeFirst && i === 2) || /^[EP]X$/i.test(command[i - 1]!);
    if (isTime && /^\d{1,5}$/.test(command[i]!)) command[i] = "0";
  }
}

function toBuffers(words: readonly string[]): Command {
  return words.map((word) => Buffer.from(word, "latin1"));
}
