// Three members on simulated ports that exchange what commands make them say, and so much of it is spoilt, field by field and byte
// by byte. A seed comes in; what is true of a node whatever its peers say is checked after every step. A violation is an error.

import assert from "node:assert/strict";
import { Xoshiro } from "../../src/base/prng.ts";
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

/** Elections raise it by a few, and nothing that is spoilt may by more than what is adopted. */
const TERM_MAX = 2 ** 32;

/** What is true of a node whatever its peers say. */
function check(world: World): void {
  for (const { node, halted, name } of hostsOf(world)) {
    assert.equal(halted, undefined, name);
    assert.ok((node.replica.raft?.term ?? 0) <= TERM_MAX, `${name} is in term ${node.replica.raft?.term}`);
  }
}

/** @param spoilt so many of a thousand frames */
export function fuzz(
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
    check(world);
  }
  world.spoil = undefined;
  return { world, count };
}

/** When nothing is spoilt any more, it serves again. */
export function servesAgain(world: World, value: string): void {
  world.until("a leader", () => world.leader() !== undefined, 5000);
  const client = world.leader()!.connect();
  world.until("it serves", () => {
    if (client.isClosed) return true;
    client.send("SET", "after", value);
    world.step();
    return client.take().includes("+OK");
  });
  check(world);
}
