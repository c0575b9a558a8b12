// Snapshots this node sends and receives (DESIGN section 9): one at a time out, given up when its receiver is too slow
// for the writes meanwhile, and the state of one that came in until Raft has accepted it. The transfer itself is in
// snapshot-transfer.ts.

import { assert } from "../base/assert.ts";
import { SNAPSHOT_QUEUED_BYTES_MAX } from "../base/limits.ts";
import type { Settings } from "../config/table.ts";
import { type Message, makeMessage, type SnapshotMeta } from "../raft/index.ts";
import type { RaftMessage } from "../wire/raft-message.ts";
import { decodeSnapshotHeader } from "../wire/snapshot-header.ts";
import { keptLogBytesMax } from "./catch-up.ts";
import type { Membership } from "./membership.ts";
import { snapshotProblem } from "./peer-checks.ts";
import type { PeerLinks } from "./peer-links.ts";
import type { PeerIdentity, Ports, SnapshotReceiver, SnapshotStreamIn } from "./ports.ts";
import type { Replica } from "./replica.ts";
import { SnapshotReceiving, SnapshotSending, type StagedState } from "./snapshot-transfer.ts";

export interface SnapshotsParts {
  readonly ports: Ports;
  readonly settings: Settings;
  replica: Replica;
}

export class Snapshots {
  /** Since the start, for INFO. */
  sentCount = 0;
  receivedCount = 0;
  readonly #parts: SnapshotsParts;
  readonly #membership: Membership;
  readonly #links: PeerLinks;
  #sending: SnapshotSending | undefined;
  #staged: StagedState | undefined;

  constructor(parts: SnapshotsParts, membership: Membership, links: PeerLinks) {
    this.#parts = parts;
    this.#membership = membership;
    this.#links = links;
  }

  /** The member a snapshot is being sent to; 0 = none. */
  get sendingTo(): number {
    return this.#sending?.member ?? 0;
  }

  /** The core's "snapshot" message goes on a connection of its own, with the state behind it. */
  send(message: Message): void {
    const { replica } = this.#parts;
    const target = this.#links.identityOf(message.to);
    const meta = message.snapshot;
    const storage = replica.storage;
    assert(meta !== undefined && storage !== undefined, "a snapshot message without a snapshot");
    const isReady = target !== undefined && this.#sending === undefined && !replica.repair.isUnderWay;
    if (!isReady || meta.index !== replica.machine.appliedIndex) {
      replica.raft!.reportSnapshot(message.to, false);
      return;
    }
    this.#start(target, message, meta, false, (ok) => replica.raft!.reportSnapshot(message.to, ok));
  }

  /** The state for a member whose own is wrong; its core is not told. Nothing when one is being sent already. */
  sendState(member: number): void {
    const { replica } = this.#parts;
    const target = this.#links.identityOf(member);
    if (target === undefined || this.#sending !== undefined) return;
    const meta = replica.storage?.snapshot();
    if (meta === undefined) return;
    const { id, term } = replica.raft!;
    this.#start(
      target,
      { ...makeMessage("snapshot", id, member, term), snapshot: meta },
      meta,
      true,
      () => {},
    );
  }

  #start(
    target: PeerIdentity,
    message: Message,
    meta: SnapshotMeta,
    repair: boolean,
    done: (ok: boolean) => void,
  ): void {
    const { ports, replica, settings } = this.#parts;
    const { store } = replica.machine;
    replica.storage!.isSnapshotInUse = true;
    replica.log.sending(message.to, meta.index, Math.max(1, store.logicalBytes), replica.monotonicMs);
    ports.log.info({ to: target.name, index: meta.index, repair }, "sending a snapshot");
    this.#sending = new SnapshotSending(
      message,
      target.address,
      {
        store,
        metadata: replica.machine.sessions.encode(),
        timeMs: replica.machine.timeMs,
        table: this.#membership.table(),
        chunkBytes: settings.snapshotChunkBytes,
        repair,
      },
      ports.peers,
      () => ports.scheduler.requestTurn(),
      (ok, text) => {
        const bytes = this.#sending?.sentBytes;
        ports.log.info({ to: target.name, index: meta.index, ok, text, bytes }, "snapshot sent");
        if (ok) this.sentCount++;
        this.#end(() => done(ok), ok && !repair);
        ports.scheduler.requestTurn();
      },
    );
  }

  /** Once a turn. */
  turn(nowMs: number): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    sending.proceed(nowMs, this.#parts.settings.snapshotBytesPerSecondMax);
    this.#parts.replica.log.catchUp.sent(sending.sentBytes, nowMs);
  }

  /**
   * A node that does not lead has no business sending its state. One that only tried to hand over leads again soon: its core has to know
   * that the snapshot did not arrive, or it would wait for that for ever.
   */
  stopSending(): void {
    this.#end((sending) => {
      sending.abort();
      if (!sending.repair) this.#parts.replica.raft?.reportSnapshot(sending.member, false);
    });
  }

  /** Nothing of the cluster this node was in is wanted any more. */
  stop(): void {
    this.stopSending();
    this.#staged = undefined;
  }

  /** Looks after a snapshot whose receiver is too slow for the writes meanwhile: memory stays bounded. */
  tick(): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    const { replica, settings, ports } = this.#parts;
    const logBytes = replica.storage?.bytes ?? 0;
    if (sending.queuedBytes < SNAPSHOT_QUEUED_BYTES_MAX && logBytes <= keptLogBytesMax(settings)) return;
    ports.log.warn(
      { to: sending.member, queuedBytes: sending.queuedBytes, logBytes },
      "snapshot given up: too slow",
    );
    this.stopSending();
  }

  offered(stream: SnapshotStreamIn, encodedHeader: Buffer): SnapshotReceiver | undefined {
    const { ports, replica } = this.#parts;
    const header = decodeSnapshotHeader(encodedHeader);
    if (replica.raft === undefined) return undefined;
    const problem = header.ok ? snapshotProblem(header.value, this.#membership.clusterId) : header.text;
    if (!header.ok || problem !== undefined) {
      ports.log.error(
        { peer: stream.remote.name, reason: problem },
        "a snapshot that no peer sends is refused",
      );
      return undefined;
    }
    const { raft: message } = header.value;
    const isOurs =
      message.from === stream.remote.incarnation && message.to === this.#membership.self.incarnation;
    if (message.snapshot === undefined || !isOurs) return undefined;
    if (header.value.repair && !replica.repair.isUnderWay) return undefined;
    ports.log.info({ from: stream.remote.name, index: message.snapshot.index }, "receiving a snapshot");
    return new SnapshotReceiving(
      stream,
      header.value,
      replica.machine.store,
      (state, received) => this.#stage(state, received),
      replica.machine.check,
      ports.log,
    );
  }

  takeStaged(meta: SnapshotMeta): StagedState {
    const staged = this.#staged;
    assert(
      staged !== undefined && isSame(meta, staged.meta),
      `the core restores ${meta.index}/${meta.term}, staged is ${staged?.meta.index}/${staged?.meta.term}`,
    );
    this.#staged = undefined;
    return staged;
  }

  /** @param needsLog its receiver has it, and goes on with the log behind it */
  #end(how: (sending: SnapshotSending) => void, needsLog = false): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    this.#sending = undefined;
    const { storage, log, monotonicMs } = this.#parts.replica;
    storage!.isSnapshotInUse = false;
    if (needsLog) log.delivered(monotonicMs);
    else log.catchUp.end();
    how(sending);
  }

  #stage(state: StagedState, message: RaftMessage): boolean {
    const { replica, ports } = this.#parts;
    // The node has left the cluster that sent it.
    if (replica.raft?.id !== message.to) return false;
    if (state.repair) {
      if (!replica.repair.stage(state, replica.machine.appliedIndex)) return false;
      ports.scheduler.requestTurn();
    } else {
      // The one before may be what the core is about to restore, in this very turn.
      const before = this.#staged;
      this.#staged = state;
      const objection = replica.step(message);
      if (!isSame(replica.raft.restoring, state.meta)) this.#staged = before;
      if (objection !== undefined) {
        ports.log.error(
          { from: message.from, reason: objection },
          "a snapshot that no peer sends is refused",
        );
        return false;
      }
    }
    this.receivedCount++;
    ports.log.info({ index: state.meta.index }, "snapshot received");
    return true;
  }
}

const isSame = (one: SnapshotMeta | undefined, other: SnapshotMeta): boolean =>
  one?.index === other.index && one.term === other.term;
