// PAPER.md section D: transfer, changes of members, reads; and the switches of section G.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import {
  type ConfChange,
  type ConfChangeStep,
  type ConfState,
  changeConfig,
  EMPTY_CONFIG,
  enterJoint,
  leaveJoint,
  simpleChange,
} from "../../src/raft/index.ts";
import { Tracker } from "../../src/raft/tracker.ts";
import { fc } from "../property.ts";
import { accept, Member, message, type Setup, text } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const change = (
  steps: readonly ConfChangeStep[],
  transition: ConfChange["transition"] = "auto",
): ConfChange => ({ transition, changes: steps, context: new Uint8Array(0) });

function cluster(setup: Setup = {}, count = 3): Network {
  const network = Network.of(count, setup);
  network.campaign(1);
  return network;
}

/** A leader of 1, 2, 3 whose first entry 2 has taken. */
function leading(setup: Setup = {}): Member {
  const leader = new Member(1, setup);
  for (const m of leader.lead([2])) if (m.to === 2) leader.step(accept(m));
  leader.drain();
  return leader;
}

describe("§D transfer (T 3.10)", () => {
  test("an up-to-date target at once; back again too", () => {
    const network = cluster();
    network.at(1).core.transferLeader(2);
    network.settle();
    assert.deepEqual(network.leaders(), [2]);
    network.propose(2, "a");
    network.at(2).core.transferLeader(1);
    network.settle();
    assert.deepEqual(network.leaders(), [1]);
  });

  test("asked for at a follower", () => {
    const network = cluster();
    network.at(2).core.transferLeader(2);
    network.settle();
    assert.deepEqual(network.leaders(), [2]);
  });

  test("with check-quorum and pre-vote the target is not taken for a rival", () => {
    const network = cluster({ config: { checkQuorum: true, preVote: true } });
    network.at(1).core.transferLeader(3);
    network.settle();
    assert.deepEqual(network.leaders(), [3]);
  });

  test("a lagging target after it has caught up", () => {
    const network = cluster();
    network.isolate(3);
    network.propose(1, "a");
    network.recover();
    network.at(1).core.transferLeader(3);
    network.settle();
    network.tick(1);
    assert.deepEqual(network.leaders(), [3]);
    assert.deepEqual(network.at(3).appliedTexts(), ["a"]);
  });

  test("a target that needs a snapshot after that", () => {
    const network = cluster();
    network.isolate(3);
    for (const content of ["a", "b"]) network.propose(1, content);
    const { storage, core } = network.at(1);
    storage.createSnapshot(core.applied, core.confState);
    storage.compact(core.applied);
    network.recover();
    core.transferLeader(3);
    network.settle();
    network.tick(1);
    assert.deepEqual(network.leaders(), [3]);
    assert.equal(network.at(3).core.firstIndex, 4);
  });

  for (const [name, target] of [
    ["self", 1],
    ["an unknown node", 9],
    ["a learner", 4],
  ] as const) {
    test(`to ${name}: nothing`, () => {
      const leader = leading({ voters: [1, 2, 3], learners: [4] });
      leader.core.transferLeader(target);
      assert.deepEqual(leader.drain(), []);
      assert.deepEqual([leader.core.transferring, leader.core.role], [false, "leader"]);
    });
  }

  test("gives up after one election timeout; refuses proposals meanwhile", () => {
    const leader = leading();
    leader.core.transferLeader(3);
    assert.deepEqual(leader.core.propose(new Uint8Array(1)), { ok: false, reason: "proposalDropped" });
    leader.ticks(9);
    assert.equal(leader.core.transferring, true);
    leader.ticks(1);
    assert.equal(leader.core.transferring, false);
    assert.equal(leader.core.propose(new Uint8Array(1)).ok, true);
  });

  test("a vote of a later term ends it", () => {
    const leader = leading();
    leader.core.transferLeader(3);
    leader.step(message("vote", 2, 1, 5, { index: 9, logTerm: 9 }));
    assert.deepEqual([leader.core.role, leader.core.transferring], ["follower", false]);
  });

  for (const type of ["remove", "addLearner"] as const) {
    test(`${type} of the target ends it`, () => {
      const leader = leading();
      leader.core.proposeConfChange(change([{ type, id: 3 }]));
      leader.core.transferLeader(3);
      leader.step(message("appendResponse", 2, 1, 1, { index: 2 }));
      assert.deepEqual(leader.core.confState.voters, [1, 2]);
      assert.equal(leader.core.transferring, false);
    });
  }

  test("to self cancels; another target replaces; the same again gives no more time", () => {
    const leader = leading();
    leader.core.transferLeader(3);
    leader.core.transferLeader(1);
    assert.equal(leader.core.transferring, false);
    leader.core.transferLeader(3);
    leader.ticks(5);
    leader.core.transferLeader(3);
    assert.equal(leader.core.transferee, 3);
    leader.core.transferLeader(2);
    assert.equal(leader.core.transferee, 2);
    leader.ticks(5);
    leader.core.transferLeader(2);
    leader.ticks(5);
    assert.equal(leader.core.transferring, false);
  });
});

describe("§D changes of members (T 4)", () => {
  const addVoter = (id: number): ConfChange => change([{ type: "addVoter", id }]);

  test("one at a time: the second becomes an empty entry", () => {
    const leader = leading();
    assert.equal(leader.core.proposeConfChange(addVoter(4)).ok, true);
    assert.deepEqual(leader.core.proposeConfChange(addVoter(5)), { ok: false, reason: "confChangeRefused" });
    leader.drain();
    const [first, second] = leader.stored.slice(-2);
    assert.deepEqual(first?.confChange, addVoter(4));
    assert.deepEqual([second?.type, second?.data.length, second?.confChange], ["normal", 0, undefined]);
  });

  test("a new leader waits for its whole log before it takes a change", () => {
    const leader = new Member(1, { voters: [1, 2], log: [1, 1], term: 1 });
    leader.lead([2]);
    assert.equal(leader.core.proposeConfChange(addVoter(3)).ok, false);
    leader.step(message("appendResponse", 2, 1, 2, { index: 4 }));
    assert.equal(leader.core.proposeConfChange(addVoter(3)).ok, true);
  });

  test("an empty change outside of a joint configuration is refused, others inside of one", () => {
    const leader = leading();
    assert.equal(leader.core.proposeConfChange(change([])).ok, false);
    leader.step(message("appendResponse", 2, 1, 1, { index: 2 }));
    assert.equal(leader.core.proposeConfChange(change([{ type: "addLearner", id: 4 }], "explicit")).ok, true);
    leader.drain();
    leader.step(message("appendResponse", 2, 1, 1, { index: 3 }));
    assert.deepEqual(leader.core.confState.votersOutgoing, [1, 2, 3]);
    assert.equal(leader.core.proposeConfChange(addVoter(5)).ok, false);
    leader.drain();
    leader.step(message("appendResponse", 2, 1, 1, { index: 4 }));
    assert.equal(leader.core.proposeConfChange(change([])).ok, true);
  });

  test("removing a voter commits what now has a majority", () => {
    const leader = new Member(1, { voters: [1, 2] });
    for (const m of leader.lead([2])) leader.step(accept(m));
    leader.core.proposeConfChange(change([{ type: "remove", id: 2 }]));
    leader.core.propose(text("pending"));
    leader.drain();
    assert.deepEqual(leader.appliedTexts(), []);
    leader.step(message("appendResponse", 2, 1, 1, { index: 2 }));
    assert.deepEqual(leader.appliedTexts(), ["pending"]);
  });

  test("a new member counts as active until the first check", () => {
    const leader = new Member(1, { voters: [1], config: { checkQuorum: true } });
    leader.core.campaign();
    leader.drain();
    leader.ticks(9);
    leader.core.proposeConfChange(addVoter(2));
    leader.drain();
    leader.ticks(1);
    assert.equal(leader.core.role, "leader");
    leader.ticks(10);
    assert.equal(leader.core.role, "follower");
  });

  test("auto-leave, also by a later leader", () => {
    const network = cluster();
    network.isolate(1);
    const joint = change([{ type: "addLearner", id: 4 }], "implicit");
    network.recover();
    // The leader dies between the two entries.
    network.hold = (m) => m.entries.some((entry) => entry.confChange?.changes.length === 0);
    network.at(1).core.proposeConfChange(joint);
    network.settle();
    assert.equal(network.at(2).core.confState.autoLeave, true);
    network.recover();
    network.isolate(1);
    network.campaign(2);
    network.tick(2);
    assert.deepEqual(network.at(2).core.confState.votersOutgoing, []);
    assert.deepEqual(network.at(3).core.confState.learners, [4]);
  });

  const stepOf = fc.record({
    type: fc.constantFrom("addVoter" as const, "addLearner" as const, "remove" as const),
    id: fc.integer({ min: 1, max: 8 }),
  });

  /** Voter 1 stays, so that the last voter is never removed. */
  const applyAll = (
    steps: readonly ConfChangeStep[],
    start: ConfState = { ...EMPTY_CONFIG, voters: [1] },
  ): ConfState =>
    steps.reduce((config, step) => {
      const result = simpleChange(config, [step]);
      return result.ok ? result.config : config;
    }, start);

  test("simple and joint ways lead to the same members", () => {
    fc.assert(
      fc.property(fc.array(stepOf), fc.array(stepOf), (before, steps) => {
        const start = applyAll(before.filter((step) => step.id !== 1));
        const kept = steps.filter((step) => step.id !== 1);
        const entered = enterJoint(start, false, kept);
        assert.ok(entered.ok);
        const left = leaveJoint(entered.config);
        assert.ok(left.ok);
        assert.deepEqual(left.config, applyAll(kept, start));
      }),
    );
  });

  test("a configuration taken over from a snapshot is exactly that one", () => {
    fc.assert(
      fc.property(fc.array(stepOf), fc.array(stepOf), fc.boolean(), (before, steps, autoLeave) => {
        const start = applyAll(before.filter((step) => step.id !== 1));
        const entered = enterJoint(
          start,
          autoLeave,
          steps.filter((step) => step.id !== 1),
        );
        assert.ok(entered.ok);
        const tracker = new Tracker(1, 0);
        tracker.adopt(entered.config, 5);
        assert.deepEqual(tracker.config, entered.config);
        const { voters, votersOutgoing, learners } = entered.config;
        const ids = [...new Set([...voters, ...votersOutgoing, ...learners])].sort((a, b) => a - b);
        assert.deepEqual(
          tracker.peers.map((peer) => [peer.id, peer.isLearner]),
          ids.map((id) => [id, learners.includes(id)]),
        );
      }),
    );
  });

  test("invariants: learners are no voters, learners-next are outgoing voters", () => {
    fc.assert(
      fc.property(fc.array(fc.array(stepOf, { maxLength: 4 })), (changes) => {
        let config: ConfState = { ...EMPTY_CONFIG, voters: [1] };
        for (const steps of changes) {
          const result = changeConfig(config, change(steps));
          if (result.ok) config = result.config;
          const { voters, votersOutgoing, learners, learnersNext } = config;
          assert.ok(voters.length > 0);
          for (const id of learners) assert.ok(!voters.includes(id) && !votersOutgoing.includes(id));
          for (const id of learnersNext) assert.ok(!voters.includes(id) && votersOutgoing.includes(id));
        }
      }),
    );
  });
});

describe("§D reads (T 6.4)", () => {
  for (const [name, asker, config] of [
    ["safe, at the leader", 1, {}],
    ["safe, at a follower", 2, {}],
    ["safe, at a learner", 4, {}],
    ["lease, at the leader", 1, { readOnly: "leaseBased", checkQuorum: true }],
    ["lease, at a follower", 3, { readOnly: "leaseBased", checkQuorum: true }],
  ] as const) {
    test(name, () => {
      const members = { voters: [1, 2, 3], learners: [4], config };
      const network = new Network({ 1: members, 2: members, 3: members, 4: members });
      network.campaign(1);
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 10; i++) network.propose(1, `${round}.${i}`);
        network.at(asker).core.readIndex(text(`read ${round}`));
        network.settle();
        const state = network.at(asker).reads[round];
        assert.equal(state?.index, network.at(1).core.commit);
        assert.equal(new TextDecoder().decode(state?.context), `read ${round}`);
      }
    });
  }

  test("postponed until the first commit of the term", () => {
    const network = cluster();
    network.drop("append");
    network.campaign(2);
    network.at(2).core.readIndex(text("early"));
    network.settle();
    network.tick(2);
    assert.deepEqual(network.at(2).reads, []);
    network.recover();
    network.tick(2);
    assert.deepEqual(
      network.at(2).reads.map((state) => state.index),
      [2],
    );
  });

  test("the same context twice: old acknowledgements do not confirm the later read", () => {
    const leader = leading();
    leader.core.readIndex(text("x"));
    const first = leader.drain().map((m) => m.readPosition);
    leader.step(message("heartbeatResponse", 2, 1, 1, { readPosition: first[0] ?? 0 }));
    assert.equal(leader.reads.length, 1);
    leader.core.readIndex(text("x"));
    const second = leader.drain().map((m) => m.readPosition);
    leader.step(message("heartbeatResponse", 2, 1, 1, { readPosition: first[0] ?? 0 }));
    leader.step(message("heartbeatResponse", 3, 1, 1, { readPosition: first[0] ?? 0 }));
    assert.equal(leader.reads.length, 1);
    leader.step(message("heartbeatResponse", 3, 1, 1, { readPosition: second[0] ?? 0 }));
    assert.equal(leader.reads.length, 2);
  });

  test("nothing is remembered of answered reads", () => {
    const leader = leading();
    leader.core.readIndex(text("x"));
    const [m] = leader.drain();
    assert.equal(m?.readPosition, 1);
    leader.step(message("heartbeatResponse", 2, 1, 1, { readPosition: 1 }));
    for (const beat of leader.ticks(1)) assert.equal(beat.readPosition, 0);
  });
});

describe("§G where this core departs from the reference", () => {
  test("G.3 one voter: no read before the first commit of the term", () => {
    for (const strict of [true, false]) {
      const setup = { voters: [1], log: [1, 1, 1], term: 1, commit: 1, config: { strict } };
      const leader = new Member(1, setup);
      leader.core.campaign();
      leader.handle(); // the own vote
      leader.core.readIndex(text("x"));
      leader.drain();
      assert.deepEqual(
        leader.reads.map((state) => state.index),
        [strict ? 4 : 1],
      );
    }
  });

  test("G.3, G.4 a removed leader answers no reads, sends no heartbeats, takes no proposals", () => {
    const leader = new Member(1, { voters: [1, 2], config: { stepDownOnRemoval: false } });
    for (const m of leader.lead([2])) leader.step(accept(m));
    leader.core.proposeConfChange(change([{ type: "remove", id: 1 }]));
    leader.drain();
    leader.step(message("appendResponse", 2, 1, 1, { index: 2 }));
    assert.deepEqual([leader.core.role, leader.core.confState.voters], ["leader", [2]]);
    assert.deepEqual(leader.ticks(3), []);
    leader.core.readIndex(text("x"));
    leader.drain();
    assert.deepEqual([leader.reads, leader.droppedReads], [[], ["x"]]);
    assert.equal(leader.core.propose(new Uint8Array(1)).ok, false);
  });

  test("G.4 by default it steps down", () => {
    const leader = new Member(1, { voters: [1, 2] });
    for (const m of leader.lead([2])) leader.step(accept(m));
    leader.core.proposeConfChange(change([{ type: "remove", id: 1 }]));
    leader.drain();
    leader.step(message("appendResponse", 2, 1, 1, { index: 2 }));
    assert.deepEqual([leader.core.role, leader.core.leader], ["follower", 0]);
  });

  test("G.6 appends are collected per Ready", () => {
    const leader = leading({ config: { batchAppends: true } });
    for (const m of leader.drain()) leader.step(accept(m));
    leader.step(message("appendResponse", 2, 1, 1, { index: 1 }));
    for (let i = 0; i < 5; i++) leader.core.propose(new Uint8Array([i]));
    const [first, ...others] = leader.drain();
    assert.deepEqual([first?.to, first?.entries.length, others.length], [2, 5, 0]);
    // Two acknowledgements and a proposal in one turn: one append to the member that replicates.
    leader.core.step(message("appendResponse", 2, 1, 1, { index: 3 }));
    leader.core.step(message("appendResponse", 2, 1, 1, { index: 6 }));
    leader.core.propose(new Uint8Array([9]));
    const sent = leader.drain().filter((m) => m.to === 2);
    assert.deepEqual(
      sent.map((m) => [m.entries.length, m.commit]),
      [[1, 6]],
    );
  });

  test("G.6 no extra append per heartbeat response while acknowledgements flow; one when they stop", () => {
    const leader = leading({ config: { batchAppends: true } });
    leader.core.propose(new Uint8Array([1]));
    leader.core.propose(new Uint8Array([2]));
    leader.drain();
    leader.step(message("appendResponse", 2, 1, 1, { index: 2 }));
    const beat = message("heartbeatResponse", 2, 1, 1);
    assert.deepEqual(leader.step(beat), []);
    const [probe] = leader.step(beat);
    assert.deepEqual([probe?.type, probe?.entries.length], ["append", 0]);
  });

  test("G.7 a proposal tells its place, or why it has none", () => {
    const leader = leading();
    assert.deepEqual(leader.core.propose(new Uint8Array(1)), { ok: true, term: 1, index: 2 });
    const follower = new Member(2);
    assert.deepEqual(follower.core.propose(new Uint8Array(1)), { ok: false, reason: "proposalDropped" });
    follower.step(message("heartbeat", 1, 2, 1));
    assert.deepEqual(follower.core.propose(new Uint8Array(1)), { ok: true, term: 1, index: 0 });
  });

  test("G.7 lost reads are reported: no leader, leadership lost, leader changed, postponed", () => {
    const follower = new Member(2);
    follower.core.readIndex(text("a"));
    follower.drain();
    follower.step(message("heartbeat", 1, 2, 1));
    follower.core.readIndex(text("b"));
    follower.drain();
    follower.core.readIndex(text("c"));
    follower.drain();
    follower.step(message("readIndexResponse", 1, 2, 1, { index: 0, context: text("b") }));
    follower.step(message("heartbeat", 3, 2, 2));
    assert.deepEqual(follower.droppedReads, ["a", "c"]);
    const leader = new Member(1);
    leader.lead([2]);
    leader.core.readIndex(text("d"));
    leader.step(message("heartbeat", 3, 1, 2));
    assert.deepEqual(leader.droppedReads, ["d"]);
  });

  test("G.7 forwarded proposals that are refused are reported", () => {
    const member = new Member(1);
    const entries = [{ term: 0, index: 0, type: "normal" as const, data: text("x") }];
    const result = member.core.step(message("propose", 2, 1, 0, { entries }));
    assert.deepEqual(result, { ok: false, reason: "proposalDropped" });
    assert.deepEqual(member.core.ready().droppedProposals, entries);
  });

  test("G.8 input never throws: malformed messages are refused", () => {
    const member = new Member(1);
    const refused = { ok: false, reason: "malformed" };
    const entry = { term: 1, index: 7, type: "normal" as const, data: text("x") };
    assert.deepEqual(member.core.step(message("append", 2, 1, 1, { entries: [entry] })), refused);
    assert.deepEqual(member.core.step(message("append", 2, 1, Number.NaN)), refused);
    assert.deepEqual(member.core.step(message("heartbeat", 2, 1, 1, { commit: -1 })), refused);
    assert.deepEqual(member.core.step(message("heartbeat", 2, 1, 2 ** 60)), refused);
    assert.deepEqual(member.core.step(message("snapshot", 2, 1, 1)), refused);
    assert.deepEqual(member.core.step(message("propose", 2, 1, 0)), refused);
    assert.deepEqual(member.core.step(message("storageAppend", 2, 1, 0)), {
      ok: false,
      reason: "localMessage",
    });
    assert.equal(member.core.hasReady(), false);
  });

  test("G.11 what could not be applied is refused when it is proposed", () => {
    const leader = new Member(1, { voters: [1] });
    leader.core.campaign();
    leader.drain();
    const result = leader.core.proposeConfChange(change([{ type: "remove", id: 1 }]));
    assert.deepEqual(result, { ok: false, reason: "confChangeInvalid" });
    assert.equal(leader.core.lastIndex, 1);
    assert.equal(leader.core.proposeConfChange(change([{ type: "addVoter", id: 2 }])).ok, true);
  });
});
