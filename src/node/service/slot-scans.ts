// How many keys are in a slot, and which: found by looking through all keys, a slice a turn, so that nobody else waits.
// One pass at a time serves everybody who asked before it began. There is no index by slot: writes would pay for it
// always, and what it is for, moving slots to other nodes, does not exist here (ADR 15).
//
//   asked ──begin()──> pass: [cursor ......... end of hash space] ──> answered

import type { SlotQuestion } from "../../command/cluster-context.ts";
import { slotOfKey } from "../../command/key-slot.ts";
import type { Keyspace } from "../../store/keyspace.ts";

/** About half a millisecond. Databases no larger than this are looked through at once. */
export const KEYS_PER_TURN = 1024;
/** Names that one question may gather: beyond it the answer ends early. */
const NAME_BYTES_MAX = 16 << 20;

class Question implements SlotQuestion {
  readonly slot: number;
  readonly namesMax: number;
  keyCount = 0;
  readonly keys: Buffer[] = [];
  nameBytes = 0;
  isDone = false;
  /** Since the last slice. */
  isAsked = true;

  constructor(slot: number, namesMax: number) {
    this.slot = slot;
    this.namesMax = namesMax;
  }

  isAnswered(): boolean {
    this.isAsked = true;
    return this.isDone;
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.keyCount++;
    if (this.keys.length >= this.namesMax || this.nameBytes + end - start > NAME_BYTES_MAX) return;
    this.nameBytes += end - start;
    this.keys.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** What was found is of a state that is gone. */
  startOver(): void {
    this.keyCount = 0;
    this.keys.length = 0;
    this.nameBytes = 0;
  }
}

export class SlotScans {
  /** The database that is looked at now; another object once a snapshot has taken its place. */
  readonly #source: () => Keyspace;
  #waiting: Question[] = [];
  /** Of the pass under way. */
  #pass: Question[] = [];
  #bySlot = new Map<number, Question[]>();
  #scanned: Keyspace | undefined;
  #cursor = 0;

  constructor(source: () => Keyspace) {
    this.#source = source;
  }

  get isBusy(): boolean {
    return this.#pass.length > 0 || this.#waiting.length > 0;
  }

  ask(slot: number, namesMax: number): SlotQuestion {
    const question = new Question(slot, namesMax);
    const keys = this.#source();
    if (keys.size <= KEYS_PER_TURN) {
      keys.forEach((bytes, start, end) => {
        if (slotOfKey(bytes, start, end) === slot) question.add(bytes, start, end);
      });
      question.isDone = true;
    } else {
      this.#waiting.push(question);
    }
    return question;
  }

  /** The next slice, once a turn. */
  advance(): void {
    this.#forgetAbandoned();
    if (this.#pass.length === 0) this.#begin();
    if (this.#pass.length === 0) return;
    const keys = this.#source();
    if (keys !== this.#scanned) {
      for (const question of this.#pass) question.startOver();
      this.#scanned = keys;
      this.#cursor = 0;
    }
    this.#cursor = keys.scan(this.#cursor, KEYS_PER_TURN, (bytes, start, end) => {
      const asked = this.#bySlot.get(slotOfKey(bytes, start, end));
      if (asked !== undefined) for (const question of asked) question.add(bytes, start, end);
    });
    if (this.#cursor !== 0) return;
    for (const question of this.#pass) question.isDone = true;
    this.#pass = [];
    this.#bySlot.clear();
    this.#scanned = undefined;
  }

  #begin(): void {
    this.#pass = this.#waiting;
    this.#waiting = [];
    this.#cursor = 0;
    this.#scanned = this.#source();
    for (const question of this.#pass) {
      const same = this.#bySlot.get(question.slot);
      if (same === undefined) this.#bySlot.set(question.slot, [question]);
      else same.push(question);
    }
  }

  /** A client that is gone does not ask any more: nothing is gathered for it. */
  #forgetAbandoned(): void {
    this.#waiting = stillAsked(this.#waiting);
    const pass = stillAsked(this.#pass);
    if (pass.length !== this.#pass.length) {
      this.#pass = pass;
      for (const [slot, questions] of this.#bySlot) {
        this.#bySlot.set(slot, stillAsked(questions));
      }
    }
    for (const question of this.#pass) question.isAsked = false;
    for (const question of this.#waiting) question.isAsked = false;
  }
}

const stillAsked = (questions: Question[]): Question[] =>
  questions.every(({ isAsked }) => isAsked) ? questions : questions.filter(({ isAsked }) => isAsked);
