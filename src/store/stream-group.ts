// A stream's consumer group: how far it has read, who reads, and what each has been given and not acknowledged. What is
// pending is in one table for the group, which has everything about it, and in one of mere ids for each consumer.

import { fail } from "../base/assert.ts";
import { IdTable } from "./id-table.ts";
import { fromHalves, halves, ID_WORDS, StreamId, split } from "./stream-id.ts";

// Words of a pending entry behind its id.
export const PENDING_CONSUMER = ID_WORDS;
const PENDING_TIME_HIGH = ID_WORDS + 1;
const PENDING_TIME_LOW = ID_WORDS + 2;
const PENDING_COUNT_HIGH = ID_WORDS + 3;
const PENDING_COUNT_LOW = ID_WORDS + 4;
export const PENDING_WORDS = ID_WORDS + 5;

/** Of entriesRead. */
export const UNKNOWN = -1;

export const GROUP_LOGICAL_BYTES = 1024;
export const CONSUMER_LOGICAL_BYTES = 1280;
const PENDING_LOGICAL_BYTES = 4 * (PENDING_WORDS + ID_WORDS);

/** Up to one of so many, pending entries are removed one by one. */
const FEW_OF = 32;

type Integer64 = number | bigint;

export class StreamConsumer {
  /** By which pending entries refer to it; never given again in its group. */
  readonly number: number;
  readonly name: Buffer;
  /** Last attempt to read or claim, and last success; -1 for never. In ms of cluster time. */
  seenMs: Integer64;
  activeMs: Integer64 = -1;
  pending = new IdTable(ID_WORDS);

  constructor(number: number, name: Buffer, seenMs: Integer64) {
    this.number = number;
    this.name = name;
    this.seenMs = seenMs;
  }

  /** With no pending entries yet. */
  twin(): StreamConsumer {
    const twin = new StreamConsumer(this.number, this.name, this.seenMs);
    twin.activeMs = this.activeMs;
    return twin;
  }
}

export class StreamGroup {
  readonly name: Buffer;
  readonly lastId = new StreamId();
  /** Entries up to lastId that ever were, or UNKNOWN. */
  entriesRead: Integer64 = UNKNOWN;
  /** In the order of their names' bytes. */
  consumers: StreamConsumer[] = [];
  nextConsumerNumber = 0;
  logicalBytes: number;
  /** Of PENDING_WORDS. */
  pending = new IdTable(PENDING_WORDS);
  readonly #byNumber = new Map<number, StreamConsumer>();

  /** Keeps `name`. */
  constructor(name: Buffer) {
    this.name = name;
    this.logicalBytes = GROUP_LOGICAL_BYTES + name.length;
  }

  consumer(bytes: Buffer, start: number, end: number): StreamConsumer | undefined {
    const found = this.consumers[this.#consumerPlace(bytes, start, end)];
    return found !== undefined && found.name.compare(bytes, start, end) === 0 ? found : undefined;
  }

  #consumerPlace(bytes: Buffer, start: number, end: number): number {
    let low = 0;
    let high = this.consumers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.consumers[middle]!.name.compare(bytes, start, end) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** There is none of that name. Keeps `name`. */
  createConsumer(name: Buffer, seenMs: Integer64): StreamConsumer {
    const consumer = new StreamConsumer(this.nextConsumerNumber++, name, seenMs);
    this.adopt(consumer);
    return consumer;
  }

  /** Takes in a consumer that has its number. False if its name or number is taken. */
  adopt(consumer: StreamConsumer): boolean {
    const place = this.#consumerPlace(consumer.name, 0, consumer.name.length);
    if (this.consumers[place]?.name.equals(consumer.name) === true || this.#byNumber.has(consumer.number))
      return false;
    this.consumers.splice(place, 0, consumer);
    this.#byNumber.set(consumer.number, consumer);
    this.logicalBytes += CONSUMER_LOGICAL_BYTES + consumer.name.length;
    return true;
  }

  /** With all that it has pending. */
  deleteConsumer(consumer: StreamConsumer): void {
    const { pending } = consumer;
    if (pending.count === this.pending.count) {
      this.pending = new IdTable(PENDING_WORDS);
    } else if (pending.count * FEW_OF > this.pending.count) {
      this.pending.removeWhere(PENDING_CONSUMER, consumer.number);
    } else {
      for (let more = pending.seekOrdinal(0); more; more = pending.next()) {
        if (!this.pending.find(one.readWords(pending.words, pending.at)))
          fail("pending with a consumer only");
        this.pending.remove();
      }
    }
    this.logicalBytes -= pending.count * PENDING_LOGICAL_BYTES;
    this.consumers.splice(this.#consumerPlace(consumer.name, 0, consumer.name.length), 1);
    this.#byNumber.delete(consumer.number);
    this.logicalBytes -= CONSUMER_LOGICAL_BYTES + consumer.name.length;
  }

  /** Of the pending entry that was found. */
  owner(): StreamConsumer {
    const { words, at } = this.pending;
    return (
      this.consumerOf(words[at + PENDING_CONSUMER]!) ?? fail(`no consumer ${words[at + PENDING_CONSUMER]}`)
    );
  }

  consumerOf(number: number): StreamConsumer | undefined {
    return this.#byNumber.get(number);
  }

  /** An entry is pending with this consumer from now on, whether it was with another or with none. */
  assign(id: StreamId, consumer: StreamConsumer, timeMs: Integer64, count: Integer64): void {
    if (this.pending.insert(id)) {
      this.logicalBytes += PENDING_LOGICAL_BYTES;
      consumer.pending.insert(id);
    } else {
      const owner = this.owner();
      if (owner !== consumer) {
        if (!owner.pending.find(id)) fail("pending with a group only");
        owner.pending.remove();
        consumer.pending.insert(id);
      }
    }
    this.#write(consumer, timeMs, count);
  }

  /** Changes the pending entry that was found. */
  update(timeMs: Integer64, count: Integer64): void {
    this.#write(this.owner(), timeMs, count);
  }

  #write(consumer: StreamConsumer, timeMs: Integer64, count: Integer64): void {
    this.pending.own();
    const { words, at } = this.pending;
    words[at + PENDING_CONSUMER] = consumer.number;
    split(timeMs);
    words[at + PENDING_TIME_HIGH] = halves.high;
    words[at + PENDING_TIME_LOW] = halves.low;
    split(count);
    words[at + PENDING_COUNT_HIGH] = halves.high;
    words[at + PENDING_COUNT_LOW] = halves.low;
  }

  /** When the pending entry that was found was delivered last. */
  get deliveryMs(): Integer64 {
    const { words, at } = this.pending;
    return fromHalves(words[at + PENDING_TIME_HIGH]!, words[at + PENDING_TIME_LOW]!);
  }

  /** How often: 64 bits, signed. */
  get deliveryCount(): Integer64 {
    const { words, at } = this.pending;
    return fromHalves(words[at + PENDING_COUNT_HIGH]!, words[at + PENDING_COUNT_LOW]!);
  }

  /** Is no longer pending; false if it was not. */
  acknowledge(id: StreamId): boolean {
    if (!this.pending.find(id)) return false;
    const { pending } = this.owner();
    if (!pending.find(id)) fail("pending with a group only");
    pending.remove();
    this.pending.remove();
    this.logicalBytes -= PENDING_LOGICAL_BYTES;
    return true;
  }

  /** Equal now, and free to change while this one is only read. Linear in its consumers, not in what is pending. */
  clone(): StreamGroup {
    return this.#twin((table) => table.clone());
  }

  copy(): StreamGroup {
    return this.#twin((table) => table.copy());
  }

  #twin(tableTwin: (table: IdTable) => IdTable): StreamGroup {
    const twin = new StreamGroup(this.name);
    twin.lastId.set(this.lastId);
    twin.entriesRead = this.entriesRead;
    twin.nextConsumerNumber = this.nextConsumerNumber;
    for (const consumer of this.consumers) {
      const other = consumer.twin();
      other.pending = tableTwin(consumer.pending);
      twin.consumers.push(other);
      twin.#byNumber.set(other.number, other);
    }
    twin.pending = tableTwin(this.pending);
    twin.logicalBytes = this.logicalBytes;
    return twin;
  }
}

const one = new StreamId();
