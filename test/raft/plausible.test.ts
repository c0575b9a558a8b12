// What no member that follows the protocol sends: refused with a reason, and nothing is changed by it.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { TERM_JUMP_MAX, TERM_MAX } from "../../src/base/limits.ts";
import type { ConfState, Message } from "../../src/raft/index.ts";
import { accept, confState, entriesOf, Member, message } from "./harness/member.ts";

const last = 2 ** 53 - 1;
const snapshotOf = (over: Partial<ConfState>, index = 9, term = 2): Partial<Message> => ({
  snapshot: { index, term, confState: { ...confState([1, 2, 3]), ...over } },
});

describe("a follower in term 2, whose log ends at 3, of the leader 2", () => {
  const cases: { name: string; m: Message; why: RegExp }[] = [
    {
      name: "an append of the last term there is",
      m: message("append", 2, 1, last, { logTerm: 1, index: 3 }),
      why: /leaves too few behind it/,
    },
    {
      name: "a term that no elections lead to",
      m: message("heartbeat", 3, 1, 3 + TERM_JUMP_MAX),
      why: /too far above term 2/,
    },
    {
      name: "a vote for such a term",
      m: message("vote", 3, 1, 2 ** 40, { index: 9, logTerm: 9 }),
      why: /too far above term 2/,
    },
    {
      name: "a commit behind the end of the log",
      m: message("heartbeat", 2, 1, 2, { commit: 1_000_000 }),
      why: /commit 1000000 is behind the end of this log, 3/,
    },
    {
      name: "the same of a later term",
      m: message("heartbeat", 3, 1, 4, { commit: 4 }),
      why: /commit 4 is behind the end of this log, 3/,
    },
    {
      name: "another leader of its term",
      m: message("heartbeat", 3, 1, 2),
      why: /term 2 has another leader/,
    },
    { name: "a transfer by another", m: message("timeoutNow", 3, 1, 2), why: /term 2 has another leader/ },
    {
      name: "an index that leaves no room",
      m: message("append", 2, 1, 2, { logTerm: 1, index: last }),
      why: /index 9007199254740991 leaves/,
    },
    {
      name: "a snapshot without voters",
      m: message("snapshot", 2, 1, 2, snapshotOf({ voters: [] })),
      why: /nobody may vote/,
    },
    {
      name: "a snapshot with a voter that learns",
      m: message("snapshot", 2, 1, 2, snapshotOf({ learners: [3] })),
      why: /a learner votes/,
    },
    {
      name: "a snapshot with a member named twice",
      m: message("snapshot", 2, 1, 2, snapshotOf({ voters: [1, 1] })),
      why: /in a list twice/,
    },
    {
      name: "a snapshot with a later learner that does not vote yet",
      m: message("snapshot", 2, 1, 2, snapshotOf({ learnersNext: [4] })),
      why: /a later learner does not vote yet/,
    },
    {
      name: "a snapshot of a later term than the message",
      m: message("snapshot", 2, 1, 2, snapshotOf({}, 9, 3)),
      why: /snapshot of term 3/,
    },
    {
      name: "a snapshot that ends where numbers do",
      m: message("snapshot", 2, 1, 2, snapshotOf({}, last)),
      why: /index 9007199254740991 leaves/,
    },
  ];
  for (const { name, m, why } of cases) {
    test(`${name} is refused`, () => {
      const follower = new Member(1, { log: [1, 1, 1], term: 2, commit: 2 });
      follower.step(message("heartbeat", 2, 1, 2));
      const before = [
        follower.core.term,
        follower.core.leader,
        follower.core.commit,
        follower.core.lastIndex,
      ];
      assert.match(follower.core.objection(m) ?? "", why);
      assert.deepEqual(follower.core.step(m), { ok: false, reason: "malformed" });
      const after = [follower.core.term, follower.core.leader, follower.core.commit, follower.core.lastIndex];
      assert.deepEqual(after, before);
      assert.equal(follower.core.fault, undefined);
      assert.equal(follower.core.hasReady(), false);
    });
  }

  test("a term as far above as elections may lead is adopted, and by who knows nothing any but the last ones", () => {
    const follower = new Member(1, { log: [1, 1, 1], term: 2, commit: 2 });
    follower.step(message("append", 3, 1, 2 + TERM_JUMP_MAX, { logTerm: 1, index: 3 }));
    assert.equal(follower.core.term, 2 + TERM_JUMP_MAX);
    const newcomer = new Member(1, {});
    assert.match(newcomer.core.objection(message("heartbeat", 3, 1, TERM_MAX + 1)) ?? "", /too few behind/);
    newcomer.step(message("heartbeat", 3, 1, 2 ** 40));
    assert.equal(newcomer.core.term, 2 ** 40);
  });

  test("a change that a snapshot has overtaken is in it, and is not applied again", () => {
    const follower = new Member(1, { log: [1, 1], term: 1, commit: 1 });
    const snapshot = { index: 9, term: 1, confState: confState([1, 2, 3, 4]) };
    follower.step({ ...message("snapshot", 2, 1, 1), snapshot });
    const removal = {
      transition: "auto",
      changes: [{ type: "remove", id: 4 }],
      context: new Uint8Array(0),
    } as const;
    // The worker that applies entries was given it before the snapshot came.
    assert.deepEqual(follower.core.applyConfChange(removal, 9).voters, [1, 2, 3, 4]);
    assert.deepEqual(follower.core.applyConfChange(removal, 10).voters, [1, 2, 3]);
  });

  test("a change that cannot be applied is left out by all alike", () => {
    const follower = new Member(1, { log: [1], term: 1, commit: 1 });
    const change = {
      transition: "auto",
      changes: [1, 2, 3].map((id) => ({ type: "remove" as const, id })),
      context: new Uint8Array(0),
    } as const;
    const before = follower.core.confState;
    assert.deepEqual(follower.core.applyConfChange(change, 2), before);
    assert.equal(follower.core.fault, undefined);
  });
});

describe("a leader", () => {
  test("an answer to what was never sent is refused", () => {
    const leader = new Member(1, { voters: [1, 2, 3] });
    for (const m of leader.lead([2])) leader.step(accept(m));
    const { term, lastIndex } = leader.core;
    const cases: [Message, RegExp][] = [
      [message("appendResponse", 2, 1, term, { index: lastIndex + 1 }), /acknowledges entry \d+ of/],
      [message("appendResponse", 2, 1, term, { index: last, reject: true }), /leaves too few|acknowledges/],
      [message("heartbeatResponse", 2, 1, term, { readPosition: 1 }), /confirms read 1 of 0/],
    ];
    for (const [m, why] of cases) {
      assert.match(leader.core.objection(m) ?? "", why);
      assert.deepEqual(leader.core.step(m), { ok: false, reason: "malformed" });
    }
    assert.equal(
      leader.core.objection(message("appendResponse", 2, 1, term, { index: lastIndex })),
      undefined,
    );
  });
});

test("entries that leave a gap are refused as before", () => {
  const follower = new Member(1, { log: [1], term: 1, commit: 1 });
  const m = message("append", 2, 1, 1, { logTerm: 1, index: 1, entries: entriesOf([1], 3) });
  assert.match(follower.core.objection(m) ?? "", /do not follow each other/);
});
