// The sending half of a connection's two lanes (docs/adr/0021): frames in, units out. Urgent frames go at once; long ones, and
// what must stay behind them, go in pieces, of which only a window is on its way. Never copies a frame, never reads.
//
//   sendUrgent ───────────────────────────┐
//   send ──> queue ──> pieces ──(window)──┴──> socket

import { PEER_QUEUE_BYTES_MAX } from "../base/limits.ts";
import { LANE_WINDOW_BYTES, UNIT_BYTES_MAX, UNIT_PIECE, unitHead } from "./lane-units.ts";

/** The connection below. */
export interface LaneSink {
  /** Bytes that the kernel has not taken. */
  readonly queuedBytes: number;
  write(bytes: Uint8Array): void;
}

interface LongFrame {
  readonly parts: readonly Uint8Array[];
  /** Of the part that is sent now: which, and from where on. */
  part: number;
  at: number;
  bytesLeft: number;
}

export class LaneWriter {
  /** Bytes in the queue, of frames that have not gone out in whole. */
  waitingBytes = 0;
  /** Bytes of pieces that the other side has said it has, since the start. */
  takenBytes = 0;
  #sentBytes = 0;
  readonly #sink: LaneSink;
  /** The first `#gone` places are of frames that are out. */
  #queue: LongFrame[] = [];
  #gone = 0;

  constructor(sink: LaneSink) {
    this.#sink = sink;
  }

  /** False: it is too long for this lane. */
  sendUrgent(frame: Uint8Array): boolean {
    if (frame.length > UNIT_BYTES_MAX) return false;
    this.#sink.write(frame);
    return true;
  }

  /** One frame, in parts. Returns what is wrong, if so much waits that the connection must end. */
  send(parts: readonly Uint8Array[]): string | undefined {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    const [first] = parts;
    if (this.waitingBytes === 0 && parts.length === 1 && first !== undefined && bytes <= UNIT_BYTES_MAX) {
      this.#sink.write(first);
      return undefined;
    }
    const behind = this.waitingBytes - (this.#queue[this.#gone]?.bytesLeft ?? 0);
    if (behind > 0 && behind + bytes > PEER_QUEUE_BYTES_MAX)
      return `${this.waitingBytes} bytes are queued and the peer does not take them`;
    this.#queue.push({ parts, part: 0, at: 0, bytesLeft: bytes });
    this.waitingBytes += bytes;
    this.pump();
    return undefined;
  }

  /** The other side has taken so many more. Returns what is wrong with that. */
  taken(bytes: number): string | undefined {
    const underWay = this.#sentBytes - this.takenBytes;
    if (bytes > underWay) return `it took ${bytes} bytes and ${underWay} were on their way`;
    this.takenBytes += bytes;
    this.pump();
    return undefined;
  }

  /** To be called when there may be room again: sends pieces while the window and the kernel take them. */
  pump(): void {
    while (this.waitingBytes > 0 && this.#sink.queuedBytes === 0) {
      const room = LANE_WINDOW_BYTES - (this.#sentBytes - this.takenBytes);
      if (room <= 0) return;
      this.#sendPiece(Math.min(room, UNIT_BYTES_MAX));
    }
  }

  #sendPiece(bytesMax: number): void {
    const frame = this.#queue[this.#gone];
    const part = frame?.parts[frame.part];
    if (frame === undefined || part === undefined) return;
    const end = Math.min(part.length, frame.at + bytesMax);
    const bytes = end - frame.at;
    const piece = part.subarray(frame.at, end);
    frame.at = end;
    if (end === part.length) {
      frame.part++;
      frame.at = 0;
    }
    frame.bytesLeft -= bytes;
    this.waitingBytes -= bytes;
    this.#sentBytes += bytes;
    if (frame.bytesLeft === 0) this.#next();
    this.#sink.write(unitHead(UNIT_PIECE, bytes));
    this.#sink.write(piece);
  }

  /** The frame at the head of the queue is out. */
  #next(): void {
    this.#gone++;
    if (2 * this.#gone < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#gone);
    this.#gone = 0;
  }
}
