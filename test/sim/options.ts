// What a run may be told instead of drawing it from its seed. Values only.

import type { DisasterKind } from "./disaster.ts";
import type { FaultName } from "./faults.ts";

export interface SimulationOptions {
  readonly trace?: boolean;
  /** Which kinds of faults; without it the seed decides. */
  readonly faults?: readonly FaultName[];
  /** A mutation: what it changes in the world. */
  readonly identityReused?: boolean;
  /** One entry a message: followers hold every prefix of a log at some time. */
  readonly smallAppends?: boolean;
  /** What a message takes, more or less; without it the seed decides, between 0.05 and 4 ms. */
  readonly delayMs?: number;
  /** Small logs make followers need snapshots; without it the seed decides. */
  readonly logBytesMax?: number;
  /** Mean time between faults. */
  readonly faultGapMs?: number;
  /** Does an operator change the members? Without it the seed decides. */
  readonly operator?: boolean;
  /** Only the families of commands that there were at first. */
  readonly plainMix?: boolean;
  /** Is a majority lost? Without it the seed decides. */
  readonly disaster?: DisasterKind | "none";
  /** Are there queues and transactions? Without it the seed decides. */
  readonly sessions?: boolean;
  /** Do replicas compare their states, and is there something to find? Without it the seed decides. */
  readonly rot?: boolean;
  /** Is there a limit of memory? Without it the seed decides. */
  readonly eviction?: boolean;
  /** Does anybody publish? Without it the seed decides. */
  readonly publishing?: boolean;
  /** Does anybody change settings? Without it the seed decides. */
  readonly settings?: boolean;
  /** Are there busy event loops? Without it the seed decides. */
  readonly busy?: boolean;
  /** Do long frames travel in pieces that urgent ones pass? Without it the seed decides. */
  readonly pieces?: boolean;
  /** Does a member come back while clients write? Without it the seed decides. */
  readonly rejoin?: boolean;
  /** For how long at most, during the faults; without it the seed decides. */
  readonly busyMsMax?: number;
}

/** What runs were before there were operators and more than five families of commands. */
export const PLAIN: SimulationOptions = {
  operator: false,
  disaster: "none",
  plainMix: true,
  sessions: false,
  rot: false,
  eviction: false,
  publishing: false,
  settings: false,
  busy: false,
  pieces: false,
  rejoin: false,
};
