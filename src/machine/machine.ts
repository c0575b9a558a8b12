// The replicated state machine: committed entries in, changes of the store and replies out. Every replica
// runs the same handlers over the same bytes at the entry's own time, so all hold the same state at the
// same index. It never sees a clock, a session or a socket.

import { Args } from "../base/args.ts";
import { assert, fail } from "../base/assert.ts";
import { ARGUMENTS_MAX, BULK_BYTES_MAX, INLINE_BYTES_MAX } from "../base/limits.ts";
import { Xoshiro } from "../base/prng.ts";
import { findKeys } from "../command/command-keys.ts";
import { lookup } from "../command/lookup.ts";
import { type CommandRow, type DataContext, type DataRow, noPublications } from "../command/types.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { COMMAND, ParserScratch, RequestParser } from "../resp/request-parser.ts";
import { EVENT_EVICTED } from "../store/events.ts";
import type { Store } from "../store/store.ts";
import { EntryHeader, FLAG_KEEP_DUE, FLAG_REMOVE_MET } from "../wire/entry-codec.ts";
import { EvictionReader } from "../wire/eviction-codec.ts";
import type { SessionState } from "../wire/session-state.ts";
import { EntryCheck } from "./entry-check.ts";
import { KeyWarmer } from "./key-warmer.ts";
import { MachineDigests } from "./replica-digests.ts";
import { Sessions } from "./sessions.ts";

/**
 * Due keys removed per entry: some always, more where traffic makes more, and a slice of a ms or two by an entry that has nothing
 * else to do. Part of the agreed behaviour.
 */
const RECLAIM_BASE = 64;
const RECLAIM_PER_COMMAND = 2;
const RECLAIM_WITHOUT_COMMANDS = 1024;

/** Shorter runs hold too few commands to be worth a look ahead. */
export const WARM_BYTES_LEAST = 256;

/** What the leader's parser let through is let through here: the limits are those of the protocol itself. */
const ENTRY_LIMITS = {
  bulkBytesMax: BULK_BYTES_MAX,
  argumentsMax: ARGUMENTS_MAX,
  inlineBytesMax: INLINE_BYTES_MAX,
  unauthenticated: { arguments: 0, bulk: 0 },
};

export interface MachineCounters {
  commandsApplied: number;
  keysExpired: number;
  keysEvicted: number;
}

export class Machine {
  store: Store;
  /** Cluster time of the last applied entry, ms since the epoch. Never moves back. */
  timeMs = 0;
  appliedIndex = 0;
  appliedTerm = 0;
  readonly counters: MachineCounters = { commandsApplied: 0, keysExpired: 0, keysEvicted: 0 };
  /** What write handlers see; rewritten for every entry. */
  readonly context: DataContext;
  /** What clients have in the state beside data: watched keys, commands that wait. */
  readonly sessions: Sessions;
  readonly digests = new MachineDigests(this);
  readonly #random = new Xoshiro(0);
  readonly #header = new EntryHeader();
  readonly #args = new Args();
  readonly #sink = new ReplyWriter();
  readonly #parser = new RequestParser(ENTRY_LIMITS, new ParserScratch());
  readonly #evictions = new EvictionReader();
  /** For whoever is about to run several commands in a row. */
  readonly warmer = new KeyWarmer(ENTRY_LIMITS);
  /** For what peers send, before it gets into the log. */
  readonly check: EntryCheck;
  #commandsInEntry = 0;
  #payload: Buffer | undefined;
  /** Of the keys that the last entry named for eviction, those whose turn came: they are gone. */
  victimsTaken = 0;

  constructor(store: Store) {
    this.store = store;
    this.#sink.muted = true;
    this.#parser.authenticated = true;
    this.check = new EntryCheck(ENTRY_LIMITS, store.databases.length);
    this.sessions = new Sessions(this, ENTRY_LIMITS);
    const { sessions, digests } = this;
    this.context = { ...contextOf(store, this.#random), sessions, digests, settings: sessions.settings };
  }

  /** Between entries: lets go of the bytes of those that have been applied, which may be long. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
    this.#evictions.forget();
    for (const keys of this.store.databases) keys.forgetFound();
    this.warmer.forgetInput();
    this.check.forgetInput();
    this.sessions.forgetInput();
  }

  /** Takes over a state that came by snapshot. */
  replace(store: Store, sessions: SessionState, timeMs: number, index: number, term: number): void {
    assert(index >= this.appliedIndex, `snapshot at ${index} is behind applied index ${this.appliedIndex}`);
    store.eventClasses = this.store.eventClasses;
    store.onEvent = this.store.onEvent;
    store.thresholds = this.store.thresholds;
    this.store = store;
    this.context.store = store;
    this.context.keys = store.databases[0]!;
    this.timeMs = timeMs;
    this.appliedIndex = index;
    this.appliedTerm = term;
    store.setTime(timeMs, timeMs);
    this.sessions.restore(sessions, store);
  }

  /** Applies an entry whose replies nobody waits for here: followers, and entries of earlier leaders. */
  apply(payload: Buffer, index: number, term: number): void {
    if (payload.length === 0) return this.skip(index, term);
    const header = this.beginEntry(payload, index, term);
    const parser = this.#parser;
    const args = this.#args;
    const end = header.commandsEnd;
    let database = 0;
    let warmTo = header.commandsStart;
    for (let at = header.commandsStart; at < end; at = parser.position) {
      if (at >= warmTo && end - at > WARM_BYTES_LEAST) {
        warmTo = this.warmer.warm(payload, at, end, this.store.databases[database]!);
      }
      const status = parser.next(payload, at, end);
      if (status !== COMMAND) fail(`entry ${index}: no command at byte ${at} of ${end}`);
      args.set(payload, parser.offsets, 0, parser.argumentCount);
      const row = lookup(args);
      if (row === undefined) fail(`entry ${index}: unknown command ${args.text(0)}`);
      if (row.route === "write") this.run(row, args, database, this.#sink);
      else database = selectedDatabase(row, args);
    }
    this.endEntry();
  }

  /** An entry without a payload: the empty entry of a new leader, or a configuration change. */
  skip(index: number, term: number): void {
    if (index !== this.appliedIndex + 1) fail(`apply ${index} after ${this.appliedIndex}`);
    this.appliedIndex = index;
    this.appliedTerm = term;
  }

  /** Moves cluster time and seeds this entry's randomness. `payload` must stay as it is until endEntry(). */
  beginEntry(payload: Buffer, index: number, term: number): EntryHeader {
    this.skip(index, term);
    const header = this.#header.read(payload);
    if (header.timeMs > this.timeMs) this.timeMs = header.timeMs;
    this.store.setTime(this.timeMs, this.timeMs);
    this.context.nowMs = this.timeMs;
    this.#random.reseed(header.seed);
    this.#commandsInEntry = 0;
    this.#evictions.open(payload, header);
    this.#payload = payload;
    return header;
  }

  /** Runs one write of the open entry, and then what clients wait for that it has made possible. */
  run(row: DataRow, args: Args, database: number, reply: ReplyWriter): void {
    this.perform(row, args, database, reply);
    if (this.sessions.canServe) this.sessions.serve();
  }

  /** run() for a part of a command: nobody who waits is served between its parts. */
  perform(row: DataRow, args: Args, database: number, reply: ReplyWriter): void {
    const context = this.context;
    if (context.database !== database || context.keys !== this.store.databases[database]) {
      context.database = database;
      context.keys = this.store.databases[database]!;
    }
    this.#commandsInEntry++;
    this.meet(row, args, database);
    row.run(context, args, reply);
  }

  /** Where due keys are kept, a command removes those of its own keys that are dead, a read as well as a write. */
  meet(row: DataRow, args: Args, database: number): void {
    if ((this.#header.flags & FLAG_REMOVE_MET) === 0) return;
    const keys = this.store.databases[database]!;
    for (const { index } of findKeys(row, { args, from: 0, count: args.count }) ?? [])
      keys.reclaimDead(args.bytes, args.start(index), args.end(index));
  }

  /** Reclaims keys that are due, a bounded number per entry, in the order all replicas share; then evicts. */
  endEntry(): void {
    const commands = this.#commandsInEntry;
    this.counters.commandsApplied += commands;
    if (!this.#keepsDue && this.store.nextDeadlineMs() <= this.timeMs) {
      this.#reclaim(
        commands === 0 ? RECLAIM_WITHOUT_COMMANDS : RECLAIM_BASE + RECLAIM_PER_COMMAND * commands,
      );
    }
    this.victimsTaken = 0;
    if (this.#header.evictionCount > 0) this.#evict();
    if (this.sessions.canServe) this.sessions.serve();
    this.#payload = undefined;
  }

  get #keepsDue(): boolean {
    return (this.#header.flags & FLAG_KEEP_DUE) !== 0;
  }

  #reclaim(limit: number): number {
    const reclaimed = this.store.reclaimDue(limit);
    this.counters.keysExpired += reclaimed;
    return reclaimed;
  }

  /** Removes as many of the keys the leader named as the limit asks for; what is dead goes before what is alive. */
  #evict(): void {
    const { store } = this;
    const payload = this.#payload;
    assert(payload !== undefined, "an entry is begun before it ends");
    const evictions = this.#evictions;
    for (
      let step = this.#header.evictionCount;
      step > 0 && store.logicalBytes > evictions.limitBytes;
      step--
    ) {
      if (!this.#keepsDue && store.nextDeadlineMs() <= this.timeMs && this.#reclaim(1) === 1) continue;
      if (!evictions.next()) break;
      const { database, keyStart, keyEnd } = evictions;
      const keys = store.databases[database];
      assert(keys !== undefined, `eviction from database ${database} of ${store.databases.length}`);
      if (!keys.remove(payload, keyStart, keyEnd)) continue;
      this.counters.keysEvicted++;
      keys.notify(EVENT_EVICTED, "evicted", payload, keyStart, keyEnd);
    }
    this.victimsTaken = evictions.taken;
  }
}

export function contextOf(store: Store, random: Xoshiro): DataContext {
  return {
    nowMs: 0,
    random,
    keys: store.databases[0]!,
    database: 0,
    store,
    stringBytesMax: BULK_BYTES_MAX,
    publications: noPublications,
  };
}

function selectedDatabase(row: CommandRow, args: Args): number {
  assert(row.name === "select", `${row.name} is not a write: it has no place in an entry`);
  return Number(args.text(1));
}
