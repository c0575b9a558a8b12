// maxmemory at the leader: which keys the next entry names for eviction, and which commands must wait or are refused. What
// is applied is exact; what is on its way is counted with the most it can add. Followers do what entries say.
//
//   applied ──entry in flight──> at most ... ──entry in flight──> at most w ──the batch──> at most w + growth
//              + growth, then evicts down to maxmemory                         what is above maxmemory is named

import type { Args } from "../base/args.ts";
import type { Prng } from "../base/prng.ts";
import type { Settings } from "../config/table.ts";
import { emptyCandidate } from "../store/candidates.ts";
import type { Store } from "../store/store.ts";
import { evictableCount, VictimPicker } from "../store/victims.ts";
import { EvictionWriter } from "../wire/eviction-codec.ts";
import type { BatchesInFlight } from "./batches-in-flight.ts";
import { growthBytesOf, type TurnBatch } from "./turn-batch.ts";

/** Keys that one entry names for what is above the limit already: a slice of half a ms. */
const VICTIMS_PER_ENTRY = 128;
/** And at most in all, for the room that its own commands need: one huge value may have to wait for what follows. */
const VICTIMS_PER_ENTRY_MAX = 8192;
/** Entries that only evict on their way at once: what a client sends comes behind them. */
const ENTRIES_IN_FLIGHT_MAX = 2;
/** This part of maxmemory may be on its way at once, so that a small limit does not have to be emptied for a burst. */
const IN_FLIGHT_PART = 1 / 8;
/** No key with a deadline that can be evicted holds less. */
const VOLATILE_KEY_BYTES_LEAST = 48;
/** And, where others must go for it, so much as so many average keys hold: no turn has to name very many. */
const IN_FLIGHT_KEYS = 2048;

export class MemoryLimit {
  /** Is there a limit at all? Hot code asks nothing else without one. */
  isLimited = false;
  /** Commands that need memory get -OOM: too much is in use, and nothing can go. As of the last update(). */
  isRefusing = false;
  /** What the next entry says about evictions; filled by name(). */
  readonly section = new EvictionWriter();
  readonly #settings: Settings;
  readonly #picker: VictimPicker;
  readonly #victim = emptyCandidate();
  readonly #inFlight: BatchesInFlight;
  /** How much may be on its way. */
  #room = Number.POSITIVE_INFINITY;
  /** Above the limit, and not known whether what can go is enough: something waits for that, and with it all that writes. */
  #isAwaited = false;
  #isUnsure = false;
  /** The last search found too little. */
  #isDry = false;
  #isSuspended = false;

  constructor(settings: Settings, random: Prng, inFlight: BatchesInFlight) {
    this.#settings = settings;
    this.#inFlight = inFlight;
    this.#picker = new VictimPicker(random);
    this.follow();
  }

  /** CLIENT PAUSE on the leader: as long as it lasts nothing is evicted, and nothing refused for want of memory. */
  suspend(isSuspended: boolean): void {
    if (this.#isSuspended === isSuspended) return;
    this.#isSuspended = isSuspended;
    this.follow();
  }

  /** maxmemory or its policy has changed. */
  follow(): void {
    this.isLimited = this.#settings.maxmemoryBytes > 0 && !this.#isSuspended;
    this.isRefusing = false;
    this.#isDry = false;
    this.#isUnsure = false;
    this.#isAwaited = false;
    this.#room = Number.POSITIVE_INFINITY;
  }

  /** Looks at what is in use now, for the questions that follow. */
  update(store: Store): void {
    if (!this.isLimited) return;
    const { maxmemoryBytes, maxmemoryPolicy } = this.#settings;
    const usedBytes = store.logicalBytes;
    const evictable = evictableCount(store, maxmemoryPolicy);
    const canEvict = evictable > 0;
    this.isRefusing = !canEvict && usedBytes > maxmemoryBytes;
    const freeBytes = Math.max(0, maxmemoryBytes - usedBytes);
    // Where nothing can go, commands are let in one after the other towards the end, so that, as in Redis, it
    // is one command and not a whole turn of them that steps over the limit.
    if (!canEvict || this.#isDry) this.#room = freeBytes;
    else {
      const replacedBytes = (IN_FLIGHT_KEYS * usedBytes) / evictableCount(store, "allkeys-random");
      this.#room = Math.min(maxmemoryBytes * IN_FLIGHT_PART, Math.max(freeBytes, replacedBytes));
    }
    // Only some keys can go, and perhaps all of them are not enough: then -OOM is due, and nothing may be let in for a key that
    // goes unless that key makes room for it.
    this.#isUnsure = usedBytes > maxmemoryBytes && canEvict && maxmemoryPolicy.startsWith("volatile");
    if (this.#isUnsure) this.#room = Math.min(this.#room, evictable * VOLATILE_KEY_BYTES_LEAST);
    else this.#isAwaited = false;
  }

  /** Must this command, which needs memory, wait for what is on its way, or for what is to be evicted first? */
  isTight(open: TurnBatch, args: Args): boolean {
    const growthBytes = this.#inFlight.growthBytes + open.growthBytesMax;
    if (!this.#isUnsure) return growthBytes > this.#room;
    const isTight =
      growthBytes + growthBytesOf(args.end(args.count - 1) - args.start(0), args.count) > this.#room;
    this.#isAwaited ||= isTight;
    return isTight;
  }

  /** The same of the next batch, when the open one has been proposed. */
  get isPressing(): boolean {
    return this.isLimited && (this.#isAwaited || this.#inFlight.growthBytes > this.#room);
  }

  /** More is in use than may be, and an entry on its own should do something about it. */
  wantsEntry(store: Store): boolean {
    if (!this.isLimited || this.#inFlight.count >= ENTRIES_IN_FLIGHT_MAX) return false;
    const { maxmemoryBytes, maxmemoryPolicy } = this.#settings;
    if (store.logicalBytes <= maxmemoryBytes || this.#bytesAtMost(store) <= maxmemoryBytes) return false;
    return evictableCount(store, maxmemoryPolicy) > 0;
  }

  /** wantsEntry, and there is hope that the next search finds what the last one did not. */
  isOver(store: Store): boolean {
    return !this.#isDry && this.wantsEntry(store);
  }

  /** Fills `section` for the batch that is about to be proposed: enough that it cannot end above the limit. */
  name(store: Store, batch: TurnBatch): void {
    const { section } = this;
    section.clear();
    batch.growthBytes = batch.growthBytesMax;
    if (!this.isLimited) return;
    const { maxmemoryBytes, maxmemoryPolicy, maxmemorySamples } = this.#settings;
    const wanted = this.#bytesAtMost(store) + batch.growthBytes - maxmemoryBytes;
    this.#isDry = false;
    if (wanted <= 0 || maxmemoryPolicy === "noeviction") return;
    const victim = this.#victim;
    this.#picker.begin(store, maxmemoryPolicy, maxmemorySamples);
    while (batch.victimBytes < wanted && section.count < VICTIMS_PER_ENTRY_MAX) {
      // What is above the limit already goes in slices; what this entry itself brings has its room at once.
      if (section.count >= VICTIMS_PER_ENTRY && batch.victimBytes >= batch.growthBytes) break;
      if (!this.#picker.pick(victim)) {
        this.#isDry = true;
        break;
      }
      const keys = store.databases[victim.database]!;
      keys.keyRange(victim.handle);
      section.add(maxmemoryBytes, victim.database, keys.keyBytes, keys.keyStart, keys.keyEnd);
      batch.victimBytes += victim.bytes;
      batch.victimCount++;
    }
  }

  /** The core refused it. */
  refused(batch: TurnBatch): void {
    this.#picker.takeBack(batch.victimCount);
  }

  /** It is in flight no more: it was applied, which took so many of its victims, or it never will be. */
  settled(batch: TurnBatch, victimsTaken: number): void {
    this.#picker.settle(batch.victimCount, victimsTaken);
  }

  /** Logical bytes when all that is in flight has been applied. An entry evicts only what is above the limit then. */
  #bytesAtMost(store: Store): number {
    const { maxmemoryBytes } = this.#settings;
    let bytes = store.logicalBytes;
    for (let i = 0; i < this.#inFlight.count; i++) {
      const { growthBytes, victimBytes } = this.#inFlight.at(i);
      bytes += growthBytes;
      if (bytes > maxmemoryBytes) bytes = Math.max(maxmemoryBytes, bytes - victimBytes);
    }
    return bytes;
  }
}
