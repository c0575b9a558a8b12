// Publish and subscribe: messages out of the log, and keyspace events, to the clients of this node that listen; and
// who listens where. In while an entry is applied: messages. Out when it has been: bytes for subscribers. It never
// writes into the middle of a reply, and decides nothing that replicas must agree on. See ADR 9.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import { SUBSCRIPTIONS_BYTES_MAX } from "../base/limits.ts";
import type { Client, PubSubControl, TopicKind } from "../command/local-context.ts";
import type { Publications } from "../command/types.ts";
import type { SubscriptionCount } from "../wire/subscription-counts.ts";
import { encodeMessage } from "./pubsub-message.ts";
import { leavingKinds } from "./row-facts.ts";
import { type EventsAsked, eventsAsked } from "./service/event-classes.ts";
import { PeerSubscriptions } from "./service/peer-subscriptions.ts";
import { Subscriptions, type Topic } from "./service/subscriptions.ts";
import type { Session } from "./session.ts";

/** With more than this waiting on a link, what is to be told of subscriptions waits too. */
const LINK_BYTES_MAX = 1 << 20;

const TOPIC_KINDS = ["channel", "pattern", "shard"] as const satisfies readonly TopicKind[];

export interface PubSubLinks {
  subscriptions(member: number, counts: readonly SubscriptionCount[]): void;
  queuedBytes(member: number): number;
}

export interface PubSubParts {
  readonly links: PubSubLinks;
  sessionOf(client: Client): Session | undefined;
  /** Is it a voter or a learner? */
  isMember(member: number): boolean;
  /** Which classes of keyspace events are to be made from now on. */
  eventClasses(classes: number): void;
}

/** bytes[channelStart, channelEnd) and bytes[start, end) stay as they are until the entry has been applied. */
interface Message {
  readonly shard: boolean;
  readonly bytes: Buffer;
  readonly channelStart: number;
  readonly channelEnd: number;
  readonly start: number;
  readonly end: number;
}

export class PubSub implements PubSubControl, Publications {
  readonly peers: PeerSubscriptions;
  readonly #subscriptions = new Subscriptions<Session>(SUBSCRIPTIONS_BYTES_MAX, (topic) =>
    this.#changed(topic),
  );
  readonly #parts: PubSubParts;
  #asked: EventsAsked = eventsAsked("");
  #messages: Message[] = [];

  constructor(parts: PubSubParts) {
    this.#parts = parts;
    this.peers = new PeerSubscriptions(SUBSCRIPTIONS_BYTES_MAX, (member) => parts.isMember(member));
  }

  // What commands ask.

  subscribe(client: Client, kind: TopicKind, name: string): boolean {
    const session = this.#parts.sessionOf(client);
    return session !== undefined && this.#subscriptions.add(session, kind, name);
  }

  unsubscribe(client: Client, kind: TopicKind, name: string): void {
    const session = this.#parts.sessionOf(client);
    if (session !== undefined) this.#subscriptions.remove(session, kind, name);
  }

  /** This command of a client is about to end subscriptions: those count no more. */
  leaving(session: Session, id: number, args: Args): void {
    for (const kind of TOPIC_KINDS) {
      if (leavingKinds[id] !== undefined && leavingKinds[id] !== kind) continue;
      const isAll = leavingKinds[id] === undefined || args.count === 1;
      const names = isAll ? this.#subscriptions.namesOf(session, kind) : argumentTexts(args);
      for (const name of names) this.#subscriptions.leaving(session, kind, name);
    }
  }

  subscriptionsOf(client: Client, kind: TopicKind): readonly string[] {
    const session = this.#parts.sessionOf(client);
    return session === undefined ? [] : this.#subscriptions.namesOf(session, kind);
  }

  names(kind: TopicKind): ReadonlySet<string> {
    const names = new Set(this.#subscriptions.topics(kind).keys());
    this.peers.names(kind, names);
    return names;
  }

  subscriberCount(kind: TopicKind, name: string): number {
    const own = this.#subscriptions.topic(kind, name)?.count ?? 0;
    return own + this.peers.count(kind, name);
  }

  /** On this node alone, for INFO. */
  topicCount(kind: TopicKind): number {
    return this.#subscriptions.topics(kind).size;
  }

  /** RESET, or the client is gone. */
  left(session: Session): void {
    this.#subscriptions.removeAll(session);
  }

  /**
   * The state came by snapshot: messages before it never will, so subscribers must learn that they missed some. Or the node was removed, and
   * gets none any more.
   */
  messagesLost(): void {
    for (const session of this.#subscriptions.subscribers()) session.close(false);
  }

  // Keyspace events.

  /** @param letters of notify-keyspace-events */
  setEvents(letters: string): void {
    this.#asked = eventsAsked(letters);
    this.#updateEvents();
  }

  /** Store.onEvent: something happened to the key bytes[start, end), which is good during the call only. */
  keyspaceEvent(database: number, event: string, bytes: Buffer, start: number, end: number): void {
    if (this.#asked.byKey) {
      const prefix = `__keyspace@${database}__:`;
      const message = Buffer.allocUnsafe(prefix.length + end - start + event.length);
      message.write(prefix, 0, "latin1");
      bytes.copy(message, prefix.length, start, end);
      this.#queueEvent(message, message.length - event.length, event);
    }
    if (this.#asked.byEvent) {
      const channel = `__keyevent@${database}__:${event}`;
      if (!this.#isHeard(channel)) return;
      const message = Buffer.allocUnsafe(channel.length + end - start);
      message.write(channel, 0, "latin1");
      bytes.copy(message, channel.length, start, end);
      this.#queue(message, channel.length);
    }
  }

  #queueEvent(message: Buffer, channelEnd: number, event: string): void {
    if (!this.#isHeard(message.toString("latin1", 0, channelEnd))) return;
    message.write(event, channelEnd, "latin1");
    this.#queue(message, channelEnd);
  }

  #queue(bytes: Buffer, channelEnd: number): void {
    const end = bytes.length;
    this.#messages.push({ shard: false, bytes, channelStart: 0, channelEnd, start: channelEnd, end });
  }

  /** Does any client of this node listen to the channel? */
  #isHeard(channel: string): boolean {
    if (this.#subscriptions.topic("channel", channel) !== undefined) return true;
    const patterns = this.#subscriptions.topics("pattern");
    if (patterns.size === 0) return false;
    const bytes = Buffer.from(channel, "latin1");
    for (const topic of patterns.values()) if (takes(topic, bytes, 0, bytes.length)) return true;
    return false;
  }

  // Messages, while an entry is applied.

  publish(
    shard: boolean,
    bytes: Buffer,
    channelStart: number,
    channelEnd: number,
    start: number,
    end: number,
  ): void {
    if (this.#subscriptions.isEmpty) return;
    this.#messages.push({ shard, bytes, channelStart, channelEnd, start, end });
  }

  receiverCount(shard: boolean, bytes: Buffer, channelStart: number, channelEnd: number): number {
    if (this.#subscriptions.isEmpty && this.peers.isEmpty) return 0;
    const name = bytes.toString("latin1", channelStart, channelEnd);
    if (shard) return this.subscriberCount("shard", name);
    let count = this.subscriberCount("channel", name);
    for (const topic of this.#subscriptions.topics("pattern").values()) {
      if (takes(topic, bytes, channelStart, channelEnd)) count += topic.count;
    }
    return count + this.peers.countMatching(bytes, channelStart, channelEnd);
  }

  /** The entry is applied, and no reply is half written: what it published goes out. */
  entryApplied(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    for (const message of messages) this.#deliver(message);
  }

  #deliver(message: Message): void {
    const { shard, bytes, channelStart, channelEnd } = message;
    const name = bytes.toString("latin1", channelStart, channelEnd);
    const topic = this.#subscriptions.topic(shard ? "shard" : "channel", name);
    if (topic !== undefined) this.#deliverTo(topic, message);
    if (shard) return;
    for (const pattern of this.#subscriptions.topics("pattern").values()) {
      if (takes(pattern, bytes, channelStart, channelEnd)) this.#deliverTo(pattern, message);
    }
  }

  #deliverTo(topic: Topic<Session>, message: Message): void {
    const { bytes, channelStart, channelEnd, start, end } = message;
    const encoded = encodeMessage(topic, bytes, channelStart, channelEnd, start, end);
    for (const session of topic.subscribers) session.deliver(encoded);
  }

  // The other nodes.

  /** Our link to the member is up: it hears of everything. */
  linkOpened(member: number): void {
    const topics = TOPIC_KINDS.flatMap((kind) => [...this.#subscriptions.topics(kind).values()]);
    this.peers.opened(member, topics);
  }

  /** Once a turn: the others hear of what has changed. */
  flush(): void {
    for (const member of this.peers.waiting()) {
      if (this.#parts.links.queuedBytes(member) > LINK_BYTES_MAX) continue;
      this.#parts.links.subscriptions(member, this.peers.take(member));
    }
  }

  #changed(topic: Topic<Session>): void {
    this.peers.changed(topic);
    this.#updateEvents();
  }

  /** Events that nobody on this node can hear are not made. */
  #updateEvents(): void {
    const heard = this.#subscriptions.keyspaceChannels > 0 || this.#subscriptions.topics("pattern").size > 0;
    this.#parts.eventClasses(heard ? this.#asked.classes : 0);
  }
}

const argumentTexts = (args: Args): string[] =>
  Array.from({ length: args.count - 1 }, (_, i) => args.text(i + 1));

function takes(pattern: Topic<Session>, bytes: Buffer, start: number, end: number): boolean {
  return globMatches(pattern.bytes, 0, pattern.bytes.length, bytes, start, end);
}
