// Raft messages lost, doubled and late inside connections that otherwise keep order, as the core must survive them:
// a frame is opened on arrival and handed on without, with twice, or with less now and the rest later. Whatever else
// travels in it stays as it was: a connection of the real network loses nothing of that either.

import { decodePeerFrame, encodePeerFrame } from "../../src/wire/peer-frame.ts";
import type { RaftMessage } from "../../src/wire/raft-message.ts";
import type { Random } from "./random.ts";

const LATE_MS_MIN = 0.5;
const LATE_MS_MAX = 3000;

export class Mangling {
  readonly #random: Random;
  readonly #dropped: number;
  readonly #doubled: number;
  readonly #late: number;

  constructor(random: Random) {
    this.#random = random;
    const share = (): number => (random.chance(0.3) ? 0 : random.magnitude(0.01, 0.5));
    this.#dropped = share();
    this.#doubled = share();
    this.#late = share();
  }

  get description(): string {
    const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
    return `dropped ${percent(this.#dropped)}, doubled ${percent(this.#doubled)}, late ${percent(this.#late)}`;
  }

  /**
   * @param later takes a frame that is to arrive after so long
   * @returns what arrives now
   */
  apply(frame: Buffer, later: (frame: Buffer, delayMs: number) => void): Buffer {
    const decoded = decodePeerFrame(frame);
    if (!decoded.ok || decoded.value.raft.length === 0) return frame;
    const now: RaftMessage[] = [];
    for (const message of decoded.value.raft) {
      const random = this.#random;
      const isLate = random.chance(this.#late);
      const isDoubled = random.chance(this.#doubled);
      if (isLate || isDoubled) {
        const delayMs = random.magnitude(LATE_MS_MIN, LATE_MS_MAX);
        later(encodePeerFrame({ raft: [message] }), delayMs);
      }
      if (!isLate && !random.chance(this.#dropped)) now.push(message);
    }
    return encodePeerFrame({ ...decoded.value, raft: now });
  }
}
