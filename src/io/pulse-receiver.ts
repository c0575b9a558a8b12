// The connections on which peers' pulses come: one of each peer, read by the event loop like any other. Frames in, the
// node's inputs out; nothing is answered.

import type { LinkDown, NodeInputs, PeerIdentity } from "../node/ports.ts";
import { decodePulse } from "../wire/pulse.ts";
import type { PeerSocket, PeerSocketOwner } from "./peer-socket.ts";

/** What it needs of the transport. */
export interface PulseHost {
  readonly node: NodeInputs;
  untrack(socket: PeerSocket): void;
}

export class PulseReceiver {
  readonly #host: PulseHost;
  readonly #connections = new Map<number, PulseIn>();
  /** Incarnations that were heard since the last beat. */
  readonly #pulsing = new Set<number>();

  constructor(host: PulseHost) {
    this.#host = host;
  }

  /** A later connection of the same peer takes the place of the one before. */
  accept(socket: PeerSocket, remote: PeerIdentity): PeerSocketOwner {
    this.#connections.get(remote.incarnation)?.replace();
    const connection = new PulseIn(this, socket, remote);
    this.#connections.set(remote.incarnation, connection);
    return connection;
  }

  /** Did a pulse of this peer come since the last beat? Then it is busy, and its other connections are silent for it. */
  isPulsing(incarnation: number): boolean {
    return this.#pulsing.has(incarnation);
  }

  beaten(): void {
    this.#pulsing.clear();
  }

  heard(remote: PeerIdentity, frame: Buffer): string | undefined {
    const pulse = decodePulse(frame);
    if (!pulse.ok) return pulse.error;
    this.#pulsing.add(remote.incarnation);
    this.#host.node.pulse(remote, pulse.value);
    return undefined;
  }

  /** @param isReplaced or ended by this node: then it says nothing of the peer */
  gone(connection: PulseIn, how: LinkDown, isReplaced: boolean): void {
    const { socket, remote } = connection;
    this.#host.untrack(socket);
    if (this.#connections.get(remote.incarnation) === connection)
      this.#connections.delete(remote.incarnation);
    if (!isReplaced) this.#host.node.pulseLost(remote, how);
  }
}

class PulseIn implements PeerSocketOwner {
  readonly socket: PeerSocket;
  readonly remote: PeerIdentity;
  readonly #receiver: PulseReceiver;
  #isReplaced = false;

  constructor(receiver: PulseReceiver, socket: PeerSocket, remote: PeerIdentity) {
    this.#receiver = receiver;
    this.socket = socket;
    this.remote = remote;
  }

  replace(): void {
    this.#isReplaced = true;
    this.socket.destroy("local", "replaced by a new connection");
  }

  up(): void {}

  frame(_socket: PeerSocket, frame: Buffer): void {
    const problem = this.#receiver.heard(this.remote, frame);
    if (problem !== undefined) this.socket.destroy("garbage", problem);
  }

  drained(): void {}

  down(_socket: PeerSocket, how: LinkDown): void {
    this.#receiver.gone(this, how, this.#isReplaced || how === "local");
  }
}
