// How long an idle node lets its loop rest, on simulated ports: three ticks at most, never over a heartbeat, and not at all
// when something is due, under way or amiss.

import assert from "node:assert/strict";
import { test } from "vitest";
import { followerOf, hostsOf, started } from "./world.ts";

test("idle nodes rest, leaders up to their next heartbeat", () => {
  const three = started(3);
  const rests = new Map(hostsOf(three).map((host) => [host, [] as number[]]));
  for (let i = 0; i < 100; i++) {
    three.step();
    for (const [host, seen] of rests) seen.push(host.node.restTicks());
  }
  for (const [host, seen] of rests) {
    const most = Math.max(...seen);
    assert.equal(most, 3, host.name);
    // Only the leader has something to do at certain ticks, and then its digest is under way for a moment.
    if (host !== three.leader()) assert.ok(seen.every((rest) => rest === 3));
    else assert.ok(seen.filter((rest) => rest === 1).length < 40);
  }
  const one = started(1);
  assert.ok(one.leader()!.node.restTicks() > 1);
});

test("nobody rests when something is due, under way or amiss", () => {
  const three = started(3);
  const follower = followerOf(three);
  const leader = three.leader()!;
  const client = follower.connect();
  client.send("BLPOP", "k", "0.12");
  for (let i = 0; i < 8; i++) three.step();
  assert.ok(follower.node.restTicks() > 1);
  for (let i = 0; i < 3; i++) three.step();
  assert.equal(follower.node.restTicks(), 1, "a time that is about to run out");
  client.reply();
  client.call("SET", "k", "v", "PX", "40");
  for (let i = 0; i < 2; i++) three.step();
  assert.equal(leader.node.restTicks(), 1, "a key that is about to be due");
  for (let i = 0; i < 10; i++) three.step();
  client.call("CLIENT", "PAUSE", "50");
  assert.equal(follower.node.restTicks(), 1, "a pause");
  for (let i = 0; i < 10; i++) three.step();
  three.cut.add(`${leader.name}>${follower.name}`);
  for (let i = 0; i < 15; i++) three.step();
  assert.equal(follower.node.restTicks(), 1, "a leader that is silent");
  assert.ok(leader.node.restTicks() >= 1);
});
