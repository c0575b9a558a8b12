// Whoever is no member of the configuration cannot end the time of a leader that lives (docs/adr/0024): neither by saying that
// it leads a later term, nor by saying that the leader has told it to campaign.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { Message } from "../../src/raft/index.ts";
import { accept, confState, ELECTION_TICKS, Member, message } from "./harness/member.ts";

const STRANGER = 9;
const CONFIG = { checkQuorum: true, preVote: true } as const;

/** A follower of 2 in term 2 that has just heard its leader. */
function follower(): Member {
  const member = new Member(1, { voters: [1, 2, 3], log: [1, 1], term: 2, commit: 2, config: CONFIG });
  member.step(message("heartbeat", 2, 1, 2));
  return member;
}

function leader(): Member {
  const member = new Member(1, { voters: [1, 2, 3], config: { checkQuorum: true } });
  for (const m of member.lead([2])) member.step(accept(m));
  return member;
}

const vote = (from: number, term: number): Message =>
  message("vote", from, 1, term, { index: 100, logTerm: term - 1, transfer: true });

describe("a stranger says that it leads the next term", () => {
  const snapshot = { index: 100, term: 3, confState: confState([1, 2, 3, STRANGER]) };
  const claims: readonly Message[] = [
    message("append", STRANGER, 1, 3, { logTerm: 1, index: 2 }),
    message("heartbeat", STRANGER, 1, 3),
    message("timeoutNow", STRANGER, 1, 3),
    { ...message("snapshot", STRANGER, 1, 3), snapshot },
  ];

  for (const claim of claims) {
    test(`by ${claim.type}: ignored while the leader lives, believed when it has fallen silent`, () => {
      const member = follower();
      assert.equal(member.core.objection(claim), undefined, "it may be right");
      member.core.step(claim);
      assert.equal(member.core.term, 2);
      assert.equal(member.core.leader, 2);
      for (let tick = 0; tick < ELECTION_TICKS; tick++) {
        if (member.core.role !== "follower") break;
        member.core.tick();
      }
      member.core.step(claim);
      assert.ok(member.core.term >= 3);
    });
  }

  test("a leader ignores it as long as it hears a quorum", () => {
    const member = leader();
    const { term } = member.core;
    const claim = message("heartbeat", STRANGER, 1, term + 1);
    member.core.step(claim);
    assert.equal(member.core.role, "leader");
    assert.equal(member.core.term, term);
  });

  test("a member that says so is believed at once", () => {
    const member = follower();
    assert.ok(member.core.step(message("heartbeat", 3, 1, 3)).ok);
    assert.equal(member.core.term, 3);
    assert.equal(member.core.leader, 3);
  });

  test("the connection to the leader is lost: the stranger may have been elected", () => {
    const member = follower();
    member.core.reportConnectionLost(2);
    assert.ok(member.core.step(message("heartbeat", STRANGER, 1, 3)).ok);
    assert.equal(member.core.leader, STRANGER);
  });
});

describe("a candidate says that the leader has told it to campaign", () => {
  test("a follower believes a voter, and no stranger", () => {
    const member = follower();
    member.step(vote(STRANGER, 3));
    assert.equal(member.core.term, 2);
    assert.equal(member.core.leader, 2);
    member.step(vote(3, 3));
    assert.equal(member.core.term, 3);
  });

  test("the leader knows whom it has told", () => {
    const member = leader();
    const { term } = member.core;
    for (const candidate of [STRANGER, 2, 3]) member.step(vote(candidate, term + 1));
    assert.equal(member.core.role, "leader");
    assert.equal(member.core.term, term);
    member.core.transferLeader(2);
    member.step(vote(3, term + 1));
    assert.equal(member.core.role, "leader");
    member.step(vote(2, term + 1));
    assert.equal(member.core.role, "follower");
    assert.equal(member.core.term, term + 1);
  });
});
