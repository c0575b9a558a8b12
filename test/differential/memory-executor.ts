// Commands run in this process, synchronously, on the store and the real handlers: no parser, no log, no
// network. What a connection adds (SELECT, HELLO, arity and unknown-command errors) is done here by hand.

import { Args } from "../../src/base/args.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import { replyError } from "../../src/command/errors.ts";
import { lookupId, rows } from "../../src/command/lookup.ts";
import { type CommandRow, type DataContext, noPublications } from "../../src/command/types.ts";
import { describeUnfit } from "../../src/node/refusals.ts";
import { ReplyWriter } from "../../src/resp/reply-writer.ts";
import { Store } from "../../src/store/store.ts";
import type { Thresholds } from "../../src/store/thresholds.ts";
import type { Command, Executor } from "./executor.ts";

const DATABASES = 16;
/** As redis-server's default proto-max-bulk-len. */
const STRING_BYTES_MAX = 512 * 1024 * 1024;

export interface MemoryOptions {
  /** Cluster time, asked before every batch; a constant by default. */
  readonly clock?: () => number;
  readonly seed?: number;
  readonly thresholds?: Thresholds;
  /** Instead of an empty one. */
  readonly store?: Store;
}

export class MemoryExecutor implements Executor {
  readonly name = "machine in memory";
  readonly store: Store;
  readonly context: DataContext;
  readonly reply = new ReplyWriter();
  readonly #clock: () => number;

  constructor(options: MemoryOptions = {}) {
    const seed = options.seed ?? 1;
    this.#clock = options.clock ?? (() => 1_700_000_000_000);
    this.store = options.store ?? new Store({ databases: DATABASES, hashSeed: [seed, ~seed] });
    if (options.thresholds !== undefined) this.store.thresholds = options.thresholds;
    this.context = {
      nowMs: 0,
      random: new Xoshiro(seed),
      keys: this.store.databases[0]!,
      database: 0,
      store: this.store,
      stringBytesMax: STRING_BYTES_MAX,
      publications: noPublications,
    };
    this.setTime(this.#clock());
  }

  setTime(nowMs: number): void {
    this.context.nowMs = nowMs;
    this.store.setTime(nowMs, nowMs);
    this.store.accessClock = Math.floor(nowMs / 1000) & 0xff_ffff;
  }

  runOne(command: readonly (string | Uint8Array)[]): Buffer {
    const { reply } = this;
    reply.position = 0;
    this.#execute(Args.of(...command));
    return Buffer.from(reply.buffer.subarray(0, reply.position));
  }

  run(commands: readonly Command[]): Promise<Buffer[]> {
    this.setTime(this.#clock());
    return Promise.resolve(commands.map((command) => this.runOne(command)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #execute(args: Args): void {
    if (args.is(0, "SELECT")) return this.#select(args);
    if (args.is(0, "HELLO")) return this.#hello(args);
    const id = lookupId(args);
    const row: CommandRow | undefined = rows[id];
    if (row === undefined || !arityFits(row.arity, args.count))
      return this.reply.error(describeUnfit(id, args));
    if (row.route === "container") return this.reply.error(describeUnfit(id, args));
    if (row.route === "local") throw new Error(`${row.name} needs a session`);
    const { context } = this;
    context.keys = this.store.databases[context.database]!;
    row.run(context, args, this.reply);
  }

  #select(args: Args): void {
    const database = Number(args.text(1));
    if (this.store.databases[database] === undefined) return this.reply.error(replyError.databaseOutOfRange);
    this.context.database = database;
    this.reply.ok();
  }

  /** The reply differs between any two servers: only the protocol counts here. */
  #hello(args: Args): void {
    this.reply.protocol = args.is(1, "3") ? 3 : 2;
    this.reply.ok();
  }
}

function arityFits(arity: number, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}
