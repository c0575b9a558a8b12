// What all databases of a store share: the time they live at, and how accesses are noted. The machine and the node
// set it; databases read it.

import { type Prng, Xoshiro } from "../base/prng.ts";
import type { EventHook } from "./events.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "./thresholds.ts";

/** Told of a dead key that is about to go: database index and key bytes[start, end), good during the call only. */
export type ExpiredHook = (database: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Told of what happens to keys while somebody waits for that (WATCH, blocked clients). It notes what it is told and
 * must not touch the store meanwhile.
 */
export interface KeyWatcher {
  /** The key bytes[start, end) was made, changed or removed; the range is good during the call only. */
  touched(database: number, hash: number, bytes: Buffer, start: number, end: number): void;
  /** Something in the key has gone that somebody may wait for; who watches it is not concerned. */
  reduced(database: number, hash: number, bytes: Buffer, start: number, end: number): void;
  /** Everything in the database is about to go. */
  clearing(database: number): void;
  /** The databases are about to change places. */
  swapping(a: number, b: number): void;
}

export class StoreState {
  /** The key of the hash of keys and of members, two int32; once as a pair. */
  hashSeed: readonly [number, number];
  hashSeed0: number;
  hashSeed1: number;

  /** Cluster time of the log, in ms: a key is dead iff its deadline is not after it. */
  logMs = 0;
  /** The leader's running cluster time, in ms, never less than logMs. */
  runningMs = 0;
  /** A find met a key that is alive by the log and dead by the running clock. The caller resets it. */
  metDying = false;

  /** Now, for access clocks: u24 seconds in LRU mode, u16 minutes in LFU mode. Local to the node. */
  accessClock = 0;
  /** Finds leave access clocks alone (CLIENT NO-TOUCH, OBJECT, TTL). */
  noTouch = false;
  /** Access clocks are LFU counters instead of LRU seconds. To be switched together with maxmemory-policy. */
  lfu = false;
  lfuLogFactor = 10;
  lfuDecayMinutes = 1;
  /** Up to where collections are compact. Set once, by whoever makes or loads the store; equal on all replicas. */
  thresholds: Thresholds = DEFAULT_THRESHOLDS;

  /** For LFU increments. Local: the node may put its own here. */
  accessRandom: Prng = new Xoshiro(1);

  /** Finds that met a live key since the start, and all of them. Local. */
  hits = 0;
  finds = 0;

  /** Keys made, changed or removed since the start, each time it happened. Local: for INFO. */
  changes = 0;
  /** Large values and whole databases that Redis would free in the background, in keys. Local: for INFO. */
  lazyFreedKeys = 0;

  /** What warm() read, folded: of no meaning, kept so that its loads are not optimized away. */
  warmed = 0;

  /** Called for each dead key that is reclaimed, by a write that meets it or by reclaimDue. */
  onExpired: ExpiredHook | undefined = undefined;
  /** Set for a moment: told of each dead key that a find, or a walk, meets. The range is good during the call only. */
  onDead: ((bytes: Buffer, start: number, end: number) => void) | undefined = undefined;
  /** Undefined while nobody waits: then it costs one comparison a change. */
  watcher: KeyWatcher | undefined = undefined;
  /** Dead keys reclaimed since the start. */
  expiredKeys = 0;

  /** Classes of events (events.ts) that somebody listens to on this node; 0 = none, and events cost nothing. */
  eventClasses = 0;
  onEvent: EventHook = () => {};

  constructor(hashSeed: readonly [number, number]) {
    this.hashSeed0 = hashSeed[0] | 0;
    this.hashSeed1 = hashSeed[1] | 0;
    this.hashSeed = [this.hashSeed0, this.hashSeed1];
  }
}
