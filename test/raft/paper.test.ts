// PAPER.md section A: the rules of the Raft paper, against ready() and advance() only.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import type { Message } from "../../src/raft/index.ts";
import { accept, ELECTION_TICKS, entriesOf, entryOf, Member, message, type Setup } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const typesOf = (messages: readonly Message[]): string[] => messages.map((m) => `${m.type} ${m.to}`);

/** A leader of `size` members whose first entry is committed. */
function leaderOf(size: number): Member {
  const voters = Array.from({ length: size }, (_, at) => at + 1);
  const leader = new Member(1, { voters });
  const sent = leader.lead(voters.slice(1, (size >> 1) + 1));
  for (const m of sent) if (m.type === "append") leader.step(accept(m));
  assert.equal(leader.core.commit, 1);
  return leader;
}

function inRole(role: "follower" | "candidate" | "leader"): Member {
  const member = new Member(1, { term: role === "follower" ? 1 : 0 });
  if (role === "candidate") member.core.campaign();
  if (role === "leader") member.lead([2, 3]);
  member.drain();
  assert.equal(member.core.role, role);
  assert.equal(member.core.term, 1);
  return member;
}

describe("§5.1 terms", () => {
  for (const role of ["follower", "candidate", "leader"] as const) {
    test(`${role}: an append of a later term makes it a follower of that term`, () => {
      const member = inRole(role);
      member.step(message("append", 2, 1, 2));
      assert.equal(member.core.term, 2);
      assert.equal(member.core.role, "follower");
      assert.equal(member.core.leader, 2);
    });
  }

  for (const type of ["append", "vote", "heartbeat", "snapshot", "timeoutNow", "voteResponse"] as const) {
    test(`a ${type} of an older term changes nothing and gets no answer`, () => {
      const member = new Member(1, { term: 2 });
      const snapshot = { index: 9, term: 1, confState: member.core.confState };
      const m = message(type, 2, 1, 1, type === "snapshot" ? { snapshot } : { entries: [] });
      assert.deepEqual(member.step(m), []);
      assert.deepEqual([member.core.term, member.core.vote, member.core.leader], [2, 0, 0]);
      assert.equal(member.core.role, "follower");
      assert.equal(member.core.lastIndex, 0);
    });
  }
});

describe("§5.2 elections", () => {
  test("starts as a follower with the stored term and vote", () => {
    const member = new Member(1, { term: 7, vote: 3 });
    assert.deepEqual([member.core.role, member.core.term, member.core.vote], ["follower", 7, 3]);
    assert.equal(member.core.hasReady(), false);
  });

  test("a leader sends one heartbeat per interval to each peer, without entries", () => {
    const leader = new Member(1);
    leader.lead([2]);
    for (let i = 0; i < 10; i++) leader.core.propose(new Uint8Array(1));
    leader.drain();
    const sent = leader.ticks(1);
    assert.deepEqual(typesOf(sent), ["heartbeat 2", "heartbeat 3"]);
    for (const m of sent) assert.deepEqual([m.entries.length, m.logTerm, m.index, m.commit], [0, 0, 0, 0]);
  });

  for (const role of ["follower", "candidate"] as const) {
    test(`a ${role} that hears nothing campaigns in the next term`, () => {
      const member = inRole(role);
      const sent: Message[] = [];
      for (let i = 0; i < 2 * ELECTION_TICKS - 1 && member.core.term === 1; i++)
        sent.push(...member.ticks(1));
      assert.deepEqual([member.core.term, member.core.role, member.core.vote], [2, "candidate", 1]);
      assert.deepEqual(typesOf(sent), ["vote 2", "vote 3"]);
      for (const m of sent) assert.deepEqual([m.term, m.logTerm, m.index], [2, 0, 0]);
      // The own vote counts: one more wins.
      member.step(message("voteResponse", 2, 1, 2));
      assert.equal(member.core.role, "leader");
    });
  }

  const rounds: [size: number, yes: number[], no: number[], role: string][] = [
    [1, [], [], "leader"],
    [3, [2, 3], [], "leader"],
    [3, [2], [], "leader"],
    [5, [2, 3, 4, 5], [], "leader"],
    [5, [2, 3, 4], [], "leader"],
    [5, [2, 3], [], "leader"],
    [3, [], [2, 3], "follower"],
    [5, [], [2, 3, 4, 5], "follower"],
    [5, [2], [3, 4, 5], "follower"],
    [3, [], [], "candidate"],
    [5, [2], [], "candidate"],
    [5, [], [2, 3], "candidate"],
    [5, [], [], "candidate"],
  ];
  for (const [size, yes, no, role] of rounds) {
    test(`one round: ${size} members, ${yes.length} grant, ${no.length} refuse: ${role}`, () => {
      const member = new Member(1, { voters: Array.from({ length: size }, (_, at) => at + 1) });
      member.core.campaign();
      member.drain();
      for (const id of yes) member.step(message("voteResponse", id, 1, member.core.term));
      for (const id of no) member.step(message("voteResponse", id, 1, member.core.term, { reject: true }));
      assert.deepEqual([member.core.role, member.core.term], [role, 1]);
    });
  }

  for (const [vote, asker, granted] of [
    [0, 2, true],
    [0, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
  ] as const) {
    test(`a follower that voted for ${vote} is asked by ${asker}: ${granted ? "grants" : "refuses"}`, () => {
      const member = new Member(1, { term: 1, vote });
      const [answer] = member.step(message("vote", asker, 1, 1));
      assert.deepEqual(
        [answer?.type, answer?.to, answer?.term, answer?.reject],
        ["voteResponse", asker, 1, !granted],
      );
    });
  }

  for (const term of [1, 2]) {
    test(`a candidate at term 1 follows the sender of an append of term ${term}`, () => {
      const member = inRole("candidate");
      member.step(message("append", 2, 1, term));
      assert.deepEqual([member.core.role, member.core.term, member.core.leader], ["follower", term, 2]);
    });
  }

  test("timeouts cover [timeout, 2 x timeout - 1], evenly", () => {
    for (const role of ["follower", "candidate"] as const) {
      const counts = new Map<number, number>();
      const member = inRole(role);
      const rounds = 5000;
      for (let round = 0; round < rounds; round++) {
        const term = member.core.term;
        let ticks = 0;
        while (member.core.term === term) {
          member.ticks(1);
          ticks++;
        }
        counts.set(ticks, (counts.get(ticks) ?? 0) + 1);
        if (role === "follower") member.step(message("append", 2, 1, member.core.term));
      }
      for (let ticks = ELECTION_TICKS; ticks < 2 * ELECTION_TICKS; ticks++) {
        const share = (counts.get(ticks) ?? 0) / rounds;
        assert.ok(share > 0.08 && share < 0.12, `${role}, ${ticks} ticks: ${share}`);
      }
      assert.equal(counts.size, ELECTION_TICKS);
    }
  });

  test("two of five time out in the same tick in at most 30 % of the rounds", () => {
    const voters = [1, 2, 3, 4, 5];
    const members = voters.map((id) => new Member(id, { voters, config: { prng: new Xoshiro(id * 7919) } }));
    const rounds = 1000;
    let conflicts = 0;
    for (let round = 0; round < rounds; round++) {
      let timedOut = 0;
      while (timedOut === 0) for (const member of members) if (member.ticks(1).length > 0) timedOut++;
      if (timedOut > 1) conflicts++;
      const term = Math.max(...members.map((member) => member.core.term)) + 1;
      for (const member of members) member.step(message("append", member.id === 1 ? 2 : 1, member.id, term));
    }
    assert.ok(conflicts / rounds <= 0.3, `${conflicts} of ${rounds}`);
  });
});

describe("§5.3 replication", () => {
  test("a proposal is appended and sent, not committed", () => {
    const leader = leaderOf(3);
    assert.deepEqual(leader.core.propose(new Uint8Array([7])), { ok: true, term: 1, index: 2 });
    const ready = leader.core.ready();
    assert.deepEqual([leader.core.lastIndex, leader.core.commit], [2, 1]);
    assert.deepEqual(typesOf(ready.messages), ["append 2", "append 3"]);
    for (const m of ready.messages) {
      assert.deepEqual([m.index, m.logTerm, m.commit], [1, 1, 1]);
      assert.deepEqual(m.entries, ready.entries);
    }
    assert.deepEqual(
      ready.entries.map((entry) => [entry.term, entry.index, [...entry.data]]),
      [[1, 2, [7]]],
    );
  });

  test("an entry that a majority took is committed, applied, and told", () => {
    const leader = leaderOf(3);
    leader.core.propose(new Uint8Array([7]));
    const appends = leader.drain();
    leader.core.step(accept(appends[0]!));
    const ready = leader.core.ready();
    assert.equal(leader.core.commit, 2);
    assert.deepEqual(
      ready.committedEntries.map((entry) => entry.index),
      [2],
    );
    assert.deepEqual(
      ready.messages.map((m) => [m.type, m.commit]),
      [
        ["append", 2],
        ["append", 2],
      ],
    );
  });

  for (const [size, acceptors, committed] of [
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [5, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4, 5], true],
  ] as const) {
    test(`${size} members, ${acceptors.length} accept: ${committed ? "" : "not "}committed`, () => {
      const leader = leaderOf(size);
      leader.core.propose(new Uint8Array([7]));
      for (const m of leader.drain()) {
        if (m.entries.length > 0 && (acceptors as readonly number[]).includes(m.to)) leader.step(accept(m));
      }
      assert.equal(leader.core.commit, committed ? 2 : 1);
    });
  }

  for (const log of [[], [2], [1, 2], [1]]) {
    test(`a new leader over ${log.join(",") || "an empty log"} commits all that came before`, () => {
      const leader = new Member(1, { log, term: 2 });
      const sent = leader.lead([2, 3]);
      leader.core.propose(new Uint8Array([7]));
      for (let queue = [...sent, ...leader.drain()]; queue.length > 0; ) {
        queue = queue.filter((m) => m.type === "append").flatMap((m) => leader.step(accept(m)));
      }
      const last = log.length;
      assert.deepEqual(
        leader.applied.map((entry) => [entry.term, entry.index, entry.data.length]),
        [...log.map((term, at) => [term, at + 1, 0]), [3, last + 1, 0], [3, last + 2, 1]],
      );
    });
  }

  for (const [count, commit] of [
    [1, 1],
    [2, 2],
    [2, 1],
    [1, 1],
  ] as const) {
    test(`a follower given ${count} entries and commit ${commit} applies the first ${commit}`, () => {
      const follower = new Member(1, { term: 1 });
      const entries = [entryOf(1, 1, "a"), entryOf(1, 2, "b")].slice(0, count);
      follower.step(message("append", 2, 1, 1, { entries, commit }));
      assert.equal(follower.core.commit, commit);
      assert.deepEqual(follower.appliedTexts(), ["a", "b"].slice(0, commit));
    });
  }

  for (const [logTerm, index, want] of [
    [0, 0, { index: 1, reject: false, rejectHint: 0, logTerm: 0 }],
    [1, 1, { index: 1, reject: false, rejectHint: 0, logTerm: 0 }],
    [2, 2, { index: 2, reject: false, rejectHint: 0, logTerm: 0 }],
    [1, 2, { index: 2, reject: true, rejectHint: 1, logTerm: 1 }],
    [3, 3, { index: 3, reject: true, rejectHint: 2, logTerm: 2 }],
  ] as const) {
    test(`follower "1,2": an empty append behind (${logTerm},${index})`, () => {
      const follower = new Member(1, { log: [1, 2], term: 2, commit: 1 });
      const [answer] = follower.step(message("append", 2, 1, 2, { logTerm, index }));
      assert.ok(answer !== undefined && answer.type === "appendResponse" && answer.term === 2);
      const { reject, rejectHint } = answer;
      assert.deepEqual({ index: answer.index, reject, rejectHint, logTerm: answer.logTerm }, want);
    });
  }

  for (const [index, logTerm, terms, log, persisted] of [
    [2, 2, [3], [1, 2, 3], 1],
    [1, 1, [3, 4], [1, 3, 4], 2],
    [0, 0, [1], [1, 2], 0],
    [0, 0, [3], [3], 1],
  ] as const) {
    test(`follower "1,2": entries ${terms.join(",")} behind (${logTerm},${index}) give ${log.join(",")}`, () => {
      const follower = new Member(1, { log: [1, 2], term: 2 });
      follower.step(message("append", 2, 1, 4, { logTerm, index, entries: entriesOf(terms, index + 1) }));
      assert.deepEqual(follower.terms(), log);
      assert.equal(follower.stored.length, persisted);
    });
  }

  for (const log of [
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ]) {
    test(`figure 7: the leader brings ${log.join(",")} in line`, () => {
      const own = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
      const voters = [1, 2, 3];
      const setups: Record<number, Setup> = {
        1: { voters, log: own, term: 8, commit: own.length },
        2: { voters, log, term: log[log.length - 1]! },
      };
      const network = new Network(setups);
      network.campaign(1);
      network.settle(message("voteResponse", 3, 1, 9));
      // 3 only votes; it also takes what it is sent.
      network.hold = (m) => {
        if (m.to !== 3 || m.type !== "append") return false;
        network.at(1).core.step(accept(m));
        return true;
      };
      network.propose(1, "x");
      assert.deepEqual(network.at(2).terms(), [...own, 9, 9]);
      assert.deepEqual(network.at(1).terms(), [...own, 9, 9]);
      assert.equal(network.at(2).core.commit, own.length + 2);
    });
  }
});

describe("§5.4 safety", () => {
  for (const [terms, leaderTerm] of [
    [[1], 1],
    [[1, 2], 2],
  ] as const) {
    test(`§5.4.1 a follower that took ${terms.join(",")} asks for votes with that log`, () => {
      const follower = new Member(1);
      follower.step(message("append", 2, 1, leaderTerm, { entries: entriesOf(terms) }));
      const sent: Message[] = [];
      while (sent.length === 0) sent.push(...follower.ticks(1));
      assert.deepEqual(
        sent.map((m) => [m.type, m.to, m.term, m.logTerm, m.index]),
        [2, 3].map((to) => ["vote", to, leaderTerm + 1, terms[terms.length - 1], terms.length]),
      );
    });
  }

  for (const [own, logTerm, index, granted] of [
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1], 2, 1, true],
    [[1], 2, 2, true],
    [[1, 1], 1, 1, false],
    [[1, 1], 2, 1, true],
    [[2], 1, 1, false],
    [[2], 1, 2, false],
    [[2, 2], 1, 1, false],
    [[1, 1], 1, 2, true],
  ] as const) {
    test(`§5.4.1 a voter with ${own.join(",")} asked with (${logTerm},${index}) ${granted ? "grants" : "refuses"}`, () => {
      const voter = new Member(1, { log: own });
      const [answer] = voter.step(message("vote", 2, 1, 3, { logTerm, index }));
      assert.equal(answer?.reject, !granted);
    });
  }

  for (const [index, commit] of [
    [1, 0],
    [2, 0],
    [3, 3],
  ] as const) {
    test(`§5.4.2 figure 8: an acknowledgement of index ${index} commits ${commit}`, () => {
      const leader = new Member(1, { voters: [1, 2], log: [1, 2], term: 2 });
      leader.lead([2]);
      assert.equal(leader.core.term, 3);
      leader.step(message("appendResponse", 2, 1, 3, { index }));
      assert.equal(leader.core.commit, commit);
    });
  }

  test("§5.4.2 old entries need a new one of the own term", () => {
    const network = Network.of(5);
    network.campaign(1);
    for (const id of [3, 4, 5]) network.cut(1, id);
    network.propose(1, "a");
    assert.equal(network.at(1).core.commit, 1);
    network.recover();
    network.drop("append");
    network.campaign(2);
    network.recover();
    // The empty entry of term 2 never went out with these heartbeats.
    assert.equal(network.at(2).core.commit, 1);
    network.tick(2);
    network.propose(2, "b");
    assert.equal(network.at(2).core.commit, 4);
    assert.deepEqual(network.at(2).appliedTexts(), ["a", "b"]);
  });
});
