// What is in the replicated state beside data, as it travels in a snapshot's metadata. Value in, bytes
// out, and back with everything checked.

import { bytes, type Decoded, decoded, present, refuse, safeInteger } from "./decode.ts";
import { seshat } from "./generated/seshat.js";
import { type SettingValues, settingValuesFromWire, settingValuesToWire } from "./setting-values.ts";

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

/** A command that waits for one of its keys, all of one database. */
export interface WaiterState {
  readonly owner: Owner;
  readonly database: number;
  readonly keys: readonly Buffer[];
  /** In Redis's numbers. */
  readonly type: number;
  readonly evenWithoutKey: boolean;
  readonly command: Buffer;
}

export interface SessionState {
  readonly watches: readonly WatchState[];
  /** In the order in which they came. */
  readonly waiters: readonly WaiterState[];
  /** The cluster's, in force. */
  readonly settings: SettingValues;
}

export function encodeSessionState(state: SessionState): Uint8Array {
  return seshat.SessionState.encode({
    watches: state.watches.map(({ owner, commands, isDirty, keys }) => ({
      owner: { ...owner },
      commands,
      isDirty,
      keys: keys.map(({ database, key }) => ({ database, key })),
    })),
    waiters: state.waiters.map((waiter) => ({
      ...waiter,
      owner: { ...waiter.owner },
      keys: [...waiter.keys],
    })),
    settings: settingValuesToWire(state.settings),
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
    const waiters = (wire.waiters ?? []).map((waiter) => ({
      owner: ownerFromWire(present(waiter.owner, "owner")),
      database: databaseFromWire(waiter.database ?? 0, databases),
      keys: (waiter.keys ?? []).map((key) => Buffer.from(bytes(key))),
      type: waiter.type ?? 0,
      evenWithoutKey: waiter.evenWithoutKey ?? false,
      command: Buffer.from(bytes(waiter.command)),
    }));
    refuseRepeated(watches);
    refuseRepeated(waiters);
    return { watches, waiters, settings: settingValuesFromWire(wire.settings) };
  });
}

function refuseRepeated(owned: readonly { readonly owner: Owner }[]): void {
  const sessions = new Set(owned.map(({ owner }) => `${owner.incarnation}:${owner.session}`));
  if (sessions.size < owned.length) refuse("malformed", "a session is there twice");
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
