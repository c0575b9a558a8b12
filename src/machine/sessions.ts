// What clients have in the replicated state beside data (docs/adr/0010, 0014, 0023): transactions run here, watched keys
// and blocked clients are registered here, settings are in force here, and keyspaces tell of changes here. Log forms in,
// changes and replies out, the same on every replica.

import { Args } from "../base/args.ts";
import { assert, fail } from "../base/assert.ts";
import { OUTPUT_BYTES_MAX } from "../base/limits.ts";
import { Xoshiro } from "../base/prng.ts";
import { TRY_COMMAND, TRY_DATABASE } from "../command/blocking.ts";
import { lookupId, rows } from "../command/lookup.ts";
import { EXEC_COMMANDS, transactionError } from "../command/transactions.ts";
import type { DataRow, ReplicatedSessions } from "../command/types.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { COMMAND, type ParserLimits, ParserScratch, RequestParser } from "../resp/request-parser.ts";
import type { KeyWatcher } from "../store/state.ts";
import type { Store } from "../store/store.ts";
import { encodeSessionState, type Owner, type SessionState } from "../wire/session-state.ts";
import { Blocking, type BlockingHost } from "./blocking.ts";
import { MachineSettings } from "./settings.ts";
import { WatchTable } from "./watches.ts";

/** Told of each command of a transaction whose replies are heard, around its run. */
export interface CommandObserver {
  begin(id: number, reply: ReplyWriter): void;
  end(id: number, args: Args, reply: ReplyWriter): void;
}

export class Sessions implements ReplicatedSessions, KeyWatcher {
  readonly watches = new WatchTable();
  readonly blocking: Blocking;
  readonly settings = new MachineSettings();
  observer: CommandObserver | undefined;
  readonly #host: BlockingHost;
  readonly #parser: RequestParser;
  readonly #args = new Args();
  readonly #readRandom = new Xoshiro(1);
  #members: ReadonlySet<number> = new Set();

  constructor(host: BlockingHost, limits: ParserLimits) {
    this.#host = host;
    this.blocking = new Blocking(host, limits);
    // Offsets of its own: the command that holds the others is still being read.
    this.#parser = new RequestParser(limits, new ParserScratch());
    this.#parser.authenticated = true;
  }

  /** Lets go of the commands that have run. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
    this.blocking.forgetInput();
  }

  /** The members of the cluster as of the entry being applied. Of others nothing is kept. */
  setMembers(incarnations: readonly number[]): void {
    this.#members = new Set(incarnations);
    this.watches.keepMembers(this.#members);
    this.blocking.keepMembers(this.#members);
    this.#listen();
  }

  exec(args: Args, reply: ReplyWriter): void {
    const watches = numberAt(args, 2);
    if (watches > 0 && !this.#takeWatch(ownerAt(args, 1), watches)) return reply.nilArray();
    const count = numberAt(args, 3);
    reply.array(count);
    const ran = this.#runAll(args.bytes, args.start(EXEC_COMMANDS), args.end(EXEC_COMMANDS), reply);
    if (ran !== count) fail(`a transaction of ${count} commands held ${ran}`);
  }

  watch(args: Args, reply: ReplyWriter): void {
    const { context, store } = this.#host;
    const owner = ownerAt(args, 1);
    if (!this.#members.has(owner.incarnation)) return reply.error(transactionError.notMember);
    const { keys, database } = context;
    const watched = [];
    for (let i = 3; i < args.count; i++) {
      const start = args.start(i);
      const end = args.end(i);
      // From here on the key is there and alive, or not there: that it is reclaimed later is a change.
      keys.reclaimDead(args.bytes, start, end);
      watched.push({ database, hash: keys.hash(args.bytes, start, end), key: args.copy(i) });
    }
    assert(keys === store.databases[database], `database ${database} is not the selected one`);
    const fits = this.watches.watch(owner, numberAt(args, 2), watched);
    this.#listen();
    if (fits) reply.ok();
    else reply.error(transactionError.tooManyWatched);
  }

  unwatch(args: Args, reply: ReplyWriter): void {
    this.watches.forget(ownerAt(args, 1));
    this.#listen();
    reply.ok();
  }

  tryBlocking(args: Args, reply: ReplyWriter): void {
    const owner = ownerAt(args, 1);
    if (!this.#members.has(owner.incarnation)) return reply.error(transactionError.notMember);
    const { bytes } = args;
    const start = args.start(TRY_COMMAND);
    const problem = this.blocking.begin(
      owner,
      numberAt(args, TRY_DATABASE),
      bytes,
      start,
      args.end(TRY_COMMAND),
    );
    this.#listen();
    if (problem === undefined) reply.ok();
    else reply.error(problem);
  }

  cancelBlocking(args: Args, reply: ReplyWriter): void {
    for (let i = 1; i < args.count; i++) this.blocking.cancel(ownerAt(args, i));
    this.#listen();
    reply.ok();
  }

  /** Is there a blocked client that may be served now? */
  get canServe(): boolean {
    return this.blocking.waiters.changed.size > 0;
  }

  serve(): void {
    this.blocking.serve();
    this.#listen();
  }

  touched(database: number, hash: number, bytes: Buffer, start: number, end: number): void {
    if (this.watches.hasKeys) this.watches.touched(database, hash, bytes, start, end);
    if (this.blocking.waiters.count > 0) this.blocking.waiters.touched(database, hash, bytes, start, end);
  }

  reduced(database: number, hash: number, bytes: Buffer, start: number, end: number): void {
    if (this.blocking.waiters.count > 0) this.blocking.waiters.touched(database, hash, bytes, start, end);
  }

  clearing(database: number): void {
    this.blocking.waiters.touchedAll(database);
    for (const { hash, key } of this.watches.inDatabases(database)) {
      const isThere = this.#host.store.databases[database]!.reclaimDead(key, 0, key.length);
      if (isThere) this.watches.touched(database, hash, key, 0, key.length);
    }
  }

  swapping(a: number, b: number): void {
    this.blocking.waiters.touchedAll(a, b);
    const { databases } = this.#host.store;
    for (const { database, hash, key } of this.watches.inDatabases(a, b)) {
      const isInA = databases[a]!.reclaimDead(key, 0, key.length);
      const isInB = databases[b]!.reclaimDead(key, 0, key.length);
      if (isInA || isInB) this.watches.touched(database, hash, key, 0, key.length);
    }
  }

  /** Everything here as bytes, equal on all replicas at the same index: a snapshot's metadata. */
  encode(): Uint8Array {
    return encodeSessionState({
      watches: this.watches.state(),
      waiters: this.blocking.waiters.state(),
      settings: this.settings.values(),
    });
  }

  /** Takes over what came with a snapshot, whose store is `store`. */
  restore(state: SessionState, store: Store): void {
    const { databases } = store;
    this.watches.restore(state.watches, (database, key) => databases[database]!.hash(key, 0, key.length));
    this.blocking.restore(state.waiters);
    this.settings.restore(state.settings);
    this.#listen();
  }

  /** After the store was replaced, and whenever somebody begins or ends to wait. */
  #listen(): void {
    const isNeeded = this.watches.hasKeys || this.blocking.waiters.count > 0;
    this.#host.store.watcher = isNeeded ? this : undefined;
  }

  /** Ends the owner's watch. Was it whole, and nothing touched? */
  #takeWatch(owner: Owner, watches: number): boolean {
    const { databases } = this.#host.store;
    // Keys that died and were not reclaimed yet are touched now.
    for (const { database, key } of [...this.watches.keysOf(owner)])
      databases[database]!.reclaimDead(key, 0, key.length);
    const isIntact = this.watches.isIntact(owner, watches);
    this.watches.forget(owner);
    this.#listen();
    return isIntact;
  }

  /** Runs the commands in bytes[from, to) in order; returns how many replied. SELECT counts for what follows. */
  #runAll(bytes: Buffer, from: number, to: number, reply: ReplyWriter): number {
    const { context } = this.#host;
    const parser = this.#parser;
    const args = this.#args;
    let { database } = context;
    let ran = 0;
    for (let at = from; at < to; at = parser.position) {
      const status = parser.next(bytes, at, to);
      if (status !== COMMAND) fail(`no command at byte ${at} of a transaction of ${to} bytes`);
      args.set(bytes, parser.offsets, 0, parser.argumentCount);
      const id = lookupId(args);
      const row = rows[id];
      if (row === undefined) fail(`unknown command ${args.text(0)} in a transaction`);
      if (row.name === "select") {
        database = Number(args.text(1));
        continue;
      }
      const observer = reply.muted ? undefined : this.observer;
      observer?.begin(id, reply);
      if (row.route === "write") this.#host.perform(row, args, database, reply);
      else if (row.route === "read") this.#read(row, args, database, reply);
      else fail(`${row.name} has no place in a transaction of the log`);
      observer?.end(id, args, reply);
      ran++;
      // The client will be dropped for it; what changes data must go on all the same.
      if (reply.position > OUTPUT_BYTES_MAX) reply.muted = true;
    }
    return ran;
  }

  /** Only where the reply is heard, so with a randomness of its own. */
  #read(row: DataRow, args: Args, database: number, reply: ReplyWriter): void {
    this.#host.meet(row, args, database);
    if (reply.muted) return;
    const { context } = this.#host;
    const { random } = context;
    context.random = this.#readRandom;
    context.database = database;
    context.keys = context.store.databases[database]!;
    row.run(context, args, reply);
    context.random = random;
  }
}

function ownerAt(args: Args, index: number): Owner {
  const [incarnation, session, serial] = args.text(index).split(":").map(Number);
  assert(
    incarnation !== undefined && session !== undefined && Number.isSafeInteger(serial),
    `no owner: ${args.text(index)}`,
  );
  return { incarnation, session, serial: serial! };
}

function numberAt(args: Args, index: number): number {
  const value = Number(args.text(index));
  assert(Number.isSafeInteger(value) && value >= 0, `argument ${index} is ${args.text(index)}`);
  return value;
}
