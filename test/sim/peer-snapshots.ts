// Snapshots between simulated processes, each on a connection of its own, as in io/peer-snapshots.

import type {
  LinkDown,
  PeerIdentity,
  SnapshotReceiver,
  SnapshotSender,
  SnapshotStreamIn,
  SnapshotStreamOut,
} from "../../src/node/ports.ts";
import { Conversation, HANDSHAKE_MS_MAX, type Hello } from "./conversation.ts";
import type { Parcel, PipeEnd } from "./network.ts";
import type { SimTransport } from "./peers.ts";
import { machineAt } from "./process.ts";

const SNAPSHOT_WINDOW_CHUNKS = 4;
/** What memory holds that is somebody else's by now. */
const SPOILED = 0xa5;

export class SnapshotOut extends Conversation implements SnapshotStreamOut {
  readonly #header: Buffer;
  readonly #sender: SnapshotSender;
  #isOver = false;
  #isFull = false;
  #unsent = 0;
  #gone: Buffer | undefined;

  constructor(
    transport: SimTransport,
    address: string,
    incarnation: number,
    header: Buffer,
    sender: SnapshotSender,
  ) {
    super(transport);
    this.#header = header;
    this.#sender = sender;
    const { process } = transport;
    const { network } = process;
    const giveUp = (): void => {
      if (this.pipe === undefined && !this.isUp) this.over("unreachable");
    };
    network.connect(
      process,
      machineAt(address),
      address,
      (end) => {
        if (this.#isOver) return void end.shut("local", true);
        this.adopt(end);
        const hello: Hello = { identity: transport.identity, wanted: incarnation, purpose: "snapshot" };
        this.put({ kind: "hello", detail: hello });
      },
      giveUp,
    );
    network.timeline.after(HANDSHAKE_MS_MAX, () => process.deliver(giveUp));
  }

  write(chunk: Uint8Array): boolean {
    this.put({ kind: "chunk", bytes: Buffer.from(chunk) });
    this.#gone = Buffer.from(chunk.buffer as ArrayBuffer);
    this.#unsent++;
    this.#isFull = this.#unsent >= SNAPSHOT_WINDOW_CHUNKS;
    const { process } = this.transport;
    const { network } = process;
    // The kernel takes a chunk now and then.
    network.timeline.after(network.random.magnitude(0.1, 20), () =>
      process.deliver(() => {
        this.#unsent--;
        if (this.#unsent > 0 || !this.#isFull || this.#isOver) return;
        this.#isFull = false;
        this.#sender.drained();
      }),
    );
    return !this.#isFull;
  }

  memory(): Buffer | undefined {
    const gone = this.#gone?.fill(SPOILED);
    this.#gone = undefined;
    return gone;
  }

  end(): void {
    this.put({ kind: "end" });
  }

  destroy(): void {
    this.#isOver = true;
    this.pipe?.shut("local", false);
  }

  protected take(parcel: Parcel): void {
    if (this.#isOver) return;
    if (parcel.kind === "welcome") this.put({ kind: "proof" });
    else if (parcel.kind === "accepted") {
      this.isUp = true;
      this.put({ kind: "header", bytes: this.#header });
      this.#sender.drained();
    } else if (parcel.kind === "confirmed") {
      this.#isOver = true;
      this.pipe?.shut("local", true);
      this.#sender.finished();
    }
  }

  protected over(how: LinkDown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sender.failed(how, "");
  }
}

export class SnapshotIn extends Conversation implements SnapshotStreamIn {
  override remote: PeerIdentity;
  #receiver: SnapshotReceiver | undefined;
  #isOver = false;

  constructor(transport: SimTransport, remote: PeerIdentity) {
    super(transport);
    this.remote = remote;
  }

  begin(end: PipeEnd): void {
    this.adopt(end);
    this.isUp = true;
  }

  pause(): void {
    this.pauseReading();
  }

  resume(): void {
    this.resumeReading();
  }

  destroy(): void {
    this.#isOver = true;
    this.pipe?.shut("local", false);
  }

  protected take(parcel: Parcel): void {
    if (this.#isOver) return;
    const { kind, bytes } = parcel;
    const receiver = this.#receiver;
    if (kind === "header") {
      this.#receiver = this.transport.process.node.snapshotOffered(this, bytes!);
      if (this.#receiver === undefined) this.pipe?.shut("refused", true);
    } else if (kind === "chunk") {
      receiver?.chunk(bytes!);
      // The next one comes in the same memory.
      bytes!.fill(SPOILED);
    } else if (kind === "end" && receiver !== undefined) {
      this.#isOver = true;
      if (receiver.ended()) this.put({ kind: "confirmed" });
      else this.pipe?.shut("refused", true);
    }
  }

  protected over(how: LinkDown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver?.failed(how);
  }
}
