// Frames of members that are spoilt on their way, field by field and byte by byte: no node ends, terms do not run away, and when
// it is over the cluster serves. PEER_FUZZ_SEED=n repeats one run; `npm run explore -- --only "spoilt frames"` draws others.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { drawsOf } from "../chance.ts";
import { mutateFrame } from "./mutate-frame.ts";
import { type Client, type Host, hostsOf, started, type World } from "./world.ts";

const COMMANDS = [
  ["SET", "k1", "v"],
  ["INCR", "n"],
  ["RPUSH", "l", "a", "b"],
  ["LPOP", "l"],
  ["HSET", "h", "f", "v"],
  ["ZADD", "z", "1", "m"],
  ["XADD", "s", "*", "f", "v"],
  ["GET", "k1"],
  ["WATCH", "k1"],
  ["MULTI"],
  ["SET", "k2", "x"],
  ["EXEC"],
  ["EXPIRE", "k1", "100"],
  ["BLPOP", "l", "0.05"],
  ["SUBSCRIBE", "c"],
  ["UNSUBSCRIBE"],
  ["PUBLISH", "c", "m"],
  ["SELECT", "3"],
  ["SELECT", "0"],
  ["WAIT", "1", "10"],
  ["CONFIG", "SET", "notify-keyspace-events", "KEA"],
  ["FLUSHALL"],
] as const;

/** What is true of a node whatever its peers say. */
function check(world: World, termMax: number): void {
  for (const { node, halted, name } of hostsOf(world)) {
    assert.equal(halted, undefined, name);
    assert.ok((node.replica.raft?.term ?? 0) <= termMax, `${name} is in term ${node.replica.raft?.term}`);
  }
}

/** Members exchange what commands make them say, and so much of it is spoilt. */
function fuzz(
  seed: number,
  spoilt: number,
  steps: number,
): { readonly world: World; readonly count: number } {
  const world = started(3, { "election-timeout": "300" });
  const random = new Xoshiro(seed);
  const kept: Buffer[] = [];
  let count = 0;
  world.spoil = (frame) => {
    if (random.below(1000) >= spoilt) {
      if (kept.length < 500) kept.push(frame);
      else kept[random.below(kept.length)] = frame;
      return [frame];
    }
    count++;
    const source = random.below(2) === 0 ? frame : (kept[random.below(kept.length)] ?? frame);
    const made = mutateFrame(source, random);
    // Beside the true one, or in its place.
    return random.below(2) === 0 ? [made, frame] : [made];
  };
  let clients: Client[] = [];
  const reconnect = (): Client[] => hostsOf(world).map((host: Host) => host.connect());
  for (let step = 0; step < steps; step++) {
    if (step % 50 === 0) clients = reconnect();
    for (const client of clients) {
      if (!client.isClosed) client.send(...COMMANDS[random.below(COMMANDS.length)]!);
    }
    world.step();
    check(world, 2 ** 32);
  }
  world.spoil = undefined;
  return { world, count };
}

describe("spoilt frames between members", () => {
  for (const { seed, count: steps, text } of drawsOf("spoilt frames")) {
    test(`${text}: nobody ends, and the cluster serves again`, () => {
      const { world, count } = fuzz(seed, 150, steps);
      assert.ok(count > 100, `${count} frames were spoilt`);
      assert.ok(hostsOf(world).some(({ rejected }) => rejected > 0));
      world.until("a leader", () => world.leader() !== undefined, 5000);
      const client = world.leader()!.connect();
      world.until("it serves", () => {
        if (client.isClosed) return true;
        client.send("SET", "after", String(seed));
        world.step();
        return client.take().includes("+OK");
      });
      check(world, 2 ** 32);
    });
  }
});
