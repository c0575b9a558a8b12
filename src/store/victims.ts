// Chooses the keys that go when memory is short, by the eight policies of Redis and by its approximation of them
// (redis.io, "Key eviction"): a few keys are looked at, and the best ones seen so far are kept in a small pool. A store and a
// policy in, keys out, one at a time. It removes nothing: what it names goes when the log says so, which may be never.
//
//   sample ──> pool of the best ──> named (in flight) ──evicted──> gone
//                                       │  not needed after all
//                                       └──────> spare ──still as old as it was──> named again

import type { Prng } from "../base/prng.ts";
import { type Candidate, CandidateQueue, emptyCandidate } from "./candidates.ts";
import { databaseHash } from "./hash.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Store } from "./store.ts";

export type EvictionPolicy =
  | "noeviction"
  | "allkeys-lru"
  | "allkeys-lfu"
  | "allkeys-random"
  | "volatile-lru"
  | "volatile-lfu"
  | "volatile-random"
  | "volatile-ttl";

const BY_CHANCE = 0;
const BY_IDLE_TIME = 1;
const BY_FREQUENCY = 2;
const BY_DEADLINE = 3;

/** `maxmemory-samples` above this are no better: with 10 it is hardly to be told from true LRU. */
export const SAMPLES_MAX = 64;
const POOL_KEYS = 16;
/** Samples in a row that bring nothing new before it is said that there is nothing. */
const FRUITLESS_TRIES_MAX = 32;
const FILLING_TRIES_MAX = 4;
const SPARE_KEYS_MAX = 1 << 16;
const FREQUENCY_MAX = 255;

/** Keys that a policy may take. */
export function evictableCount(store: Store, policy: EvictionPolicy): number {
  if (policy === "noeviction") return 0;
  const onlyWithDeadline = policy.startsWith("volatile");
  let sum = 0;
  for (const keys of store.databases) sum += onlyWithDeadline ? keys.expiringCount : keys.size;
  return sum;
}

export class VictimPicker {
  readonly #random: Prng;
  #store: Store | undefined;
  #policy: EvictionPolicy = "noeviction";
  #measure = BY_CHANCE;
  #onlyWithDeadline = false;
  #samples = 5;
  #evictable = 0;
  /** Ascending by score, and never twice the same key: the first #pooled are in use. */
  readonly #pool: Candidate[] = Array.from({ length: POOL_KEYS }, emptyCandidate);
  #pooled = 0;
  readonly #named = new CandidateQueue();
  /** By databaseHash: of two keys with the same one, the second is not named while the first is. */
  readonly #namedMarks = new Set<number>();
  readonly #spare = new CandidateQueue();
  readonly #looked = emptyCandidate();
  readonly #hashes = new Uint32Array(SAMPLES_MAX);
  readonly #handles = new Uint32Array(SAMPLES_MAX);
  readonly #scores = new Float64Array(SAMPLES_MAX);

  /** `random` is local: replicas need not agree. */
  constructor(random: Prng) {
    this.#random = random;
  }

  /** To be called before picks, after any change of the store: what is known is looked at again. */
  begin(store: Store, policy: EvictionPolicy, samples: number): void {
    if (store !== this.#store || policy !== this.#policy) {
      this.#store = store;
      this.#policy = policy;
      this.#onlyWithDeadline = policy.startsWith("volatile");
      this.#measure = measureOf(policy);
      this.#pooled = 0;
      this.#spare.clear();
    }
    this.#samples = Math.min(samples, SAMPLES_MAX);
    this.#evictable = evictableCount(store, policy);
    this.#refreshPool(store);
  }

  /** Names one more key, the best to be found. False if there is none that is not named already. */
  pick(into: Candidate): boolean {
    const store = this.#store;
    if (store === undefined || this.#evictable === 0) return false;
    if (!this.#pickSpare(store, into) && !this.#pickSampled(store, into)) return false;
    into.bytes = store.databases[into.database]!.memoryOf(into.handle);
    this.#named.push(into);
    this.#namedMarks.add(databaseHash(into.database, into.hash));
    return true;
  }

  /** The `count` keys that were named first are settled: `taken` of them went, or were gone; the others may be named again. */
  settle(count: number, taken: number): void {
    const settled = this.#looked;
    for (let i = 0; i < count && this.#named.shift(settled); i++) {
      this.#namedMarks.delete(databaseHash(settled.database, settled.hash));
      if (i >= taken && this.#spare.count < SPARE_KEYS_MAX) this.#spare.push(settled);
    }
  }

  /** The `count` keys that were named last were not proposed. */
  takeBack(count: number): void {
    const settled = this.#looked;
    for (let i = 0; i < count && this.#named.pop(settled); i++) {
      this.#namedMarks.delete(databaseHash(settled.database, settled.hash));
    }
  }

  /** A key that was named before and not needed, if it is still there and nobody has used it since. */
  #pickSpare(store: Store, into: Candidate): boolean {
    while (this.#spare.shift(into)) {
      if (this.#isGone(store, into) || this.#isNamed(into.database, into.hash)) continue;
      if (this.#scoreOf(store.databases[into.database]!, into.handle) >= into.score) return true;
    }
    return false;
  }

  #pickSampled(store: Store, into: Candidate): boolean {
    const enough = this.#measure === BY_CHANCE ? 1 : POOL_KEYS / 2;
    for (let tries = 0; tries < FRUITLESS_TRIES_MAX; tries++) {
      this.#sample(store);
      // A pool that has just been started knows too few keys to tell a good one.
      if (this.#pooled === 0 || (this.#pooled < enough && tries < FILLING_TRIES_MAX)) continue;
      const best = this.#pool[--this.#pooled]!;
      if (this.#isNamed(best.database, best.hash)) continue; // as a spare one, meanwhile
      into.database = best.database;
      into.hash = best.hash;
      into.handle = best.handle;
      into.score = best.score;
      return true;
    }
    return false;
  }

  #sample(store: Store): void {
    const database = this.#drawDatabase(store);
    const keys = store.databases[database]!;
    // Where chance decides, one is as good as the best of many, and nothing is to be remembered.
    const wanted = this.#measure === BY_CHANCE ? 1 : this.#samples;
    const count = keys.sample(wanted, this.#random, this.#onlyWithDeadline, this.#hashes, this.#handles);
    // All scores first: reading them is a cache miss each, and those of a plain loop overlap.
    for (let i = 0; i < count; i++) this.#scores[i] = this.#scoreOf(keys, this.#handles[i]!);
    for (let i = 0; i < count; i++) {
      const score = this.#scores[i]!;
      const isFull = this.#pooled === POOL_KEYS;
      if (isFull && score <= this.#pool[0]!.score) continue;
      const hash = this.#hashes[i]!;
      if (!this.#isNamed(database, hash)) this.#intoPool(database, hash, this.#handles[i]!, score);
    }
  }

  /** Each evictable key is as likely as any other, whatever its database. */
  #drawDatabase(store: Store): number {
    const { databases } = store;
    let left = this.#random.below(this.#evictable);
    for (let i = 0; i < databases.length; i++) {
      const keys = databases[i]!;
      left -= this.#onlyWithDeadline ? keys.expiringCount : keys.size;
      if (left < 0) return i;
    }
    return databases.length - 1;
  }

  /** Keeps it if it is better than the worst of a full pool, which then goes. */
  #intoPool(database: number, hash: number, handle: number, score: number): void {
    const pool = this.#pool;
    for (let i = 0; i < this.#pooled; i++) {
      if (pool[i]!.handle === handle && pool[i]!.database === database) return;
    }
    let place = this.#pooled;
    while (place > 0 && pool[place - 1]!.score >= score) place--;
    let entry: Candidate;
    if (this.#pooled < POOL_KEYS) {
      entry = pool[this.#pooled]!;
      for (let i = this.#pooled; i > place; i--) pool[i] = pool[i - 1]!;
      this.#pooled++;
    } else {
      if (place === 0) return;
      place--;
      entry = pool[0]!;
      for (let i = 0; i < place; i++) pool[i] = pool[i + 1]!;
    }
    pool[place] = entry;
    entry.database = database;
    entry.hash = hash;
    entry.handle = handle;
    entry.score = score;
  }

  /** What is in the pool has been used, changed or removed meanwhile: it is scored anew, or dropped. */
  #refreshPool(store: Store): void {
    const count = this.#pooled;
    this.#pooled = 0;
    for (let i = 0; i < count; i++) {
      // A place is overwritten by none but an earlier or the same one: the pool is filled from the front.
      const entry = this.#pool[i]!;
      const { database, hash, handle } = entry;
      if (this.#isGone(store, entry) || this.#isNamed(database, hash)) continue;
      this.#intoPool(database, hash, handle, this.#scoreOf(store.databases[database]!, handle));
    }
  }

  #isGone(store: Store, candidate: Candidate): boolean {
    const keys = store.databases[candidate.database]!;
    if (!keys.index.contains(candidate.hash, candidate.handle)) return true;
    return this.#onlyWithDeadline && keys.deadlineOf(candidate.handle) === 0;
  }

  #isNamed(database: number, hash: number): boolean {
    return this.#namedMarks.size > 0 && this.#namedMarks.has(databaseHash(database, hash));
  }

  #scoreOf(keys: Keyspace, handle: number): number {
    switch (this.#measure) {
      case BY_IDLE_TIME:
        return keys.idleOf(handle);
      case BY_FREQUENCY:
        return FREQUENCY_MAX - keys.frequencyOf(handle);
      case BY_DEADLINE:
        return -keys.deadlineOf(handle);
      default:
        return 0;
    }
  }
}

function measureOf(policy: EvictionPolicy): number {
  if (policy.endsWith("-lru")) return BY_IDLE_TIME;
  if (policy.endsWith("-lfu")) return BY_FREQUENCY;
  return policy.endsWith("-ttl") ? BY_DEADLINE : BY_CHANCE;
}
