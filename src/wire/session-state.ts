// What clients have in the replicated state beside data, as it travels in a snapshot's metadata. Value in, bytes
// out, and back with everything checked.

import { bytes, type Decoded, decoded, present, refuse, safeInteger } from "./decode.ts";
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

/** `databases`: how many there are in the state that it came with. */
export function decodeSessionState(encoded: Uint8Array, databases: number): Decoded<SessionState> {
  return decoded(() => {
    const wire: seshat.SessionState.$Properties = seshat.SessionState.decode(encoded);
    const watches = (wire.watches ?? []).map((watch) => ({
      owner: ownerFromWire(present(watch.owner, "owner")),
      commands: watch.commands ?? 0,
      isDirty: watch.isDirty ?? false,
      keys: (watch.keys ?? []).map(({ database, key }) => ({
        database: databaseFromWire(database ?? 0, databases),
        key: Buffer.from(bytes(key)),
      })),
    }));
    const sessions = new Set(watches.map(({ owner }) => `${owner.incarnation}:${owner.session}`));
    if (sessions.size < watches.length) refuse("malformed", "a session is there twice");
    return { watches };
  });
}

function databaseFromWire(database: number, databases: number): number {
  return database < databases ? database : refuse("outOfRange", `database ${database} of ${databases}`);
}

function ownerFromWire(wire: seshat.Owner.$Properties): Owner {
  return {
    incarnation: safeInteger(wire.incarnation, "incarnation"),
    session: safeInteger(wire.session, "session"),
    serial: safeInteger(wire.serial, "serial"),
  };
}
