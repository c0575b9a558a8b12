// Turns one configuration into the next: simple changes, entering and leaving a joint configuration.
// Configurations are values; the caller keeps the old one if the change is refused.
import type { ConfChange, ConfChangeStep, ConfState, MemberId } from "./types.ts";

export type ConfigRefusal =
  | "config is already joint"
  | "can't make a zero-voter config joint"
  | "can't apply simple config change in joint config"
  | "removed all voters"
  | "more than one voter changed without entering joint config"
  | "can't leave a non-joint config";

/** `fresh`: members whose progress must start over although they were known before (removed and added at once). */
export type ConfigResult =
  | { readonly ok: true; readonly config: ConfState; readonly fresh: ReadonlySet<MemberId> }
  | { readonly ok: false; readonly error: ConfigRefusal };

export const EMPTY_CONFIG: ConfState = Object.freeze({
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
});

export function isJoint(config: ConfState): boolean {
  return config.votersOutgoing.length > 0;
}

/** Everybody in the configuration, of either half. */
export function membersOf(config: ConfState): MemberId[] {
  const { voters, votersOutgoing, learners, learnersNext } = config;
  return [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])];
}

/** May it vote, in either half? */
export function isVoter(config: ConfState, id: MemberId): boolean {
  return config.voters.includes(id) || config.votersOutgoing.includes(id);
}

export function leavesJoint(change: ConfChange): boolean {
  return change.transition === "auto" && change.changes.length === 0;
}

/** Applies a committed change to the configuration it was proposed for. */
export function changeConfig(config: ConfState, change: ConfChange): ConfigResult {
  if (leavesJoint(change)) return leaveJoint(config);
  if (change.transition === "auto" && change.changes.length === 1)
    return simpleChange(config, change.changes);
  return enterJoint(config, change.transition !== "explicit", change.changes);
}

/** At most one voter comes, goes or is demoted; any number of learners. */
export function simpleChange(config: ConfState, steps: readonly ConfChangeStep[]): ConfigResult {
  if (isJoint(config)) return { ok: false, error: "can't apply simple config change in joint config" };
  const draft = new Draft(config);
  for (const step of steps) draft.apply(step);
  if (draft.voters.size === 0) return { ok: false, error: "removed all voters" };
  if (differences(config.voters, draft.voters) > 1) {
    return { ok: false, error: "more than one voter changed without entering joint config" };
  }
  return draft.result(false);
}

export function enterJoint(
  config: ConfState,
  autoLeave: boolean,
  steps: readonly ConfChangeStep[],
): ConfigResult {
  if (isJoint(config)) return { ok: false, error: "config is already joint" };
  if (config.voters.length === 0) return { ok: false, error: "can't make a zero-voter config joint" };
  const draft = new Draft({ ...config, votersOutgoing: config.voters });
  for (const step of steps) draft.apply(step);
  if (draft.voters.size === 0) return { ok: false, error: "removed all voters" };
  return draft.result(autoLeave);
}

export function leaveJoint(config: ConfState): ConfigResult {
  if (!isJoint(config)) return { ok: false, error: "can't leave a non-joint config" };
  const draft = new Draft({ ...config, votersOutgoing: [], learnersNext: [] });
  for (const id of config.learnersNext) draft.learners.add(id);
  return draft.result(false);
}

/** A stored configuration with its lists in order. */
export function normalizeConfig(config: ConfState): ConfState {
  return {
    voters: ascending(config.voters),
    votersOutgoing: ascending(config.votersOutgoing),
    learners: ascending(config.learners),
    learnersNext: ascending(config.learnersNext),
    autoLeave: config.autoLeave,
  };
}

function ascending(ids: Iterable<MemberId>): MemberId[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

function differences(before: readonly MemberId[], after: ReadonlySet<MemberId>): number {
  const kept = before.filter((id) => after.has(id)).length;
  return before.length - kept + (after.size - kept);
}

/** The sets of a configuration while steps are applied to it. */
class Draft {
  readonly voters: Set<MemberId>;
  readonly outgoing: ReadonlySet<MemberId>;
  readonly learners: Set<MemberId>;
  readonly #learnersNext: Set<MemberId>;
  readonly #fresh = new Set<MemberId>();

  constructor(config: ConfState) {
    this.voters = new Set(config.voters);
    this.outgoing = new Set(config.votersOutgoing);
    this.learners = new Set(config.learners);
    this.#learnersNext = new Set(config.learnersNext);
  }

  apply(step: ConfChangeStep): void {
    if (step.id === 0) return; // how a caller voids a change it refuses
    if (step.type === "addVoter") this.#makeVoter(step.id);
    else if (step.type === "addLearner") this.#makeLearner(step.id);
    else if (step.type === "remove") this.#remove(step.id);
  }

  #makeVoter(id: MemberId): void {
    this.learners.delete(id);
    this.#learnersNext.delete(id);
    this.voters.add(id);
  }

  #makeLearner(id: MemberId): void {
    if (this.learners.has(id)) return;
    this.voters.delete(id);
    // Still a voter of the outgoing half: it can only become a learner when that half is gone.
    if (this.outgoing.has(id)) this.#learnersNext.add(id);
    else this.learners.add(id);
  }

  #remove(id: MemberId): void {
    const known = this.voters.delete(id) || this.learners.delete(id);
    this.#learnersNext.delete(id);
    if (known && !this.outgoing.has(id)) this.#fresh.add(id);
  }

  result(autoLeave: boolean): ConfigResult {
    const config: ConfState = {
      voters: ascending(this.voters),
      votersOutgoing: ascending(this.outgoing),
      learners: ascending(this.learners),
      learnersNext: ascending(this.#learnersNext),
      autoLeave,
    };
    return { ok: true, config, fresh: this.#fresh };
  }
}
