// A leader that is cut off with its connections left standing: nothing says that it is gone but its silence.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type Host, hostsOf, started, type World } from "./world.ts";

/** Nothing gets to it or from it any more. */
function cutOff({ cut, hosts }: World, host: Host): void {
  for (const { name } of hosts.values())
    if (name !== host.name) cut.add(`${host.name}>${name}`).add(`${name}>${host.name}`);
}

test("writes sent to it are uncertain soon after the next leader is there, reads are asked again", () => {
  const world = started(3);
  const old = world.leader()!;
  const others = hostsOf(world).filter((host) => host !== old);
  const writers = others.map((host) => host.connect());
  const readers = others.map((host) => host.connect());
  assert.equal(writers[0]!.call("SET", "k", "before"), "+OK\r\n");
  cutOff(world, old);
  for (const client of writers) client.send("SET", "k", "late");
  for (const client of readers) client.send("GET", "k");
  world.settle();
  world.until("another leads", () => others.some(({ node }) => node.replica.mode === 1));
  const sinceMs = world.nowMs;
  for (const client of writers) assert.match(client.reply(), /^-UNCERTAIN .*another one was elected/);
  for (const client of readers) assert.equal(client.reply(), "$6\r\nbefore\r\n");
  assert.ok(world.nowMs - sinceMs <= 300, `${world.nowMs - sinceMs} ms after the election`);
  for (const client of writers) assert.equal(client.call("SET", "k", "after"), "+OK\r\n");
  // It comes back, and what it was sent and answers now reaches nobody.
  world.cut.clear();
  world.until("it follows", () => old.node.replica.mode === 2);
  for (const client of [...writers, ...readers]) assert.equal(client.take(), "");
  assert.equal(old.connect().call("GET", "k"), "$5\r\nafter\r\n");
});

test("a new leader whose clients wait for the earlier one does not turn in circles", () => {
  const world = started(3);
  const old = world.leader()!;
  const others = hostsOf(world).filter((host) => host !== old);
  const writers = others.map((host) => host.connect());
  cutOff(world, old);
  for (const client of writers) client.send("SET", "k", "late");
  world.until("another leads", () => others.some(({ node }) => node.replica.mode === 1));
  for (const client of writers) client.send("SET", "k", "next");
  let rounds = 0;
  while (world.round()) assert.ok(++rounds < 100, "turns without an end, and no time passes");
  for (const client of writers) {
    let replies = "";
    while (replies.split("\r\n").length < 3) replies += client.reply();
    assert.match(replies, /^-UNCERTAIN .*\r\n\+OK\r\n$/);
  }
});
