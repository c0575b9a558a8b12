// PAPER.md section C: fast rejection, flow control, snapshots, limits.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { MemoryStorage, type Message, payloadBytes } from "../../src/raft/index.ts";
import { APPLY_THREAD } from "../../src/raft/types.ts";
import { accept, confState, entriesOf, Member, message, type Setup } from "./harness/member.ts";
import { Network } from "./harness/network.ts";

const fill = (term: number, count: number): number[] => new Array<number>(count).fill(term);

/** A leader over `log` whose member 2 has acknowledged everything, so that it is in state replicate. */
function replicating(setup: Setup = {}): Member {
  const leader = new Member(1, { voters: [1, 2], ...setup });
  for (let queue = leader.lead([2]); queue.length > 0; ) queue = queue.flatMap((m) => leader.step(accept(m)));
  assert.equal(leader.core.progressOf(2)?.state, "replicate");
  return leader;
}

const appends = (messages: readonly Message[]): Message[] => messages.filter((m) => m.type === "append");

describe("§C fast rejection", () => {
  const cases: [leader: number[], follower: number[], hint: [number, number], next: [number, number]][] = [
    [
      [1, 2, 2, 4, 4, 4, 4],
      [1, 2, 2, ...fill(3, 8)],
      [7, 3],
      [3, 2],
    ],
    [
      [1, 2, 2, 3, 4, 4, 4, 5],
      [1, 2, 2, ...fill(3, 8)],
      [8, 3],
      [4, 3],
    ],
    [
      [1, 1, 1, 1],
      [1, 2, 2, 4],
      [1, 1],
      [1, 1],
    ],
    [fill(1, 6), [1, 2, 2, 4], [1, 1], [1, 1]],
    [fill(1, 4), [1, 2, 2, 4, 4, 4], [1, 1], [1, 1]],
    [
      [1, 1, 1, 4, 5],
      [1, 1, 1, 4],
      [4, 4],
      [4, 4],
    ],
    [
      [2, ...fill(5, 8)],
      [2, ...fill(4, 5)],
      [6, 4],
      [1, 2],
    ],
    [fill(2, 5), [2, ...fill(4, 7)], [1, 2], [1, 2]],
  ];
  for (const [own, theirs, hint, next] of cases) {
    test(`leader ${own.join(",")}, follower ${theirs.join(",")}: hint ${hint}, then behind ${next}`, () => {
      const term = Math.max(...own, ...theirs);
      const leader = new Member(1, { log: own, term });
      const follower = new Member(2, { log: theirs, term });
      const first = leader.lead([3]).find((m) => m.to === 2)!;
      const [answer] = follower.step(first);
      assert.deepEqual([answer?.reject, answer?.rejectHint, answer?.logTerm], [true, ...hint]);
      const [second] = leader.step(answer!);
      assert.deepEqual([second?.index, second?.logTerm], next);
      assert.equal(follower.step(second!)[0]?.reject, false);
    });
  }

  test("leader 1,1,3, follower 1,1,3,3,3 compacted to 5: hint (3,0), then behind (2,1)", () => {
    const leader = new Member(1, { log: [1, 1, 3], term: 3 });
    const follower = new Member(2, { log: [1, 1, 3, 3, 3], term: 3 });
    // Cannot happen, since nothing is committed; it only has to come to a good end.
    follower.storage.compact(5);
    const first = leader.lead([3]).find((m) => m.to === 2)!;
    const [answer] = follower.step(first);
    assert.deepEqual([answer?.reject, answer?.rejectHint, answer?.logTerm], [true, 3, 0]);
    const [second] = leader.step(answer!);
    assert.deepEqual([second?.index, second?.logTerm], [2, 1]);
  });

  test("two appends out of order: the second refused, the first taken, the rest repaired", () => {
    const leader = replicating();
    const follower = new Member(2, { voters: [1, 2], log: [1], term: 1, commit: 1 });
    leader.core.propose(new Uint8Array([1]));
    const [first] = leader.drain();
    leader.core.propose(new Uint8Array([2]));
    const [second] = leader.drain();
    const [refused] = follower.step(second!);
    assert.equal(refused?.reject, true);
    const [taken] = follower.step(first!);
    assert.equal(taken?.reject, false);
    const sent = [...leader.step(refused!), ...leader.step(taken!)];
    for (let queue: Message[] = sent; queue.length > 0; ) {
      queue = queue.flatMap((m) => (m.to === 2 ? follower.step(m) : leader.step(m)));
    }
    assert.deepEqual([leader.core.commit, follower.core.commit, follower.core.lastIndex], [3, 3, 3]);
  });

  test("a refusal below match, or not of the probe that is out, is stale", () => {
    const leader = replicating();
    const refuse = (index: number): Message =>
      message("appendResponse", 2, 1, 1, { index, reject: true, rejectHint: 0 });
    assert.deepEqual(leader.step(refuse(1)), []);
    assert.equal(leader.core.progressOf(2)?.state, "replicate");
    const probing = new Member(1, { voters: [1, 2], log: [1, 1, 1], term: 1 });
    probing.lead([2]);
    assert.deepEqual(probing.step(message("appendResponse", 2, 1, 2, { index: 1, reject: true })), []);
    assert.equal(probing.core.progressOf(2)?.next, 4);
  });
});

describe("§C what a follower does with appends", () => {
  const cases: [name: string, fields: Partial<Message>, last: number, commit: number, reject: boolean][] = [
    ["previous term differs", { logTerm: 3, index: 2, commit: 3 }, 2, 0, true],
    ["previous entry missing", { logTerm: 3, index: 3, commit: 3 }, 2, 0, true],
    ["empty, commits the previous", { logTerm: 1, index: 1, commit: 1 }, 2, 1, false],
    ["replaces all", { index: 0, commit: 1, entries: entriesOf([2], 1) }, 1, 1, false],
    ["appends two", { logTerm: 2, index: 2, commit: 3, entries: entriesOf([2, 2], 3) }, 4, 3, false],
    [
      "commit beyond the message",
      { logTerm: 2, index: 2, commit: 4, entries: entriesOf([2], 3) },
      3,
      3,
      false,
    ],
    [
      "matching entries are not cut",
      { logTerm: 1, index: 1, commit: 4, entries: entriesOf([2], 2) },
      2,
      2,
      false,
    ],
    ["commit is that of this message", { logTerm: 1, index: 1, commit: 3 }, 2, 1, false],
    [
      "commit reaches the new entry",
      { logTerm: 1, index: 1, commit: 3, entries: entriesOf([2], 2) },
      2,
      2,
      false,
    ],
    ["commit far beyond", { logTerm: 2, index: 2, commit: 3 }, 2, 2, false],
    ["commit beyond the log", { logTerm: 2, index: 2, commit: 4 }, 2, 2, false],
  ];
  for (const [name, fields, last, commit, reject] of cases) {
    test(`log 1,2: ${name}`, () => {
      const follower = new Member(1, { log: [1, 2], term: 2 });
      const [answer] = follower.step(message("append", 2, 1, 3, fields));
      assert.deepEqual(
        [follower.core.lastIndex, follower.core.commit, answer?.reject],
        [last, commit, reject],
      );
    });
  }

  test("the commit index never falls", () => {
    const follower = new Member(1, { log: [1, 1, 1], term: 1, commit: 3 });
    follower.step(message("heartbeat", 2, 1, 1, { commit: 1 }));
    follower.step(message("append", 2, 1, 1, { logTerm: 1, index: 3, commit: 2 }));
    assert.equal(follower.core.commit, 3);
  });

  test("an old append below the commit index is answered with the commit index", () => {
    const follower = new Member(1, { log: [1, 1, 1], term: 1, commit: 3 });
    const [answer] = follower.step(
      message("append", 2, 1, 2, { logTerm: 0, index: 1, entries: entriesOf([2], 2) }),
    );
    assert.deepEqual([answer?.reject, answer?.index, follower.core.lastIndex], [false, 3, 3]);
  });

  test("an append behind the end of the log is refused, and what is committed stays", () => {
    const follower = new Member(1, { log: [1, 1, 1], term: 1, commit: 2 });
    const m = message("append", 2, 1, 2, { logTerm: 1, index: 2, entries: entriesOf([2], 3), commit: 3 });
    follower.step(m); // entry 3 is not committed yet: fine
    const again = message("append", 2, 1, 9, { logTerm: 2, index: 3, entries: entriesOf([9], 4), commit: 9 });
    follower.step(again);
    const conflict = message("append", 2, 1, 9, { logTerm: 9, index: 4, commit: 9 });
    assert.equal(follower.core.step(conflict).ok, true);
    assert.equal(follower.core.lastIndex, 4);
  });

  test("a broken invariant halts the member, with its numbers", () => {
    const follower = new Member(1, { log: [1, 1, 1], term: 1, commit: 2 });
    const applied = message("storageApplyResponse", APPLY_THREAD, 1, 0, { entries: entriesOf([1], 99) });
    assert.deepEqual(follower.core.step(applied), { ok: false, reason: "halted" });
    assert.equal(follower.core.hasReady(), true);
    assert.match(follower.core.ready().fault ?? "", /applied\(99\) is out of range/);
    assert.equal(follower.core.hasReady(), false);
    assert.deepEqual(follower.core.propose(new Uint8Array(1)), { ok: false, reason: "halted" });
  });
});

describe("§C flow control", () => {
  test("probing: one append with entries, then one per heartbeat response", () => {
    const leader = new Member(1, { voters: [1, 2], config: { maxSizePerMessage: 0 } });
    leader.lead([2]);
    for (let i = 0; i < 3; i++) {
      leader.core.propose(new Uint8Array([i]));
      assert.deepEqual(appends(leader.drain()), []);
      const sent = appends(leader.step(message("heartbeatResponse", 2, 1, 1)));
      assert.equal(sent.length, 1);
      assert.equal(sent[0]?.index, 0);
    }
  });

  test("replicating: optimistic, until the window is full; then empty appends per heartbeat response", () => {
    const leader = replicating({ config: { maxInflightMessages: 3 } });
    const sent: Message[] = [];
    for (let i = 0; i < 5; i++) {
      leader.core.propose(new Uint8Array([i]));
      sent.push(...appends(leader.drain()));
    }
    assert.deepEqual(
      sent.map((m) => m.entries.map((entry) => entry.index)),
      [[2], [3], [4]],
    );
    for (let i = 0; i < 2; i++) {
      const [probe, ...more] = appends(leader.step(message("heartbeatResponse", 2, 1, 1)));
      assert.deepEqual([probe?.entries.length, probe?.index, more.length], [0, 4, 0]);
    }
    // A stale acknowledgement frees nothing, one in the middle frees all before it.
    assert.deepEqual(appends(leader.step(message("appendResponse", 2, 1, 1, { index: 1 }))), []);
    const freed = appends(leader.step(message("appendResponse", 2, 1, 1, { index: 3 })));
    assert.deepEqual(
      freed.filter((m) => m.entries.length > 0).map((m) => m.entries.map((entry) => entry.index)),
      [[5, 6]],
    );
    assert.equal(leader.core.progressOf(2)?.inflightCount, 2);
  });

  test("the window by bytes: the append that crosses it still goes", () => {
    const leader = replicating({ config: { maxInflightBytes: 10 } });
    const sent: Message[] = [];
    for (let i = 0; i < 4; i++) {
      leader.core.propose(new Uint8Array(6));
      sent.push(...appends(leader.drain()));
    }
    assert.equal(sent.length, 2);
    const view = leader.core.progressOf(2);
    assert.deepEqual([view?.inflightFull, view?.inflightBytes], [true, 12]);
  });

  test("unreachable: from replicate to probe, at match + 1", () => {
    const leader = replicating();
    for (let i = 0; i < 3; i++) leader.core.propose(new Uint8Array([i]));
    leader.drain();
    assert.equal(leader.core.progressOf(2)?.next, 5);
    leader.core.reportUnreachable(2);
    assert.deepEqual([leader.core.progressOf(2)?.state, leader.core.progressOf(2)?.next], ["probe", 2]);
  });

  test("size limit: at least one entry per append, no more than fit", () => {
    const one = payloadBytes(Buffer.from("0123456789"), undefined);
    const leader = replicating({ config: { maxSizePerMessage: 2 * (one + 24) } });
    leader.core.reportUnreachable(2);
    for (let i = 0; i < 5; i++) leader.core.propose(new Uint8Array(10));
    leader.core.propose(new Uint8Array(1000));
    const first = appends(leader.drain());
    const rest = leader.step(accept(first[0]!));
    const sizes = [...first, ...appends(rest)]
      .filter((m) => m.entries.length > 0)
      .map((m) => m.entries.length);
    assert.deepEqual(sizes, [1, 2, 2, 1]);
  });
});

describe("§C snapshots to members that are behind", () => {
  /** Entries 1 to 10 are compacted; member 2 needs a snapshot and has been sent one. */
  function sending(): Member {
    const leader = new Member(1, { voters: [1, 2, 3], log: fill(1, 10), term: 1, commit: 10 });
    leader.drain();
    leader.storage.createSnapshot(10, leader.core.confState);
    leader.storage.compact(10);
    for (const m of leader.lead([3])) if (m.to === 3) leader.step(accept(m));
    const refusal = message("appendResponse", 2, 1, 2, {
      index: 10,
      reject: true,
      rejectHint: 3,
      logTerm: 1,
    });
    const sent = leader.step(refusal);
    assert.deepEqual(
      sent.map((m) => [m.type, m.to, m.snapshot?.index]),
      [["snapshot", 2, 10]],
    );
    return leader;
  }
  const stateOf = (leader: Member): unknown[] => {
    const view = leader.core.progressOf(2);
    return [view?.state, view?.match, view?.next, view?.paused, view?.pendingSnapshot];
  };

  test("nothing else is sent meanwhile", () => {
    const leader = sending();
    leader.core.propose(new Uint8Array([1]));
    assert.deepEqual(
      appends(leader.drain()).map((m) => m.to),
      [3],
    );
    assert.deepEqual(stateOf(leader), ["snapshot", 0, 11, true, 10]);
  });

  test("failed: probes at match + 1, paused", () => {
    const leader = sending();
    leader.core.reportSnapshot(2, false);
    assert.deepEqual(stateOf(leader), ["probe", 0, 1, true, 0]);
  });

  test("ok: probes behind the snapshot, paused", () => {
    const leader = sending();
    leader.core.reportSnapshot(2, true);
    assert.deepEqual(stateOf(leader), ["probe", 0, 11, true, 0]);
  });

  test("an acknowledgement at or above the first index ends it", () => {
    const leader = sending();
    leader.step(message("appendResponse", 2, 1, 2, { index: 9 }));
    assert.equal(leader.core.progressOf(2)?.state, "snapshot");
    leader.step(message("appendResponse", 2, 1, 2, { index: 10 }));
    assert.deepEqual(stateOf(leader), ["replicate", 10, 12, false, 0]);
  });

  test("G.10: a second refusal of the probe is ignored; the unreported snapshot times out", () => {
    const leader = sending();
    leader.step(message("appendResponse", 2, 1, 2, { index: 10, reject: true, rejectHint: 2, logTerm: 1 }));
    assert.deepEqual(stateOf(leader), ["snapshot", 0, 11, true, 10]);
    const waiting = new Member(1, { storage: leader.storage, config: { snapshotTimeoutTicks: 5 } });
    waiting.lead([3]);
    waiting.step(
      message("appendResponse", 2, 1, waiting.core.term, {
        index: 11,
        reject: true,
        rejectHint: 3,
        logTerm: 1,
      }),
    );
    assert.equal(waiting.core.progressOf(2)?.state, "snapshot");
    waiting.ticks(4);
    assert.equal(waiting.core.progressOf(2)?.state, "snapshot");
    waiting.ticks(1);
    assert.deepEqual([waiting.core.progressOf(2)?.state, waiting.core.progressOf(2)?.next], ["probe", 1]);
  });
});

describe("§C restoring a snapshot", () => {
  const meta = (voters: number[], learners: number[] = [], outgoing: number[] = []) => ({
    index: 11,
    term: 11,
    confState: { ...confState(voters, learners), votersOutgoing: outgoing },
  });
  const give = (follower: Member, snapshot: ReturnType<typeof meta>): Message[] =>
    follower.step(message("snapshot", 2, 1, 12, { snapshot }));

  test("a newer one replaces log and members; an older or equal one is ignored", () => {
    const follower = new Member(1, { voters: [1, 2] });
    const [answer] = give(follower, meta([1, 2, 3]));
    assert.equal(answer?.index, 11);
    assert.deepEqual([follower.core.lastIndex, follower.core.commit, follower.core.firstIndex], [11, 11, 12]);
    assert.deepEqual(follower.core.confState.voters, [1, 2, 3]);
    const older = { ...meta([1, 2]), index: 10 };
    assert.equal(give(follower, older)[0]?.index, 11);
    assert.equal(give(follower, meta([1, 2]))[0]?.index, 11);
    assert.deepEqual(follower.core.confState.voters, [1, 2, 3]);
  });

  for (const [name, snapshot, learner] of [
    ["learners", meta([2, 3], [1]), true],
    ["a demotion to learner", meta([2, 3], [1]), true],
    ["joint halves", meta([1, 2, 3], [], [2, 3, 4]), false],
    ["this node only in the outgoing half", meta([2, 3], [], [1, 2, 3]), false],
  ] as const) {
    test(`takes over ${name}`, () => {
      const follower = new Member(1, { voters: [1, 2] });
      give(follower, snapshot);
      assert.deepEqual(follower.core.confState, snapshot.confState);
      assert.equal(follower.core.isLearner, learner);
    });
  }

  test("one whose configuration lacks this node is ignored", () => {
    const follower = new Member(1, { voters: [1, 2] });
    assert.equal(give(follower, meta([2, 3]))[0]?.index, 0);
    assert.equal(follower.core.lastIndex, 0);
  });

  test("if the log matches, only the commit index moves", () => {
    const follower = new Member(1, { voters: [1, 2], log: fill(11, 12), term: 11 });
    assert.equal(give(follower, meta([1, 2]))[0]?.index, 11);
    assert.deepEqual([follower.core.firstIndex, follower.core.lastIndex, follower.core.commit], [1, 12, 11]);
  });

  test("no campaign before it is stored", () => {
    const follower = new Member(1, { voters: [1, 2] });
    follower.core.step(message("snapshot", 2, 1, 12, { snapshot: meta([1, 2]) }));
    follower.core.campaign();
    assert.equal(follower.core.role, "follower");
    follower.drain();
    follower.core.campaign();
    assert.equal(follower.core.role, "candidate");
  });
});

describe("§C limits", () => {
  test("uncommitted: payload bytes; an empty tail takes any size; empty payloads are free; freed when applied", () => {
    const leader = new Member(1, { voters: [1, 2], config: { maxUncommittedBytes: 8 } });
    for (const m of leader.lead([2])) leader.step(accept(m));
    assert.equal(leader.core.uncommittedBytes, 0);
    assert.equal(leader.core.propose(new Uint8Array(100)).ok, true);
    assert.deepEqual(leader.core.propose(new Uint8Array(1)), { ok: false, reason: "proposalDropped" });
    assert.equal(leader.core.propose(new Uint8Array(0)).ok, true);
    leader.drain();
    leader.step(message("appendResponse", 2, 1, 1, { index: 3 }));
    assert.equal(leader.core.uncommittedBytes, 0);
    assert.equal(leader.core.propose(new Uint8Array(4)).ok, true);
    assert.equal(leader.core.propose(new Uint8Array(4)).ok, true);
    assert.equal(leader.core.propose(new Uint8Array(1)).ok, false);
  });

  test("a partitioned leader's log stays bounded", () => {
    const network = Network.of(3, { config: { maxUncommittedBytes: 16 * 4 } });
    network.campaign(1);
    network.isolate(1);
    for (let i = 0; i < 100; i++) network.propose(1, "0123");
    assert.equal(network.at(1).core.lastIndex, 1 + 16);
  });

  test("after a restart no entry is skipped when storage returns fewer than asked", () => {
    class Stingy extends MemoryStorage {
      override entries(low: number, high: number, maxBytes?: number) {
        return super.entries(low, Math.min(high, low + 3), maxBytes);
      }
    }
    const storage = new Stingy();
    storage.append(entriesOf(fill(1, 10)));
    storage.setConfState(confState([1]));
    storage.setHardState({ term: 1, vote: 1, commit: 10 });
    const member = new Member(1, { storage });
    member.core.campaign();
    member.drain();
    assert.deepEqual(
      member.applied.map((entry) => entry.index),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    );
  });

  test("applying is paged by maxCommittedBytesPerReady", () => {
    const setup = {
      voters: [1],
      log: fill(1, 5),
      term: 1,
      commit: 5,
      config: { maxCommittedBytesPerReady: 50 },
    };
    const member = new Member(1, setup);
    const pages: number[] = [];
    while (member.core.hasReady()) {
      const before = member.applied.length;
      member.handle();
      pages.push(member.applied.length - before);
    }
    assert.deepEqual(pages, [2, 2, 1]);
  });
});
