// When keys go whose time is over. The leader's entries remove them, unless DEBUG SET-ACTIVE-EXPIRE 0 is in force: then they
// go when commands meet them, reads included. While the leader's clients are paused (CLIENT PAUSE) none goes at all. In:
// both switches, and reads before they run. Out: flags of entries, and orders to remove keys in front of a read.

import { Args } from "../base/args.ts";
import { rows } from "../command/lookup.ts";
import { ReplyWriter } from "../resp/reply-writer.ts";
import { FLAG_KEEP_DUE, FLAG_REMOVE_MET } from "../wire/entry-codec.ts";
import type { SeshatNode } from "./node.ts";
import { ownSession } from "./own-session.ts";
import { rowIds } from "./row-facts.ts";
import type { Session } from "./session.ts";
import { EXPIRY_SESSION_ID } from "./session-numbers.ts";

/** These remove nothing in Redis either. */
const ONLOOKERS: ReadonlySet<string> = new Set(["keys", "memory|usage", "debug|object"]);
/** Keys that one read removes at most; a SCAN may meet many. */
const KEYS_MAX = 1024;

export class Expiry {
  readonly #settings: () => { readonly activeExpire: boolean };
  readonly #pause: { isPaused(): boolean };

  constructor(settings: () => { readonly activeExpire: boolean }, pause: { isPaused(): boolean }) {
    this.#settings = settings;
    this.#pause = pause;
  }

  /** DEBUG SET-ACTIVE-EXPIRE, which is the cluster's. */
  get isActive(): boolean {
    return this.#settings().activeExpire;
  }

  get isPaused(): boolean {
    return this.#pause.isPaused();
  }

  /** May entries be made for nothing but keys that are due? */
  get removesDue(): boolean {
    return this.isActive && !this.isPaused;
  }

  get entryFlags(): number {
    if (this.isPaused) return FLAG_KEEP_DUE;
    return this.isActive ? 0 : FLAG_KEEP_DUE | FLAG_REMOVE_MET;
  }
}

/** Dead keys that reads meet on the leader, while nothing else removes them. */
export class MetKeys {
  readonly #node: SeshatNode;
  readonly #session: Session;
  readonly #nowhere = new ReplyWriter();

  constructor(node: SeshatNode) {
    this.#node = node;
    this.#session = ownSession(node, EXPIRY_SESSION_ID, () => {});
    this.#nowhere.muted = true;
  }

  /** Has the log remove what the read is going to find dead. True: the read must come behind that. */
  removeFor(session: Session, id: number, args: Args): boolean {
    const { replica } = this.#node;
    const { expiry, proposals } = replica;
    if (expiry.isActive || expiry.isPaused) return false;
    const found = this.#deadFor(session, id, args);
    if (found.length === 0) return false;
    this.#session.database = session.database;
    const form = Args.of(rows[rowIds.expire]!.name, ...found);
    proposals.open.addInlineWrite(this.#session, rowIds.expire, form);
    return true;
  }

  /** Runs the read for nobody, and notes the keys. */
  #deadFor(session: Session, id: number, args: Args): readonly Buffer[] {
    const { machine, readContext: context } = this.#node.replica;
    const row = rows[id]!;
    const found: Buffer[] = [];
    if (row.route !== "read" || ONLOOKERS.has(row.name)) return found;
    const { store } = machine;
    const { finds, hits } = store;
    store.setTime(machine.timeMs, this.#node.replica.runningMs());
    store.noTouch = true;
    store.onDead = (bytes, start, end) => {
      if (found.length < KEYS_MAX) found.push(Buffer.from(bytes.subarray(start, end)));
    };
    context.database = session.database;
    context.keys = store.databases[session.database]!;
    row.run(context, args, this.#nowhere);
    store.onDead = undefined;
    store.noTouch = false;
    store.metDying = false;
    store.finds = finds;
    store.hits = hits;
    return found;
  }
}
