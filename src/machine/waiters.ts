// The table of blocked clients: who waits for which keys, in the order in which they came, and which of the keys have changed
// since they were last looked at. Part of the replicated state. It sees keys and commands as bytes, and runs nothing.

import { BLOCKED_BYTES_MAX, BLOCKED_BYTES_PER_CLIENT_MAX, BLOCKED_OVERHEAD_BYTES } from "../base/limits.ts";
import { blockingError } from "../command/blocking.ts";
import type { Owner, WaiterState } from "../wire/session-state.ts";
import { type HeldKey, KeyTable } from "./key-table.ts";

export interface Waiter {
  readonly owner: Owner;
  readonly database: number;
  /** The type of value it waits for, in Redis's numbers. */
  readonly type: number;
  readonly evenWithoutKey: boolean;
  /** What is tried again, as RESP. */
  readonly command: Buffer;
  readonly keys: readonly WaitedKey[];
  /** What it counts against the limits. */
  readonly bytes: number;
}

export type WaitedKey = HeldKey<Waiter>;

export interface BlockingKeyCounts {
  readonly keys: number;
  readonly evenWithoutKey: number;
}

export class WaiterTable {
  /** What all waiters count against BLOCKED_BYTES_MAX. */
  bytes = 0;
  /** Waiters that a key which goes concerns. */
  withoutKeyCount = 0;
  /** Keys that have changed, in the order in which they did. Whoever looks at them takes them out. */
  readonly changed = new Set<WaitedKey>();
  /** In the order in which they came. */
  readonly #all = new Set<Waiter>();
  /** By incarnation and session. */
  readonly #members = new Map<number, Map<number, Waiter>>();
  readonly #keys = new KeyTable<Waiter>();

  get count(): number {
    return this.#all.size;
  }

  /** An error when a limit is passed: nothing was added then. What the session waited for before is forgotten. */
  add(state: WaiterState, hashOf: (database: number, key: Buffer) => number): string | undefined {
    const { owner, database, type, evenWithoutKey } = state;
    this.remove(owner);
    const bytes = state.keys.reduce(
      (sum, key) => sum + key.length + BLOCKED_OVERHEAD_BYTES,
      BLOCKED_OVERHEAD_BYTES + state.command.length,
    );
    if (bytes > BLOCKED_BYTES_PER_CLIENT_MAX) return blockingError.tooLong;
    if (this.bytes + bytes > BLOCKED_BYTES_MAX) return blockingError.tooMany;
    const command = Buffer.from(state.command);
    const keys: WaitedKey[] = [];
    const waiter: Waiter = { owner, database, type, evenWithoutKey, command, keys, bytes };
    for (const key of state.keys) keys.push(this.#keys.add(database, hashOf(database, key), key, waiter));
    this.#all.add(waiter);
    if (evenWithoutKey) this.withoutKeyCount++;
    const sessions = this.#members.get(owner.incarnation) ?? new Map<number, Waiter>();
    sessions.set(owner.session, waiter);
    this.#members.set(owner.incarnation, sessions);
    this.bytes += bytes;
    return undefined;
  }

  /** The owner, or the same session with an earlier serial, does not wait any more. False if it did not. */
  remove(owner: Owner): boolean {
    const sessions = this.#members.get(owner.incarnation);
    const waiter = sessions?.get(owner.session);
    if (sessions === undefined || waiter === undefined || waiter.owner.serial > owner.serial) return false;
    sessions.delete(owner.session);
    if (sessions.size === 0) this.#members.delete(owner.incarnation);
    this.#all.delete(waiter);
    if (waiter.evenWithoutKey) this.withoutKeyCount--;
    for (const key of waiter.keys) this.#keys.remove(key, waiter);
    this.bytes -= waiter.bytes;
    return true;
  }

  /** Does the owner wait, with exactly this serial? */
  has(owner: Owner): boolean {
    return this.#members.get(owner.incarnation)?.get(owner.session)?.owner.serial === owner.serial;
  }

  /** The owners of one member, in the order in which they came. */
  ownersOf(incarnation: number): Owner[] {
    return [...this.#all].map(({ owner }) => owner).filter((owner) => owner.incarnation === incarnation);
  }

  /**
   * Keys that clients of one member wait for, each once: all of them, and those of which clients hear when the key
   * has gone. For INFO.
   */
  keyCountsOf(incarnation: number): BlockingKeyCounts {
    const keys = new Set<WaitedKey>();
    const evenWithoutKey = new Set<WaitedKey>();
    for (const waiter of this.#members.get(incarnation)?.values() ?? []) {
      for (const key of waiter.keys) {
        keys.add(key);
        if (waiter.evenWithoutKey) evenWithoutKey.add(key);
      }
    }
    return { keys: keys.size, evenWithoutKey: evenWithoutKey.size };
  }

  /** Incarnations of the members that have any. */
  get members(): Iterable<number> {
    return this.#members.keys();
  }

  /** The key was made, changed or removed. */
  touched(database: number, hash: number, bytes: Buffer, start: number, end: number): void {
    const key = this.#keys.find(database, hash, bytes, start, end);
    if (key !== undefined) this.changed.add(key);
  }

  /** Everything in these databases has changed. */
  touchedAll(...databases: readonly number[]): void {
    // Not in the order of the table of keys, which a restored replica would not share.
    for (const { database, keys } of this.#all)
      if (databases.includes(database)) for (const key of keys) this.changed.add(key);
  }

  state(): WaiterState[] {
    return [...this.#all].map((waiter) => ({ ...waiter, keys: waiter.keys.map(({ key }) => key) }));
  }

  /** Takes over the state of another replica, as it is between two entries. */
  restore(states: readonly WaiterState[], hashOf: (database: number, key: Buffer) => number): void {
    this.bytes = 0;
    this.withoutKeyCount = 0;
    this.changed.clear();
    this.#all.clear();
    this.#members.clear();
    this.#keys.clear();
    for (const state of states) this.add(state, hashOf);
  }
}
