// HyperLogLog: replies, and the two encodings against a model of plain registers.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { estimateCount } from "../../src/command/hyperloglog-estimate.ts";
import {
  DENSE_BYTES,
  denseRegister,
  EMPTY_SKETCH,
  HEADER_BYTES,
  mergeRegisters,
  REGISTERS,
  SPARSE_VALUE_MAX,
  setDenseRegister,
} from "../../src/command/hyperloglog-format.ts";
import { CHANGED, Sketch, UNCHANGED } from "../../src/command/hyperloglog-sketch.ts";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { fc } from "../property.ts";
import { bulk, type Case, error, integer, OK, testCases, WRONG_TYPE } from "./cases.ts";

const NOT_SKETCH = error("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT = error("INVALIDOBJ Corrupted HLL object detected");
const SPARSE_BYTES_MAX = 3000;
const STALE = "HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80";

const cases: readonly Case[] = [
  {
    name: "PFADD of nothing makes a key",
    run: ["PFADD k", "PFADD k", "GET k"],
    want: [integer(1), integer(0), bulk(`${STALE}\x7f\xff`)],
  },
  { name: "PFADD again", run: ["PFADD k a b c", "PFADD k a b c"], want: [integer(1), integer(0)] },
  { name: "PFCOUNT", run: ["PFADD k a b c d e f g", "PFCOUNT k"], want: integer(7) },
  { name: "PFCOUNT of nothing", run: ["PFCOUNT k", "PFCOUNT k l"], want: [integer(0), integer(0)] },
  {
    name: "PFCOUNT of several",
    run: ["PFADD a 1 2 3", "PFADD b 3 4", "PFCOUNT a b nosuch"],
    want: integer(4),
  },
  {
    name: "PFCOUNT leaves the string alone",
    run: ["PFADD k", "PFCOUNT k", "GET k"],
    want: [integer(0), bulk(`${STALE}\x7f\xff`)],
  },
  {
    name: "PFCOUNT believes a count in the header",
    run: [["SET", "k", "HYLL\x01\0\0\0\x2a\0\0\0\0\0\0\0\x7f\xff"], "PFCOUNT k"],
    want: integer(42),
  },
  {
    name: "PFMERGE",
    run: ["PFADD a 1 2 3", "PFADD b 3 4", "PFMERGE d a b nosuch", "PFCOUNT d"],
    want: [OK, integer(4)],
  },
  {
    name: "PFMERGE keeps the deadline",
    run: ["PFADD d x", "EXPIRE d 100", "PFMERGE d", "TTL d"],
    want: [OK, integer(100)],
  },
  { name: "PFADD to a list", run: ["RPUSH k x", "PFADD k a"], want: WRONG_TYPE },
  { name: "PFADD to another string", run: ["SET k HYLL", "PFADD k a"], want: NOT_SKETCH },
  {
    name: "PFMERGE from another string",
    run: ["SET k x", "PFMERGE d k", "EXISTS d"],
    want: [NOT_SKETCH, integer(0)],
  },
  {
    name: "a dense one of a wrong length",
    run: [["SET", "k", `HYLL${"\0".repeat(100)}`], "PFCOUNT k"],
    want: NOT_SKETCH,
  },
  {
    name: "too few registers",
    run: [["SET", "k", `${STALE}\x7f\xfe`], "PFCOUNT k", "PFMERGE d k"],
    want: [CORRUPT, CORRUPT],
  },
  {
    name: "a run cut in two",
    run: [["SET", "k", `${STALE}\x7f`], "PFADD k a", "PFCOUNT k"],
    want: [CORRUPT, CORRUPT],
  },
  {
    name: "longer than any",
    run: [["SET", "k", STALE + "\0".repeat(40_000)], "PFADD k a", "PFCOUNT k"],
    want: [CORRUPT, CORRUPT],
  },
  {
    name: "registers that no hash makes",
    run: [["SET", "k", `HYLL\0\0\0\0\0\0\0\0\0\0\0\x80${"\xff".repeat(12_288)}`], "PFCOUNT k"],
    want: integer("-9223372036854775808"),
  },
];
testCases(cases);

const opened = (): Sketch => {
  const sketch = new Sketch();
  sketch.loadSparse(EMPTY_SKETCH, 0, EMPTY_SKETCH.length);
  return sketch;
};

function registersOf(sketch: Sketch): Uint8Array {
  const registers = new Uint8Array(REGISTERS);
  const intact = mergeRegisters(registers, sketch.bytes, sketch.start, sketch.start + sketch.length);
  assert.ok(intact, "not corrupt");
  return registers;
}

/** Close together, so that runs are split and joined. */
const changes = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(REGISTERS - 1), fc.nat(40), fc.integer({ min: REGISTERS - 9, max: REGISTERS - 1 })),
    fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: SPARSE_VALUE_MAX })),
  ),
  { maxLength: 300 },
);

describe("encodings", () => {
  test("sparse registers are those of the model, and dense ones the same", () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const sketch = opened();
        const model = new Uint8Array(REGISTERS);
        for (const [index, value] of steps) {
          const wanted = value > model[index]! ? CHANGED : UNCHANGED;
          assert.equal(sketch.raise(index, value, SPARSE_BYTES_MAX), wanted);
          model[index] = Math.max(model[index]!, value);
        }
        assert.equal(sketch.isDense, false);
        assert.deepEqual(registersOf(sketch), model);
        assert.ok(sketch.makeDense() && sketch.isDense);
        assert.equal(sketch.length, DENSE_BYTES);
        assert.deepEqual(registersOf(sketch), model);
      }),
    );
  });

  test("a sketch that gets too long becomes dense on the way, and loses nothing", () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 18, max: 200 }), (steps, bytesMax) => {
        const sketch = opened();
        const model = new Uint8Array(REGISTERS);
        for (const [index, value] of steps) {
          sketch.raise(index, value, bytesMax);
          model[index] = Math.max(model[index]!, value);
          assert.ok(sketch.isDense || sketch.length <= bytesMax);
        }
        assert.deepEqual(registersOf(sketch), model);
      }),
    );
  });

  test("values that only the dense encoding holds", () => {
    const sketch = opened();
    assert.equal(sketch.raise(7, SPARSE_VALUE_MAX, SPARSE_BYTES_MAX), CHANGED);
    assert.equal(sketch.isDense, false);
    assert.equal(sketch.raise(7, SPARSE_VALUE_MAX + 1, SPARSE_BYTES_MAX), CHANGED);
    assert.equal(sketch.isDense, true);
    assert.equal(registersOf(sketch)[7], SPARSE_VALUE_MAX + 1);
  });

  test("dense registers do not touch each other", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(REGISTERS - 1), fc.nat(63)), { maxLength: 50 }), (steps) => {
        const bytes = Buffer.alloc(DENSE_BYTES + 1, 0xff);
        bytes.fill(0, HEADER_BYTES, DENSE_BYTES);
        const model = new Map<number, number>();
        for (const [index, value] of [...steps, [0, 1], [REGISTERS - 1, 63]] as const) {
          setDenseRegister(bytes, HEADER_BYTES, index, value);
          model.set(index, value);
        }
        for (const [index, value] of model) {
          assert.equal(denseRegister(bytes, HEADER_BYTES, index), value);
          const next = (index + 1) % REGISTERS;
          assert.equal(denseRegister(bytes, HEADER_BYTES, next), model.get(next) ?? 0);
        }
        assert.equal(bytes[DENSE_BYTES], 0xff);
        assert.equal(bytes[HEADER_BYTES - 1], 0xff);
      }),
    );
  });
});

test("merging is the greatest of each register, whatever the encodings and the order", () => {
  fc.assert(
    fc.property(changes, changes, fc.boolean(), (left, right, dense) => {
      const registersAfter = (...all: (typeof left)[]): Uint8Array => {
        const registers = new Uint8Array(REGISTERS);
        for (const steps of all) {
          const sketch = opened();
          for (const [index, value] of steps) sketch.raise(index, value, SPARSE_BYTES_MAX);
          if (dense) sketch.makeDense();
          assert.ok(mergeRegisters(registers, sketch.bytes, sketch.start, sketch.start + sketch.length));
        }
        return registers;
      };
      const model = new Uint8Array(REGISTERS);
      for (const [index, value] of [...left, ...right]) model[index] = Math.max(model[index]!, value);
      assert.deepEqual(registersAfter(left, right), model);
      assert.deepEqual(registersAfter(right, left, right), model);
    }),
  );
});

test("100,000 elements are counted to within three standard errors of 0.81 % all the way", () => {
  const executor = new MemoryExecutor();
  const step = 1000;
  for (let count = step; count <= 100_000; count += step) {
    executor.runOne(["PFADD", "k", ...Array.from({ length: step }, (_, i) => `element:${count - i}`)]);
    const found = Number(executor.runOne(["PFCOUNT", "k"]).toString().slice(1));
    assert.ok(Math.abs(found - count) <= 3 * 0.0081 * count, `${found} instead of ${count}`);
  }
});

test("no element is counted as none", () => {
  assert.equal(estimateCount(new Uint8Array(REGISTERS)), 0);
});
