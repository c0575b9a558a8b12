// How much of the log this node keeps: its budget, and on the leader what members behind it still need (docs/adr/0022). Drops
// applied entries from the storage; nothing else changes the log's beginning, but a snapshot that comes in.

import type { Settings } from "../config/table.ts";
import type { RaftCore } from "../raft/index.ts";
import type { BatchesInFlight } from "./batches-in-flight.ts";
import { CatchUp, keptLogBytesMax } from "./catch-up.ts";
import type { NodeStorage } from "./node-storage.ts";

/**
 * A lone member drops its log after so many payload bytes. What is in the log survives the collections of V8's young
 * generation, which copy it: with 1 MiB, a tenth of all that was allocated (docs/adr/0019-garbage.md).
 */
const ALONE_COMPACTION_BYTES = 8 * 1024;

export class KeptLog {
  readonly catchUp: CatchUp;
  readonly #settings: Pick<Settings, "logBytesMax" | "logTailBytes" | "logTailEntries">;
  readonly #inFlight: BatchesInFlight;
  readonly #reaches: (member: number) => boolean;
  #appliedBytes = 0;

  constructor(
    settings: Pick<Settings, "logBytesMax" | "logTailBytes" | "logTailEntries">,
    inFlight: BatchesInFlight,
    reaches: (member: number) => boolean,
  ) {
    this.catchUp = new CatchUp(settings);
    this.#settings = settings;
    this.#inFlight = inFlight;
    this.#reaches = reaches;
  }

  /** An entry of so many bytes was applied. */
  applied(bytes: number): void {
    this.#appliedBytes += bytes;
  }

  /** A snapshot of the state at `index`, about so many bytes, goes to the member. */
  sending(member: number, index: number, stateBytes: number, nowMs: number): void {
    this.catchUp.begin(member, index, stateBytes, this.#inFlight.writtenBytes, nowMs);
  }

  /** The member has the snapshot, and goes on with the log. */
  delivered(nowMs: number): void {
    this.catchUp.delivered(this.#inFlight.writtenBytes, nowMs);
  }

  update(raft: RaftCore, storage: NodeStorage, nowMs: number): void {
    const { catchUp } = this;
    if (catchUp.member === 0) return;
    catchUp.update(raft, storage, this.#inFlight.writtenBytes, nowMs, this.#reaches(catchUp.member));
  }

  compact(raft: RaftCore, storage: NodeStorage, appliedIndex: number): void {
    if (this.#appliedBytes === 0) return;
    const { voters, learners } = raft.confState;
    const isAlone = voters.length === 1 && learners.length === 0;
    if (isAlone && this.#appliedBytes < ALONE_COMPACTION_BYTES) return;
    const settings = this.#settings;
    if (storage.bytes <= (isAlone ? 0 : settings.logBytesMax)) return;
    this.#appliedBytes = 0;
    if (isAlone) storage.compactTo(appliedIndex, 0, 0);
    else {
      const upTo = Math.min(appliedIndex, this.#neededIndex(raft, storage));
      storage.compactTo(upTo, settings.logTailBytes, settings.logTailEntries);
    }
  }

  /** What is behind this index somebody needs whom this leader reaches. */
  #neededIndex(raft: RaftCore, storage: NodeStorage): number {
    const { catchUp } = this;
    let index = catchUp.index === 0 ? Number.POSITIVE_INFINITY : catchUp.index;
    if (storage.bytes > keptLogBytesMax(this.#settings)) {
      // A snapshot on its way is given up by whoever sends it.
      if (catchUp.isDelivered) catchUp.end();
      return catchUp.index === 0 ? Number.POSITIVE_INFINITY : index;
    }
    for (const { id, match, state } of raft.progress()) {
      if (id === raft.id || state === "snapshot" || match + 1 < storage.firstIndex()) continue;
      if (match < index && this.#reaches(id)) index = match;
    }
    return index;
  }
}
