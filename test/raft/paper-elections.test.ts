// PAPER.md section B: elections, leases of check-quorum, pre-vote, learners.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { ConfChange, Message } from "../../src/raft/index.ts";
import { accept, entryOf, Member, message } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const add = (id: number, type: "addVoter" | "addLearner" | "remove" = "addVoter"): ConfChange => ({
  transition: "auto",
  changes: [{ type, id }],
  context: new Uint8Array(0),
});

/** Lets a member time out by itself. */
function timeOut(network: Network, id: number): void {
  const { core } = network.at(id);
  const before = core.term;
  for (let i = 0; i < 20 && core.role === "follower" && core.term === before; i++) network.tick(id);
}

describe("§B elections", () => {
  test("a new leader overwrites later entries that never were committed", () => {
    const voters = [1, 2, 3, 4, 5];
    const network = new Network({
      1: { voters, log: [1], term: 1 },
      2: { voters, log: [1], term: 1 },
      3: { voters, log: [2], term: 2 },
      4: { voters, term: 2, vote: 3 },
      5: { voters, term: 2, vote: 3 },
    });
    network.campaign(1);
    assert.deepEqual([network.at(1).core.role, network.at(1).core.term], ["follower", 2]);
    network.campaign(1);
    assert.deepEqual([network.at(1).core.role, network.at(1).core.term], ["leader", 3]);
    for (const id of voters) assert.deepEqual(network.at(id).terms(), [1, 3]);
  });

  for (const role of ["follower", "preCandidate", "candidate", "leader"] as const) {
    test(`from ${role}: a vote for a later term is granted, and a pre-vote changes nothing`, () => {
      const member = new Member(1, { config: { preVote: role === "preCandidate" } });
      if (role === "candidate" || role === "preCandidate") member.core.campaign();
      if (role === "leader") member.lead([2, 3]);
      member.drain();
      assert.equal(member.core.role, role);
      const { term, vote } = member.core;
      const last = { index: 42, logTerm: 42 };
      const [pre] = member.step(message("preVote", 2, 1, term + 5, last));
      assert.deepEqual([pre?.type, pre?.term, pre?.reject], ["preVoteResponse", term + 5, false]);
      assert.deepEqual([member.core.role, member.core.term, member.core.vote], [role, term, vote]);
      const [real] = member.step(message("vote", 2, 1, term + 5, last));
      assert.deepEqual([real?.type, real?.term, real?.reject], ["voteResponse", term + 5, false]);
      assert.deepEqual([member.core.role, member.core.term, member.core.vote], ["follower", term + 5, 2]);
    });
  }

  for (const preVote of [false, true]) {
    test(`duelling ${preVote ? "pre-" : ""}candidates`, () => {
      const network = Network.of(3, { config: { preVote } });
      network.split(1, 3);
      network.campaign(1);
      network.campaign(3);
      assert.equal(network.at(1).core.role, "leader");
      assert.equal(network.at(3).core.role, preVote ? "follower" : "candidate");
      network.recover();
      // 3 asks again: its log is behind, so it only disturbs, unless it has to ask first.
      network.campaign(3);
      assert.equal(network.at(3).core.role, "follower");
      assert.equal(network.at(3).core.term, preVote ? 1 : 2);
      assert.equal(network.at(1).core.role, preVote ? "leader" : "follower");
      assert.equal(network.at(1).core.lastIndex, 1);
    });
  }

  test("a split vote is resolved in the next round, with pre-vote", () => {
    const network = Network.of(3, { config: { preVote: true } });
    network.campaign(1);
    network.isolate(1);
    network.hold = (m) => m.type === "vote";
    network.at(2).core.campaign();
    network.at(3).core.campaign();
    network.settle();
    assert.equal(network.roles(), "1 leader, 2 candidate, 3 candidate");
    assert.equal(network.at(2).core.term, 2);
    network.hold = () => false;
    // Both voted for themselves in term 2.
    network.campaign(2);
    assert.deepEqual([network.at(2).core.role, network.at(2).core.term], ["leader", 3]);
    assert.equal(network.at(3).core.role, "follower");
  });

  for (const preVote of [false, true]) {
    test(`a ${preVote ? "pre-" : ""}candidate that has lost ignores its own vote when it is stored`, () => {
      const member = new Member(1, { voters: [1, 2, 3], config: { preVote } });
      member.core.campaign();
      const ready = member.core.ready();
      assert.equal(ready.messages.length, 2);
      member.core.step(message("heartbeat", 2, 1, member.core.term || 1));
      member.core.advance();
      assert.equal(member.core.role, "follower");
      assert.equal(member.core.leader, 2);
    });
  }

  test("a pre-candidate's own vote does not count for the candidate", () => {
    const member = new Member(1, { voters: [1, 2, 3, 4, 5], config: { preVote: true } });
    member.core.campaign();
    member.core.ready();
    // Two others answer before the own pre-vote is stored: three votes with it later, but it comes late.
    for (const id of [2, 3, 4]) member.core.step(message("preVoteResponse", id, 1, 1));
    assert.deepEqual([member.core.role, member.core.term], ["candidate", 1]);
    member.core.advance(); // brings the own pre-vote
    member.core.step(message("voteResponse", 2, 1, 1));
    assert.equal(member.core.role, "candidate");
    member.drain(); // brings the own vote
    member.core.step(message("voteResponse", 3, 1, 1));
    assert.equal(member.core.role, "leader");
  });

  test("a deposed leader's own acknowledgement does not count in the next term", () => {
    const member = new Member(1);
    member.lead([2]);
    member.core.propose(new Uint8Array(1));
    member.core.ready();
    member.core.step(message("heartbeat", 2, 1, 2));
    member.core.advance();
    assert.deepEqual([member.core.role, member.core.commit], ["follower", 0]);
  });
});

describe("§B check-quorum", () => {
  const config = { checkQuorum: true };

  test("steps down without a majority heard for an election timeout, not with one", () => {
    const leader = new Member(1, { voters: [1, 2, 3], config });
    leader.lead([2]);
    // The votes do not count: activity starts with the leadership.
    for (let i = 0; i < 30; i++) {
      leader.step(message("heartbeatResponse", 2, 1, 1));
      leader.ticks(1);
    }
    assert.equal(leader.core.role, "leader");
    leader.ticks(20);
    assert.deepEqual([leader.core.role, leader.core.leader], ["follower", 0]);
  });

  test("votes are refused while the leader is heard, granted after that", () => {
    const network = Network.of(3, { config });
    network.campaign(1);
    network.campaign(3);
    assert.deepEqual([network.at(2).core.vote, network.at(2).core.term], [1, 1]);
    assert.deepEqual([network.at(3).core.role, network.at(3).core.term], ["candidate", 2]);
    network.isolate(1);
    for (let i = 0; i < 10; i++) network.at(2).core.tick();
    network.campaign(3);
    assert.equal(network.at(3).core.role, "leader");
  });

  test("a candidate stuck in a later term is freed: the leader learns the term and all go on", () => {
    const network = Network.of(3, { config });
    network.campaign(1);
    network.isolate(3);
    network.campaign(3);
    network.campaign(3);
    assert.deepEqual([network.at(3).core.role, network.at(3).core.term], ["candidate", 3]);
    network.recover();
    network.tick(1); // a heartbeat of term 1, answered with term 3
    assert.deepEqual([network.at(1).core.role, network.at(1).core.term], ["follower", 3]);
    network.campaign(1);
    assert.deepEqual(network.leaders(), [1]);
    assert.equal(network.at(3).core.role, "follower");
  });

  test("with pre-vote it does not get that far", () => {
    const network = Network.of(3, { config: { ...config, preVote: true } });
    network.campaign(1);
    network.isolate(3);
    network.tick(3, 60);
    assert.equal(network.at(3).core.term, 1);
    network.recover();
    network.tick(1);
    assert.equal(network.roles(), "1 leader, 2 follower, 3 follower");
    assert.equal(network.at(1).core.term, 1);
  });
});

describe("§B pre-vote and mixed terms", () => {
  test("a member with an older term can still complete an election", () => {
    const network = Network.of(3, { config: { preVote: true } });
    network.campaign(1);
    network.isolate(3);
    network.propose(1, "a");
    network.campaign(2);
    assert.deepEqual([network.at(2).core.role, network.at(2).core.term], ["leader", 2]);
    network.recover();
    network.isolate(2);
    // 3 is behind in term and log, 1 is up to date: neither may wait for the other.
    network.campaign(3);
    network.campaign(1);
    assert.deepEqual(network.leaders(), [1, 2]);
    assert.equal(network.at(1).core.term, 3);
  });

  test("pre-vote can be switched on in a running cluster", () => {
    const network = new Network({
      1: { config: { preVote: true } },
      2: { config: { preVote: true } },
      3: { config: { preVote: false } },
    });
    network.campaign(1);
    network.isolate(3);
    network.propose(1, "a");
    network.campaign(3);
    network.campaign(3);
    const stuck = network.at(3);
    assert.deepEqual([stuck.core.role, stuck.core.term], ["candidate", 3]);
    // 3 restarts with pre-vote, in its later term.
    network.add(3, { storage: stuck.storage, config: { preVote: true } });
    network.recover();
    network.campaign(3);
    network.campaign(2);
    // 3 cannot win with its log, but the others learn its term, and one of them wins.
    network.tickAll(80);
    assert.equal(network.leaders().length, 1);
    assert.equal(network.at(3).core.role, "follower");
    network.propose(network.leaders()[0]!, "b");
    assert.deepEqual(network.at(3).appliedTexts(), ["a", "b"]);
  });

  test("a pre-candidate that gets a vote request keeps its protection of the leader right", () => {
    const network = Network.of(3, { config: { checkQuorum: true, preVote: true } });
    network.campaign(1);
    network.isolate(1);
    network.tickAll(10);
    timeOut(network, 3);
    for (let i = 0; i < 20 && !network.leaders().some((id) => id !== 1); i++) network.tickAll();
    const next = network.leaders().filter((id) => id !== 1);
    assert.equal(next.length, 1);
    assert.equal(network.at(next[0]!).core.term, 2);
  });
});

describe("§B learners and outsiders", () => {
  test("a learner never campaigns: not by timeout, by call or by order", () => {
    const learner = new Member(3, { voters: [1, 2], learners: [3] });
    assert.deepEqual(learner.ticks(60), []);
    learner.core.campaign();
    assert.deepEqual(learner.step(message("timeoutNow", 1, 3, 1)), []);
    assert.equal(learner.core.role, "follower");
  });

  test("a learner votes when it is asked", () => {
    const learner = new Member(3, { voters: [1, 2], learners: [3] });
    assert.equal(learner.step(message("vote", 1, 3, 1))[0]?.reject, false);
  });

  test("a promoted learner campaigns", () => {
    const voters = [1];
    const network = new Network({ 1: { voters, learners: [2] }, 2: { voters, learners: [2] } });
    network.campaign(1);
    network.at(1).core.proposeConfChange(add(2));
    network.settle();
    assert.deepEqual(network.at(2).core.confState.voters, [1, 2]);
    timeOut(network, 2);
    assert.deepEqual(network.leaders(), [2]);
  });

  test("a node outside the configuration ignores orders; votes sent to it do no harm", () => {
    const outsider = new Member(1, { voters: [2, 3, 4] });
    assert.deepEqual(outsider.step(message("timeoutNow", 2, 1, 0)), []);
    for (const from of [2, 3]) {
      outsider.step(message("voteResponse", from, 1, 0));
      outsider.step(message("appendResponse", from, 1, 0));
    }
    assert.deepEqual(outsider.core.step(message("voteResponse", 9, 1, 0)), {
      ok: false,
      reason: "peerNotFound",
    });
    assert.equal(outsider.core.role, "follower");
  });

  for (const route of ["call", "timeout", "order"] as const) {
    test(`a committed change that is not applied forbids campaigning, by ${route}`, () => {
      const member = new Member(1, { voters: [1, 2] });
      const entry = { ...entryOf(1, 1), type: "confChangeV2" as const, confChange: add(3) };
      member.core.step(message("append", 2, 1, 1, { entries: [entry], commit: 1 }));
      if (route === "call") member.core.campaign();
      else if (route === "order") member.core.step(message("timeoutNow", 2, 1, 1));
      else for (let i = 0; i < 40; i++) member.core.tick();
      assert.equal(member.core.role, "follower");
      member.drain();
      member.core.campaign();
      assert.equal(member.core.role, "candidate");
    });
  }
});

describe("§F faults that nothing upstream notices", () => {
  const elapsed = (member: Member): number => {
    let ticks = 0;
    while (member.core.role === "follower") {
      member.core.tick();
      ticks++;
    }
    return ticks;
  };
  const almost = (member: Member): void => {
    for (let i = 0; i < 9; i++) member.core.tick();
  };

  for (const [what, m] of [
    ["a heartbeat", message("heartbeat", 2, 1, 1)],
    ["an append", message("append", 2, 1, 1)],
    ["a granted vote", message("vote", 3, 1, 1)],
    ["the same vote again", message("vote", 3, 1, 1)],
  ] as [string, Message][]) {
    test(`§F ${what} starts the election timer again`, () => {
      const member = new Member(1, { term: 1, vote: what.startsWith("the same") ? 3 : 0 });
      almost(member);
      member.step(m);
      assert.ok(elapsed(member) >= 10);
    });
  }

  test("§F a refused vote does not", () => {
    const member = new Member(1, { term: 1, vote: 2 });
    member.core.setElectionTicks(10);
    almost(member);
    member.step(message("vote", 3, 1, 1));
    assert.ok(elapsed(member) <= 10);
  });

  test("§F no transfer to a learner", () => {
    const leader = new Member(1, { voters: [1, 2], learners: [3] });
    for (const m of leader.lead([2])) leader.step(accept(m));
    leader.core.transferLeader(3);
    assert.deepEqual(leader.drain(), []);
    assert.equal(leader.core.transferring, false);
  });

  test("§F a transfer skips pre-vote", () => {
    const target = new Member(1, { config: { preVote: true } });
    const sent = target.step(message("timeoutNow", 2, 1, 1));
    assert.deepEqual(
      sent.map((m) => [m.type, m.transfer, m.term]),
      [
        ["vote", true, 2],
        ["vote", true, 2],
      ],
    );
  });

  test("§F reads are forgotten when the term changes", () => {
    const leader = new Member(1);
    for (const m of leader.lead([2])) leader.step(accept(m));
    leader.core.readIndex(new Uint8Array([65]));
    leader.drain();
    leader.step(message("heartbeat", 2, 1, 5));
    assert.deepEqual(leader.droppedReads, ["A"]);
    leader.lead([2]);
    for (const m of leader.ticks(1)) assert.equal(m.readPosition, 0);
    leader.step(message("heartbeatResponse", 2, 1, leader.core.term, { readPosition: 1 }));
    assert.deepEqual(leader.reads, []);
  });

  test("§F no vote in a term whose leader is known", () => {
    const member = new Member(1, { term: 1 });
    member.step(message("heartbeat", 2, 1, 1));
    assert.equal(member.core.vote, 0);
    assert.equal(member.step(message("vote", 3, 1, 1, { index: 9, logTerm: 9 }))[0]?.reject, true);
  });

  test("§F auto-leave is proposed once, not again before it is applied", () => {
    const leader = new Member(1, { voters: [1, 2] });
    for (const m of leader.lead([2])) leader.step(accept(m));
    const change: ConfChange = {
      transition: "implicit",
      changes: [{ type: "addLearner", id: 4 }],
      context: new Uint8Array(0),
    };
    leader.core.proposeConfChange(change);
    leader.core.propose(new Uint8Array([1]));
    leader.core.propose(new Uint8Array([2]));
    leader.drain();
    // One entry is applied after the other; the configuration is joint from the first on.
    for (const index of [2, 3, 4]) leader.step(message("appendResponse", 2, 1, 1, { index }));
    assert.deepEqual(leader.core.confState.votersOutgoing, [1, 2]);
    assert.equal(leader.stored.filter((entry) => entry.confChange?.changes.length === 0).length, 1);
    leader.step(message("appendResponse", 2, 1, 1, { index: 5 }));
    assert.deepEqual(leader.core.confState.votersOutgoing, []);
    assert.equal(leader.core.lastIndex, 5);
  });

  test("§F no snapshot to a member that was not heard of", () => {
    const leader = new Member(1, { log: [1, 1, 1, 1], term: 1, commit: 4, config: { checkQuorum: true } });
    leader.drain();
    leader.storage.compact(4);
    for (const m of leader.lead([2])) if (m.to === 2) leader.step(accept(m));
    // 3 is far behind, but there is no snapshot yet.
    const refusal = message("appendResponse", 3, 1, 2, { index: 4, reject: true, rejectHint: 1, logTerm: 1 });
    assert.deepEqual(leader.step(refusal), []);
    const snapshotsSent = (): number => {
      leader.core.propose(new Uint8Array(1));
      return leader.drain().filter((m) => m.type === "snapshot").length;
    };
    leader.storage.createSnapshot(5, leader.core.confState);
    leader.ticks(10); // the quorum check: 3 has to be heard of anew
    assert.equal(leader.core.role, "leader");
    assert.equal(snapshotsSent(), 0);
    leader.step(message("heartbeatResponse", 3, 1, 2));
    assert.equal(leader.core.progressOf(3)?.state, "snapshot");
  });
});
