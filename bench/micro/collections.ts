// ns of processor time per command on one large hash, set, list, sorted set or stream, through the handlers of the store's machine, at 1,000,
// 100,000 and 1,000,000 members; and the longest single command while it grew so far, where a stop for rehashing or a copy would show.
// Run: node bench/micro/run.mjs collections; SIZES=1000,20000 for other sizes, ONLY=list for one type.

import { Args } from "../../src/base/args.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import { lookup } from "../../src/command/lookup.ts";
import type { DataRow } from "../../src/command/types.ts";
import { contextOf } from "../../src/machine/machine.ts";
import { ReplyWriter } from "../../src/resp/reply-writer.ts";
import { Store } from "../../src/store/store.ts";
import { nsEach } from "./measure.ts";

const SIZES = (process.env["SIZES"] ?? "1000,100000,1000000").split(",").map(Number);
const only = process.env["ONLY"];
const KEY = "key";
const REPEATS_MAX = 100_000;
const random = new Xoshiro(1);
const store = new Store({ databases: 1, hashSeed: [1, 2] });
const context = contextOf(store, random);
const reply = new ReplyWriter();

const rowOf = (name: string): DataRow => {
  const row = lookup(Args.of(...name.split(" ")));
  if (row === undefined || (row.route !== "read" && row.route !== "write"))
    throw new Error(`${name} is no data command`);
  return row;
};

/** One command to be given many times with a number somewhere in it, without an allocation of its own. */
class Template {
  readonly #row: DataRow;
  readonly #args: Args;
  readonly #digitsEnd: number;

  /** "%" as an argument stands for "element:000000000042", "1-%" for "1-000000000042". */
  constructor(...words: readonly string[]) {
    this.#row = rowOf(words[0] === "XGROUP" ? "XGROUP CREATE" : words[0]!);
    const spelled = words.map((word) => (word === "%" ? "element:%" : word));
    this.#args = Args.of(...spelled.map((word) => word.replace(/%$/, "0".repeat(12))));
    const place = words.findIndex((word) => word.endsWith("%"));
    this.#digitsEnd = place < 0 ? 0 : this.#args.end(place);
  }

  run(number: number): void {
    const { bytes } = this.#args;
    if (this.#digitsEnd > 0) {
      for (let at = this.#digitsEnd - 1, rest = number, i = 0; i < 12; i++, at--) {
        bytes[at] = 48 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
    reply.position = 0;
    this.#row.run(context, this.#args, reply);
  }
}

interface Kind {
  readonly name: string;
  readonly grow: Template;
  /** At a size of n: what is measured, with the number for the i-th time; or where not every time does the same work, how often at most. */
  readonly measured: (size: number) => readonly {
    readonly name: string;
    readonly command: Template;
    readonly number: (i: number) => number;
    readonly times?: number;
  }[];
}

const sequential = (i: number): number => i;

const kinds: readonly Kind[] = [
  {
    name: "hash",
    grow: new Template("HSET", KEY, "%", "some value of 20 b"),
    measured: (size) => [
      { name: "HGET", command: new Template("HGET", KEY, "%"), number: () => random.below(size) },
      {
        name: "HSET, there",
        command: new Template("HSET", KEY, "%", "some value of 20 c"),
        number: () => random.below(size),
      },
      {
        name: "HSET, longer",
        command: new Template("HSET", KEY, "%", "a longer value of 30 bytes ..."),
        number: () => random.below(size),
      },
      {
        name: "HGETALL, per field",
        command: new Template("HGETALL", KEY),
        number: sequential,
        times: Math.max(1, Math.ceil(200_000 / size)),
      },
      {
        name: "HDEL",
        command: new Template("HDEL", KEY, "%"),
        number: sequential,
        times: Math.floor(size / 2),
      },
    ],
  },
  {
    name: "set",
    grow: new Template("SADD", KEY, "%"),
    measured: (size) => [
      { name: "SISMEMBER", command: new Template("SISMEMBER", KEY, "%"), number: () => random.below(size) },
      { name: "SADD, there", command: new Template("SADD", KEY, "%"), number: () => random.below(size) },
      {
        name: "SMEMBERS, per member",
        command: new Template("SMEMBERS", KEY),
        number: sequential,
        times: Math.max(1, Math.ceil(200_000 / size)),
      },
      { name: "SPOP", command: new Template("SPOP", KEY), number: sequential, times: Math.floor(size / 2) },
    ],
  },
  {
    name: "list",
    grow: new Template("RPUSH", KEY, "%"),
    measured: (size) => [
      { name: "LINDEX 0", command: new Template("LINDEX", KEY, "0"), number: sequential },
      {
        name: "LINDEX middle",
        command: new Template("LINDEX", KEY, String(size >> 1)),
        number: sequential,
        times: 10_000,
      },
      {
        name: "LRANGE 0 99",
        command: new Template("LRANGE", KEY, "0", "99"),
        number: sequential,
        times: 10_000,
      },
      {
        name: "LSET middle",
        command: new Template("LSET", KEY, String(size >> 1), "%"),
        number: sequential,
        times: 10_000,
      },
      { name: "LPUSH", command: new Template("LPUSH", KEY, "%"), number: sequential },
      { name: "RPOP", command: new Template("RPOP", KEY), number: sequential, times: Math.floor(size / 2) },
    ],
  },
  {
    name: "sorted set",
    grow: new Template("ZADD", KEY, "1", "%"),
    measured: (size) => [
      { name: "ZSCORE", command: new Template("ZSCORE", KEY, "%"), number: () => random.below(size) },
      { name: "ZADD, there", command: new Template("ZADD", KEY, "2", "%"), number: () => random.below(size) },
      { name: "ZRANK", command: new Template("ZRANK", KEY, "%"), number: () => random.below(size) },
      {
        name: "ZPOPMIN",
        command: new Template("ZPOPMIN", KEY),
        number: sequential,
        times: Math.floor(size / 2),
      },
    ],
  },
  {
    name: "stream",
    grow: new Template("XADD", KEY, "1-%", "field", "some value of 20 b"),
    measured: (size) => [
      {
        name: "XRANGE of 10",
        command: new Template("XRANGE", KEY, "1-%", "+", "COUNT", "10"),
        number: () => random.below(size),
      },
      {
        name: "XREVRANGE of 1",
        command: new Template("XREVRANGE", KEY, "+", "-", "COUNT", "1"),
        number: sequential,
      },
      {
        name: "XGROUP CREATE",
        command: new Template("XGROUP", "CREATE", KEY, "g", "0"),
        number: sequential,
        times: 1,
      },
      {
        name: "XREADGROUP of 1",
        command: new Template("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", KEY, ">"),
        number: sequential,
        times: size - 1,
      },
      {
        name: "XPENDING of 10",
        command: new Template("XPENDING", KEY, "g", "1-%", "+", "10"),
        number: () => random.below(size),
      },
      {
        name: "XCLAIM, random",
        command: new Template("XCLAIM", KEY, "g", "d", "0", "1-%"),
        number: () => 1 + random.below(size - 1),
      },
      {
        name: "XACK, random",
        command: new Template("XACK", KEY, "g", "1-%"),
        number: () => 1 + random.below(size - 1),
      },
      {
        name: "XACK, in order",
        command: new Template("XACK", KEY, "g", "1-%"),
        number: sequential,
        times: size,
      },
      {
        name: "XADD, MAXLEN ~",
        command: new Template("XADD", KEY, "MAXLEN", "~", String(size), "1-%", "field", "some value of 20 b"),
        number: (i) => size + i,
      },
      {
        name: "XDEL",
        command: new Template("XDEL", KEY, "1-%"),
        number: () => REPEATS_MAX + random.below(size),
        times: Math.floor(size / 2),
      },
    ],
  },
];

const flush = new Template("FLUSHALL");
const WARM_UP_SIZE = 2000;
const WARM_UP_ROUNDS = 20;

/** ns for each of `times`. */
const timed = (command: Template, number: (i: number) => number, times: number): number =>
  nsEach(times, () => {
    for (let i = 0; i < times; i++) command.run(number(i));
  });

/** The longest single one, in ms; what the garbage collector's own threads do meanwhile is in it. */
function longest(command: Template, times: number): number {
  let mostNs = 0;
  for (let i = 0; i < times; i++)
    mostNs = Math.max(
      mostNs,
      nsEach(1, () => command.run(i)),
    );
  return mostNs / 1e6;
}

for (const { name, grow, measured } of kinds) {
  if (only !== undefined && only !== name) continue;
  for (let i = 0; i < WARM_UP_ROUNDS; i++) {
    flush.run(0);
    timed(grow, sequential, WARM_UP_SIZE);
    for (const { command, number, times } of measured(WARM_UP_SIZE))
      timed(command, number, Math.min(times ?? WARM_UP_SIZE, WARM_UP_SIZE));
  }
  for (const size of SIZES) {
    const report = (what: string, ns: number, more = ""): void => {
      const parts = [
        name.padEnd(10),
        String(size).padStart(9),
        what.padEnd(22),
        `${ns.toFixed(0).padStart(6)} ns`,
      ];
      console.log(`${parts.join(" ")}${more}`);
    };
    flush.run(0);
    const longestMs = longest(grow, size);
    flush.run(0);
    report("growing to it", timed(grow, sequential, size), `, longest ${longestMs.toFixed(2)} ms`);
    for (const { name: what, command, number, times } of measured(size)) {
      const ns = timed(command, number, times ?? REPEATS_MAX);
      report(what, what.includes(", per ") ? ns / size : ns);
    }
  }
}
