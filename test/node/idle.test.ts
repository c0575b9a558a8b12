// A cluster that nobody asks for anything: it writes one entry in two seconds at most, whoever is connected and whatever it
// holds, and does all the same what time brings.

import assert from "node:assert/strict";
import { test } from "vitest";
import { followerOf, hostsOf, started, type World } from "./world.ts";

const SECOND_TICKS = 100;
const seconds = (world: World, count: number): void => {
  for (let i = 0; i < count * SECOND_TICKS; i++) world.step();
};
const lastIndexOf = (world: World): number => world.leader()!.node.replica.raft!.lastIndex;

/** Keys with far deadlines, connections, blocked clients, subscribers and watches, on every node. */
function populated(nodes: number): World {
  const world = started(nodes);
  for (const host of hostsOf(world)) {
    const writer = host.connect();
    for (let i = 0; i < 100; i++) writer.call("SET", `${host.name}-${i}`, "v", "EX", "100000");
    for (let i = 0; i < 20; i++) host.connect();
    for (let i = 0; i < 5; i++) {
      host.connect().send("BLPOP", `list${i}`, "0");
      host.connect().call("SUBSCRIBE", `channel${i}`);
      host.connect().call("WATCH", `${host.name}-${i}`);
    }
  }
  seconds(world, 2);
  return world;
}

for (const nodes of [1, 3]) {
  test(`${nodes} idle nodes append at most 30 entries in 60 seconds`, () => {
    const world = populated(nodes);
    const before = lastIndexOf(world);
    seconds(world, 60);
    const appended = lastIndexOf(world) - before;
    assert.ok(appended <= 30, `${appended} entries`);
  });
}

test("digests go on in an idle cluster, and look at every record", () => {
  const world = populated(3);
  const leader = world.leader()!;
  const before = leader.node.server.statistics.digestsCompared;
  seconds(world, 10);
  const compared = leader.node.server.statistics.digestsCompared - before;
  assert.ok(compared >= 8 && compared <= 10, `${compared} reports of two followers in 10 seconds`);
  // Nothing changes any more, and a key is gone that nobody removed.
  const follower = followerOf(world);
  const { databases } = follower.node.replica.machine.store;
  databases[0]!.remove(Buffer.from("n1-7"), 0, 4);
  world.until("it is found", () => follower.node.server.statistics.digestsDiffered > 0, 10 * SECOND_TICKS);
});

test("digests keep up with a busy cluster", () => {
  const world = populated(3);
  const { statistics } = world.leader()!.node.server;
  const writer = world.leader()!.connect();
  const before = statistics.digestsCompared;
  for (let i = 0; i < 2 * SECOND_TICKS; i++) {
    writer.send("SET", "k", String(i));
    world.step();
  }
  const compared = statistics.digestsCompared - before;
  assert.ok(compared >= 70 && compared <= 82, `${compared} reports of two followers in 2 seconds`);
});

test("keys that are due in an idle cluster go at their time, on all nodes, and are told", () => {
  const world = started(3, { "notify-keyspace-events": "Ex" });
  const subscribers = hostsOf(world).map((host) => host.connect());
  for (const subscriber of subscribers) subscriber.call("SUBSCRIBE", "__keyevent@0__:expired");
  const writer = followerOf(world).connect();
  for (let i = 1; i <= 5; i++) writer.call("SET", `k${i}`, "v", "PX", String(1000 * i));
  for (const subscriber of subscribers) subscriber.take();
  const before = lastIndexOf(world);
  for (let tick = 0; tick < 10; tick++) world.step();
  for (let i = 1; i <= 5; i++) {
    seconds(world, 1);
    for (const subscriber of subscribers) assert.match(subscriber.take(), new RegExp(`\\r\\nk${i}\\r\\n$`));
    for (const { node } of hostsOf(world)) assert.equal(node.replica.machine.store.databases[0]!.size, 5 - i);
  }
  // One for each second, and one for each moment at which something was due.
  assert.ok(lastIndexOf(world) - before <= 11);
});
