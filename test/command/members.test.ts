// Hashes, sets and sorted sets under random commands, in tiny and in default thresholds: what chance takes is really there and really
// gone, a scan meets all that stays, and a replica restored from a snapshot goes on with the same replies in the same order.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import { DEFAULT_THRESHOLDS } from "../../src/store/thresholds.ts";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { SMALL_THRESHOLDS } from "../differential/small-thresholds.ts";
import { replyEnd } from "../differential/tcp-executor.ts";
import { fc } from "../property.ts";

const DATABASES = 16;
const FORMS = [
  { name: "tiny thresholds", thresholds: SMALL_THRESHOLDS },
  { name: "default thresholds", thresholds: DEFAULT_THRESHOLDS },
];

type Item = string | number | undefined | Item[];

/** A reply of RESP2 as values. */
function decode(bytes: Buffer, at = 0): Item {
  const lineEnd = bytes.indexOf("\r\n", at);
  const mark = bytes.toString("latin1", at, at + 1);
  const rest = bytes.toString("latin1", at + 1, lineEnd);
  assert.notEqual(mark, "-", rest);
  if (mark === ":") return Number(rest);
  if (mark === "+") return rest;
  const count = Number(rest);
  if (mark === "$") return count < 0 ? undefined : bytes.toString("latin1", lineEnd + 2, lineEnd + 2 + count);
  const items: Item[] = [];
  for (let i = 0, next = lineEnd + 2; i < count; i++, next = replyEnd(bytes, next))
    items.push(decode(bytes, next));
  return items;
}

const textsOf = (item: Item): string[] => {
  assert.ok(Array.isArray(item));
  return item.map((one) => {
    assert.ok(typeof one === "string");
    return one;
  });
};

class Machine {
  readonly executor: MemoryExecutor;

  constructor(executor: MemoryExecutor) {
    this.executor = executor;
  }

  /** Each command with its own randomness, as each entry has. */
  run(command: readonly string[], seed: number): Buffer {
    this.executor.context.random = new Xoshiro(seed);
    return this.executor.runOne(command.map((word) => Buffer.from(word, "latin1")));
  }

  ask(...command: string[]): Item {
    return decode(this.run(command, 1));
  }

  members(key: string): string[] {
    return textsOf(this.ask("SMEMBERS", key));
  }
}

const key = fc.constantFrom("s1", "s2", "s3");
const hashKey = fc.constantFrom("h1", "h2");
const word = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 60 }).map((n) => `m${n}`) },
  { weight: 6, arbitrary: fc.nat({ max: 60 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom("", "x".repeat(21), "y".repeat(65), "z".repeat(20_000)) },
);
const words = fc.oneof(
  { weight: 8, arbitrary: fc.array(word, { minLength: 1, maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("", "m"), fc.nat({ max: 300 }), fc.integer({ min: 1, max: 700 }))
      .map(([prefix, from, count]) => Array.from({ length: count }, (_, i) => `${prefix}${from + i}`)),
  },
);
const pairs = words.map((names) => names.flatMap((name, i) => [name, i % 3 === 0 ? name : String(i)]));
const count = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 700 })).map(String);
const store = fc.constantFrom("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE");

const scoredKey = fc.constantFrom("z1", "z2");
const score = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true })).map(String);
const scored = fc
  .tuple(words, fc.array(score, { minLength: 1, maxLength: 7 }))
  .map(([names, scores]) => names.flatMap((name, i) => [scores[i % scores.length]!, name]));
const scoredStore = fc.constantFrom("ZINTERSTORE", "ZUNIONSTORE", "ZDIFFSTORE");

const write: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(key, words).map(([k, w]) => ["SADD", k, ...w]) },
  { weight: 3, arbitrary: fc.tuple(key, words).map(([k, w]) => ["SREM", k, ...w]) },
  { weight: 3, arbitrary: key.map((k) => ["SPOP", k]) },
  { weight: 3, arbitrary: fc.tuple(key, count).map(([k, n]) => ["SPOP", k, n]) },
  { weight: 2, arbitrary: fc.tuple(key, key, word).map(([a, b, w]) => ["SMOVE", a, b, w]) },
  { weight: 2, arbitrary: fc.tuple(store, key, key, key).map(([s, a, b, c]) => [s, a, b, c]) },
  { weight: 6, arbitrary: fc.tuple(hashKey, pairs).map(([k, p]) => ["HSET", k, ...p]) },
  { weight: 3, arbitrary: fc.tuple(hashKey, words).map(([k, w]) => ["HDEL", k, ...w]) },
  { weight: 8, arbitrary: fc.tuple(scoredKey, scored).map(([k, p]) => ["ZADD", k, ...p]) },
  { weight: 3, arbitrary: fc.tuple(scoredKey, words).map(([k, w]) => ["ZREM", k, ...w]) },
  { weight: 3, arbitrary: fc.tuple(scoredKey, count).map(([k, n]) => ["ZPOPMIN", k, n]) },
  { weight: 2, arbitrary: fc.tuple(scoredKey, score, word).map(([k, n, w]) => ["ZINCRBY", k, n, w]) },
  { weight: 1, arbitrary: fc.tuple(scoredKey, count).map(([k, n]) => ["ZREMRANGEBYRANK", k, "3", n]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(scoredStore, scoredKey, scoredKey, fc.oneof(scoredKey, key))
      .map(([s, a, b, c]) => [s, a, "2", b, c]),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scoredKey, scoredKey).map(([a, b]) => ["ZRANGESTORE", a, b, "-inf", "2", "BYSCORE"]),
  },
  { weight: 1, arbitrary: fc.tuple(scoredKey, scoredKey).map(([a, b]) => ["COPY", a, b, "REPLACE"]) },
  { weight: 1, arbitrary: fc.tuple(key, key).map(([a, b]) => ["COPY", a, b, "REPLACE"]) },
  { weight: 1, arbitrary: fc.tuple(key, key).map(([a, b]) => ["RENAME", a, b]) },
  { weight: 1, arbitrary: fc.oneof(key, hashKey, scoredKey).map((k) => ["DEL", k]) },
);

const reads = [
  ...["s1", "s2", "s3"].flatMap((k) => [
    ["SMEMBERS", k],
    ["SSCAN", k, "0"],
    ["SRANDMEMBER", k, "5"],
    ["SRANDMEMBER", k, "-5"],
    ["OBJECT", "ENCODING", k],
  ]),
  ...["h1", "h2"].flatMap((k) => [
    ["HGETALL", k],
    ["HSCAN", k, "0"],
    ["HRANDFIELD", k, "5", "WITHVALUES"],
  ]),
  ...["z1", "z2"].flatMap((k) => [
    ["ZRANGE", k, "0", "-1", "WITHSCORES"],
    ["ZREVRANGE", k, "0", "-1"],
    ["ZSCAN", k, "0"],
    ["ZRANDMEMBER", k, "5", "WITHSCORES"],
    ["ZRANDMEMBER", k, "-5"],
    ["ZRANGEBYSCORE", k, "-1", "(1"],
    ["OBJECT", "ENCODING", k],
  ]),
  ["SINTER", "s1", "s2"],
  ["SUNION", "s1", "s2", "s3"],
  ["SDIFF", "s1", "s2", "s3"],
];

/** Commands since the snapshot began, and how it goes on. */
class Restoring {
  readonly #source: Machine;
  readonly #reader;
  readonly #loader = new SnapshotLoader({ databases: DATABASES });
  readonly #since: [string[], number, Buffer][] = [];

  constructor(source: Machine) {
    this.#source = source;
    this.#reader = source.executor.store.beginSnapshot();
  }

  note(command: string[], seed: number, reply: Buffer): void {
    this.#since.push([command, seed, reply]);
  }

  /** A chunk; the twin when that was the last. */
  next(): Machine | undefined {
    const chunk = this.#reader.next(2048);
    if (chunk !== undefined) {
      assert.equal(this.#loader.accept(Buffer.from(chunk)), undefined);
      return undefined;
    }
    const result = this.#loader.finish();
    assert.ok(result.ok);
    const { thresholds } = this.#source.executor.store;
    const twin = new Machine(new MemoryExecutor({ store: result.store, thresholds }));
    for (const [command, seed, reply] of this.#since) {
      assert.deepEqual(
        twin.run(command, seed),
        reply,
        `${command.slice(0, 5).join(" ")} on the restored one`,
      );
    }
    return twin;
  }
}

for (const { name, thresholds } of FORMS) {
  test(`a replica restored from a snapshot answers the same, in the same order: ${name}`, () => {
    let compared = 0;
    const step = fc.oneof(
      { weight: 10, arbitrary: write },
      { weight: 1, arbitrary: fc.constant("begin" as const) },
      { weight: 3, arbitrary: fc.constant("next" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: "max" }), (steps) => {
        const machine = new Machine(new MemoryExecutor({ thresholds }));
        let restoring: Restoring | undefined;
        let twin: Machine | undefined;
        const next = (): void => {
          const made = restoring?.next();
          if (made === undefined) return;
          twin = made;
          restoring = undefined;
        };
        for (const [seed, each] of steps.entries()) {
          if (each === "begin") restoring ??= new Restoring(machine);
          else if (each === "next") next();
          else {
            const reply = machine.run(each, seed);
            restoring?.note(each, seed, reply);
            if (twin !== undefined) assert.deepEqual(twin.run(each, seed), reply);
          }
        }
        while (restoring !== undefined) next();
        if (twin === undefined) return;
        for (const read of reads) assert.deepEqual(twin.run(read, 7), machine.run(read, 7), read.join(" "));
        const { executor } = twin;
        assert.equal(executor.store.digest(), machine.executor.store.digest());
        assert.equal(executor.store.logicalBytes, machine.executor.store.logicalBytes);
        compared++;
      }),
      { numRuns: 150 },
    );
    assert.ok(compared > 50, `${compared} restored`);
  });

  test(`what chance takes: ${name}`, () => {
    const draw = fc.tuple(words, words, fc.nat({ max: 800 }), fc.nat());
    fc.assert(
      fc.property(draw, ([first, second, wanted, seed]) => {
        const machine = new Machine(new MemoryExecutor({ thresholds }));
        machine.run(["SADD", "s", ...first, ...second], 1);
        const before = machine.members("s");
        const all = new Set(before);
        assert.deepEqual(all, new Set([...first, ...second]));
        const some = textsOf(decode(machine.run(["SRANDMEMBER", "s", String(wanted)], seed)));
        assert.equal(some.length, Math.min(wanted, all.size));
        assert.equal(new Set(some).size, some.length, "without repeats");
        const repeats = textsOf(decode(machine.run(["SRANDMEMBER", "s", String(-wanted)], seed)));
        assert.equal(repeats.length, wanted);
        for (const member of [...some, ...repeats]) assert.ok(all.has(member), `${member} is no member`);
        const popped = textsOf(decode(machine.run(["SPOP", "s", String(wanted)], seed)));
        assert.equal(popped.length, some.length);
        const left = new Set(machine.members("s"));
        assert.deepEqual(new Set([...popped, ...left]), all);
        assert.equal(popped.length + left.size, all.size, "gone, each once");

        machine.run(["HSET", "h", ...first.flatMap((name) => [name, `of ${name}`])], 1);
        const fields = new Set(first);
        const picks = textsOf(decode(machine.run(["HRANDFIELD", "h", String(wanted), "WITHVALUES"], seed)));
        assert.equal(picks.length, 2 * Math.min(wanted, fields.size));
        for (let i = 0; i < picks.length; i += 2) {
          assert.ok(fields.delete(picks[i]!), `${picks[i]} is a field, and only once`);
          assert.equal(picks[i + 1], `of ${picks[i]}`);
        }
      }),
      { numRuns: 200 },
    );
  });

  test(`a scan meets all that stays, whatever comes and goes: ${name}`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(words, words), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        (changes, step) => {
          const machine = new Machine(new MemoryExecutor({ thresholds }));
          const stay = Array.from({ length: 150 }, (_, i) => `stay${i}`);
          machine.run(["SADD", "s", ...stay], 1);
          machine.run(["HSET", "s:h", ...stay.flatMap((field) => [field, "v"])], 1);
          const seen = [new Set<string>(), new Set<string>()];
          const cursors = ["0", "0"];
          const isDone = [false, false];
          for (let round = 0; !isDone.every(Boolean); round++) {
            const [added, removed] = changes[round % changes.length]!;
            machine.run(["SADD", "s", ...added], 1);
            machine.run(["SREM", "s", ...removed], 1);
            machine.run(["HSET", "s:h", ...added.flatMap((field) => [field, "v"])], 1);
            machine.run(["HDEL", "s:h", ...removed], 1);
            for (const [i, scan] of [
              ["SSCAN", "s"],
              ["HSCAN", "s:h"],
            ].entries()) {
              if (isDone[i] === true) continue;
              const reply = machine.ask(...scan, cursors[i]!, "COUNT", String(step));
              assert.ok(Array.isArray(reply));
              cursors[i] = String(reply[0]);
              for (const member of textsOf(reply[1])) seen[i]!.add(member);
              isDone[i] = cursors[i] === "0";
            }
            assert.ok(round < 2000, "it ends");
          }
          for (const set of seen)
            for (const member of stay) assert.ok(set.has(member), `${member} was not seen`);
        },
      ),
      { numRuns: 60 },
    );
  });
}

test("members are popped about equally often", () => {
  for (const size of [5, 30, 200]) {
    const taken = new Map<string, number>();
    const rounds = 200 * size;
    for (let round = 0; round < rounds; round++) {
      const machine = new Machine(new MemoryExecutor({ thresholds: SMALL_THRESHOLDS }));
      if (round > 0 && size > 30 && round >= 4000) break;
      machine.run(["SADD", "s", ...Array.from({ length: size }, (_, i) => `m${i}`)], 1);
      const member = decode(machine.run(["SPOP", "s"], round * 7919));
      assert.ok(typeof member === "string");
      taken.set(member, (taken.get(member) ?? 0) + 1);
    }
    const sum = [...taken.values()].reduce((a, b) => a + b, 0);
    const expected = sum / size;
    const chi2 = Array.from(
      { length: size },
      (_, i) => ((taken.get(`m${i}`) ?? 0) - expected) ** 2 / expected,
    );
    // Far beyond what chance gives: mean size, deviation sqrt(2 size). The seeds are fixed.
    const statistic = chi2.reduce((a, b) => a + b, 0);
    assert.ok(statistic < size + 6 * Math.sqrt(2 * size), `chi square ${statistic} of ${size}`);
  }
});
