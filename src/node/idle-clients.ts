// Clients that do nothing: those that `timeout` closes, and those that are about to go and do not get on. Asked once a second
// for each client; a verdict comes out, and whoever asked closes the connection.

import type { ClientKind } from "../command/local-context.ts";

const SECOND_MS = 1000;

/** The parts of a session that `timeout` is about. */
export interface Idle {
  readonly kind: ClientKind;
  readonly monitor: boolean;
  /** Of the last bytes from the client, or to it. */
  readonly lastActiveMs: number;
  readonly outstanding: number;
  /** A command of the client waits: for a key, for other members, for a leader, for the end of a pause. */
  readonly isHeld: boolean;
}

/** As in Redis, never a client that listens (subscribers, MONITOR) or whose command waits. 0 seconds = for ever. */
export function hasTimedOut(client: Idle, nowMs: number, timeoutSeconds: number): boolean {
  if (timeoutSeconds === 0 || nowMs - client.lastActiveMs <= timeoutSeconds * SECOND_MS) return false;
  return client.kind === "normal" && !client.monitor && client.outstanding === 0 && !client.isHeld;
}

/** A client that is about to go may stand still for so long, looked at once a second. */
const STANDSTILL_SECONDS_MAX = 60;

export class Standstill {
  #progress = 0;
  #seconds = 0;

  /** Was there no progress when it was last asked? */
  get isNow(): boolean {
    return this.#seconds > 0;
  }

  /** Once a second, with a number that grows while there is any progress: has there been none for too long? */
  lasts(progress: number): boolean {
    this.#seconds = progress === this.#progress ? this.#seconds + 1 : 0;
    this.#progress = progress;
    return this.#seconds > STANDSTILL_SECONDS_MAX;
  }
}
