// The lease of DESIGN section 10 and PAPER G.1, G.2: while it is valid, nobody else can have been elected.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { Message } from "../../src/raft/index.ts";
import { Member, message, text } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const DURATION_MS = 150;
const MARGIN_MS = 10;
const LEASE = {
  leaseDurationMs: DURATION_MS,
  leaseDriftMarginMs: MARGIN_MS,
  readOnly: "leaseBased",
  checkQuorum: true,
  preVote: true,
} as const;

function cluster(size: number, changes: object = {}): Network {
  const network = Network.of(size, { config: { ...LEASE, ...changes } });
  network.setNow(1000);
  network.campaign(1);
  return network;
}

describe("lease (G.1)", () => {
  test("counts from the send time of what a majority acknowledged, not from the receipt", () => {
    const network = cluster(3);
    const leader = network.at(1).core;
    assert.equal(leader.leaseValid(), true);
    leader.setNow(1000 + DURATION_MS - MARGIN_MS - 1);
    assert.equal(leader.leaseValid(), true);
    leader.setNow(1000 + DURATION_MS - MARGIN_MS);
    assert.equal(leader.leaseValid(), false);
    // A round sent now; the answers arrive late.
    const held: Message[] = [];
    network.hold = (m) => m.type === "heartbeatResponse" && held.push(m) > 0;
    network.setNow(1200);
    network.tick(1);
    assert.equal(held.length, 2);
    network.recover();
    network.setNow(1300);
    network.settle(...held);
    assert.equal(leader.leaseValid(), true);
    network.setNow(1200 + DURATION_MS - MARGIN_MS);
    assert.equal(leader.leaseValid(), false);
  });

  test("needs a majority: one of five is not enough, two are", () => {
    const network = cluster(5);
    for (const id of [3, 4, 5]) network.isolate(id);
    network.setNow(1100);
    network.tick(1);
    network.setNow(1150);
    assert.equal(network.at(1).core.leaseValid(), false);
    network.recover();
    for (const id of [4, 5]) network.isolate(id);
    network.tick(1);
    assert.equal(network.at(1).core.leaseValid(), true);
  });

  test("none before the first commit of the term", () => {
    const network = Network.of(3, { config: LEASE });
    network.setNow(1000);
    network.drop("append");
    network.campaign(1);
    network.tick(1);
    assert.equal(network.at(1).core.role, "leader");
    assert.equal(network.at(1).core.leaseValid(), false);
    network.recover();
    network.tick(1, 2);
    assert.equal(network.at(1).core.leaseValid(), true);
  });

  test("a lone voter always has it; a follower and a removed leader never", () => {
    const alone = cluster(1);
    alone.setNow(99_999);
    assert.equal(alone.at(1).core.leaseValid(), true);
    const network = cluster(3, { stepDownOnRemoval: false });
    assert.equal(network.at(2).core.leaseValid(), false);
    network.at(1).core.proposeConfChange({
      transition: "auto",
      changes: [{ type: "remove", id: 1 }],
      context: new Uint8Array(0),
    });
    network.settle();
    network.setNow(1001);
    network.tick(1);
    assert.deepEqual(network.at(1).core.confState.voters, [2, 3]);
    assert.equal(network.at(1).core.role, "leader");
    assert.equal(network.at(1).core.leaseValid(), false);
  });

  test("in a joint configuration both halves must have pledged", () => {
    const voters = [1, 2, 3];
    const storage = new Member(1, { voters }).storage;
    storage.setConfState({
      voters,
      votersOutgoing: [1, 4, 5],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    });
    const leader = new Member(1, { storage, config: LEASE });
    leader.core.setNow(1000);
    leader.core.campaign();
    leader.drain();
    for (const id of [2, 4]) leader.step(message("preVoteResponse", id, 1, leader.core.term + 1));
    for (const id of [2, 4]) leader.step(message("voteResponse", id, 1, leader.core.term));
    assert.equal(leader.core.role, "leader");
    for (const id of [2, 3]) leader.step(message("appendResponse", id, 1, 1, { index: 1, stampMs: 1000 }));
    assert.equal(leader.core.leaseValid(), false);
    leader.step(message("appendResponse", 4, 1, 1, { index: 1, stampMs: 1000 }));
    assert.equal(leader.core.leaseValid(), true);
  });

  test("a read is answered at once inside the lease, by a round outside of it", () => {
    const network = cluster(3);
    const leader = network.at(1);
    leader.core.readIndex(text("a"));
    assert.deepEqual(leader.drain(), []);
    assert.equal(leader.reads.length, 1);
    network.setNow(2000);
    leader.core.readIndex(text("b"));
    assert.equal(leader.drain().length, 2);
    assert.equal(leader.reads.length, 1);
  });
});

describe("pledge", () => {
  test("a voter grants nothing to others while it runs, whatever became of its role and term", () => {
    for (const type of ["vote", "preVote"] as const) {
      const network = cluster(3, { checkQuorum: false });
      const voter = network.at(2);
      const request = message(type, 3, 2, 5, { index: 9, logTerm: 4 });
      voter.core.setNow(1000 + DURATION_MS - 1);
      assert.deepEqual(voter.step(request), []);
      assert.equal(voter.core.term, 1);
      // The term rises by another way: the answer is a refusal now.
      voter.step(message("appendResponse", 3, 2, 5));
      assert.equal(voter.core.term, 5);
      const refused = voter.step({ ...request, term: type === "vote" ? 5 : 5 });
      assert.deepEqual(
        refused.map((m) => m.reject),
        [true],
      );
      voter.core.setNow(1000 + DURATION_MS);
      const granted = voter.step({ ...request, term: 6 });
      assert.deepEqual(
        granted.map((m) => m.reject),
        [false],
      );
    }
  });

  test("its holder may get the vote", () => {
    const network = cluster(3, { checkQuorum: false });
    const granted = network.at(2).step(message("vote", 1, 2, 2, { index: 9, logTerm: 4 }));
    assert.deepEqual(
      granted.map((m) => m.reject),
      [false],
    );
  });

  test("nobody campaigns against the own pledge, by timeout or by order", () => {
    const network = cluster(3);
    const follower = network.at(2);
    follower.core.campaign();
    follower.ticks(40);
    assert.equal(follower.core.role, "follower");
    follower.core.setNow(1000 + DURATION_MS);
    follower.ticks(1);
    assert.equal(follower.core.role, "preCandidate");
  });

  test("a restarted voter does not know what it has pledged, and waits", () => {
    const old = new Member(2, { term: 3, config: LEASE });
    old.core.setNow(5000);
    const request = message("vote", 3, 2, 4);
    assert.deepEqual(old.step(request), []);
    assert.deepEqual(old.step({ ...request, transfer: true, stampMs: 9e9 }), []);
    old.core.setNow(5000 + DURATION_MS);
    assert.equal(old.step(request)[0]?.reject, false);
  });

  test("answers of an older term do not count, nor does a refusal that raises the term", () => {
    const network = cluster(3);
    network.isolate(2);
    network.isolate(3);
    const leader = network.at(1);
    leader.core.setNow(2000);
    leader.step(message("heartbeatResponse", 2, 1, 0, { stampMs: 2000 }));
    leader.step(message("heartbeatResponse", 2, 1, 1, { stampMs: 2001 })); // never sent
    assert.equal(leader.core.leaseValid(), false);
    leader.step(message("appendResponse", 2, 1, 9, { stampMs: 2000 }));
    assert.equal(leader.core.leaseValid(), false);
  });
});

describe("transfer and lease (G.2)", () => {
  test("given up before the order goes out; the votes for the target are free", () => {
    const network = cluster(3);
    network.setNow(1001);
    network.tick(1);
    const leader = network.at(1).core;
    assert.equal(leader.leaseValid(), true);
    leader.transferLeader(2);
    assert.equal(leader.leaseValid(), false);
    network.settle();
    assert.deepEqual(network.leaders(), [2]);
  });

  test("heartbeats during a transfer ask for no pledge, so a slow one still wins", () => {
    const network = cluster(3);
    network.hold = (m) => m.type === "timeoutNow";
    network.at(1).core.transferLeader(2);
    const order = network.at(1).drain();
    network.recover();
    network.setNow(1050);
    network.tick(1, 3);
    assert.equal(network.at(1).core.leaseValid(), false);
    network.settle(...order);
    assert.deepEqual(network.leaders(), [2]);
  });

  test("taken back: only later stamps count, and the late order finds no votes", () => {
    const network = cluster(3);
    const leader = network.at(1);
    leader.core.transferLeader(2);
    const order = leader.drain();
    network.setNow(1020);
    network.tick(1, 10); // one election timeout
    assert.equal(leader.core.transferring, false);
    // This tick's heartbeat carries the very time of the abort: not enough.
    assert.equal(leader.core.leaseValid(), false);
    network.setNow(1021);
    network.tick(1);
    assert.equal(leader.core.leaseValid(), true);
    network.settle(...order);
    assert.deepEqual(network.leaders(), [1]);
    // A target that made no later pledge campaigns; those who did refuse it.
    const forced = message("vote", 2, 3, leader.core.term + 1, {
      index: 99,
      logTerm: 99,
      transfer: true,
      stampMs: 1000,
    });
    assert.deepEqual(network.at(3).step(forced), []);
  });
});

describe("failover (DESIGN 10)", () => {
  const ATTEMPT_TICKS = 1 + 10;

  test("a broken connection: campaigns when the pledge has run out, not before, and is elected", () => {
    const network = cluster(3);
    network.isolate(1);
    for (const id of [2, 3]) network.at(id).core.reportConnectionLost(1);
    network.tickAll(8);
    assert.equal(network.at(2).core.role, "follower");
    assert.equal(network.at(3).core.role, "follower");
    network.setNow(1000 + DURATION_MS);
    for (let i = 0; i < ATTEMPT_TICKS && network.leaders().length < 2; i++) network.tickAll();
    assert.equal(network.at(2).core.term, 2);
    assert.equal(network.leaders().length, 2); // 1 has not noticed
    assert.equal(network.at(1).core.leaseValid(), false);
  });

  test("a voter that still hears the leader protects it; a lost one does not", () => {
    const network = cluster(3);
    network.setNow(1000 + DURATION_MS);
    const request = message("preVote", 2, 3, 2, { index: 9, logTerm: 9 });
    assert.deepEqual(network.at(3).step(request), []);
    network.at(3).core.reportConnectionLost(1);
    assert.equal(network.at(3).step(request)[0]?.reject, false);
  });

  test("hearing the leader again cancels it", () => {
    const network = cluster(3);
    network.at(2).core.reportConnectionLost(1);
    network.tick(1);
    network.setNow(1000 + DURATION_MS);
    network.at(2).ticks(5);
    assert.equal(network.at(2).core.role, "follower");
    assert.deepEqual(network.at(2).step(message("preVote", 3, 2, 2, { index: 9, logTerm: 9 })), []);
  });

  test("only the leader's connection matters, and only to followers", () => {
    const network = cluster(3);
    network.setNow(1000 + DURATION_MS);
    network.at(2).core.reportConnectionLost(3);
    network.at(1).core.reportConnectionLost(2);
    network.at(2).ticks(5);
    assert.equal(network.roles(), "1 leader, 2 follower, 3 follower");
  });

  test("without a lease there is nothing to wait for", () => {
    const network = Network.of(3, { config: { checkQuorum: true, preVote: true } });
    network.campaign(1);
    network.isolate(1);
    for (const id of [2, 3]) network.at(id).core.reportConnectionLost(1);
    network.tickAll(ATTEMPT_TICKS);
    assert.equal(network.leaders().length, 2);
  });
});
