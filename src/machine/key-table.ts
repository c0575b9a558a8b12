// Keys that somebody holds on to, and who: watched ones, and those that blocked clients wait for. It sees keys as bytes,
// never looks at a store, and forgets a key with its last holder.

import { databaseHash } from "../store/hash.ts";

export interface HeldKey<Holder> {
  readonly database: number;
  readonly hash: number;
  readonly key: Buffer;
  /** In the order in which they came. */
  readonly holders: Set<Holder>;
}

export class KeyTable<Holder> {
  /** By database and hash; a list, because hashes collide. */
  readonly #keys = new Map<number, HeldKey<Holder>[]>();

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  find(
    database: number,
    hash: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): HeldKey<Holder> | undefined {
    const there = this.#keys.get(databaseHash(database, hash));
    if (there === undefined) return undefined;
    for (const held of there) {
      const { key } = held;
      if (held.database === database && key.compare(bytes, start, end, 0, key.length) === 0) return held;
    }
    return undefined;
  }

  /** The bytes are copied. */
  add(database: number, hash: number, key: Buffer, holder: Holder): HeldKey<Holder> {
    let held = this.find(database, hash, key, 0, key.length);
    if (held === undefined) {
      held = { database, hash: hash | 0, key: Buffer.from(key), holders: new Set() };
      const place = databaseHash(database, hash);
      const there = this.#keys.get(place);
      if (there === undefined) this.#keys.set(place, [held]);
      else there.push(held);
    }
    held.holders.add(holder);
    return held;
  }

  remove(held: HeldKey<Holder>, holder: Holder): void {
    held.holders.delete(holder);
    if (held.holders.size > 0) return;
    const place = databaseHash(held.database, held.hash);
    const rest = (this.#keys.get(place) ?? []).filter((other) => other !== held);
    if (rest.length === 0) this.#keys.delete(place);
    else this.#keys.set(place, rest);
  }

  /** All of these databases, in no order that means anything: a copy, so that the table may be changed meanwhile. */
  inDatabases(...databases: readonly number[]): HeldKey<Holder>[] {
    return [...this.#keys.values()].flat().filter(({ database }) => databases.includes(database));
  }

  clear(): void {
    this.#keys.clear();
  }
}
