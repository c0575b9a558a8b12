// The member that the leader is bringing up to the others (docs/adr/0022): which part of the log its snapshot needs, and
// whether clients' writes have to wait so that the member gets there. Counts of bytes and indexes in, two answers out;
// sends nothing, and holds nobody by itself.
//
//   begin ──the state is sent──> delivered ──the log behind it is read──> caught up
//           the log may grow in              clients may write half of
//           step with what is sent           what is acknowledged

import type { Settings } from "../config/table.ts";
import type { ProgressView, RaftCore } from "../raft/index.ts";
import type { NodeStorage } from "./node-storage.ts";

/** The log is kept for those that need it up to this many times its budget. */
const LOG_FACTOR = 4;
/** The part of that at which the log behind a snapshot on its way is full. */
const FULL_PART = 7 / 8;
/** Clients may write so much of what the receiver acknowledges, and this part of the log's budget more. */
const WRITTEN_PART = 1 / 2;
const AHEAD_PART = 1 / 4;
/** A receiver that has made no progress for so long holds up nobody: as long as a busy member counts as alive (ADR 20). */
const STALLED_MS = 5000;
/** And no receiver holds up anybody for longer in all. */
const SLOWED_MS_MAX = 60_000;
/** For one that has made no progress for so long the log is not kept either. */
const LOST_MS = 10_000;
/** This close to the end of the log a member is as good as caught up: to be promoted, it waits for the rest. */
const CAUGHT_UP_ENTRIES = 256;

type Members = Pick<RaftCore, "progressOf" | "lastIndex">;
type Log = Pick<NodeStorage, "firstIndex" | "bytesBetween">;

/** Bytes that the log may hold for members that need it. */
export const keptLogBytesMax = ({ logBytesMax }: Pick<Settings, "logBytesMax">): number =>
  LOG_FACTOR * logBytesMax;

export const isCaughtUp = ({ state, match }: ProgressView, lastIndex: number): boolean =>
  state === "replicate" && lastIndex - match <= CAUGHT_UP_ENTRIES;

export class CatchUp {
  /** Clients' writes have to wait. */
  isSlowing = false;
  /** Since the start, ms for which they had to. */
  slowedMs = 0;
  readonly #settings: Pick<Settings, "logBytesMax">;
  /** 0 = nobody is brought up. */
  #member = 0;
  /** Of the log, what the member has: the snapshot's index, then what it acknowledged. */
  #index = 0;
  #isDelivered = false;
  #stateBytes = 0;
  #sentBytes = 0;
  /** `writtenBytes` at the beginning of this part of the way. */
  #writtenBefore = 0;
  #acknowledgedBytes = 0;
  #progressMs = 0;
  /** Whom writers were last slowed for, and since when. */
  #slowedFor = 0;
  #slowedSinceMs = 0;
  #lookedMs = 0;

  constructor(settings: Pick<Settings, "logBytesMax">) {
    this.#settings = settings;
  }

  /** The log behind this index is needed; 0 = by nobody. */
  get index(): number {
    return this.#member === 0 ? 0 : this.#index;
  }

  /** Who is brought up; 0 = nobody. */
  get member(): number {
    return this.#member;
  }

  /** It has the state, and reads the log. */
  get isDelivered(): boolean {
    return this.#member !== 0 && this.#isDelivered;
  }

  /** The state at `index`, about so many bytes, is on its way to the member. */
  begin(member: number, index: number, stateBytes: number, writtenBytes: number, nowMs: number): void {
    this.#member = member;
    this.#index = index;
    this.#isDelivered = false;
    this.#stateBytes = stateBytes;
    this.#sentBytes = 0;
    this.#writtenBefore = writtenBytes;
    this.#acknowledgedBytes = 0;
    this.#progressMs = nowMs;
    this.#lookedMs = nowMs;
  }

  /** So many bytes of the state have gone out in all. */
  sent(bytes: number, nowMs: number): void {
    if (bytes > this.#sentBytes) this.#progressMs = nowMs;
    this.#sentBytes = bytes;
  }

  /** The member has the state and goes on with the log. */
  delivered(writtenBytes: number, nowMs: number): void {
    this.#isDelivered = true;
    this.#writtenBefore = writtenBytes;
    this.#progressMs = nowMs;
  }

  /** The state does not get there, or nobody needs the log behind it. */
  end(): void {
    this.#member = 0;
    this.isSlowing = false;
  }

  /**
   * Once a turn, and whenever something was proposed.
   * @param writtenBytes of entries that this leader has proposed, ever
   * @param isReached there is a connection to the member
   */
  update(raft: Members, storage: Log, writtenBytes: number, nowMs: number, isReached: boolean): void {
    if (this.#member === 0) return;
    if (this.isSlowing) this.slowedMs += nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    if (this.#isDelivered) this.#follow(raft, storage, nowMs);
    const isTooMuch = this.#member !== 0 && this.#isTooMuch(writtenBytes);
    this.isSlowing = isTooMuch && isReached && this.#maySlow(nowMs);
  }

  /** What the member has acknowledged, and whether it needs anything special any more. */
  #follow(raft: Members, storage: Log, nowMs: number): void {
    const progress = raft.progressOf(this.#member);
    if (progress === undefined || progress.state === "snapshot" || storage.firstIndex() > this.#index + 1) {
      return this.end();
    }
    if (progress.match > this.#index) {
      this.#acknowledgedBytes += storage.bytesBetween(this.#index, progress.match);
      this.#index = progress.match;
      this.#progressMs = nowMs;
    }
    if (this.#isThere(progress, raft.lastIndex, storage)) {
      if (this.#slowedFor === this.#member) this.#slowedFor = 0;
      this.end();
    } else if (nowMs - this.#progressMs > LOST_MS) {
      this.end();
    }
  }

  /** Few entries are not little when they are large: so many bytes the log must have room for. */
  #isThere(progress: ProgressView, lastIndex: number, storage: Log): boolean {
    if (!isCaughtUp(progress, lastIndex)) return false;
    return storage.bytesBetween(progress.match, lastIndex) <= AHEAD_PART * this.#settings.logBytesMax;
  }

  #isTooMuch(writtenBytes: number): boolean {
    const { logBytesMax } = this.#settings;
    const written = writtenBytes - this.#writtenBefore;
    if (this.#isDelivered) return written > AHEAD_PART * logBytesMax + WRITTEN_PART * this.#acknowledgedBytes;
    const part = Math.min(1, this.#sentBytes / this.#stateBytes);
    return written > logBytesMax + (LOG_FACTOR * FULL_PART - 1) * logBytesMax * part;
  }

  #maySlow(nowMs: number): boolean {
    if (nowMs - this.#progressMs > STALLED_MS) return false;
    if (this.#slowedFor !== this.#member) {
      this.#slowedFor = this.#member;
      this.#slowedSinceMs = nowMs;
    }
    return nowMs - this.#slowedSinceMs <= SLOWED_MS_MAX;
  }
}
