// An idle leader (docs/adr/0025): heartbeats further apart, found to be dead as fast as ever, and when time makes a node speak.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { Message } from "../../src/raft/index.ts";
import { ELECTION_TICKS, message } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const HEARTBEAT_TICKS = 1;
const QUIET_TICKS = ELECTION_TICKS / 2;

function cluster(): { readonly network: Network; heartbeats(ticks: number): number } {
  const network = Network.of(3, { config: { checkQuorum: true, preVote: true } });
  network.campaign(1);
  let count = 0;
  network.hold = (m) => {
    if (m.type === "heartbeat" && m.to === 2) count++;
    return false;
  };
  return {
    network,
    heartbeats(ticks) {
      count = 0;
      for (let i = 0; i < ticks; i++) for (const id of [1, 2, 3]) network.tick(id);
      return count;
    },
  };
}

describe("heartbeats further apart", () => {
  test("keep the leader, and come again as often as before when they are to", () => {
    const { network, heartbeats } = cluster();
    const { core } = network.at(1);
    assert.equal(heartbeats(20 * ELECTION_TICKS), (20 * ELECTION_TICKS) / HEARTBEAT_TICKS);
    core.setHeartbeatTicks(QUIET_TICKS);
    assert.equal(heartbeats(20 * ELECTION_TICKS), 40);
    assert.equal(core.role, "leader");
    assert.equal(core.term, 1);
    core.setHeartbeatTicks(HEARTBEAT_TICKS);
    assert.equal(heartbeats(ELECTION_TICKS), ELECTION_TICKS / HEARTBEAT_TICKS);
  });

  test("are shorter than an election timeout", () => {
    const { core } = cluster().network.at(1);
    assert.throws(() => core.setHeartbeatTicks(ELECTION_TICKS));
    assert.throws(() => core.setHeartbeatTicks(0));
  });

  test("leave a silent leader as little time as ever: the timeout counts from the last one that came", () => {
    const { network, heartbeats } = cluster();
    network.at(1).core.setHeartbeatTicks(QUIET_TICKS);
    while (heartbeats(1) === 0);
    const { core } = network.at(2);
    let ticks = 0;
    for (; core.role === "follower"; ticks++) {
      assert.ok(core.ticksUntilDue >= 1);
      network.tick(2);
    }
    assert.ok(ticks >= ELECTION_TICKS && ticks <= 2 * ELECTION_TICKS, String(ticks));
  });
});

describe("ticks that come together", () => {
  const TICK_MS = 10;
  function rested(ticks: number, heardMsAgo: number): number {
    const { network } = cluster();
    const { core } = network.at(2);
    const before = core.ticksUntilDue;
    core.setNow(5000 - heardMsAgo);
    core.step(makeHeartbeat());
    core.setNow(5000);
    core.pass(ticks, TICK_MS);
    return before - core.ticksUntilDue;
  }
  const makeHeartbeat = (): Message => message("heartbeat", 1, 2, 1);

  for (const [ticks, heardMsAgo, counted] of [
    [8, 0, 0],
    [8, 15, 2],
    [8, 80, 8],
    [2, 80, 2],
    [1, 10, 1],
  ] as const)
    test(`${ticks}, and the leader was heard ${heardMsAgo} ms ago: ${counted} of them are silence`, () => {
      assert.equal(rested(ticks, heardMsAgo), counted);
    });

  test("of a leader all count", () => {
    const { core } = cluster().network.at(1);
    core.setHeartbeatTicks(QUIET_TICKS);
    core.pass(QUIET_TICKS - core.ticksUntilDue + 1, TICK_MS);
    const before = core.ticksUntilDue;
    core.pass(2, TICK_MS);
    assert.equal(core.ticksUntilDue, before - 2);
  });
});

describe("ticksUntilDue", () => {
  test("of a leader: its next heartbeat", () => {
    const { network } = cluster();
    const { core } = network.at(1);
    core.setHeartbeatTicks(QUIET_TICKS);
    while (core.ticksUntilDue !== QUIET_TICKS) network.tick(1);
    for (let left = QUIET_TICKS - 1; left >= 1; left--) {
      network.tick(1);
      assert.equal(core.ticksUntilDue, left);
    }
  });

  test("of a follower: its election, so that it can rest until then; at once when the connection is lost", () => {
    const { network } = cluster();
    const { core } = network.at(2);
    while (core.role === "follower") {
      const due = core.ticksUntilDue;
      network.tick(2);
      assert.equal(core.role === "follower", due > 1);
    }
    assert.equal(core.ticksUntilDue, 1, "a candidate");
    const other = network.at(3).core;
    assert.ok(other.ticksUntilDue > 1);
    other.reportConnectionLost(1);
    assert.equal(other.ticksUntilDue, 1);
  });
});
