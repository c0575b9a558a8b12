// A replica whose state differs from that of the others gets theirs (docs/adr/0017). Until it is there, entries are
// held: in the log, where they are anyway; only changes of the members take effect. Then the state is replaced, and what was
// committed behind it is applied. Its place in the cluster and its log are not in doubt.

import { asBuffer } from "../base/as-buffer.ts";
import { assert, fail } from "../base/assert.ts";
import type { Machine } from "../machine/machine.ts";
import { type ConfState, membersOf } from "../raft/index.ts";
import type { NodeStorage } from "./node-storage.ts";
import type { StagedState } from "./snapshot-transfer.ts";

export class StateRepair {
  isUnderWay = false;
  /** The last entry that would have been applied. */
  #heldIndex = 0;
  readonly #changes = new Map<number, ConfState>();
  #staged: StagedState | undefined;

  begin(appliedIndex: number): void {
    this.isUnderWay = true;
    this.#heldIndex = appliedIndex;
  }

  /** Also when a snapshot has replaced the state on the way. */
  end(): void {
    this.isUnderWay = false;
    this.#staged = undefined;
    this.#changes.clear();
  }

  /** A committed entry, with the members as of then if it changed them. */
  hold(index: number, confState?: ConfState): void {
    this.#heldIndex = index;
    if (confState !== undefined) this.#changes.set(index, confState);
  }

  /** The state of another replica has come. False: it is of no use. */
  stage(state: StagedState, appliedIndex: number): boolean {
    if (!this.isUnderWay || state.meta.index < appliedIndex) return false;
    this.#staged = state;
    return true;
  }

  /** Is all that the state contains known to be committed here? */
  get canFinish(): boolean {
    return this.#staged !== undefined && this.#staged.meta.index <= this.#heldIndex;
  }

  /** Puts the state in place and applies what was held. Returns it. */
  finish(machine: Machine, storage: NodeStorage): StagedState {
    const staged = this.#staged;
    assert(staged !== undefined && this.canFinish, "a repair without a state");
    const { meta, store, sessions, timeMs } = staged;
    machine.replace(store, sessions, timeMs, meta.index, meta.term);
    machine.sessions.setMembers(membersOf(meta.confState));
    const entries =
      meta.index === this.#heldIndex ? [] : storage.entries(meta.index + 1, this.#heldIndex + 1);
    if (typeof entries === "string") fail(`entries ${meta.index + 1} to ${this.#heldIndex}: ${entries}`);
    for (const { index, term, type, data } of entries) {
      if (type === "normal") {
        machine.apply(asBuffer(data), index, term);
        continue;
      }
      machine.skip(index, term);
      const confState = this.#changes.get(index);
      if (confState !== undefined) machine.sessions.setMembers(membersOf(confState));
    }
    this.end();
    return staged;
  }
}
