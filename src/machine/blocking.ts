// Blocked clients on every replica (docs/adr/0014): tries of their commands in, waiters in the table, and further tries when
// keys have changed. The reply goes to whoever is told here; only the owner's node listens.

import { Args } from "../base/args.ts";
import { assert, fail } from "../base/assert.ts";
import { lookup } from "../command/lookup.ts";
import type { Attempt, DataContext, DataRow, Wish } from "../command/types.ts";
import { encodeArguments } from "../resp/encode-command.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { COMMAND, type ParserLimits, ParserScratch, RequestParser } from "../resp/request-parser.ts";
import type { Store } from "../store/store.ts";
import type { Owner, WaiterState } from "../wire/session-state.ts";
import { type WaitedKey, type Waiter, WaiterTable } from "./waiters.ts";

/** Where the replies of blocked clients go: the node that they are connected to. */
export interface Deliveries {
  /** For the owner's reply; muted unless it is waited for on this node. */
  open(owner: Owner): ReplyWriter;
  /** What was written since open() is the reply. */
  answered(owner: Owner): void;
  /** The owner does not wait any more, and no try of this serial will come. `waited` = one had come, and found nothing. */
  cancelled(owner: Owner, waited: boolean): void;
}

const nobody = new ReplyWriter();
nobody.muted = true;
export const noDeliveries: Deliveries = {
  open: () => nobody,
  answered: () => {},
  cancelled: () => {},
};

/** The machine around it. */
export interface BlockingHost {
  readonly store: Store;
  readonly context: DataContext;
  /** Runs one command, and nothing after it. */
  perform(row: DataRow, args: Args, database: number, reply: ReplyWriter): void;
  /** Before a command is run otherwise: see Machine.meet. */
  meet(row: DataRow, args: Args, database: number): void;
}

/** No key. */
const ABSENT = -1;

export class Blocking implements Attempt {
  readonly waiters = new WaiterTable();
  deliveries: Deliveries = noDeliveries;
  isRetry = false;
  /** What the command that is being tried waits for. */
  #wish: Wish | undefined;
  readonly #host: BlockingHost;
  readonly #parser: RequestParser;
  readonly #args = new Args();

  constructor(host: BlockingHost, limits: ParserLimits) {
    this.#host = host;
    // Offsets of its own: the command that holds the others is still being read.
    this.#parser = new RequestParser(limits, new ParserScratch());
    this.#parser.authenticated = true;
  }

  /** Lets go of the commands that have run. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
  }

  /** The first try of the command bytes[start, end); an error to the node that sent it, or nothing. */
  begin(owner: Owner, database: number, bytes: Buffer, start: number, end: number): string | undefined {
    this.waiters.remove(owner);
    this.isRetry = false;
    const wish = this.#try(owner, database, bytes, start, end);
    if (wish === undefined) return undefined;
    return this.waiters.add(waiterOf(owner, database, wish), this.#hashOf);
  }

  cancel(owner: Owner): void {
    const waited = this.waiters.has(owner);
    this.waiters.remove(owner);
    this.deliveries.cancelled(owner, waited);
  }

  /** Cancels what owners that are no members wait for. */
  keepMembers(incarnations: ReadonlySet<number>): void {
    for (const incarnation of [...this.waiters.members])
      if (!incarnations.has(incarnation))
        for (const owner of this.waiters.ownersOf(incarnation)) this.cancel(owner);
  }

  wait(wish: Wish): void {
    this.#wish = wish;
  }

  /** Tries again what waits for keys that have changed. To be called when no command is half done. */
  serve(): void {
    const { changed } = this.waiters;
    this.isRetry = true;
    // A served command may change further keys: they come last, in the order of their changes.
    for (const key of changed) {
      changed.delete(key);
      let type = this.#typeOf(key);
      for (const waiter of key.holders) {
        // Nobody further behind finds anything, then.
        if (type === ABSENT && this.waiters.withoutKeyCount === 0) break;
        if (waiter.type !== type && !waiter.evenWithoutKey) continue;
        this.#retry(waiter);
        type = this.#typeOf(key);
      }
    }
  }

  #retry(waiter: Waiter): void {
    const { owner, database, command } = waiter;
    const { changed } = this.waiters;
    const changedBefore = changed.size;
    const wish = this.#try(owner, database, command, 0, command.length);
    if (wish === undefined) {
      this.waiters.remove(owner);
      return;
    }
    // A try without an answer has changed nothing, whatever it has looked at: it would be tried for ever.
    if (changed.size > changedBefore)
      for (const key of [...changed].slice(changedBefore)) changed.delete(key);
  }

  /** Runs the command; undefined when it is answered. */
  #try(owner: Owner, database: number, bytes: Buffer, start: number, end: number): Wish | undefined {
    const { context } = this.#host;
    const status = this.#parser.next(bytes, start, end);
    if (status !== COMMAND) fail(`no command at byte ${start} of ${end} of a blocked client`);
    const args = this.#args.set(bytes, this.#parser.offsets, 0, this.#parser.argumentCount);
    const row = lookup(args);
    assert(row?.route === "write" || row?.route === "read", `${args.text(0)} cannot wait`);
    context.attempt = this;
    const writer = this.deliveries.open(owner);
    this.#host.perform(row, args, database, writer);
    context.attempt = undefined;
    const wish = this.#takeWish();
    if (wish === undefined) this.deliveries.answered(owner);
    return wish;
  }

  #takeWish(): Wish | undefined {
    const wish = this.#wish;
    this.#wish = undefined;
    return wish;
  }

  #typeOf({ database, key }: WaitedKey): number {
    const keys = this.#host.store.databases[database]!;
    const handle = keys.find(key, 0, key.length);
    return handle === 0 ? ABSENT : keys.typeOf(handle);
  }

  readonly #hashOf = (database: number, key: Buffer): number =>
    this.#host.store.databases[database]!.hash(key, 0, key.length);

  restore(states: readonly WaiterState[]): void {
    this.waiters.restore(states, this.#hashOf);
  }
}

function waiterOf(owner: Owner, database: number, wish: Wish): WaiterState {
  const { args, first, last, type, evenWithoutKey = false } = wish;
  const keys: Buffer[] = [];
  for (let i = first; i < last; i++) keys.push(args.copy(i));
  const command = wish.command === undefined ? encodeArguments(args) : Buffer.from(wish.command);
  return { owner, database, keys, type, evenWithoutKey, command };
}
