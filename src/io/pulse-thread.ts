// The event loop's side of the thread that says "alive" while the loop is busy (docs/adr/0020). Links in, messages to the
// thread out; the thread starts with the first link, so a node alone has none.

import { Worker } from "node:worker_threads";
import type { PeerIdentity, PulseThread } from "../node/ports.ts";
import type { VersionRange } from "../wire/handshake.ts";
import { KEEPALIVE_MS, SILENT_BEATS_MAX } from "./peer-socket.ts";
import { PulseMemory } from "./pulse-memory.ts";
import type { PulseTarget } from "./pulse-sender.ts";

/** What the thread is told at its start, and never again. */
export interface PulseWorkerData {
  readonly shared: SharedArrayBuffer;
  readonly intervalMs: number;
  readonly silentBeatsMax: number;
}

/** What the handshake needs, as far as a thread can be told. */
export interface PulseTerms {
  readonly self: PeerIdentity;
  readonly versions: VersionRange;
  readonly key: Uint8Array | undefined;
  readonly sharedSettings: string;
}

/** Connections go with the links they belong to. */
export type PulseOrder =
  | { readonly kind: "open"; readonly id: number; readonly target: PulseTarget; readonly terms: PulseTerms }
  | { readonly kind: "close"; readonly id: number };

/** Of the election timeout: two intervals may pass before the first pulse, and a heartbeat may have been due before. */
const INTERVALS_PER_ELECTION = 6;
/** Beyond busy-limit: the first sign of life of a member that comes back needs a moment. */
const GRACE_MS = 1000;
/** A few connections and no data: a thread's heap stays at 3 MiB. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/** Beats of a connection for which a busy peer may be silent. */
export const busyBeatsMax = (busyLimitMs: number): number =>
  Math.max(SILENT_BEATS_MAX, Math.ceil((busyLimitMs + GRACE_MS) / KEEPALIVE_MS));

export class WorkerPulse implements PulseThread {
  readonly #memory = new PulseMemory();
  readonly #data: PulseWorkerData;
  #worker: Worker | undefined;

  constructor(electionTimeoutMs: number, busyLimitMs: number) {
    this.#data = {
      shared: this.#memory.shared,
      intervalMs: Math.max(1, Math.floor(electionTimeoutMs / INTERVALS_PER_ELECTION)),
      silentBeatsMax: busyBeatsMax(busyLimitMs),
    };
  }

  alive(term: number, leader: number): void {
    this.#memory.turned(term, leader);
  }

  /** The event loop means to take its next turn by then, on its monotonic clock. */
  turnDue(monotonicMs: number): void {
    this.#memory.due(monotonicMs);
  }

  /** The link is up: the thread connects to the same place. */
  open(id: number, target: PulseTarget, { self, versions, key, sharedSettings }: PulseTerms): void {
    this.#worker ??= this.#start();
    this.#tell({ kind: "open", id, target, terms: { self, versions, key, sharedSettings } });
  }

  close(id: number): void {
    this.#tell({ kind: "close", id });
  }

  #tell(order: PulseOrder): void {
    this.#worker?.postMessage(order);
  }

  /** An error in the thread is a bug as everywhere: nobody listens for it, so it ends the process. */
  #start(): Worker {
    const worker = new Worker(new URL("./pulse-worker.js", import.meta.url), {
      name: "pulse",
      workerData: this.#data,
      resourceLimits: RESOURCE_LIMITS,
      env: {},
      execArgv: [],
    });
    worker.unref();
    return worker;
  }
}
