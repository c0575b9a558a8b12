// A member that was down comes back by snapshot while clients write all the time (docs/adr/0022), when all else is quiet. One
// that progresses is up to date within a bound. Clients are slowed for no longer than a minute, and not for a receiver
// that is stopped; what nodes send themselves, changes of members and digests do not wait with them.

import { isCaughtUp } from "../../src/node/catch-up.ts";
import { raftOf } from "./checks.ts";
import { SimClient } from "./clients.ts";
import { clientAddressOf, peerAddressOf, type SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

/** Smaller logs hold a few entries, larger ones all that is written meanwhile. */
const LOG_BYTES_LEAST = 3000;
const LOG_BYTES_MOST = 100_000;
/** Where a message takes longer, nobody's place is certain. */
const DELAY_MS_MAX = 5;
/** Then every connection is up again that was lost without a word. */
const QUIET_MS = 12_000;
const RETURN_MS_MAX = 30_000;
const SLOWED_MS_MAX = 60_000;
/** Without progress. */
const STALLED_MS = 5000;
/** Clocks differ by a hundredth, and a tick is a little late. */
const SLACK = 1.03;
/** What does not wait for a receiver is answered by then, while clients are slowed. */
const ANSWERED_MS_MAX = 3000;
const DIGESTS_MS_MAX = 12_000;
/** A chunk goes out every four seconds at a cap: progress, and a hundred seconds for the state. */
const CHUNKS_PER_SECOND = 0.25;
const CAPPED_CHUNKS = 25;
/** Where clients are slowed no more, or the receiver has stopped, another one may be needed, and another. */
const SNAPSHOTS_MAX = { steady: 1, stopped: 2, capped: Number.POSITIVE_INFINITY };
const STRANGER = "n9";

const NOT_NOW = /^-(TRYAGAIN|UNCERTAIN|CLUSTERDOWN) /;
const WRITTEN = /^(\+OK$|-(TRYAGAIN|UNCERTAIN|CLUSTERDOWN) )/;

export class Rejoin {
  readonly kind: "steady" | "stopped" | "capped";
  /** Of the leader's, times that clients were slowed. */
  slowings = 0;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #slowed = new Map<SimProcess, { member: number; sinceMs: number; isNow: boolean }>();
  #writers: SimClient[] = [];
  #isWriting = false;
  #written = 0;
  #backId = 0;
  #isBack = false;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
    this.kind = random.pick(["steady", "steady", "stopped", "capped"] as const);
  }

  /** Nobody is slowed for one member for longer than the bound, until it has caught up. */
  stepped(process: SimProcess): void {
    if (isUpTo(process, this.#backId)) this.#isBack = true;
    else if (this.#backId !== 0) this.#narrow(process);
    const { catchUp } = process.node.replica.log;
    const slowed = this.#slowed.get(process);
    if (slowed !== undefined && isUpTo(process, slowed.member)) this.#slowed.delete(process);
    if (slowed !== undefined) slowed.isNow &&= catchUp.isSlowing;
    if (!catchUp.isSlowing) return;
    const { nowMs } = this.#simulation.timeline;
    if (slowed?.member !== catchUp.member) {
      this.#slowed.set(process, { member: catchUp.member, sinceMs: nowMs, isNow: true });
      this.slowings++;
    } else if (nowMs - slowed.sinceMs > SLACK * SLOWED_MS_MAX) {
      this.#simulation.fail(
        "slowing ends",
        `${process.label} holds clients up for ${catchUp.member} after ${(nowMs - slowed.sinceMs).toFixed(0)} ms`,
      );
    }
  }

  judge(): void {
    const simulation = this.#simulation;
    if (simulation.network.baseDelayMs > DELAY_MS_MAX) return;
    simulation.advanceTo(simulation.timeline.nowMs + QUIET_MS);
    const { leader, census } = simulation;
    if (leader === undefined || !census.isWhole) return;
    const { logBytesMax } = leader.options;
    if (logBytesMax < LOG_BYTES_LEAST || logBytesMax > LOG_BYTES_MOST) return;
    const others = census.members.filter((it) => it !== leader && census.isSafe(it.machine));
    if (others.length < 2) return;
    const victim = this.#random.pick(others);
    const waiting = this.#wait(leader);
    this.#write([leader, ...others.filter((it) => it !== victim)], leader);
    this.#advance(
      RETURN_MS_MAX,
      "there is something to send",
      () => this.#written >= this.#stateKeys(leader),
    );
    const { snapshots } = leader.node.cluster;
    const sentBefore = snapshots.sentCount;
    simulation.lost.add(victim);
    victim.kill();
    if (this.kind === "capped") this.#cap(leader, CHUNKS_PER_SECOND * leader.options.snapshotChunkBytes);
    simulation.advanceTo(simulation.timeline.nowMs + this.#random.between(10, 500));
    simulation.restart(victim.machine);
    const back = simulation.processOn(victim.machine)!;
    this.#backId = back.incarnation;
    if (this.kind === "stopped") this.#stop(leader, back);
    if (this.kind === "capped") this.#outlast(leader, back, waiting);
    this.#advance(
      RETURN_MS_MAX,
      `${back.label} is up to date while clients write`,
      () => isUpTo(leader, back.incarnation) && back.node.readinessProblem === "",
      () =>
        `${back.node.readinessProblem}; ${JSON.stringify(leader.node.replica.raft?.progressOf(back.incarnation))}`,
    );
    const sent = snapshots.sentCount - sentBefore;
    if (sent > SNAPSHOTS_MAX[this.kind])
      simulation.fail("a snapshot is enough", `${leader.label} sent ${sent} to ${back.label}`);
    this.#isWriting = false;
    this.#advance(ANSWERED_MS_MAX, "clients are held up no more", () => this.#isAnswered);
    for (const client of [...this.#writers, waiting.client]) client.hangUp();
  }

  get #isAnswered(): boolean {
    return this.#writers.every(({ unanswered }) => unanswered.length === 0);
  }

  /** Its receiver stops in the middle: nobody waits for it. */
  #stop(leader: SimProcess, back: SimProcess): void {
    if (!this.#becomesSlow(leader, back)) return;
    const before = this.#written;
    back.pause();
    this.#advance(
      SLACK * STALLED_MS,
      "nobody is held up for a receiver that is stopped",
      () => !leader.node.replica.log.catchUp.isSlowing && this.#written > before,
    );
    back.resume();
  }

  /** Slowed for as long as that may last; what must not wait does not. Then nobody writes, and nothing is capped. */
  #outlast(leader: SimProcess, back: SimProcess, waiting: Waiting): void {
    if (!this.#becomesSlow(leader, back)) return;
    const { node } = leader;
    const digests = node.server.statistics.digestsCompared;
    const answers = this.#sendWhatDoesNotWait(leader, waiting);
    this.#whileSlowed(leader, ANSWERED_MS_MAX, "cancels and changes of members do not wait", answers);
    this.#whileSlowed(
      leader,
      DIGESTS_MS_MAX,
      "digests do not wait",
      () => node.server.statistics.digestsCompared > digests,
    );
    this.#advance(
      SLACK * SLOWED_MS_MAX,
      "slowing ends",
      () => this.#slowed.get(leader)?.isNow !== true && !node.replica.log.catchUp.isSlowing,
    );
    this.#isWriting = false;
    this.#advance(ANSWERED_MS_MAX, "everybody is answered", () => this.#isAnswered);
    this.#cap(leader, 0);
  }

  #whileSlowed(leader: SimProcess, msMax: number, what: string, isReached: () => boolean): void {
    const { catchUp } = leader.node.replica.log;
    let isSlowed = true;
    this.#advance(msMax, what, () => {
      isSlowed = catchUp.isSlowing;
      return isReached() || !isSlowed;
    });
    if (!isSlowed && !isReached()) this.#simulation.fail("slowing lasts", `${leader.label}: ${what}`);
  }

  /** An unblocked client, and a member that comes and goes. */
  #sendWhatDoesNotWait(leader: SimProcess, { client, id }: Waiting): () => boolean {
    const desk = this.#client("rejoin-desk", leader);
    let done = 0;
    const change = (command: readonly string[], then: () => void): void =>
      desk.ask({
        command,
        expected: /^(\+OK$|-TRYAGAIN )/,
        answered: (reply = "") => (NOT_NOW.test(reply) ? change(command, then) : then()),
      });
    desk.ask({ command: ["CLIENT", "UNBLOCK", id()], expected: ":1" });
    const add = ["RAFT.MEMBER", "ADD", STRANGER, peerAddressOf(STRANGER), clientAddressOf(STRANGER)];
    change(add.slice(0, 4), () => change(["RAFT.MEMBER", "REMOVE", STRANGER], () => done++));
    return () => {
      if (done === 0 || client.unanswered.length > 0) return false;
      desk.hangUp();
      return true;
    };
  }

  /** Slow enough to be held up for; a state that is quickly sent is not. */
  #becomesSlow(leader: SimProcess, back: SimProcess): boolean {
    const before = this.slowings;
    this.#advance(
      RETURN_MS_MAX,
      "clients are slowed, or it is there",
      () => this.slowings > before || isUpTo(leader, back.incarnation),
    );
    return leader.node.replica.log.catchUp.isSlowing;
  }

  #cap(leader: SimProcess, bytesPerSecond: number): void {
    const desk = this.#client("rejoin-cap", leader);
    const value = String(Math.ceil(bytesPerSecond));
    desk.ask({
      command: ["CONFIG", "SET", "snapshot-max-bytes-per-second", value],
      expected: "+OK",
      answered: () => desk.hangUp(),
    });
  }

  /** A client that waits for nothing, until it is told not to. */
  #wait(leader: SimProcess): Waiting {
    const client = this.#client("rejoin-waiting", leader);
    let id = "";
    client.ask({
      command: ["CLIENT", "ID"],
      expected: /^:/,
      answered: (reply = "") => {
        id = reply.slice(1);
      },
    });
    client.ask({ command: ["BLPOP", "rejoin:nothing", "0"], expected: /^\*/ });
    return { client, id: () => id };
  }

  #stateKeys(leader: SimProcess): number {
    const { logBytesMax, snapshotChunkBytes } = leader.options;
    const chunks = this.kind === "capped" ? CAPPED_CHUNKS : 0;
    return Math.ceil(Math.max(5 * logBytesMax, chunks * snapshotChunkBytes) / this.#valueBytes(leader));
  }

  #valueBytes(leader: SimProcess): number {
    return Math.ceil(leader.options.logBytesMax / 50);
  }

  /** Each sends its next SET as soon as the one before is answered. */
  #write(hosts: readonly SimProcess[], leader: SimProcess): void {
    const keys = this.#stateKeys(leader);
    const value = "v".repeat(this.#valueBytes(leader));
    this.#isWriting = true;
    let next = 0;
    const write = (client: SimClient): void =>
      client.ask({
        command: ["SET", `rejoin:${next++ % keys}`, value],
        expected: WRITTEN,
        answered: (reply) => {
          if (reply === "+OK") this.#written++;
          if (reply !== undefined && this.#isWriting) write(client);
        },
      });
    const count = 3 + this.#random.below(4);
    this.#writers = Array.from({ length: count }, (_, i) =>
      this.#client(`rejoin-writer-${i}`, hosts[i % hosts.length]!),
    );
    for (const writer of this.#writers) write(writer);
  }

  /** Of entries to who comes back one is on its way at a time, so that it reads the log no faster than clients write. */
  #narrow({ node }: SimProcess): void {
    const core = node.replica.raft;
    const inflights = core === undefined ? undefined : raftOf(core).tracker.get(this.#backId)?.inflights;
    if (inflights === undefined || Object.hasOwn(inflights, "full")) return;
    Object.defineProperty(inflights, "full", { get: () => !this.#isBack && inflights.count > 0 });
  }

  #client(name: string, host: SimProcess): SimClient {
    const client = new SimClient(
      name,
      this.#simulation.worldOf(this.#random, () => []),
      0,
    );
    client.connect(host);
    return client;
  }

  #advance(msMax: number, what: string, isReached: () => boolean, details = (): string => ""): void {
    this.#simulation.advance(msMax, what, isReached, details);
  }
}

interface Waiting {
  readonly client: SimClient;
  readonly id: () => string;
}

/** A voter that has nearly all of the leader's log. */
function isUpTo({ node }: SimProcess, member: number): boolean {
  const { raft } = node.replica;
  const progress = raft?.progressOf(member);
  if (raft === undefined || progress === undefined || !raft.confState.voters.includes(member)) return false;
  return isCaughtUp(progress, raft.lastIndex);
}
