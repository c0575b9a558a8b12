// The peer transport of one simulated process: dials, shakes hands, beats, as io/peer-transport does with sockets.
// Who may talk to whom is decided by io/peer-handshake's own rule, and by the incarnation asked for.

import { connectionBackoffMs } from "../../src/io/backoff.ts";
import { mismatch } from "../../src/io/peer-handshake.ts";
import type {
  LinkDown,
  PeerIdentity,
  PeerLink,
  PeerTransport,
  SnapshotSender,
  SnapshotStreamOut,
} from "../../src/node/ports.ts";
import type { HandshakeIdentity } from "../../src/wire/handshake.ts";
import { Conversation, HANDSHAKE_MS_MAX, type Hello } from "./conversation.ts";
import { Lanes } from "./lanes.ts";
import type { Parcel, PipeEnd } from "./network.ts";
import { SnapshotIn, SnapshotOut } from "./peer-snapshots.ts";
import { machineAt, type SimProcess } from "./process.ts";
import { PulseIn } from "./pulses.ts";
import type { Random } from "./random.ts";

const BEAT_MS = 500;

export class SimTransport implements PeerTransport {
  self: PeerIdentity;
  readonly process: SimProcess;
  readonly random: Random;
  readonly conversations = new Set<Conversation>();
  readonly dialled = new Set<DialledLink>();
  /** Where peers' pulses come, by incarnation, and those that were heard since the last beat. */
  readonly pulses = new Map<number, PulseIn>();
  readonly pulsing = new Set<number>();
  #linkIds = 1;
  #sharedTextKept: string | undefined;

  constructor(process: SimProcess, self: PeerIdentity, random: Random) {
    this.process = process;
    this.self = self;
    this.random = random;
  }

  nextLinkId(): number {
    return this.#linkIds++;
  }

  update(self: PeerIdentity): void {
    const isSame = self.incarnation === this.self.incarnation;
    this.self = self;
    if (!isSame) for (const conversation of [...this.conversations]) conversation.pipe?.shut("local", false);
  }

  open(address: string, incarnation: number): PeerLink {
    const link = new DialledLink(this, address, incarnation);
    this.dialled.add(link);
    link.dial();
    return link;
  }

  openSnapshot(
    address: string,
    incarnation: number,
    header: Uint8Array,
    sender: SnapshotSender,
  ): SnapshotStreamOut {
    return new SnapshotOut(this, address, incarnation, Buffer.from(header), sender);
  }

  accept(end: PipeEnd): void {
    new Stranger(this).adopt(end);
  }

  startBeats(): void {
    const { process } = this;
    process.network.timeline.after(BEAT_MS, () => {
      if (!process.isAlive) return;
      // A stopped process beats late, never twice at once.
      if (!process.isHeld) {
        for (const conversation of [...this.conversations]) conversation.beat();
        this.pulsing.clear();
      }
      this.startBeats();
    });
  }

  /** What it says of itself to whoever it meets. */
  get identity(): HandshakeIdentity {
    return { ...this.self, sharedSettings: this.#sharedText };
  }

  get #sharedText(): string {
    this.#sharedTextKept ??= this.process.node.configuration.sharedText();
    return this.#sharedTextKept;
  }

  /** Why this caller is not wanted. */
  refusal(hello: Hello): string | undefined {
    if (hello.wanted !== 0 && hello.wanted !== this.self.incarnation) return "another incarnation";
    return this.mismatch(hello.identity);
  }

  mismatch(theirs: HandshakeIdentity): string | undefined {
    const { configuration } = this.process.node;
    return mismatch(
      {
        self: this.self,
        sharedSettings: this.#sharedText,
        sharedDifferences: (text, founding) => configuration.sharedDifferences(text, founding),
      },
      theirs,
    );
  }
}

/** Accepted, and not known yet. */
class Stranger extends Conversation {
  #hello: Hello | undefined;

  protected take(parcel: Parcel): void {
    const { transport } = this;
    if (parcel.kind === "hello") {
      const hello = parcel.detail as Hello;
      this.#hello = hello;
      if (transport.refusal(hello) === undefined) {
        this.put({ kind: "welcome", detail: transport.identity });
      } else {
        this.put({ kind: "refused" });
        this.pipe?.shut("refused", true);
      }
    } else if (parcel.kind === "proof" && this.#hello !== undefined) {
      this.put({ kind: "accepted" });
      const end = this.pipe!;
      transport.conversations.delete(this);
      this.pipe = undefined;
      const { identity, purpose } = this.#hello;
      if (purpose === "snapshot") new SnapshotIn(transport, identity).begin(end);
      else if (purpose === "pulse") new PulseIn(transport, identity).begin(end);
      else new AcceptedLink(transport, identity).begin(end);
    }
  }

  protected over(): void {}
}

abstract class Link extends Conversation implements PeerLink {
  readonly id: number;
  abstract readonly outgoing: boolean;
  abstract readonly address: string;
  #lanes: Lanes | undefined;
  protected isClosed = false;

  constructor(transport: SimTransport) {
    super(transport);
    this.id = transport.nextLinkId();
  }

  /** Anew with each connection. */
  override adopt(end: PipeEnd): void {
    super.adopt(end);
    const { network, machine } = this.transport.process;
    this.#lanes = new Lanes(network, machine, (parcel) => end === this.pipe && this.put(parcel));
  }

  get queuedBytes(): number {
    return this.#lanes?.queuedBytes ?? 0;
  }

  get takenBytes(): number {
    return this.#lanes?.takenBytes ?? 0;
  }

  send(parts: readonly Uint8Array[]): boolean {
    if (!this.isUp || this.pipe?.isOpen !== true) return false;
    this.#lanes?.send(Buffer.concat(parts));
    return true;
  }

  sendUrgent(frame: Uint8Array): boolean {
    if (!this.isUp || this.pipe?.isOpen !== true) return false;
    this.put({ kind: "frame", bytes: Buffer.from(frame) });
    return true;
  }

  /** Here everybody follows the protocol, however late or often their messages come. */
  reject(problem: string): void {
    throw new Error(`${this.transport.process.machine} rejects what another node sent: ${problem}`);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.pipe?.shut("local", true);
  }

  protected takeFrame(parcel: Parcel): void {
    if (this.isClosed) return;
    const bytes = this.#lanes?.take(parcel);
    if (bytes === undefined) return;
    const { process } = this.transport;
    const { network, machine } = process;
    const mangling = network.mangled.get(machine);
    if (mangling === undefined) return process.node.peerFrame(this, bytes);
    const { pipe } = this;
    const now = mangling.apply(bytes, (frame, delayMs) =>
      network.timeline.after(delayMs, () =>
        process.deliver(() => this.pipe === pipe && !this.isClosed && process.node.peerFrame(this, frame)),
      ),
    );
    process.node.peerFrame(this, now);
  }
}

export class DialledLink extends Link {
  readonly outgoing = true;
  readonly address: string;
  readonly #wanted: number;
  #attempts = 0;
  #attempt = 0;
  #isWaiting = false;
  #welcome: HandshakeIdentity | undefined;

  constructor(transport: SimTransport, address: string, wanted: number) {
    super(transport);
    this.address = address;
    this.#wanted = wanted;
  }

  dial(): void {
    if (this.isClosed || !this.transport.process.isAlive) return;
    this.#isWaiting = false;
    const attempt = ++this.#attempt;
    const { process } = this.transport;
    const { network } = process;
    const isCurrent = (): boolean => attempt === this.#attempt && this.pipe === undefined && !this.isClosed;
    network.connect(
      process,
      machineAt(this.address),
      this.address,
      (end) => {
        if (!isCurrent()) return void end.shut("local", true);
        this.adopt(end);
        const hello: Hello = { identity: this.transport.identity, wanted: this.#wanted, purpose: "frames" };
        this.put({ kind: "hello", detail: hello });
      },
      () => isCurrent() && this.#again(),
    );
    network.timeline.after(HANDSHAKE_MS_MAX, () => process.deliver(() => isCurrent() && this.#again()));
  }

  /** Somebody who says that this is his address has just called: he is there. */
  hurry(): void {
    if (this.#isWaiting) this.dial();
  }

  protected take(parcel: Parcel): void {
    const { transport } = this;
    if (this.isUp) return this.takeFrame(parcel);
    if (parcel.kind === "welcome") {
      this.#welcome = parcel.detail as HandshakeIdentity;
      if (transport.mismatch(this.#welcome) !== undefined) this.pipe?.shut("refused", false);
      else this.put({ kind: "proof" });
    } else if (parcel.kind === "accepted") {
      this.isUp = true;
      this.remote = this.#welcome;
      this.#attempts = 0;
      const { thread, options } = transport.process;
      if (!this.isClosed && options.hasPulses) thread.open(this.id, this.address, this.#welcome!.incarnation);
      if (!this.isClosed) transport.process.node.linkUp(this);
    }
  }

  protected over(how: LinkDown, wasUp: boolean): void {
    const { node, thread } = this.transport.process;
    thread.close(this.id);
    if (wasUp) node.linkDown(this, how);
    else if (!this.isClosed) node.linkRefused(this, how, "simulated");
    this.#again();
  }

  #again(): void {
    if (this.isClosed) return;
    this.#isWaiting = true;
    const { process, random } = this.transport;
    const attempt = ++this.#attempt;
    process.network.timeline.after(connectionBackoffMs(this.#attempts++, random.unit()), () => {
      if (attempt === this.#attempt && this.#isWaiting) process.deliver(() => this.#isWaiting && this.dial());
    });
  }
}

class AcceptedLink extends Link {
  readonly outgoing = false;
  readonly address: string;

  constructor(transport: SimTransport, remote: PeerIdentity) {
    super(transport);
    this.remote = remote;
    this.address = remote.address;
  }

  begin(end: PipeEnd): void {
    this.adopt(end);
    this.isUp = true;
    for (const link of this.transport.dialled) if (link.address === this.address) link.hurry();
    this.transport.process.node.linkUp(this);
  }

  protected take(parcel: Parcel): void {
    this.takeFrame(parcel);
  }

  protected over(how: LinkDown): void {
    this.isClosed = true;
    this.transport.process.node.linkDown(this, how);
  }
}
