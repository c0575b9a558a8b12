// PAPER.md section E: the log, its unstable part, storage, progress and the window.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { MemoryStorage, NO_LIMIT, TERM_COMPACTED, TERM_UNAVAILABLE } from "../../src/raft/index.ts";
import { Inflights } from "../../src/raft/inflights.ts";
import { RaftLog } from "../../src/raft/log.ts";
import { Progress } from "../../src/raft/progress.ts";
import { UnstableLog } from "../../src/raft/unstable.ts";
import { confState, entriesOf, entryOf } from "./harness/member.ts";

function logOf(...terms: number[]): RaftLog {
  const log = new RaftLog(new MemoryStorage(), NO_LIMIT);
  if (terms.length > 0) log.unstable.truncateAndAppend(entriesOf(terms));
  return log;
}

describe("§E log", () => {
  for (const [from, terms, conflict] of [
    [1, [], 0],
    [1, [1, 2, 3], 0],
    [2, [2, 3], 0],
    [3, [3], 0],
    [1, [1, 2, 3, 4, 4], 4],
    [4, [4, 4], 4],
    [1, [4, 4], 1],
    [2, [1, 4, 4], 2],
    [3, [1, 2, 4, 4], 3],
  ] as const) {
    test(`findConflict on 1,2,3: ${terms.join(",") || "nothing"} from ${from} gives ${conflict}`, () => {
      assert.equal(logOf(1, 2, 3).findConflict(entriesOf(terms, from)), conflict);
    });
  }

  for (const [terms, index, term, found] of [
    [[1, 2, 2, 3, 5], 5, 5, 5],
    [[1, 2, 2, 3, 5], 5, 4, 4],
    [[1, 2, 2, 3, 5], 4, 2, 3],
    [[1, 2, 2, 3, 5], 3, 1, 1],
    [[2, 2, 2], 3, 1, 0],
    [[1, 1], 9, 1, 9],
  ] as const) {
    test(`findConflictByTerm on ${terms.join(",")}: at or below (${index},${term}) is ${found}`, () => {
      assert.equal(logOf(...terms).findConflictByTerm(index, term), found);
    });
  }

  test("up to date: a later last term wins, then the longer log", () => {
    const log = logOf(1, 2, 3);
    for (const [index, term, want] of [
      [2, 4, true],
      [3, 4, true],
      [4, 2, false],
      [2, 3, false],
      [3, 3, true],
      [4, 3, true],
    ] as const) {
      assert.equal(log.isUpToDate(index, term), want, `(${index},${term})`);
    }
  });

  test("term: of the entry before the first one too, of none below or above", () => {
    const storage = MemoryStorage.bootstrap(confState([1]), 100, 7);
    const log = new RaftLog(storage, NO_LIMIT);
    log.unstable.truncateAndAppend(entriesOf([8, 8], 101));
    assert.equal(log.term(99), TERM_COMPACTED);
    assert.deepEqual([log.term(100), log.term(101), log.term(102)], [7, 8, 8]);
    assert.equal(log.term(103), TERM_UNAVAILABLE);
  });

  test("slice crosses from storage into the unstable part, within the limit", () => {
    const storage = new MemoryStorage();
    storage.append(entriesOf([1, 1, 1]));
    const log = new RaftLog(storage, NO_LIMIT);
    log.unstable.truncateAndAppend(entriesOf([1, 1, 1], 4));
    const indexes = (low: number, high: number, entries: number): number[] | undefined =>
      log.slice(low, high, entries * 24)?.map((entry) => entry.index);
    assert.deepEqual(indexes(2, 6, 100), [2, 3, 4, 5]);
    assert.deepEqual(indexes(2, 7, 3), [2, 3, 4]);
    assert.deepEqual(indexes(2, 7, 2), [2, 3]);
    assert.deepEqual(indexes(3, 7, 0), [3]);
    assert.deepEqual(indexes(4, 7, 0), [4]);
    storage.compact(2);
    assert.equal(indexes(2, 5, 9), undefined);
  });

  test("commit: never back, never beyond the end, only by an entry of the term", () => {
    const log = logOf(1, 1, 2);
    assert.equal(log.maybeCommit(2, 2), false);
    assert.equal(log.maybeCommit(3, 2), true);
    log.commitTo(1);
    assert.equal(log.committed, 3);
    assert.throws(() => log.commitTo(4), /tocommit\(4\) is out of range \[lastIndex\(3\)\]/);
    assert.throws(
      () => log.appliedTo(4, 0),
      /applied\(4\) is out of range \[prevApplied\(0\), committed\(3\)\]/,
    );
  });
});

describe("§E unstable log", () => {
  const withEntries = (offset: number, ...terms: number[]): UnstableLog => {
    const log = new UnstableLog(offset, undefined);
    if (terms.length > 0) log.truncateAndAppend(entriesOf(terms, offset));
    return log;
  };
  const snapshot = { index: 4, term: 1, confState: confState([1]) };
  const indexes = (log: UnstableLog): number[] => log.entries.map((entry) => entry.index);

  test("last index and terms, with and without a snapshot", () => {
    const log = withEntries(5, 1);
    assert.deepEqual([log.lastIndex(), log.term(5), log.term(4), log.term(6)], [5, 1, -2, -2]);
    log.snapshot = snapshot;
    assert.deepEqual([log.lastIndex(), log.term(4), log.term(3)], [5, 1, -2]);
    const empty = withEntries(5);
    assert.equal(empty.lastIndex(), 0);
    empty.restore(snapshot);
    assert.deepEqual([empty.lastIndex(), empty.offset, empty.term(4)], [4, 5, 1]);
  });

  test("stableTo only if the term matches (ABA), and not for the snapshot's index", () => {
    const log = withEntries(5, 1, 1);
    log.acceptInProgress();
    log.stableTo(5, 2);
    assert.deepEqual(indexes(log), [5, 6]);
    log.stableTo(9, 1);
    log.stableTo(5, 1);
    assert.deepEqual([indexes(log), log.offset, log.offsetInProgress], [[6], 6, 7]);
    log.stableTo(5, 1);
    assert.deepEqual([indexes(log), log.offset], [[6], 6]);
    log.stableTo(6, 1);
    assert.deepEqual([indexes(log), log.offset, log.offsetInProgress], [[], 7, 7]);
    log.restore(snapshot);
    log.stableTo(4, 1);
    assert.equal(log.snapshot, snapshot);
  });

  test("truncateAndAppend: append, replace all, cut inside; the in-progress mark falls back", () => {
    for (const [terms, inProgress, first, want, offset, mark] of [
      [[1], 5, 6, [5, 6, 7], 5, 5],
      [[1], 6, 6, [5, 6, 7], 5, 6],
      [[1, 1, 1], 7, 5, [5, 6], 5, 5],
      [[1, 1, 1], 8, 4, [4, 5], 4, 4],
      [[1, 1, 1], 7, 6, [5, 6, 7], 5, 6],
      [[1, 1, 1], 6, 7, [5, 6, 7, 8], 5, 6],
    ] as const) {
      const log = withEntries(5, ...terms);
      log.offsetInProgress = inProgress;
      log.truncateAndAppend(entriesOf([2, 2], first));
      assert.deepEqual([indexes(log), log.offset, log.offsetInProgress], [want, offset, mark]);
    }
  });

  test("entries and snapshot are handed out once", () => {
    const log = withEntries(5, 1, 1);
    log.snapshot = snapshot;
    assert.deepEqual([log.nextEntries().length, log.nextSnapshot()], [2, snapshot]);
    log.acceptInProgress();
    assert.deepEqual([log.hasNextEntries(), log.nextSnapshot()], [false, undefined]);
    log.truncateAndAppend(entriesOf([1], 7));
    assert.deepEqual(
      log.nextEntries().map((entry) => entry.index),
      [7],
    );
    log.stableSnapshotTo(3);
    assert.equal(log.snapshot, snapshot);
    log.stableSnapshotTo(4);
    assert.equal(log.snapshot, undefined);
  });

  test("what was handed out does not change when more is appended or cut", () => {
    const log = withEntries(1, 1, 1);
    const handedOut = log.nextEntries();
    log.push(entryOf(1, 3));
    log.truncateAndAppend(entriesOf([2], 2));
    assert.deepEqual(
      handedOut.map((entry) => [entry.term, entry.index]),
      [
        [1, 1],
        [1, 2],
      ],
    );
  });
});

describe("§E MemoryStorage", () => {
  /** Entries 4, 5, 6 behind the compacted 3. */
  function storageOf(): MemoryStorage {
    const storage = new MemoryStorage();
    storage.append(entriesOf([3, 3, 3, 4, 5, 6]));
    storage.compact(3);
    return storage;
  }
  const indexes = (found: ReturnType<MemoryStorage["entries"]>): unknown =>
    typeof found === "string" ? found : found.map((entry) => entry.index);

  test("term: below is compacted, above unavailable, the compacted one itself is kept", () => {
    const storage = storageOf();
    assert.deepEqual(
      [2, 3, 4, 5, 6, 7].map((index) => storage.term(index)),
      [TERM_COMPACTED, 3, 4, 5, 6, TERM_UNAVAILABLE],
    );
    assert.deepEqual([storage.firstIndex(), storage.lastIndex()], [4, 6]);
  });

  test("entries: below is compacted, above unavailable; at least one whatever the limit", () => {
    const storage = storageOf();
    assert.equal(storage.entries(3, 5), "compacted");
    assert.equal(storage.entries(6, 8), "unavailable");
    assert.deepEqual(indexes(storage.entries(4, 7)), [4, 5, 6]);
    assert.deepEqual(indexes(storage.entries(4, 7, 0)), [4]);
    assert.deepEqual(indexes(storage.entries(4, 7, 49)), [4, 5]);
  });

  for (const [first, terms, want] of [
    [1, [1, 2], [4, 5, 6]],
    [3, [3, 4, 5], [4, 5]],
    [4, [6], [6]],
    [4, [4, 6, 6], [4, 6, 6]],
    [5, [7], [4, 7]],
    [7, [7], [4, 5, 6, 7]],
    [2, [3, 3, 5], [5]],
  ] as const) {
    test(`append ${terms.join(",")} at ${first} gives terms ${want.join(",")}`, () => {
      const storage = storageOf();
      storage.append(entriesOf(terms, first));
      const found = storage.entries(4, storage.lastIndex() + 1);
      assert.ok(typeof found !== "string");
      assert.deepEqual(
        found.map((entry) => entry.term),
        want,
      );
    });
  }

  test("a gap is our own mistake", () => {
    assert.throws(() => storageOf().append(entriesOf([9], 8)), /missing log entry \[last: 6, append at: 8\]/);
  });

  test("compact: again is refused, beyond the end too; the last one may go", () => {
    const storage = storageOf();
    assert.equal(storage.compact(3), "compacted");
    assert.equal(storage.compact(7), "unavailable");
    assert.equal(storage.compact(6), undefined);
    assert.deepEqual([storage.firstIndex(), storage.lastIndex(), storage.term(6)], [7, 6, 6]);
    storage.append(entriesOf([8], 7));
    assert.deepEqual(indexes(storage.entries(7, 8)), [7]);
  });

  test("an older snapshot is refused, a newer one starts the log over", () => {
    const storage = storageOf();
    assert.equal(storage.applySnapshot({ index: 4, term: 4, confState: confState([2, 1]) }), undefined);
    assert.equal(
      storage.applySnapshot({ index: 3, term: 3, confState: confState([1]) }),
      "snapshotOutOfDate",
    );
    assert.equal(
      storage.applySnapshot({ index: 4, term: 4, confState: confState([1]) }),
      "snapshotOutOfDate",
    );
    assert.deepEqual([storage.firstIndex(), storage.lastIndex()], [5, 4]);
    assert.deepEqual(storage.initialState().confState.voters, [1, 2]);
  });

  test("createSnapshot takes the entry's term and leaves the log alone", () => {
    const storage = storageOf();
    assert.equal(storage.createSnapshot(5, confState([1])), undefined);
    assert.deepEqual(storage.snapshot(), { index: 5, term: 5, confState: confState([1]) });
    assert.equal(storage.createSnapshot(5, confState([1])), "snapshotOutOfDate");
    assert.equal(storage.firstIndex(), 4);
  });

  test("many rounds of append and compact keep every index in its place", () => {
    const storage = new MemoryStorage();
    for (let round = 0; round < 400; round++) {
      storage.append(entriesOf(new Array<number>(20).fill(round), storage.lastIndex() + 1));
      if (storage.lastIndex() > 100) storage.compact(storage.lastIndex() - 50 - (round % 7));
      const found = storage.entries(storage.firstIndex(), storage.lastIndex() + 1);
      assert.ok(typeof found !== "string");
      assert.ok(found.every((entry, at) => entry.index === storage.firstIndex() + at));
      assert.equal(storage.term(storage.lastIndex()), round);
    }
  });
});

describe("§E progress and window", () => {
  const progressOf = (state: Progress["state"], match: number, next: number): Progress => {
    const progress = new Progress(1, next, new Inflights(256, 0));
    progress.match = match;
    progress.state = state;
    return progress;
  };

  for (const [state, match, next, rejected, hint, want] of [
    ["replicate", 5, 10, 5, 5, "stale"],
    ["replicate", 5, 10, 4, 4, "stale"],
    ["replicate", 5, 10, 9, 9, 6],
    ["probe", 0, 10, 5, 5, "stale"],
    ["probe", 0, 10, 9, 9, 9],
    ["probe", 0, 10, 9, 2, 3],
    ["probe", 0, 10, 9, 0, 1],
    ["probe", 0, 2, 1, 1, 1],
  ] as const) {
    test(`retreat: ${state} ${match},${next}, refused ${rejected} with hint ${hint}: ${want}`, () => {
      const progress = progressOf(state, match, next);
      assert.equal(progress.retreat(rejected, hint) ? progress.next : "stale", want);
      assert.equal(progress.match, match);
    });
  }

  for (const [index, news, match, next] of [
    [2, false, 3, 5],
    [3, false, 3, 5],
    [4, true, 4, 5],
    [5, true, 5, 6],
  ] as const) {
    test(`acknowledge ${index} at 3,5: ${match},${next}`, () => {
      const progress = progressOf("replicate", 3, 5);
      assert.equal(progress.acknowledge(index), news);
      assert.deepEqual([progress.match, progress.next], [match, next]);
    });
  }

  test("becoming probe, replicate and snapshot", () => {
    const progress = progressOf("replicate", 1, 5);
    progress.inflights.add(4, 1);
    progress.becomeProbe();
    assert.deepEqual([progress.next, progress.inflights.count], [2, 0]);
    progress.becomeSnapshot(10);
    assert.deepEqual([progress.next, progress.pendingSnapshot, progress.paused], [11, 10, true]);
    progress.becomeProbe();
    assert.deepEqual([progress.next, progress.pendingSnapshot], [11, 0]);
    progress.becomeReplicate();
    assert.equal(progress.next, 2);
  });

  test("the window: a ring by count and bytes", () => {
    const window = new Inflights(40, 100);
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 10; i++) window.add(round * 10 + i, 1);
      window.freeUpTo(round * 10 - 15);
      window.freeUpTo(0);
    }
    assert.equal(window.count, 24);
    window.freeUpTo(499);
    assert.deepEqual([window.count, window.bytes], [0, 0]);
    window.add(500, 99);
    assert.equal(window.full, false);
    window.add(501, 99);
    assert.equal(window.full, true);
    assert.throws(() => window.add(502, 1));
    const narrow = new Inflights(2, 0);
    narrow.add(1, 1e9);
    narrow.add(2, 1e9);
    assert.equal(narrow.full, true);
  });
});
