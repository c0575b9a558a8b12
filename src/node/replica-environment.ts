// What a replica asks of the node around it, so that it knows neither sockets nor sessions' owners.

import type { Settings } from "../config/table.ts";
import type { ConfChange, ConfState, Message, SnapshotMeta } from "../raft/index.ts";
import type { TimerSinks } from "./command-timer.ts";
import type { Ports } from "./ports.ts";
import type { ReplyOutput } from "./reply-output.ts";
import type { StagedState } from "./snapshot-transfer.ts";

export interface ReplicaEnvironment {
  readonly ports: Ports;
  readonly settings: Settings;
  readonly output: ReplyOutput;
  readonly timerSinks: TimerSinks;
  /** A message of the core to a peer. */
  send(message: Message): void;
  /** Is there a connection on which the leader can be asked? */
  reaches(member: number): boolean;
  /** The state that belongs to a snapshot the core has accepted. */
  takeStaged(meta: SnapshotMeta): StagedState;
  /** A change of the members has been applied. */
  configurationChanged(change: ConfChange, before: ConfState, after: ConfState, index: number): void;
  /** mode or leader changed. */
  modeChanged(): void;
  /** An entry has been applied; no reply is half written. */
  entryApplied(): void;
  /** The state came by snapshot: this node never sees the entries before it. */
  stateReplaced(): void;
  /** Are this node's clients paused, and is nothing to change by itself? */
  isPaused(): boolean;
  /** The core is halted, or the node cannot go on. */
  fault(text: string): void;
}
