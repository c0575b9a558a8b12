// When turns happen: once per iteration, after what was in the sockets, with late ticks bounded.

import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, describe, test } from "vitest";
import { LATE_TICKS_MAX } from "../../src/base/limits.ts";
import { SizeClassPool } from "../../src/io/buffer-pool.ts";
import { systemClock, systemEntropy } from "../../src/io/system.ts";
import { TurnLoop } from "../../src/io/turn-loop.ts";
import { until } from "../until.ts";

describe("turn loop", () => {
  let loop: TurnLoop;
  afterEach(() => loop.stop());

  test("many requests in an iteration are one turn", async () => {
    const turns: number[] = [];
    loop = new TurnLoop(systemClock, 100_000);
    loop.start({ turn: (_now, _wall, ticks) => turns.push(ticks), restTicks: () => 1 });
    await until("the first", () => turns.length === 1);
    for (let i = 0; i < 10; i++) loop.requestTurn();
    await until("the second", () => turns.length > 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(turns, [0, 0]);
  });

  test("ticks follow the clock, not the number of turns", async () => {
    let nowMs = 1000;
    const turns: number[] = [];
    loop = new TurnLoop({ ...systemClock, monotonicMs: () => nowMs }, 10);
    loop.start({ turn: (_now, _wall, ticks) => turns.push(ticks), restTicks: () => 1 });
    const next = async (): Promise<number | undefined> => {
      const before = turns.length;
      loop.requestTurn();
      await until("a turn", () => turns.length > before);
      const sum = turns.slice(before).reduce((a, b) => a + b, 0);
      return sum;
    };
    assert.equal(await next(), 0);
    nowMs = 1009.9;
    assert.equal(await next(), 0);
    nowMs = 1010;
    assert.equal(await next(), 1);
    nowMs = 1039;
    assert.equal(await next(), 2);
    assert.equal(await next(), 0);
  });

  test("ticks that an idle node lets pass come together, and are no stall", async () => {
    let nowMs = 1000;
    const later = [1010, 1040, 1090, 1300];
    const turns: number[] = [];
    loop = new TurnLoop({ ...systemClock, monotonicMs: () => nowMs }, 10);
    loop.start({
      turn: (_now, _wall, ticks) => {
        turns.push(ticks);
        if (ticks > 0 || turns.length === 1) nowMs = later.shift() ?? nowMs;
      },
      restTicks: () => 3,
    });
    await until("a stall is over", () => loop.droppedTicks > 0);
    // One tick, then three at once, as many late ones as may be, and the stall.
    assert.deepEqual(turns.slice(0, 6), [0, 1, 3, 2 + LATE_TICKS_MAX, 0, LATE_TICKS_MAX]);
    assert.equal(loop.droppedTicks, 21 - LATE_TICKS_MAX);
  });

  test("after a stall, what is in the sockets is read before any tick, and few ticks come", async () => {
    const events: string[] = [];
    const server = createServer((socket) =>
      socket.on("data", (chunk) => events.push(`read ${chunk.length}`)),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await until("connected", () => client.readyState === "open");
    loop = new TurnLoop(systemClock, 10);
    let isStalled = false;
    loop.start({
      turn: (_now, _wall, ticks) => {
        if (isStalled && ticks > 0) events.push(`ticks ${ticks}`);
      },
      restTicks: () => 1,
    });
    await until("it ticks", () => loop.droppedTicks >= 0);
    isStalled = true;
    client.write("hello");
    const end = Date.now() + 300;
    while (Date.now() < end);
    await until("ticks", () => events.some((event) => event.startsWith("ticks")));
    assert.equal(events[0], "read 5");
    assert.equal(events[1], `ticks ${LATE_TICKS_MAX}`);
    assert.ok(loop.droppedTicks >= 20, `${loop.droppedTicks} dropped`);
    client.destroy();
    server.close();
  });
});

describe("buffer pool", () => {
  test("gives what fits, and the last one back first", () => {
    const pool = new SizeClassPool();
    const cases = [
      [undefined, 16_384],
      [1, 16_384],
      [16_384, 16_384],
      [16_385, 32_768],
      [4 << 20, 4 << 20],
      [(4 << 20) + 1, (4 << 20) + 1],
    ] as const;
    for (const [asked, got] of cases) assert.equal(pool.acquire(asked).length, got);
    const buffer = pool.acquire();
    pool.release(buffer);
    assert.equal(pool.acquire(10), buffer);
  });

  test("keeps no more than its bound, and nothing that is not its own", () => {
    const pool = new SizeClassPool();
    const large = Array.from({ length: 6 }, () => pool.acquire(4 << 20));
    for (const buffer of large) pool.release(buffer);
    const again = Array.from({ length: 6 }, () => pool.acquire(4 << 20));
    assert.equal(again.filter((buffer) => large.includes(buffer)).length, 4);
    const view = Buffer.alloc(32_768).subarray(0, 16_384);
    pool.release(view);
    pool.release(Buffer.alloc(100));
    assert.notEqual(pool.acquire(), view);
  });
});

test("entropy stays in its ranges", () => {
  for (let i = 0; i < 1000; i++) {
    const identity = systemEntropy.identity();
    assert.ok(Number.isSafeInteger(identity) && identity >= 1);
    const word = systemEntropy.u32();
    assert.equal(word >>> 0, word);
  }
  assert.match(systemEntropy.hex(40), /^[0-9a-f]{40}$/);
  assert.match(systemEntropy.hex(7), /^[0-9a-f]{7}$/);
});
