// All databases of one replica. Pure: time, randomness and every decision come in. Equal content gives equal digests,
// equal scan order and equal logical bytes, whatever the history.

import { assert, fail } from "../base/assert.ts";
import { ContentDigest } from "./digest.ts";
import { Keyspace } from "./keyspace.ts";
import { SNAPSHOT_DATABASES_MAX } from "./snapshot-format.ts";
import { SnapshotReader } from "./snapshot-reader.ts";
import { StoreState } from "./state.ts";
import { DATABASE_LOGICAL_BYTES } from "./types.ts";

export interface StoreOptions {
  readonly databases: number;
  /** Two u32, the key of the key hash. Secret from clients; part of every snapshot. */
  readonly hashSeed: readonly [number, number];
}

export class Store extends StoreState {
  readonly #databases: Keyspace[] = [];
  #snapshot: SnapshotReader | undefined = undefined;

  constructor(options: StoreOptions) {
    super(options.hashSeed);
    const count = options.databases;
    assert(count >= 1 && count <= SNAPSHOT_DATABASES_MAX, `a store of ${count} databases`);
    for (let i = 0; i < count; i++) this.#databases.push(new Keyspace(this, i));
  }

  /** Another seed, while there are no keys: replicas that scan in different orders have different cursors. */
  reseed(hashSeed: readonly [number, number]): void {
    for (const { size } of this.#databases) assert(size === 0, `another hash seed for ${size} keys`);
    this.hashSeed0 = hashSeed[0] | 0;
    this.hashSeed1 = hashSeed[1] | 0;
    this.hashSeed = [this.hashSeed0, this.hashSeed1];
  }

  /** By database index. Do not keep a Keyspace across SWAPDB: ask again. */
  get databases(): readonly Keyspace[] {
    return this.#databases;
  }

  /** Sets cluster time: of the log, and of the leader's running clock (equal when applying entries). */
  setTime(logMs: number, runningMs: number): void {
    if (runningMs < logMs) fail(`running time ${runningMs} is before the log's ${logMs}`);
    this.logMs = logMs;
    this.runningMs = runningMs;
  }

  /** SWAPDB. */
  swap(a: number, b: number): void {
    const first = this.#databases[a];
    const second = this.#databases[b];
    assert(first !== undefined && second !== undefined, `swap of databases ${a} and ${b}`);
    this.watcher?.swapping(a, b);
    this.#databases[a] = second;
    this.#databases[b] = first;
    second.database = a;
    first.database = b;
  }

  /** FLUSHALL, in constant time. */
  clear(): void {
    for (const keys of this.#databases) keys.clear();
  }

  /** Moves some records out of sparse memory: nothing that anybody sees changes. False: nothing to do. */
  tidy(records: number): boolean {
    let hasMore = false;
    for (const keys of this.#databases) if (!hasMore) hasMore = keys.tidy(records);
    return hasMore;
  }

  /** The part of logicalBytes that is there without any key. */
  get startupBytes(): number {
    return this.#databases.length * DATABASE_LOGICAL_BYTES;
  }

  /** Memory that all replicas agree on: a function of the content and of the number of databases. */
  get logicalBytes(): number {
    let sum = this.startupBytes;
    for (const keys of this.#databases) sum += keys.logicalBytes;
    return sum;
  }

  /** Bytes really held, in use or not: local metadata, for INFO. */
  get reservedBytes(): number {
    let sum = 0;
    for (const keys of this.#databases) sum += keys.reservedBytes;
    return sum;
  }

  /** The least deadline of all, in ms; Infinity if there is none. */
  nextDeadlineMs(): number {
    const first = this.#firstDue();
    return first === undefined ? Infinity : first.deadlines.deadlineAt(0);
  }

  /** Removes up to `limit` dead keys in the order (deadline, database, hash, key). Returns how many. */
  reclaimDue(limit: number): number {
    for (let reclaimed = 0; reclaimed < limit; reclaimed++) {
      const first = this.#firstDue();
      if (first === undefined || first.deadlines.deadlineAt(0) > this.logMs) return reclaimed;
      first.reclaimFirst();
    }
    return limit;
  }

  #firstDue(): Keyspace | undefined {
    let first: Keyspace | undefined;
    let leastMs = Infinity;
    const databases = this.#databases;
    for (let i = 0; i < databases.length; i++) {
      const keys = databases[i]!;
      if (keys.deadlines.size === 0) continue;
      const deadlineMs = keys.deadlines.deadlineAt(0);
      if (deadlineMs < leastMs) {
        leastMs = deadlineMs;
        first = keys;
      }
    }
    return first;
  }

  /** A digest of all content, 16 hex digits. Reads everything at once: see digestStep for a bounded one. */
  digest(): string {
    const digest = new ContentDigest();
    for (const keys of this.#databases) {
      const { index } = keys;
      for (index.walkFrom(0); index.walkHash !== 0; index.walkNext()) digest.add(keys, index.walkRef);
    }
    return digest.text();
  }

  /** Starts reading the state as it is now; one reader at a time. `metadata` travels in the first chunk. */
  beginSnapshot(metadata: Uint8Array = new Uint8Array(0)): SnapshotReader {
    assert(this.#snapshot === undefined || this.#snapshot.done, "a snapshot is being read already");
    this.#snapshot = new SnapshotReader(this, metadata);
    return this.#snapshot;
  }
}
