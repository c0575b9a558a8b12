// All connections to other nodes: listens, dials, accepts, beats the keepalives. Implements the node's
// PeerTransport; every frame passes through, none is looked into.

import type { Server, Socket } from "node:net";
import { InvariantError } from "../base/assert.ts";
import { parseAddress } from "../config/special-kinds.ts";
import type {
  LinkDown,
  Log,
  NodeInputs,
  PeerIdentity,
  PeerLink,
  PeerTransport,
  SnapshotSender,
  SnapshotStreamOut,
} from "../node/ports.ts";
import type { ConnectionKind } from "../wire/handshake.ts";
import { isLoopbackAddress } from "./client-connection.ts";
import { listen } from "./listen.ts";
import { AcceptorHandshake, type PeerTerms, VERSIONS } from "./peer-handshake.ts";
import { peerKey } from "./peer-key.ts";
import { AcceptedLink, DialledLink, type Endpoint, type LinkHost } from "./peer-links.ts";
import { SnapshotIn, SnapshotOut } from "./peer-snapshots.ts";
import { KEEPALIVE_MS, PeerSocket, type PeerSocketOwner } from "./peer-socket.ts";
import { PulseReceiver } from "./pulse-receiver.ts";
import { busyBeatsMax, type WorkerPulse } from "./pulse-thread.ts";
import { STRANGERS_MAX, Strangers } from "./strangers.ts";

const BACKLOG = 128;
/** Reasons remembered, so that a peer which is refused again and again is logged once. */
const LOGGED_REFUSALS_MAX = 256;

export interface PeerSettings {
  readonly secret: string;
  readonly sharedSettings: string;
  /** CONFIG SET may change it while the node runs. */
  needsPassword(): boolean;
  sharedDifferences(theirs: string, founding: boolean): readonly string[];
  readonly snapshotWindowBytes: number;
  readonly busyLimitMs: number;
}

export class TcpPeerTransport implements PeerTransport, LinkHost {
  self: PeerIdentity;
  readonly #settings: PeerSettings;
  readonly #key: Buffer | undefined;
  readonly #log: Log;
  #node: NodeInputs | undefined;
  #servers: readonly Server[] = [];
  #nextLinkId = 1;
  readonly #sockets = new Set<PeerSocket>();
  readonly #links = new Set<DialledLink | AcceptedLink>();
  /** Connections that have not shaken hands yet, in the order in which they came. */
  readonly #shaking = new Set<PeerSocket>();
  readonly #strangers = new Strangers();
  readonly #loggedRefusals = new Set<string>();
  readonly pulse: WorkerPulse | undefined;
  readonly #pulses = new PulseReceiver(this);
  readonly #timer: NodeJS.Timeout;

  constructor(self: PeerIdentity, settings: PeerSettings, log: Log, pulse?: WorkerPulse) {
    this.pulse = pulse;
    this.self = self;
    this.#settings = settings;
    this.#key = peerKey(settings.secret);
    this.#log = log;
    this.#timer = setInterval(() => this.#beat(), KEEPALIVE_MS);
  }

  get node(): NodeInputs {
    if (this.#node === undefined) throw new InvariantError("a link before attach()");
    return this.#node;
  }

  get terms(): PeerTerms {
    const { sharedSettings } = this.#settings;
    const sharedDifferences: PeerTerms["sharedDifferences"] = (theirs, founding) =>
      this.#settings.sharedDifferences(theirs, founding);
    const self = { ...this.self, needsPassword: this.#settings.needsPassword() };
    return { self, versions: VERSIONS, key: this.#key, sharedSettings, sharedDifferences };
  }

  /** Whom to tell. Before anything else. */
  attach(node: NodeInputs): void {
    this.#node = node;
  }

  async listen(
    addresses: readonly string[],
    port: number,
  ): Promise<{ readonly port: number } | { readonly error: string }> {
    const far = addresses.find((address) => !isLoopbackName(address.replace(/^-/, "")));
    if (this.#settings.secret === "" && far !== undefined) {
      return { error: `peer port ${far}:${port}: without a cluster-secret it is open to loopback only` };
    }
    const listening = await listen("peer port", addresses, port, BACKLOG, (socket) => this.#accept(socket));
    if (!listening.ok) return { error: listening.error };
    this.#servers = listening.servers;
    return { port: listening.port };
  }

  /** Everything goes: links, streams, the port. */
  close(): void {
    clearInterval(this.#timer);
    for (const server of this.#servers) server.close();
    for (const link of [...this.#links]) link.close();
    for (const socket of [...this.#sockets]) socket.destroy("local", "this node stops");
  }

  update(self: PeerIdentity): void {
    const isSame = self.incarnation === this.self.incarnation;
    this.self = self;
    if (!isSame) for (const link of [...this.#links]) link.reset();
  }

  open(address: string, incarnation: number): PeerLink {
    const link = new DialledLink(this.#nextLinkId++, address, endpointOf(address), incarnation, this);
    this.#links.add(link);
    return link;
  }

  openSnapshot(
    address: string,
    incarnation: number,
    header: Uint8Array,
    sender: SnapshotSender,
  ): SnapshotStreamOut {
    const { snapshotWindowBytes } = this.#settings;
    return new SnapshotOut(this, endpointOf(address), incarnation, header, sender, snapshotWindowBytes);
  }

  track(socket: PeerSocket): void {
    this.#sockets.add(socket);
  }

  untrack(socket: PeerSocket): void {
    this.#sockets.delete(socket);
  }

  forget(link: PeerLink): void {
    for (const known of this.#links) if (known === link) this.#links.delete(known);
  }

  #beat(): void {
    const busyMax = busyBeatsMax(this.#settings.busyLimitMs);
    for (const socket of this.#sockets) {
      if (this.#pulses.isPulsing(socket.remoteIncarnation)) socket.beat(busyMax);
      else socket.beat();
    }
    this.#pulses.beaten();
  }

  #accept(accepted: Socket): void {
    if (!this.#strangers.isWelcome(accepted.remoteAddress ?? "", performance.now())) {
      return void accepted.destroy();
    }
    if (this.#shaking.size >= STRANGERS_MAX) {
      // Whoever has taken longest: a member is done in a moment.
      for (const oldest of this.#shaking) {
        this.#shaking.delete(oldest);
        oldest.destroy("timeout", "too many others wait to shake hands");
        break;
      }
    }
    const handshake = new AcceptorHandshake(this.terms);
    const owner = new Stranger(this, handshake, accepted.remoteAddress ?? "");
    const socket = PeerSocket.accept(owner, handshake, accepted);
    this.#shaking.add(socket);
    this.track(socket);
  }

  /** A connection has shaken hands: what it is from now on. */
  admit(socket: PeerSocket, kind: ConnectionKind, remote: PeerIdentity): PeerSocketOwner {
    this.#shaking.delete(socket);
    if (kind === "snapshot") return new SnapshotIn(this, socket, remote);
    if (kind === "pulse") return this.#pulses.accept(socket, remote);
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    const link = new AcceptedLink(this.#nextLinkId++, address, socket, this);
    this.#links.add(link);
    for (const other of this.#links) {
      if (other instanceof DialledLink && other.address === remote.address) other.hurry();
    }
    return link;
  }

  /** It did not get that far. */
  turnAway(socket: PeerSocket, address: string, how: LinkDown, text: string): void {
    this.#shaking.delete(socket);
    this.untrack(socket);
    if (how !== "local") this.#strangers.failed(address, performance.now());
    const line = `${how} ${text}`;
    if (how === "local" || this.#loggedRefusals.has(line)) return;
    if (this.#loggedRefusals.size >= LOGGED_REFUSALS_MAX) this.#loggedRefusals.clear();
    this.#loggedRefusals.add(line);
    const fields = { from: address, how, reason: text };
    // A member that was busy ends so too: nobody was turned away.
    if (how === "closed" || how === "reset" || how === "timeout") {
      return this.#log.info(fields, `a peer connection ended before its handshake: ${text}`);
    }
    this.#log.warn(fields, "a peer connection was refused");
  }
}

/** The owner of an accepted socket: nobody yet, then whatever the handshake makes of it. */
class Stranger implements PeerSocketOwner {
  readonly #transport: TcpPeerTransport;
  readonly #handshake: AcceptorHandshake;
  /** A socket that is gone does not know any more. */
  readonly #address: string;
  #owner: PeerSocketOwner | undefined;

  constructor(transport: TcpPeerTransport, handshake: AcceptorHandshake, address: string) {
    this.#address = address;
    this.#transport = transport;
    this.#handshake = handshake;
  }

  up(socket: PeerSocket, remote: PeerIdentity): void {
    this.#owner = this.#transport.admit(socket, this.#handshake.kind, remote);
    this.#owner.up(socket, remote);
  }

  frame(socket: PeerSocket, frame: Buffer): void {
    this.#owner?.frame(socket, frame);
  }

  drained(socket: PeerSocket): void {
    this.#owner?.drained(socket);
  }

  down(socket: PeerSocket, how: LinkDown, text: string): void {
    if (this.#owner === undefined) this.#transport.turnAway(socket, this.#address, how, text);
    else this.#owner.down(socket, how, text);
  }
}

function endpointOf(address: string): Endpoint {
  const endpoint = parseAddress(address);
  if (endpoint === undefined) throw new InvariantError(`${address} is no address`);
  return endpoint;
}

const isLoopbackName = (address: string): boolean => address === "localhost" || isLoopbackAddress(address);
