// The table of watched keys: who watches which keys since when, and whether one was touched. Part of the replicated
// state: every replica makes the same changes to it in the same order. It sees keys as bytes and never looks at a store.

import { assert } from "../base/assert.ts";
import {
  WATCHED_BYTES_MAX,
  WATCHED_BYTES_PER_CLIENT_MAX,
  WATCHED_KEYS_PER_CLIENT_MAX,
  WATCHED_OVERHEAD_BYTES,
} from "../base/limits.ts";
import type { Owner, WatchState } from "../wire/session-state.ts";
import { type HeldKey, KeyTable } from "./key-table.ts";

/** One client's WATCHes since its last EXEC, UNWATCH or DISCARD. */
interface Registration {
  readonly owner: Owner;
  /** WATCH commands so far. */
  commands: number;
  /** A key was touched, or a WATCH is missing: EXEC answers nil. Nothing is watched any more then. */
  isDirty: boolean;
  keys: WatchedKey[];
  /** What the keys count against the limits. */
  bytes: number;
}

export type WatchedKey = HeldKey<Registration>;

export class WatchTable {
  /** What all registrations count against WATCHED_BYTES_MAX. */
  bytes = 0;
  readonly #members = new Map<number, Map<number, Registration>>();
  readonly #keys = new KeyTable<Registration>();

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** Is anything watched? A dirty registration watches nothing. */
  get hasKeys(): boolean {
    return !this.#keys.isEmpty;
  }

  /**
   * The `ordinal`th WATCH (from 1 on) of the owner's serial, of keys of one database. A gap in the ordinals makes it dirty. False when a limit
   * is passed: nothing was added then, and it is dirty too.
   */
  watch(
    owner: Owner,
    ordinal: number,
    keys: readonly { readonly database: number; readonly hash: number; readonly key: Buffer }[],
  ): boolean {
    const registration = this.#registration(owner);
    if (registration === undefined) return true; // of a serial that is over
    if (ordinal !== registration.commands + 1) this.#soil(registration);
    registration.commands = ordinal;
    if (registration.isDirty) return true;
    const seen = new Set<string>();
    const added = keys.filter(({ database, hash, key }) => {
      const name = key.toString("latin1");
      if (seen.has(name)) return false;
      seen.add(name);
      return this.#keys.find(database, hash, key, 0, key.length)?.holders.has(registration) !== true;
    });
    const bytes = added.reduce((sum, { key }) => sum + key.length + WATCHED_OVERHEAD_BYTES, 0);
    if (
      registration.keys.length + added.length > WATCHED_KEYS_PER_CLIENT_MAX ||
      registration.bytes + bytes > WATCHED_BYTES_PER_CLIENT_MAX ||
      this.bytes + bytes > WATCHED_BYTES_MAX
    ) {
      this.#soil(registration);
      return false;
    }
    for (const { database, hash, key } of added) this.#add(registration, database, hash, key);
    return true;
  }

  #add(registration: Registration, database: number, hash: number, key: Buffer): void {
    const watched = this.#keys.add(database, hash, key, registration);
    registration.keys.push(watched);
    registration.bytes += key.length + WATCHED_OVERHEAD_BYTES;
    this.bytes += key.length + WATCHED_OVERHEAD_BYTES;
  }

  /** The owner's keys, to be looked at before isIntact(). */
  keysOf(owner: Owner): readonly WatchedKey[] {
    return this.#current(owner)?.keys ?? [];
  }

  /** Has the owner made exactly so many WATCHes in this serial, and was nothing touched since? */
  isIntact(owner: Owner, watches: number): boolean {
    const registration = this.#current(owner);
    return registration !== undefined && !registration.isDirty && registration.commands === watches;
  }

  /** For CLIENT LIST: was a key touched? */
  isDirty(owner: Owner): boolean {
    return this.#current(owner)?.isDirty === true;
  }

  /** The owner's serial, and earlier ones of the same session, are over. */
  forget(owner: Owner): void {
    const sessions = this.#members.get(owner.incarnation);
    const registration = sessions?.get(owner.session);
    if (sessions === undefined || registration === undefined || registration.owner.serial > owner.serial)
      return;
    this.#release(registration);
    this.bytes -= WATCHED_OVERHEAD_BYTES;
    sessions.delete(owner.session);
    if (sessions.size === 0) this.#members.delete(owner.incarnation);
  }

  /** Forgets the owners of all members but these. */
  keepMembers(incarnations: ReadonlySet<number>): void {
    for (const incarnation of [...this.#members.keys()])
      if (!incarnations.has(incarnation)) for (const owner of this.ownersOf(incarnation)) this.forget(owner);
  }

  ownersOf(incarnation: number): readonly Owner[] {
    return [...(this.#members.get(incarnation)?.values() ?? [])].map(({ owner }) => owner);
  }

  /** The key was made, changed or removed. */
  touched(database: number, hash: number, bytes: Buffer, start: number, end: number): void {
    const watched = this.#keys.find(database, hash, bytes, start, end);
    if (watched !== undefined) for (const registration of [...watched.holders]) this.#soil(registration);
  }

  /** All watched keys of the databases: a copy, so that what is done about one may change the table. */
  inDatabases(...databases: readonly number[]): WatchedKey[] {
    return this.#keys.inDatabases(...databases);
  }

  /** In an order of its own, so that equal tables give equal lists. */
  state(): WatchState[] {
    const all = [...this.#members.values()].flatMap((sessions) => [...sessions.values()]);
    return all
      .map(({ owner, commands, isDirty, keys }) => ({
        owner,
        commands,
        isDirty,
        keys: keys.map(({ database, key }) => ({ database, key })),
      }))
      .sort((a, b) => a.owner.incarnation - b.owner.incarnation || a.owner.session - b.owner.session);
  }

  /** Takes over the state of another replica. `hashOf` gives the key's hash in its database. */
  restore(states: readonly WatchState[], hashOf: (database: number, key: Buffer) => number): void {
    this.#members.clear();
    this.#keys.clear();
    this.bytes = 0;
    for (const { owner, commands, isDirty, keys } of states) {
      const registration = this.#registration(owner);
      assert(registration !== undefined, `session ${owner.session} of ${owner.incarnation} is there twice`);
      registration.commands = commands;
      registration.isDirty = isDirty;
      for (const { database, key } of keys) this.#add(registration, database, hashOf(database, key), key);
    }
  }

  #current(owner: Owner): Registration | undefined {
    const found = this.#members.get(owner.incarnation)?.get(owner.session);
    return found?.owner.serial === owner.serial ? found : undefined;
  }

  /** Made if there is none; undefined when the session is at a later serial already. */
  #registration(owner: Owner): Registration | undefined {
    const found = this.#members.get(owner.incarnation)?.get(owner.session);
    if (found !== undefined && found.owner.serial >= owner.serial)
      return found.owner.serial === owner.serial ? found : undefined;
    this.forget(owner);
    let sessions = this.#members.get(owner.incarnation);
    if (sessions === undefined) {
      sessions = new Map();
      this.#members.set(owner.incarnation, sessions);
    }
    const made: Registration = { owner, commands: 0, isDirty: false, keys: [], bytes: 0 };
    sessions.set(owner.session, made);
    this.bytes += WATCHED_OVERHEAD_BYTES;
    return made;
  }

  #soil(registration: Registration): void {
    registration.isDirty = true;
    this.#release(registration);
  }

  #release(registration: Registration): void {
    for (const watched of registration.keys) this.#keys.remove(watched, registration);
    this.bytes -= registration.bytes;
    registration.bytes = 0;
    registration.keys = [];
  }
}
