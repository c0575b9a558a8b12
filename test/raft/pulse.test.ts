// Pulses (ADR 20): a member whose event loop is busy keeps its place for a while, and gains nothing else by it.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { ELECTION_TICKS } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const TICK_MS = 10;
const BUSY_LIMIT_MS = 5000;
const TERM = 1;
const LEADER = 1;
const PULSE_EVERY_TICKS = 2;
/** No election timeout is longer. */
const TIMEOUT_TICKS_MAX = 2 * ELECTION_TICKS;
const CONFIG = {
  checkQuorum: true,
  preVote: true,
  readOnly: "leaseBased",
  leaseDurationMs: 50,
  leaseDriftMarginMs: 5,
  busyLimitMs: BUSY_LIMIT_MS,
} as const;

class Busy {
  readonly network = Network.of(3, { config: CONFIG });
  nowMs = 1000;

  constructor() {
    this.network.setNow(this.nowMs);
    this.network.campaign(LEADER);
    this.network.tick(LEADER, 2);
  }

  /** The others' time goes on; now and then `pulse` is called. */
  pass(members: readonly number[], ticks: number, pulse: () => void = () => {}): void {
    for (let i = 1; i <= ticks; i++) {
      this.nowMs += TICK_MS;
      for (const id of members) this.network.at(id).core.setNow(this.nowMs);
      if (i % PULSE_EVERY_TICKS === 0) pulse();
      for (const id of members) this.network.tick(id);
    }
  }

  /** What the leader's thread says to its followers. */
  leaderPulses(term = TERM, leader = LEADER): () => void {
    return () => {
      for (const id of [2, 3]) this.network.at(id).core.pulse(LEADER, term, leader);
    };
  }

  followersPulse(term = TERM, leader = LEADER): () => void {
    return () => {
      for (const id of [2, 3]) this.network.at(LEADER).core.pulse(id, term, leader);
    };
  }
}

const ticksOf = (ms: number): number => ms / TICK_MS;

describe("the leader is busy", () => {
  test("its pulses keep its followers from electing another one, up to the bound, and no longer", () => {
    const busy = new Busy();
    const { network } = busy;
    network.isolate(LEADER);
    busy.pass([2, 3], ticksOf(BUSY_LIMIT_MS), busy.leaderPulses());
    assert.equal(network.roles(), "1 leader, 2 follower, 3 follower");
    busy.pass([2, 3], TIMEOUT_TICKS_MAX + 1, busy.leaderPulses());
    assert.deepEqual(
      network.leaders().filter((id) => id !== LEADER).length,
      1,
      "pulses go on, and somebody else was elected",
    );
  });

  test("each of its Raft messages begins the bound anew", () => {
    const busy = new Busy();
    for (let i = 0; i < 4; i++) {
      busy.network.isolate(LEADER);
      busy.pass([2, 3], ticksOf(BUSY_LIMIT_MS), busy.leaderPulses());
      busy.network.recover();
      busy.network.setNow(busy.nowMs);
      busy.network.at(LEADER).core.catchUp();
      busy.network.settle();
    }
    assert.deepEqual(busy.network.leaders(), [LEADER]);
    assert.equal(busy.network.at(LEADER).core.term, TERM);
  });

  test("when its pulses end, it is replaced as if its heartbeats had ended", () => {
    const busy = new Busy();
    const { network } = busy;
    network.isolate(LEADER);
    busy.pass([2, 3], 100, busy.leaderPulses());
    busy.pass([2, 3], TIMEOUT_TICKS_MAX + 1);
    assert.equal(network.leaders().filter((id) => id !== LEADER).length, 1);
  });

  test("a follower that hears its pulses does not help another one to depose it", () => {
    const busy = new Busy();
    const { network } = busy;
    network.isolate(LEADER);
    busy.pass([2, 3], 100, () => network.at(3).core.pulse(LEADER, TERM, LEADER));
    assert.deepEqual(network.leaders(), [LEADER]);
    assert.equal(network.at(3).core.term, TERM);
  });

  for (const [what, term, leader] of [
    ["an earlier term", TERM - 1, LEADER],
    ["a later term", TERM + 1, LEADER],
    ["another leader", TERM, 2],
    ["no leader", TERM, 0],
  ] as const) {
    test(`pulses of ${what} count for nothing`, () => {
      const busy = new Busy();
      const { network } = busy;
      network.isolate(LEADER);
      busy.pass([2, 3], TIMEOUT_TICKS_MAX + 1, busy.leaderPulses(term, leader));
      assert.equal(network.leaders().filter((id) => id !== LEADER).length, 1);
    });
  }

  test("pulses of another follower count for nothing", () => {
    const busy = new Busy();
    const { network } = busy;
    network.isolate(LEADER);
    network.isolate(3);
    busy.pass([2], TIMEOUT_TICKS_MAX + 1, () => network.at(2).core.pulse(3, TERM, LEADER));
    assert.notEqual(network.at(2).core.role, "follower");
  });

  test("pulses do not mend a lost connection", () => {
    const busy = new Busy();
    const { network } = busy;
    network.isolate(LEADER);
    for (const id of [2, 3]) network.at(id).core.reportConnectionLost(LEADER);
    busy.pass([2, 3], ELECTION_TICKS, busy.leaderPulses());
    assert.equal(network.leaders().filter((id) => id !== LEADER).length, 1, "faster than any timeout");
  });

  test("pulses renew no pledge", () => {
    const busy = new Busy();
    const { network } = busy;
    network.isolate(LEADER);
    busy.pass([2, 3], 100, busy.leaderPulses());
    // A follower that is told to may campaign: only a pledge, or a leader that is heard of, would stand against it.
    network.at(2).core.campaign();
    assert.equal(network.at(2).core.role, "preCandidate");
  });
});

describe("the followers are busy", () => {
  test("their pulses keep the leader in place, up to the bound, and no longer", () => {
    const busy = new Busy();
    const { network } = busy;
    for (const id of [2, 3]) network.isolate(id);
    busy.pass([LEADER], ticksOf(BUSY_LIMIT_MS), busy.followersPulse());
    assert.equal(network.at(LEADER).core.role, "leader");
    busy.pass([LEADER], 2 * ELECTION_TICKS, busy.followersPulse());
    assert.equal(network.at(LEADER).core.role, "follower");
  });

  test("pulses renew no lease", () => {
    const busy = new Busy();
    const { network } = busy;
    assert.equal(network.at(LEADER).core.leaseValid(), true);
    for (const id of [2, 3]) network.isolate(id);
    busy.pass([LEADER], 20, busy.followersPulse());
    assert.equal(network.at(LEADER).core.role, "leader");
    assert.equal(network.at(LEADER).core.leaseValid(), false);
  });

  test("pulses of another term, of another leader's followers, or of strangers count for nothing", () => {
    for (const pulse of [
      (busy: Busy) => busy.followersPulse(TERM + 1)(),
      (busy: Busy) => busy.followersPulse(TERM - 1)(),
      (busy: Busy) => busy.followersPulse(TERM, 2)(),
      (busy: Busy) => busy.network.at(LEADER).core.pulse(99, TERM, LEADER),
    ]) {
      const busy = new Busy();
      for (const id of [2, 3]) busy.network.isolate(id);
      busy.pass([LEADER], 2 * ELECTION_TICKS, () => pulse(busy));
      assert.equal(busy.network.at(LEADER).core.role, "follower");
    }
  });

  test("without a bound, pulses count for nothing", () => {
    const network = Network.of(3, { config: { ...CONFIG, busyLimitMs: 0 } });
    network.setNow(1000);
    network.campaign(LEADER);
    for (const id of [2, 3]) network.isolate(id);
    for (let i = 0; i < 2 * ELECTION_TICKS; i++) {
      for (const id of [2, 3]) network.at(LEADER).core.pulse(id, TERM, LEADER);
      network.tick(LEADER);
    }
    assert.equal(network.at(LEADER).core.role, "follower");
  });
});
