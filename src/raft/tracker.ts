// The current configuration with one Progress per member, kept in sorted arrays so that visiting costs nothing.
// Counts votes and quorums; decides nothing.
import { assert } from "../base/assert.ts";
import { EMPTY_CONFIG, isVoter, normalizeConfig } from "./config-change.ts";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";
import { jointIndex, jointVote, type VoteResult } from "./quorum.ts";
import type { ConfState, MemberId } from "./types.ts";

const NOBODY: ReadonlySet<MemberId> = new Set();
const matchOf = (peer: Progress): number => peer.match;
const stampOf = (peer: Progress): number => peer.stampMs;
const readPositionOf = (peer: Progress): number => peer.readPosition;
const activeOf = (peer: Progress): boolean => peer.recentActive;

export interface VoteCount {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

export class Tracker {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #byId = new Map<MemberId, Progress>();
  readonly #votes = new Map<MemberId, boolean>();

  config: ConfState = EMPTY_CONFIG;
  /** All members, ascending: the order of every broadcast. */
  peers: readonly Progress[] = [];
  /** The voters of either half, ascending. */
  voters: readonly Progress[] = [];
  incoming: readonly Progress[] = [];
  outgoing: readonly Progress[] = [];

  constructor(inflightCountMax: number, inflightBytesMax: number) {
    this.#countMax = inflightCountMax;
    this.#bytesMax = inflightBytesMax;
  }

  get(id: MemberId): Progress | undefined {
    return this.#byId.get(id);
  }

  /** The progress of a member that is known to exist. */
  must(id: MemberId): Progress {
    const progress = this.#byId.get(id);
    assert(progress !== undefined, `member ${id} has no progress`);
    return progress;
  }

  isVoter(id: MemberId): boolean {
    return isVoter(this.config, id);
  }

  /** Known members keep their progress; new ones, and those in `fresh`, start probing at the end of the log. */
  adopt(config: ConfState, lastIndex: number, fresh: ReadonlySet<MemberId> = NOBODY): void {
    const { voters, votersOutgoing, learners, learnersNext, autoLeave } = config;
    this.config = config;
    const everybody = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave };
    const ids = normalizeConfig({
      ...everybody,
      voters: [...voters, ...votersOutgoing, ...learners, ...learnersNext],
    }).voters;
    const kept = new Set(ids);
    for (const id of this.#byId.keys()) if (!kept.has(id) || fresh.has(id)) this.#byId.delete(id);
    this.peers = ids.map((id) => this.#member(id, lastIndex, learners.includes(id)));
    this.incoming = voters.map((id) => this.must(id));
    this.outgoing = votersOutgoing.map((id) => this.must(id));
    this.voters = this.peers.filter((peer) => this.isVoter(peer.id));
  }

  #member(id: MemberId, lastIndex: number, isLearner: boolean): Progress {
    let progress = this.#byId.get(id);
    if (progress === undefined) {
      progress = new Progress(id, Math.max(lastIndex, 1), new Inflights(this.#countMax, this.#bytesMax));
      // Counts as heard of until the first quorum check, or adding two members could depose the leader at once.
      progress.recentActive = true;
      this.#byId.set(id, progress);
    }
    progress.isLearner = isLearner;
    return progress;
  }

  isSingleton(): boolean {
    return this.incoming.length === 1 && this.outgoing.length === 0;
  }

  committedIndex(): number {
    return jointIndex(this.incoming, this.outgoing, matchOf);
  }

  /** The latest stamp that a majority has echoed. */
  quorumStampMs(): number {
    return jointIndex(this.incoming, this.outgoing, stampOf);
  }

  confirmedReadPosition(): number {
    return jointIndex(this.incoming, this.outgoing, readPositionOf);
  }

  quorumActive(): boolean {
    return this.quorum(activeOf);
  }

  /** Whether a majority (of both halves) is so. */
  quorum(isSo: (peer: Progress) => boolean): boolean {
    return jointVote(this.incoming, this.outgoing, isSo) === "won";
  }

  clearVotes(): void {
    this.#votes.clear();
  }

  /** The first answer of a member stands. */
  recordVote(id: MemberId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  countVotes(): VoteCount {
    let granted = 0;
    let rejected = 0;
    for (const peer of this.voters) {
      const vote = this.#votes.get(peer.id);
      if (vote === true) granted++;
      else if (vote === false) rejected++;
    }
    const result = jointVote(this.incoming, this.outgoing, (peer) => this.#votes.get(peer.id));
    return { granted, rejected, result };
  }
}
