// The RAFT commands' replies: shapes for programs to parse, answers now or when the change is in force.

import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import type { MemberStatus } from "../../src/command/operator-context.ts";
import { ReplyWriter } from "../../src/resp/reply-writer.ts";
import { decode2 } from "../resp/decode.ts";
import { Fake, leaderView } from "./local-fake.ts";

const member: MemberStatus = {
  name: "n2",
  role: "follower",
  incarnation: "22",
  peerAddress: "10.0.0.2:16379",
  clientAddress: "10.0.0.2:6379",
  connected: true,
  state: "replicate",
  matchIndex: 98,
  lag: 3,
};
const asBulks = (fields: Readonly<Record<string, string | number>>): unknown[] =>
  Object.entries(fields).flat();
const memberFields = asBulks({
  name: "n2",
  role: "follower",
  incarnation: "22",
  "peer-address": "10.0.0.2:16379",
  "client-address": "10.0.0.2:6379",
  connected: 1,
  state: "replicate",
  "match-index": 98,
  lag: 3,
});

function decoded(fake: Fake, command: string): unknown {
  const [reply] = decode2(Buffer.from(fake.run(command), "latin1"));
  return JSON.parse(JSON.stringify(reply, (_key, value) => textOf(value)));
}
const textOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value
    ? Buffer.from(value.data as number[]).toString()
    : value;

test("STATUS is a flat array in RESP2, a map in RESP3", () => {
  const fake = new Fake();
  fake.server.view = { ...leaderView, problem: "CLUSTERDOWN why" };
  fake.server.operations.status = [member];
  expect(decoded(fake, "raft.status")).toEqual([
    ...asBulks({
      node: "n1",
      incarnation: "22",
      role: "leader",
      cluster: "c0ffee",
      term: 7,
      leader: "n1",
      "leader-address": "10.0.0.1:6379",
      lease: "valid",
      "commit-index": 100,
      "applied-index": 99,
      "first-index": 10,
      "last-index": 101,
      problem: "CLUSTERDOWN why",
    }),
    "members",
    [memberFields],
  ]);
  fake.client.protocol = 3;
  assert.match(fake.run("raft.status"), /^%14\r\n.*\$7\r\nmembers\r\n\*1\r\n%9\r\n/s);
});

test("MEMBER LIST is STATUS's list of members", () => {
  const fake = new Fake();
  fake.server.operations.status = [member];
  expect(decoded(fake, "raft.member list")).toEqual([memberFields]);
});

const changes = [
  ["raft.member add n4 127.0.0.1:16004", "add n4 127.0.0.1:16004"],
  ["raft.member remove n4", "remove n4"],
  ["raft.member promote n4", "promote n4"],
  ["raft.transfer n4", "transfer n4"],
] as const;

describe.each(changes)("%s", (command, asked) => {
  test("is answered at once when it is in force, or cannot be", () => {
    const fake = new Fake();
    assert.equal(fake.run(command), "+OK\r\n");
    fake.server.operations.outcome = "ERR because";
    assert.equal(fake.run(command), "-ERR because\r\n");
    assert.equal(fake.client.parked, undefined);
    expect(fake.server.operations.asked).toEqual([asked, asked]);
  });
  test.each([
    ["", "+OK\r\n"],
    ["UNCERTAIN perhaps", "-UNCERTAIN perhaps\r\n"],
    [undefined, "-TRYAGAIN too late\r\n"],
  ])("waits, and then answers %s", (outcome, reply) => {
    const fake = new Fake();
    fake.server.operations.outcome = undefined;
    assert.equal(fake.run(command), "");
    const { parked } = fake.client;
    assert.ok(parked !== undefined && !parked.ready());
    assert.equal(parked.deadlineMs, fake.server.monotonicMs() + 10_000);
    fake.server.operations.outcome = outcome;
    assert.equal(parked.ready(), outcome !== undefined);
    const writer = new ReplyWriter();
    parked.finish(writer);
    assert.equal(writer.buffer.toString("latin1", 0, writer.position), reply);
  });
});

test("RECOVER explains, and only FORCE does it", () => {
  const fake = new Fake();
  assert.match(fake.run("raft.recover"), /what would be lost/);
  for (const wrong of ["raft.recover yes", "raft.recover force now"]) {
    assert.equal(fake.run(wrong), "-ERR syntax error\r\n");
  }
  expect(fake.server.operations.asked).toEqual([]);
  assert.equal(fake.run("raft.recover Force"), "+OK\r\n");
  expect(fake.server.operations.asked).toEqual(["recover"]);
});

test("HELP names every subcommand", () => {
  const help = new Fake().run("raft.member help");
  for (const name of ["ADD", "LIST", "PROMOTE", "REMOVE"]) assert.ok(help.includes(`\r\n+${name}`), name);
  assert.match(new Fake().run("raft.help"), /RAFT\.RECOVER \[FORCE\]/);
});
