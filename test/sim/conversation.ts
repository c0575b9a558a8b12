// One end of a connection between two simulated processes: it beats, goes silent, stops reading, as io/peer-socket does.

import type { LinkDown, PeerIdentity } from "../../src/node/ports.ts";
import type { HandshakeIdentity } from "../../src/wire/handshake.ts";
import type { Parcel, PipeEnd, PipeOwner } from "./network.ts";
import type { SimTransport } from "./peers.ts";

const SILENT_BEATS_MAX = 8;
/** busy-limit and a second. */
const BUSY_BEATS_MAX = 12;
export const HANDSHAKE_MS_MAX = 2500;

export interface Hello {
  readonly identity: HandshakeIdentity;
  readonly wanted: number;
  readonly purpose: "frames" | "snapshot" | "pulse";
}

/** One end of a connection between two processes, whatever it is used for. */
export abstract class Conversation implements PipeOwner<Parcel> {
  readonly transport: SimTransport;
  pipe: PipeEnd | undefined;
  isUp = false;
  remote: PeerIdentity | undefined;
  #heard = false;
  #sent = false;
  #silentBeats = 0;
  #isReading = true;
  #unread: Parcel[] = [];

  constructor(transport: SimTransport) {
    this.transport = transport;
  }

  adopt(end: PipeEnd): void {
    this.pipe = end;
    end.owner = this;
    this.#silentBeats = 0;
    this.transport.conversations.add(this);
    const { timeline } = this.transport.process.network;
    timeline.after(HANDSHAKE_MS_MAX, () => {
      if (this.pipe === end && !this.isUp) end.shut("timeout", false);
    });
  }

  put(parcel: Parcel): void {
    this.#sent = true;
    this.pipe?.send(parcel);
  }

  received(parcel: Parcel): void {
    this.#heard = true;
    if (parcel.kind === "beat") return;
    if (this.#isReading) this.take(parcel);
    else this.#unread.push(parcel);
  }

  pauseReading(): void {
    this.#isReading = false;
  }

  resumeReading(): void {
    this.#isReading = true;
    const { process } = this.transport;
    process.network.timeline.after(0, () =>
      process.deliver(() => {
        while (this.#isReading && this.#unread.length > 0 && this.pipe?.isOpen === true)
          this.take(this.#unread.shift()!);
      }),
    );
  }

  beat(): void {
    if (!this.isUp) return;
    if (!this.#sent) this.pipe?.send({ kind: "beat" });
    this.#sent = false;
    this.#silentBeats = this.#heard || !this.#isReading ? 0 : this.#silentBeats + 1;
    this.#heard = false;
    const isBusy = this.remote !== undefined && this.transport.pulsing.has(this.remote.incarnation);
    if (this.#silentBeats >= (isBusy ? BUSY_BEATS_MAX : SILENT_BEATS_MAX)) this.pipe?.shut("timeout", false);
  }

  ended(how: LinkDown): void {
    this.transport.conversations.delete(this);
    const wasUp = this.isUp;
    this.isUp = false;
    this.pipe = undefined;
    this.#unread = [];
    this.over(how, wasUp);
  }

  protected abstract take(parcel: Parcel): void;
  protected abstract over(how: LinkDown, wasUp: boolean): void;
}
