// What the other nodes' clients listen to, as counts by name, and what is still to be told to them of ours. A node
// tells a peer its whole table on the link it opened, bit by bit, and changes after that; a peer whose link is gone
// counts as having none, and so does a node that is no member: nothing that is published reaches it. So PUBLISH and PUBSUB can
// answer for all nodes; nothing is delivered by this.
//
//   ours, changed ──> untold[member] ──take()──> link ──> theirs[member] on the other side

import { globMatches } from "../../base/glob.ts";
import type { TopicKind } from "../../command/local-context.ts";
import type { SubscriptionCount } from "../../wire/subscription-counts.ts";
import type { Topic } from "./subscriptions.ts";

/** Roughly what a name costs here beside its bytes. */
const NAME_BYTES = 128;
/** What one message to a peer holds at most, unless a single name is longer. */
const MESSAGE_BYTES_MAX = 256 * 1024;
const COUNT_BYTES = 16;

interface Counted {
  count: number;
  /** The bytes of a pattern. */
  readonly pattern: Buffer | undefined;
}

interface Table {
  readonly channel: Map<string, Counted>;
  readonly pattern: Map<string, Counted>;
  readonly shard: Map<string, Counted>;
  bytes: number;
}

const NOBODY: readonly number[] = [];

const emptyTable = (): Table => ({ channel: new Map(), pattern: new Map(), shard: new Map(), bytes: 0 });

export class PeerSubscriptions {
  readonly #theirs = new Map<number, Table>();
  readonly #untold = new Map<number, Set<Topic>>();
  /** False: nobody is to be told anything. */
  #hasNews = false;
  readonly #bytesMax: number;
  readonly #isMember: (member: number) => boolean;

  constructor(bytesMax: number, isMember: (member: number) => boolean) {
    this.#bytesMax = bytesMax;
    this.#isMember = isMember;
  }

  /** The link we opened to the member is up: it is to hear of everything in `topics`. */
  opened(member: number, topics: Iterable<Topic>): void {
    this.#untold.set(member, new Set(topics));
    this.#hasNews = true;
  }

  closed(member: number): void {
    this.#untold.delete(member);
  }

  /** One of our topics has another number of subscribers. */
  changed(topic: Topic): void {
    for (const untold of this.#untold.values()) untold.add(topic);
    this.#hasNews = true;
  }

  /** Members that are to be told something. Asked in every turn: costs nothing while there is no news. */
  waiting(): readonly number[] {
    if (!this.#hasNews) return NOBODY;
    const members: number[] = [];
    for (const [member, untold] of this.#untold) if (untold.size > 0) members.push(member);
    this.#hasNews = members.length > 0;
    return members;
  }

  /** Is there something of ours that the member has not been told? Nobody is told who cannot be reached. */
  isUntold(member: number): boolean {
    return (this.#untold.get(member)?.size ?? 0) > 0;
  }

  /** The next part of what the member is to be told; a message's worth. */
  take(member: number): SubscriptionCount[] {
    const counts: SubscriptionCount[] = [];
    const untold = this.#untold.get(member);
    if (untold === undefined) return counts;
    let bytes = 0;
    for (const topic of untold) {
      untold.delete(topic);
      counts.push({ kind: topic.kind, name: topic.bytes, count: topic.count });
      bytes += topic.bytes.length + COUNT_BYTES;
      if (bytes >= MESSAGE_BYTES_MAX) break;
    }
    return counts;
  }

  /** The member has opened a link, or lost it: nothing is known of its clients. */
  forget(member: number): void {
    this.#theirs.delete(member);
  }

  /** What the member says of its clients. False: more than any node may have. */
  told(member: number, counts: readonly SubscriptionCount[]): boolean {
    const table = this.#theirs.get(member) ?? emptyTable();
    this.#theirs.set(member, table);
    for (const { kind, name, count } of counts) set(table, kind, name, count);
    return table.bytes <= this.#bytesMax;
  }

  /** Do the others' clients listen to nothing at all? */
  get isEmpty(): boolean {
    for (const table of this.#theirs.values()) if (table.bytes > 0) return false;
    return true;
  }

  /** Subscribers to the name itself, on all other nodes. */
  count(kind: TopicKind, name: string): number {
    let sum = 0;
    for (const [member, table] of this.#theirs) {
      const counted = table[kind].get(name);
      if (counted !== undefined && this.#isMember(member)) sum += counted.count;
    }
    return sum;
  }

  /** Subscribers to patterns that take the channel bytes[start, end), on all other nodes. */
  countMatching(bytes: Buffer, start: number, end: number): number {
    let sum = 0;
    for (const [member, table] of this.#theirs) {
      if (table.pattern.size === 0 || !this.#isMember(member)) continue;
      for (const { count, pattern } of table.pattern.values()) {
        if (pattern !== undefined && globMatches(pattern, 0, pattern.length, bytes, start, end)) sum += count;
      }
    }
    return sum;
  }

  /** Adds all names to `into`. */
  names(kind: TopicKind, into: Set<string>): void {
    for (const [member, table] of this.#theirs) {
      if (this.#isMember(member)) for (const name of table[kind].keys()) into.add(name);
    }
  }
}

function set(table: Table, kind: TopicKind, bytes: Buffer, count: number): void {
  const name = bytes.toString("latin1");
  const names = table[kind];
  const known = names.get(name);
  if (count === 0) {
    if (names.delete(name)) table.bytes -= name.length + NAME_BYTES;
  } else if (known !== undefined) {
    known.count = count;
  } else {
    // The frame's memory is not kept.
    names.set(name, { count, pattern: kind === "pattern" ? Buffer.from(bytes) : undefined });
    table.bytes += name.length + NAME_BYTES;
  }
}
