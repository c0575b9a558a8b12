// What clients have in the replicated state beside data, as it travels in a snapshot's metadata. Value in, bytes
// out, and back with everything checked.

import { bytes, type Decoded, decoded, present, safeInteger } from "./decode.ts";
import { seshat } from "./generated/seshat.js";

/** A client of some node. The serial counts what it began and ended. */
export interface Owner {
  readonly incarnation: number;
  readonly session: number;
  readonly serial: number;
}

export interface WatchState {
  readonly owner: Owner;
  readonly commands: number;
  readonly isDirty: boolean;
  readonly keys: readonly { readonly database: number; readonly key: Buffer }[];
}

export interface SessionState {
  readonly watches: readonly WatchState[];
}

export function encodeSessionState(state: SessionState): Uint8Array {
  return seshat.SessionState.encode({
    watches: state.watches.map(({ owner, commands, isDirty, keys }) => ({
      owner: { ...owner },
      commands,
      isDirty,
      keys: keys.map(({ database, key }) => ({ database, key })),
    })),
  }).finish();
}

export function decodeSessionState(encoded: Uint8Array): Decoded<SessionState> {
  return decoded(() => {
    const wire: seshat.SessionState.$Properties = seshat.SessionState.decode(encoded);
    return {
      watches: (wire.watches ?? []).map((watch) => ({
        owner: ownerFromWire(present(watch.owner, "owner")),
        commands: watch.commands ?? 0,
        isDirty: watch.isDirty ?? false,
        keys: (watch.keys ?? []).map(({ database, key }) => ({
          database: database ?? 0,
          key: Buffer.from(bytes(key)),
        })),
      })),
    };
  });
}

function ownerFromWire(wire: seshat.Owner.$Properties): Owner {
  return {
    incarnation: safeInteger(wire.incarnation, "incarnation"),
    session: safeInteger(wire.session, "session"),
    serial: safeInteger(wire.serial, "serial"),
  };
}
