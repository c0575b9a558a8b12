// Snapshots between nodes (DESIGN section 9): the state goes out in bounded chunks on a connection of its
// own while writes go on, and comes in beside the old state, which it replaces when Raft has accepted it.

import type { EntryCheck } from "../machine/entry-check.ts";
import type { Machine } from "../machine/machine.ts";
import type { SnapshotMeta } from "../raft/index.ts";
import { SnapshotLoader } from "../store/snapshot-loader.ts";
import type { SnapshotReader } from "../store/snapshot-reader.ts";
import type { Store } from "../store/store.ts";
import type { ClusterTable } from "../wire/cluster-messages.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import { decodeSessionState, type SessionState } from "../wire/session-state.ts";
import { encodeSnapshotHeader, type SnapshotHeader } from "../wire/snapshot-header.ts";
import type {
  LinkDown,
  Log,
  PeerTransport,
  SnapshotReceiver,
  SnapshotSender,
  SnapshotStreamIn,
  SnapshotStreamOut,
} from "./ports.ts";

export interface OutgoingState {
  readonly store: Store;
  /** What belongs to the state beside the store (machine/sessions.ts). */
  readonly metadata: Uint8Array;
  readonly timeMs: number;
  readonly table: ClusterTable;
  readonly chunkBytes: number;
  readonly repair: boolean;
}

/** A capped transfer that had to wait may catch up on so much. */
const CATCH_UP_MS = 100;

/**
 * A turn sends a chunk for each such piece of the time since the turn before, one at least: a node whose turns are long would
 * take minutes. A chunk of 256 KiB is work for about half a ms.
 */
const CHUNK_MS = 2;
const CHUNKS_PER_TURN_MAX = 4;

/**
 * Sends the state as it is when this is made, a chunk or a few a turn: between two turns everybody else is served. Exactly
 * one call of `done` follows, none after abort().
 */
export class SnapshotSending implements SnapshotSender {
  readonly member: number;
  readonly repair: boolean;
  /** Of chunks, given to the stream. */
  sentBytes = 0;
  readonly #reader: SnapshotReader;
  readonly #stream: SnapshotStreamOut;
  readonly #chunkBytes: number;
  readonly #requestTurn: () => void;
  readonly #done: (ok: boolean, text: string) => void;
  /** The stream takes more. */
  #isReady = false;
  /** Bytes that may go now, if there is a cap, and since when. */
  #allowedBytes = 0;
  #allowedAtMs = 0;
  #proceededMs = Number.POSITIVE_INFINITY;
  #over = false;

  constructor(
    message: RaftMessage,
    address: string,
    state: OutgoingState,
    transport: Pick<PeerTransport, "openSnapshot">,
    requestTurn: () => void,
    done: (ok: boolean, text: string) => void,
  ) {
    this.member = message.to;
    this.#chunkBytes = state.chunkBytes;
    this.repair = state.repair;
    this.#done = done;
    this.#requestTurn = requestTurn;
    this.#reader = state.store.beginSnapshot(state.metadata);
    const header = encodeSnapshotHeader({
      raft: message,
      table: state.table,
      timeMs: state.timeMs,
      logicalBytes: state.store.logicalBytes,
      repair: state.repair,
    });
    this.#stream = transport.openSnapshot(address, message.to, header, this);
  }

  /** Old states kept for it because writes overtook it. */
  get queuedBytes(): number {
    return this.#reader.queuedBytes;
  }

  drained(): void {
    this.#isReady = true;
    this.#requestTurn();
  }

  /** Once a turn. @param bytesPerSecondMax 0 = as fast as it goes */
  proceed(nowMs: number, bytesPerSecondMax: number): void {
    const lateMs = nowMs - this.#proceededMs;
    this.#proceededMs = nowMs;
    const chunks = Math.min(CHUNKS_PER_TURN_MAX, Math.max(1, Math.floor(lateMs / CHUNK_MS)));
    for (let i = 0; i < chunks; i++) this.#proceed(nowMs, bytesPerSecondMax);
  }

  #proceed(nowMs: number, bytesPerSecondMax: number): void {
    if (this.#over || !this.#isReady) return;
    if (bytesPerSecondMax > 0 && !this.#isAllowed(nowMs, bytesPerSecondMax / 1000)) return;
    const chunk = this.#reader.next(this.#chunkBytes, this.#stream.memory());
    if (chunk === undefined) {
      this.#isReady = false;
      this.#stream.end();
      return;
    }
    this.#allowedBytes -= chunk.length;
    this.sentBytes += chunk.length;
    this.#isReady = this.#stream.write(chunk);
    if (this.#isReady) this.#requestTurn();
  }

  /** False: some tick will do. */
  #isAllowed(nowMs: number, bytesPerMs: number): boolean {
    const waitedMs = Math.min(CATCH_UP_MS, nowMs - this.#allowedAtMs);
    this.#allowedAtMs = nowMs;
    this.#allowedBytes = Math.min(CATCH_UP_MS * bytesPerMs, this.#allowedBytes + waitedMs * bytesPerMs);
    return this.#allowedBytes > 0;
  }

  finished(): void {
    this.#end(true, "");
  }

  failed(how: LinkDown, text: string): void {
    this.#end(false, text === "" ? how : text);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.abort();
    this.#stream.destroy();
  }

  #end(ok: boolean, text: string): void {
    if (this.#over) return;
    this.#over = true;
    if (!ok) this.#reader.abort();
    this.#done(ok, text);
  }
}

export interface StagedState {
  readonly meta: SnapshotMeta;
  /** The members as of the snapshot. */
  readonly table: ClusterTable;
  readonly store: Store;
  readonly sessions: SessionState;
  readonly timeMs: number;
  /** For a replica whose own is wrong. */
  readonly repair: boolean;
}

/** Builds the state beside the one in use. `accept` gets it whole and checked; its answer goes to the sender. */
export class SnapshotReceiving implements SnapshotReceiver {
  readonly #stream: SnapshotStreamIn;
  readonly #header: SnapshotHeader;
  readonly #loader: SnapshotLoader;
  readonly #check: EntryCheck;
  readonly #accept: (state: StagedState, message: RaftMessage) => boolean;
  readonly #log: Log;
  #broken = false;

  constructor(
    stream: SnapshotStreamIn,
    header: SnapshotHeader,
    /** The one in use: how many databases, and how accesses are noted. */
    store: Store,
    accept: (state: StagedState, message: RaftMessage) => boolean,
    check: EntryCheck,
    log: Log,
  ) {
    this.#check = check;
    this.#stream = stream;
    this.#header = header;
    this.#loader = new SnapshotLoader({ databases: store.databases.length, ...accessOf(store) });
    this.#accept = accept;
    this.#log = log;
  }

  chunk(bytes: Buffer): void {
    if (this.#broken) return;
    const problem = this.#loader.accept(bytes);
    if (problem === undefined) return;
    this.#broken = true;
    this.#log.error({ from: this.#stream.remote.name, problem }, "snapshot refused");
    this.#stream.destroy();
  }

  ended(): boolean {
    const meta = this.#header.raft.snapshot;
    if (this.#broken || meta === undefined) return false;
    const loaded = finished(this.#loader, this.#check);
    if (!loaded.ok) {
      this.#log.error({ from: this.#stream.remote.name, problem: loaded.error }, "snapshot refused");
      return false;
    }
    const { store, sessions } = loaded;
    const { table, timeMs, raft, repair } = this.#header;
    return this.#accept({ meta, table, store, sessions, timeMs, repair }, raft);
  }

  failed(how: LinkDown): void {
    this.#log.warn({ from: this.#stream.remote.name, how }, "snapshot broken off");
  }
}

/** A state as it came out of a snapshot, or what is wrong with that. */
export type LoadedState =
  | { readonly ok: true; readonly store: Store; readonly sessions: SessionState }
  | { readonly ok: false; readonly error: string };

/** All chunks are in: the checked state. */
function finished(loader: SnapshotLoader, check: EntryCheck): LoadedState {
  const result = loader.finish();
  if (!result.ok) return result;
  const { store, metadata } = result;
  const sessions = decodeSessionState(metadata, store.databases.length);
  if (!sessions.ok) return { ok: false, error: `metadata ${sessions.error}: ${sessions.text}` };
  for (const { command } of sessions.value.waiters) {
    const problem = check.waitingProblem(command, 0, command.length);
    if (problem !== undefined) return { ok: false, error: `metadata: ${problem}` };
  }
  return { ok: true, store, sessions: sessions.value };
}

/** The state as a receiver would get it. */
export function throughSnapshot({ store, sessions, check }: Machine, chunkBytes: number): LoadedState {
  const reader = store.beginSnapshot(sessions.encode());
  const loader = new SnapshotLoader(accessOf(store));
  for (let chunk = reader.next(chunkBytes); chunk !== undefined; chunk = reader.next(chunkBytes)) {
    loader.accept(chunk);
  }
  return finished(loader, check);
}

/** Keys that arrive count as used now: snapshots carry no access clocks. */
const accessOf = ({ accessClock, lfu }: Store): { readonly accessClock: number; readonly lfu: boolean } => ({
  accessClock,
  lfu,
});
