// The two kinds of links a node sees: one that we dial, again and again until it is closed, and one that was
// accepted. Sockets below, the node's inputs above.

import type { LinkDown, NodeInputs, PeerIdentity, PeerLink } from "../node/ports.ts";
import { connectionBackoffMs } from "./backoff.ts";
import { DiallerHandshake, type PeerTerms } from "./peer-handshake.ts";
import { PeerSocket, type PeerSocketOwner } from "./peer-socket.ts";
import type { WorkerPulse } from "./pulse-thread.ts";

/** A connection that was up so long was a good one. */
const STEADY_MS = 1000;

/** What links need of their transport. */
export interface LinkHost {
  readonly terms: PeerTerms;
  readonly node: NodeInputs;
  /** What goes up and down with the links that we dialled; undefined when busy members are not waited for. */
  readonly pulse: Pick<WorkerPulse, "open" | "close"> | undefined;
  /** Beats every socket until it is gone. */
  track(socket: PeerSocket): void;
  untrack(socket: PeerSocket): void;
  forget(link: PeerLink): void;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What both kinds share: a socket, or none, and what to do with its news. */
abstract class Link implements PeerLink, PeerSocketOwner {
  readonly id: number;
  readonly address: string;
  abstract readonly outgoing: boolean;
  remote: PeerIdentity | undefined;
  protected readonly host: LinkHost;
  protected socket: PeerSocket | undefined;
  protected isClosed = false;

  constructor(id: number, address: string, host: LinkHost) {
    this.id = id;
    this.address = address;
    this.host = host;
  }

  get isUp(): boolean {
    return this.socket?.isUp === true;
  }

  get queuedBytes(): number {
    const { socket } = this;
    return socket === undefined ? 0 : socket.queuedBytes + (socket.lanes?.waitingBytes ?? 0);
  }

  get takenBytes(): number {
    return this.socket?.lanes?.takenBytes ?? 0;
  }

  send(parts: readonly Uint8Array[]): boolean {
    return this.socket?.sendOrdered(parts) === true;
  }

  sendUrgent(frame: Uint8Array): boolean {
    return this.socket?.sendUrgent(frame) === true;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.host.forget(this);
    this.socket?.destroy("local", "closed by this node");
  }

  reject(problem: string): void {
    this.socket?.destroy("garbage", problem);
  }

  /** Of this incarnation of ours nothing may be said any more. */
  reset(): void {
    this.socket?.destroy("local", "this node has a new identity");
  }

  up(socket: PeerSocket, remote: PeerIdentity): void {
    this.remote = remote;
    socket.openLanes();
    if (!this.isClosed) this.host.node.linkUp(this);
  }

  frame(_socket: PeerSocket, frame: Buffer): void {
    if (!this.isClosed) this.host.node.peerFrame(this, frame);
  }

  drained(): void {}

  abstract down(socket: PeerSocket, how: LinkDown, text: string): void;
}

export class DialledLink extends Link {
  readonly outgoing = true;
  readonly #endpoint: Endpoint;
  readonly #incarnation: number;
  #wasUp = false;
  #upAtMs = 0;
  #attempts = 0;
  #lastRefusal = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(id: number, address: string, endpoint: Endpoint, incarnation: number, host: LinkHost) {
    super(id, address, host);
    this.#endpoint = endpoint;
    this.#incarnation = incarnation;
    this.#dial();
  }

  /** Somebody who says that this is his address has just called: he is there. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#dial();
  }

  override close(): void {
    clearTimeout(this.#timer);
    super.close();
  }

  override up(socket: PeerSocket, remote: PeerIdentity): void {
    this.#wasUp = true;
    this.#upAtMs = performance.now();
    this.#lastRefusal = "";
    const { pulse, terms } = this.host;
    if (!this.isClosed) pulse?.open(this.id, { ...this.#endpoint, incarnation: remote.incarnation }, terms);
    super.up(socket, remote);
  }

  down(socket: PeerSocket, how: LinkDown, text: string): void {
    this.host.untrack(socket);
    this.socket = undefined;
    const { node } = this.host;
    if (this.#wasUp) {
      this.#wasUp = false;
      this.host.pulse?.close(this.id);
      // A connection that is lost again and again as soon as it is there is made ever more slowly.
      if (performance.now() - this.#upAtMs >= STEADY_MS) this.#attempts = 0;
      node.linkDown(this, how, text);
    } else if (!this.isClosed && this.#lastRefusal !== `${how} ${text}`) {
      this.#lastRefusal = `${how} ${text}`;
      node.linkRefused(this, how, text);
    }
    if (this.isClosed) return;
    this.#timer = setTimeout(() => this.#dial(), connectionBackoffMs(this.#attempts, Math.random()));
    this.#attempts++;
  }

  #dial(): void {
    this.#timer = undefined;
    const handshake = new DiallerHandshake(this.host.terms, "frames", this.#incarnation);
    const { host, port } = this.#endpoint;
    this.socket = PeerSocket.dial(this, handshake, host, port);
    this.host.track(this.socket);
  }
}

/** Made when its handshake is over; until then its socket belongs to the transport. */
export class AcceptedLink extends Link {
  readonly outgoing = false;

  constructor(id: number, address: string, socket: PeerSocket, host: LinkHost) {
    super(id, address, host);
    this.socket = socket;
  }

  down(socket: PeerSocket, how: LinkDown, text: string): void {
    this.host.untrack(socket);
    this.isClosed = true;
    this.host.forget(this);
    this.host.node.linkDown(this, how, text);
    this.socket = undefined;
  }
}
