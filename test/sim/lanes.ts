// One end of a simulated connection's ordered lane, as io/lane-writer and io/lane-reader do it: frames that are longer than a piece, and those
// behind them, go in pieces, of which a window is on its way; what is urgent passes them.

import type { Network, Parcel } from "./network.ts";

export const WINDOW_PIECES = 4;
const LOOK_AGAIN_MS = 50;

export class Lanes {
  queuedBytes = 0;
  takenBytes = 0;
  #underWay = 0;
  #queue: Buffer[] = [];
  /** What has arrived of the frame that is being received. */
  #arrived: Buffer[] = [];
  readonly #network: Network;
  readonly #machine: string;
  readonly #put: (parcel: Parcel) => void;
  #looksAgain = false;

  /** @param machine whose end it is */
  constructor(network: Network, machine: string, put: (parcel: Parcel) => void) {
    this.#network = network;
    this.#machine = machine;
    this.#put = put;
  }

  get #isHeld(): boolean {
    return this.#network.heldLane === this.#machine;
  }

  send(frame: Buffer): void {
    const isShort = frame.length <= this.#network.pieceBytes;
    if (this.#queue.length === 0 && isShort && !this.#isHeld) {
      this.#put({ kind: "frame", bytes: frame });
      return;
    }
    this.#queue.push(frame);
    this.queuedBytes += frame.length;
    this.#pump();
  }

  /** Undefined: no whole frame is there yet. */
  take({ kind, bytes, detail }: Parcel): Buffer | undefined {
    if (kind === "taken") {
      this.#underWay--;
      this.takenBytes += detail as number;
      this.#pump();
      return undefined;
    }
    if (kind !== "piece" || bytes === undefined) return bytes;
    this.#put({ kind: "taken", detail: bytes.length });
    this.#arrived.push(bytes);
    if (detail !== "last") return undefined;
    const frame = Buffer.concat(this.#arrived);
    this.#arrived = [];
    return frame;
  }

  #pump(): void {
    if (this.#isHeld) return this.#lookAgain();
    while (this.#underWay < WINDOW_PIECES) {
      const [frame] = this.#queue;
      if (frame === undefined) return;
      const piece = frame.subarray(0, this.#network.pieceBytes);
      const isLast = piece.length === frame.length;
      if (isLast) this.#queue.shift();
      else this.#queue[0] = frame.subarray(piece.length);
      this.queuedBytes -= piece.length;
      this.#underWay++;
      this.#put({ kind: "piece", bytes: piece, detail: isLast ? "last" : "" });
    }
  }

  #lookAgain(): void {
    if (this.#looksAgain) return;
    this.#looksAgain = true;
    this.#network.timeline.after(LOOK_AGAIN_MS, () => {
      this.#looksAgain = false;
      this.#pump();
    });
  }
}
