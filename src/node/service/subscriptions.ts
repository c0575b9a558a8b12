// Who of this node's clients listens to what: channels, patterns and shard channels, each with its subscribers. Names
// are latin1 strings, byte for byte. It delivers nothing, and knows nothing of other nodes.
//
//   topics[kind]: name ──> Topic { subscribers }         of[subscriber][kind]: name ──> Topic

import type { ClientKind, TopicKind } from "../../command/local-context.ts";

/** What a client needs to be a subscriber: where its counts are written to. */
export interface Subscriber {
  kind: ClientKind;
  channelCount: number;
  patternCount: number;
  shardChannelCount: number;
}

export class Topic<S = unknown> {
  readonly kind: TopicKind;
  readonly name: string;
  /** The name's bytes. */
  readonly bytes: Buffer;
  readonly subscribers = new Set<S>();
  /** Those of them that are about to leave: they still get what comes, and do not count. */
  readonly leaving = new Set<S>();

  constructor(kind: TopicKind, name: string) {
    this.kind = kind;
    this.name = name;
    this.bytes = Buffer.from(name, "latin1");
  }

  /** Subscribers, for whoever publishes. */
  get count(): number {
    return this.subscribers.size - this.leaving.size;
  }
}

/** What a topic costs beside its name, and a subscription to it: strings, sets, maps. Rough, for the limit. */
const TOPIC_BYTES = 512;
const SUBSCRIPTION_BYTES = 128;
const KEYSPACE_PREFIX = "__key";

type ByName<S> = Map<string, Topic<S>>;
type ByKind<S> = Readonly<Record<TopicKind, ByName<S>>>;

const emptyKinds = <S>(): ByKind<S> => ({ channel: new Map(), pattern: new Map(), shard: new Map() });

export class Subscriptions<S extends Subscriber> {
  /** What all of it costs, roughly. */
  bytes = 0;
  /** Channels that are about keyspace events. */
  keyspaceChannels = 0;
  readonly #topics = emptyKinds<S>();
  readonly #of = new Map<S, ByKind<S>>();
  readonly #bytesMax: number;
  readonly #changed: (topic: Topic<S>) => void;

  /** @param changed is told of each topic whose number of subscribers has changed, to none or from none included */
  constructor(bytesMax: number, changed: (topic: Topic<S>) => void) {
    this.#bytesMax = bytesMax;
    this.#changed = changed;
  }

  get isEmpty(): boolean {
    return this.#of.size === 0;
  }

  topic(kind: TopicKind, name: string): Topic<S> | undefined {
    return this.#topics[kind].get(name);
  }

  topics(kind: TopicKind): ReadonlyMap<string, Topic<S>> {
    return this.#topics[kind];
  }

  /** Everybody who listens to anything. */
  subscribers(): S[] {
    return [...this.#of.keys()];
  }

  /** Harmless when it is subscribed already. False: there is no room for another one. */
  add(subscriber: S, kind: TopicKind, name: string): boolean {
    const own = this.#of.get(subscriber);
    if (own?.[kind].has(name) === true) return true;
    const known = this.#topics[kind].get(name);
    const cost = SUBSCRIPTION_BYTES + (known === undefined ? TOPIC_BYTES + name.length : 0);
    if (this.bytes + cost > this.#bytesMax) return false;
    this.bytes += cost;
    const topic = known ?? this.#open(kind, name);
    topic.subscribers.add(subscriber);
    const mine = own ?? emptyKinds<S>();
    if (own === undefined) this.#of.set(subscriber, mine);
    mine[kind].set(name, topic);
    count(subscriber, mine);
    this.#changed(topic);
    return true;
  }

  /** Harmless when it is not subscribed. */
  remove(subscriber: S, kind: TopicKind, name: string): void {
    const own = this.#of.get(subscriber);
    const topic = own?.[kind].get(name);
    if (own === undefined || topic === undefined) return;
    own[kind].delete(name);
    count(subscriber, own);
    if (subscriber.kind === "normal") this.#of.delete(subscriber);
    this.#leave(topic, subscriber);
  }

  /** It is about to be removed. Harmless when it is not subscribed. */
  leaving(subscriber: S, kind: TopicKind, name: string): void {
    const topic = this.#of.get(subscriber)?.[kind].get(name);
    if (topic === undefined || topic.leaving.has(subscriber)) return;
    topic.leaving.add(subscriber);
    this.#changed(topic);
  }

  removeAll(subscriber: S): void {
    const own = this.#of.get(subscriber);
    if (own === undefined) return;
    this.#of.delete(subscriber);
    for (const topics of Object.values(own)) {
      for (const topic of topics.values()) this.#leave(topic, subscriber);
      topics.clear();
    }
    count(subscriber, own);
  }

  namesOf(subscriber: S, kind: TopicKind): string[] {
    return [...(this.#of.get(subscriber)?.[kind].keys() ?? [])];
  }

  #open(kind: TopicKind, name: string): Topic<S> {
    const topic = new Topic<S>(kind, name);
    this.#topics[kind].set(name, topic);
    if (kind === "channel" && name.startsWith(KEYSPACE_PREFIX)) this.keyspaceChannels++;
    return topic;
  }

  #leave(topic: Topic<S>, subscriber: S): void {
    const { kind, name } = topic;
    topic.subscribers.delete(subscriber);
    topic.leaving.delete(subscriber);
    this.bytes -= SUBSCRIPTION_BYTES;
    if (topic.subscribers.size === 0) {
      this.#topics[kind].delete(name);
      this.bytes -= TOPIC_BYTES + name.length;
      if (kind === "channel" && name.startsWith(KEYSPACE_PREFIX)) this.keyspaceChannels--;
    }
    this.#changed(topic);
  }
}

function count<S extends Subscriber>(subscriber: S, own: ByKind<S>): void {
  subscriber.channelCount = own.channel.size;
  subscriber.patternCount = own.pattern.size;
  subscriber.shardChannelCount = own.shard.size;
  const all = own.channel.size + own.pattern.size + own.shard.size;
  subscriber.kind = all === 0 ? "normal" : "pubsub";
}
