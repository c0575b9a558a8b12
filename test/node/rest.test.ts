// How long an idle node lets its loop rest, on simulated ports (docs/adr/0025): until a heartbeat or an election is due, and not
// at all when something is due, under way or amiss.

import assert from "node:assert/strict";
import { test } from "vitest";
import { followerOf, hostsOf, started, type World } from "./world.ts";

const QUIET_HEARTBEAT_TICKS = 15;
const REST_TICKS_MAX = 20;
const SHORT_REST_TICKS = 3;
/** After the last command of a client. */
const QUIET_AFTER_TICKS = 101;

function pass(world: World, ticks: number): void {
  for (let i = 0; i < ticks; i++) world.step();
}

test("quiet nodes rest: leaders up to their next heartbeat, followers a little longer", () => {
  const three = started(3);
  pass(three, QUIET_AFTER_TICKS);
  const rests = new Map(hostsOf(three).map((host) => [host, [] as number[]]));
  for (let i = 0; i < 200; i++) {
    three.step();
    for (const [host, seen] of rests) seen.push(host.node.restTicks());
  }
  for (const [host, seen] of rests) {
    const isLeader = host === three.leader();
    assert.equal(Math.max(...seen), isLeader ? QUIET_HEARTBEAT_TICKS : REST_TICKS_MAX, host.name);
    // The leader has something to do at certain ticks, and then its digest is under way for a moment.
    if (isLeader) assert.ok(seen.filter((rest) => rest === 1).length < 40);
    else assert.ok(seen.every((rest) => rest > 1));
  }
  const one = started(1);
  assert.ok(one.leader()!.node.restTicks() > 1);
});

test("a quiet leader sends fewer heartbeats, and as many as ever as soon as a client asks anywhere", () => {
  const three = started(3);
  const leader = three.leader()!;
  const follower = followerOf(three);
  const client = follower.connect();
  pass(three, QUIET_AFTER_TICKS);
  let frames = 0;
  three.spoil = (frame) => {
    frames++;
    return [frame];
  };
  const framesIn = (ticks: number): number => {
    const before = frames;
    pass(three, ticks);
    return frames - before;
  };
  const quiet = framesIn(200);
  client.call("GET", "k");
  const asked = framesIn(90);
  // Two heartbeats and two answers each time; a digest every two seconds, of a dozen frames.
  assert.ok(quiet >= 4 * 12 && quiet <= 4 * 14 + 20, `${quiet} in 2 s`);
  assert.ok(asked >= 4 * 17, `${asked} in 0.9 s`);
  pass(three, QUIET_AFTER_TICKS);
  assert.ok(Math.abs(framesIn(200) - quiet) <= 4);
  assert.equal(three.leader(), leader);
});

test("a node that a client has used a moment ago rests for three ticks at most", () => {
  const three = started(3);
  const follower = followerOf(three);
  pass(three, QUIET_AFTER_TICKS);
  follower.connect().call("PING");
  pass(three, 10);
  assert.equal(follower.node.restTicks(), SHORT_REST_TICKS);
  pass(three, QUIET_AFTER_TICKS);
  assert.ok(follower.node.restTicks() > SHORT_REST_TICKS);
});

test("nobody rests when something is due, under way or amiss", () => {
  const three = started(3);
  const follower = followerOf(three);
  const leader = three.leader()!;
  const client = follower.connect();
  client.send("BLPOP", "k", "0.12");
  pass(three, 8);
  assert.ok(follower.node.restTicks() > 1);
  pass(three, 3);
  assert.equal(follower.node.restTicks(), 1, "a time that is about to run out");
  client.reply();
  client.call("SET", "k", "v", "PX", "40");
  pass(three, 2);
  assert.equal(leader.node.restTicks(), 1, "a key that is about to be due");
  pass(three, 10);
  client.call("CLIENT", "PAUSE", "50");
  assert.equal(follower.node.restTicks(), 1, "a pause");
  pass(three, QUIET_AFTER_TICKS);
  three.cut.add(`${leader.name}>${follower.name}`);
  let ticks = 0;
  for (; follower.node.replica.mode !== 0 && ticks < 100; ticks++) {
    // However long it rests: never beyond its election timeout.
    assert.ok(follower.node.restTicks() <= follower.node.replica.raft!.ticksUntilDue);
    three.step();
  }
  assert.ok(ticks >= 15 && ticks < 75, `it noticed after ${ticks} ticks`);
  three.cut.add(`${follower.name}>${leader.name}`);
  pass(three, 40);
  assert.equal(leader.node.restTicks(), 1, "a member that is silent");
});
