// What this node does not need any more goes back to the system, in small steps and seldom: memory kept for bursts, records in
// sparse pages, and at last what only a collection of garbage frees. Looks at figures of the store; nothing that replicas
// agree on depends on it.

import type { Store } from "../store/store.ts";
import type { EntryMemory } from "./entry-memory.ts";
import type { Ports } from "./ports.ts";

const INTERVAL_MS = 100;
/** Half a ms to one of them. */
const RECORDS_PER_TICK = 1000;
const TRIM_INTERVAL_MS = 1000;
/** What is dropped stays with the process until garbage is collected: worth it from so much on, and from this part. */
const DROPPED_BYTES_LEAST = 8 << 20;
const DROPPED_PART = 1 / 8;
/** Collections take this part of the time at most. */
const COLLECTING_PART = 1 / 10;
const COLLECTING_MS_LEAST = 1000;

/** The parts of the ports that a return of memory needs. */
export interface MemoryPorts {
  readonly buffers: Pick<Ports["buffers"], "trim">;
  readonly clock: Pick<Ports["clock"], "monotonicMs">;
  readonly host: Pick<Ports["host"], "collectGarbage">;
}

/** The parts of a replica that hold memory. */
export interface MemoryHolder {
  readonly machine: { readonly store: Pick<Store, "reservedBytes" | "logicalBytes" | "tidy"> };
  readonly entryMemory: Pick<EntryMemory, "trim">;
  /** The log. */
  readonly storage: { readonly bytes: number } | undefined;
}

export class MemoryReturn {
  readonly #ports: MemoryPorts;
  readonly #replica: MemoryHolder;
  readonly #forgetInput: () => void;
  #isTidying = false;
  #nextMs = 0;
  #nextTrimMs = 0;
  #nextCollectionMs = 0;
  /** The most that was held since the last collection, with what was trimmed or released since. */
  #mostBytes = 0;
  #releasedBytes = 0;
  /** Collections since the start. */
  collections = 0;

  /** @param forgetInput called before a collection: nothing refers any more to bytes that have been read and run */
  constructor(ports: MemoryPorts, replica: MemoryHolder, forgetInput: () => void = () => {}) {
    this.#ports = ports;
    this.#replica = replica;
    this.#forgetInput = forgetInput;
  }

  /** Records are being moved: the node must not rest meanwhile. */
  get isTidying(): boolean {
    return this.#isTidying;
  }

  /** So many bytes that a client had sent, or had to get, went with it. */
  released(bytes: number): void {
    this.#releasedBytes += bytes;
  }

  /** Once a tick. */
  tick(nowMs: number): void {
    if (nowMs >= this.#nextMs) this.#look(nowMs);
    this.#tidy();
  }

  #look(nowMs: number): void {
    this.#nextMs = nowMs + INTERVAL_MS;
    if (nowMs >= this.#nextTrimMs) {
      this.#nextTrimMs = nowMs + TRIM_INTERVAL_MS;
      this.#releasedBytes += this.#replica.entryMemory.trim() + this.#ports.buffers.trim();
    }
    const { reservedBytes, logicalBytes } = this.#replica.machine.store;
    // Sparse, as it seems: the store knows.
    this.#isTidying ||= reservedBytes - logicalBytes > Math.max(DROPPED_BYTES_LEAST, reservedBytes / 4);
    const bytes = this.#heldBytes();
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    const dropped = this.#mostBytes - bytes + this.#releasedBytes;
    if (dropped < Math.max(DROPPED_BYTES_LEAST, DROPPED_PART * this.#mostBytes)) return;
    if (nowMs < this.#nextCollectionMs) return;
    this.#forgetInput();
    this.#collect(nowMs);
  }

  #tidy(): void {
    if (this.#isTidying) this.#isTidying = this.#replica.machine.store.tidy(RECORDS_PER_TICK);
  }

  /** MEMORY PURGE: garbage at once, sparse pages in steps from now on. */
  purge(): void {
    this.#isTidying = true;
    this.#replica.entryMemory.trim();
    this.#ports.buffers.trim();
    this.#collect(this.#ports.clock.monotonicMs());
    // The command that asks for it is still being run: what it refers to goes with the next collection.
    this.#releasedBytes = Number.POSITIVE_INFINITY;
  }

  /** Records with their pages; what large values hold beside them is counted in logical bytes. */
  #heldBytes(): number {
    const { machine, storage } = this.#replica;
    const { reservedBytes, logicalBytes } = machine.store;
    return Math.max(reservedBytes, logicalBytes) + (storage?.bytes ?? 0);
  }

  #collect(nowMs: number): void {
    const { clock, host } = this.#ports;
    const startMs = clock.monotonicMs();
    host.collectGarbage();
    const tookMs = clock.monotonicMs() - startMs;
    this.collections++;
    this.#nextCollectionMs = nowMs + Math.max(COLLECTING_MS_LEAST, tookMs / COLLECTING_PART);
    this.#mostBytes = this.#heldBytes();
    this.#releasedBytes = 0;
  }
}
