// Are all fresh at one moment? What a node said of itself when it was met may be long past: it may have been let into a
// cluster meanwhile, and a second one must not be founded beside that. So the founder asks all of them. A process that
// is fresh has been so since it began, so their answers, whenever they come, say that when the question was put nobody
// was in a cluster: then there was none. Incarnations and time in, questions and a verdict out.

import type { PeerIdentity } from "./ports.ts";

/** A question or an answer was lost, if it takes so long; or there is none because that node is not fresh. */
const ASK_AGAIN_MS = 200;

/** Every founding member says so, at a first start and after the loss of all: a fresh node cannot tell which it is. */
export const foundedText =
  "founded: a new, empty cluster of all the configured members, because all of them were fresh. A first start looks like " +
  "this. If the members were a cluster before, all of them have restarted and the data of that cluster is lost";

export class Founding {
  /** The question: whether these, who were there when it was put first, are fresh. */
  #round = 0;
  readonly #asked = new Set<number>();
  readonly #fresh = new Set<number>();
  #askedMs = 0;

  /** Were all these fresh when they were asked? */
  haveAnswered(others: readonly PeerIdentity[]): boolean {
    return others.every(({ incarnation }) => this.#fresh.has(incarnation));
  }

  /** Puts the question to those who have not answered it; a new one if somebody else is there now. */
  ask(others: readonly PeerIdentity[], nowMs: number, send: (member: number, round: number) => void): void {
    if (!others.every(({ incarnation }) => this.#asked.has(incarnation))) {
      this.#round++;
      this.#asked.clear();
      this.#fresh.clear();
      for (const { incarnation } of others) this.#asked.add(incarnation);
    } else if (nowMs - this.#askedMs < ASK_AGAIN_MS) return;
    this.#askedMs = nowMs;
    for (const { incarnation } of others) if (!this.#fresh.has(incarnation)) send(incarnation, this.#round);
  }

  answered(member: number, round: number): void {
    if (round === this.#round && this.#asked.has(member)) this.#fresh.add(member);
  }
}
