// Clients that publish and clients that are subscribed, on all nodes, while all else goes on (docs/adr/0009). Each message is
// sent once and has a name. Judged by what everybody was told: none twice to a subscription, none invented, one order for
// all, no gap behind the first; and at the end everybody who is subscribed hears what is published, and is counted.

import { MODE_NONE } from "../../src/node/replica.ts";
import { SimClient } from "./clients.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

const CHANNELS = ["channel0", "channel1", "channel2"];
const PATTERNS = ["channel*", "*[01]"];
const REFUSED = /^-(TRYAGAIN|CLUSTERDOWN|EXECABORT|OOM) /;
const ANSWERED = /^:\d+$|^-(TRYAGAIN|CLUSTERDOWN|UNCERTAIN) /;
const PUSHED = /^\*\$(message|pmessage),/;
const REACH_MS_MAX = 15_000;
/** So late may others hear that a client has lost its connection. */
const LOSS_MS_MAX = 10_000;
/** Clocks differ. */
const CLOCK_SHARE = 1.02;

/** "sure": it was answered. "never": it was refused. */
type Fate = "maybe" | "sure" | "never";

interface Message {
  readonly name: string;
  readonly channel: string;
  readonly sentMs: number;
  /** Of its connection, and its place there. */
  readonly publisher: string;
  readonly place: number;
  fate: Fate;
  answeredMs: number;
  /** The answer to PUBLISH. */
  counted: number;
}

interface Subscription {
  readonly name: string;
  readonly hears: (channel: string) => boolean;
  /** Infinity until it is confirmed. */
  confirmedMs: number;
  isOver: boolean;
  /** When its client lost it, with the connection or because nobody led; Infinity: it did not. */
  lostMs: number;
  /** When an unsubscribing command was sent that has been answered; Infinity: there is none. */
  leftMs: number;
  readonly received: Message[];
}

interface Subscriber {
  readonly client: SimClient;
  /** Of the present connection, by name. */
  readonly current: Map<string, Subscription>;
}

export class PublishSubscribe {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #messages = new Map<string, Message>();
  readonly #sentBy = new Map<string, Message[]>();
  readonly #subscribers: Subscriber[] = [];
  readonly #subscriptions: Subscription[] = [];
  #connections = 0;
  /** No more faults: everybody stays, and nobody publishes. */
  #isCalm = false;
  /** Everybody moves to members. */
  #isJudging = false;
  #isOver = false;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
  }

  get figures(): { readonly published: number; readonly received: number } {
    const received = this.#subscriptions.reduce((sum, it) => sum + it.received.length, 0);
    return { published: this.#messages.size, received };
  }

  begin(): void {
    const random = this.#random;
    for (let i = 3 + random.below(4); i > 0; i--) this.#listen(this.#newSubscriber());
    for (let i = 1 + random.below(3); i > 0; i--) this.#publishOften(this.#newClient("publisher"), "");
  }

  /** The faults are over. */
  end(): void {
    this.#isCalm = true;
    for (const { client } of this.#subscribers) client.noticeSilence();
  }

  judge(): void {
    this.#isJudging = true;
    this.#reachEverybody();
    this.#isOver = true;
    for (const subscriber of this.#subscribers) {
      if (!subscriber.client.isConnected) this.#forget(subscriber);
      subscriber.client.hangUp();
    }
    if (this.#simulation.hasFailed) return;
    for (const subscription of this.#subscriptions) {
      this.#checkGaps(subscription);
      this.#checkFarewell(subscription);
    }
    for (const message of this.#messages.values()) this.#checkCount(message);
    this.#checkOrder();
  }

  #newClient(name: string, pushed: (reply: string) => boolean = () => false): SimClient {
    const world = this.#simulation.worldOf(this.#random, () => this.#simulation.living);
    return new SimClient(name, { ...world, pushed }, 0);
  }

  #newSubscriber(): Subscriber {
    const client = this.#newClient(`subscriber${this.#subscribers.length}`, (reply) =>
      this.#take(subscriber, reply),
    );
    const subscriber: Subscriber = { client, current: new Map() };
    this.#subscribers.push(subscriber);
    return subscriber;
  }

  #listen(subscriber: Subscriber): void {
    if (this.#isOver) return;
    const random = this.#random;
    const { client, current } = subscriber;
    const { members } = this.#simulation.census;
    if (this.#isCalm) client.noticeSilence();
    if (this.#isJudging && client.host !== undefined && !members.includes(client.host)) client.hangUp();
    if (client.isFree) {
      this.#forget(subscriber);
      client.connect(this.#isJudging ? members[random.below(Math.max(1, members.length))] : undefined);
    }
    if (client.isConnected && client.unanswered.length === 0) {
      if (current.size === 0 || (!this.#isCalm && random.chance(0.3))) this.#change(subscriber);
      else if (!this.#isCalm && random.chance(0.05)) client.hangUp();
      else if (!this.#isCalm && random.chance(0.03)) client.drop();
    }
    this.#simulation.timeline.after(random.magnitude(10, 400), () => this.#listen(subscriber));
  }

  #forget({ current }: Subscriber): void {
    for (const subscription of current.values()) {
      subscription.isOver = true;
      subscription.lostMs = this.#simulation.timeline.nowMs;
    }
    current.clear();
  }

  /** Subscribes to something, or not any more. */
  #change({ client, current }: Subscriber): void {
    const name = this.#random.pick([...CHANNELS, ...PATTERNS]);
    const prefix = PATTERNS.includes(name) ? "p" : "";
    const known = current.get(name);
    if (known !== undefined) {
      const sentMs = this.#simulation.timeline.nowMs;
      client.ask({
        command: [`${prefix}unsubscribe`.toUpperCase(), name],
        expected: new RegExp(`^\\*\\$${prefix}unsubscribe,\\$`),
        answered: (reply) => {
          if (reply === undefined || !isLedSince(client.host, this.#simulation.timeline.nowMs - sentMs))
            known.lostMs = this.#simulation.timeline.nowMs;
          else known.leftMs = sentMs;
          known.isOver = true;
          if (current.get(name) === known) current.delete(name);
        },
      });
      return;
    }
    const last = CHANNELS.length - 1;
    const hears = (channel: string): boolean =>
      channel === name || name === PATTERNS[0] || (name === PATTERNS[1] && channel !== CHANNELS[last]);
    const subscription: Subscription = {
      name,
      hears,
      confirmedMs: Number.POSITIVE_INFINITY,
      isOver: false,
      lostMs: Number.POSITIVE_INFINITY,
      leftMs: Number.POSITIVE_INFINITY,
      received: [],
    };
    this.#subscriptions.push(subscription);
    current.set(name, subscription);
    client.ask({
      command: [`${prefix}subscribe`.toUpperCase(), name],
      expected: new RegExp(`^\\*\\$${prefix}subscribe,\\$|^-CLUSTERDOWN `),
      answered: (reply) => {
        if (reply?.startsWith("*") === true) subscription.confirmedMs = this.#simulation.timeline.nowMs;
        else if (current.get(name) === subscription) current.delete(name);
      },
    });
  }

  /** True if it is a message, and no reply. */
  #take({ client, current }: Subscriber, reply: string): boolean {
    if (!PUSHED.test(reply)) return false;
    const [kind, name = "", ...rest] = reply.split(",").map((word) => word.replace(/^\*?\$/, ""));
    const channel = kind === "message" ? name : rest[0];
    const text = rest.at(-1) ?? "";
    const message = this.#messages.get(text);
    const subscription = current.get(name);
    const complain = (problem: string): void =>
      this.#fail(`${client.name} at ${client.server}: ${problem}: ${reply}`);
    if (message === undefined || message.channel !== channel) complain("nobody sent this");
    else if (subscription === undefined || subscription.confirmedMs === Number.POSITIVE_INFINITY)
      complain("not subscribed to that");
    else if (!subscription.hears(channel)) complain("not what was asked for");
    else if (subscription.received.includes(message)) complain("for the second time");
    else if (message.fate === "never") complain("it was refused");
    else subscription.received.push(message);
    return true;
  }

  #publishOften(client: SimClient, connection: string): void {
    if (this.#isCalm) return client.hangUp();
    const random = this.#random;
    let publisher = connection;
    if (client.isFree) {
      client.connect();
      publisher = `m${this.#connections++}`;
    }
    if (client.isConnected && client.unanswered.length < 8) {
      if (random.chance(0.2)) this.#publishTogether(client, publisher);
      else
        for (let i = 1 + random.below(3); i > 0; i--) this.#publish(client, publisher, random.pick(CHANNELS));
      const [first] = client.unanswered;
      this.#simulation.timeline.after(random.magnitude(300, 5000), () => {
        if (client.unanswered[0] === first) client.hangUp();
      });
    }
    this.#simulation.timeline.after(random.magnitude(5, 300), () => this.#publishOften(client, publisher));
  }

  #message(publisher: string, channel: string): Message {
    const sent = this.#sentBy.get(publisher) ?? [];
    this.#sentBy.set(publisher, sent);
    const message: Message = {
      name: `${publisher}.${sent.length}`,
      channel,
      sentMs: this.#simulation.timeline.nowMs,
      publisher,
      place: sent.length,
      fate: "maybe",
      answeredMs: Number.POSITIVE_INFINITY,
      counted: 0,
    };
    sent.push(message);
    this.#messages.set(message.name, message);
    return message;
  }

  #publish(
    client: SimClient,
    publisher: string,
    channel: string,
    told: (count: number) => void = () => {},
  ): Message {
    const message = this.#message(publisher, channel);
    client.ask({
      command: ["PUBLISH", channel, message.name],
      expected: ANSWERED,
      answered: (reply) => {
        this.#settleFate([message], reply);
        if (reply?.startsWith(":") !== true) return;
        message.counted = Number(reply.slice(1));
        told(message.counted);
      },
    });
    return message;
  }

  #publishTogether(client: SimClient, publisher: string): void {
    const messages = CHANNELS.slice(0, 2).map((channel) => this.#message(publisher, channel));
    client.ask({ command: ["MULTI"], expected: "+OK" });
    for (const { channel, name } of messages)
      client.ask({ command: ["PUBLISH", channel, name], expected: /^\+QUEUED$|^-(TRYAGAIN|CLUSTERDOWN) / });
    client.ask({
      command: ["EXEC"],
      expected: /^\*:\d+,:\d+$|^-(TRYAGAIN|CLUSTERDOWN|UNCERTAIN|EXECABORT) /,
      answered: (reply) => this.#settleFate(messages, reply),
    });
  }

  #settleFate(messages: readonly Message[], reply: string | undefined): void {
    if (reply === undefined || reply.startsWith("-UNCERTAIN ")) return;
    for (const message of messages) {
      message.fate = REFUSED.test(reply) ? "never" : "sure";
      message.answeredMs = this.#simulation.timeline.nowMs;
      const isHeard = this.#subscriptions.some(({ received }) => received.includes(message));
      if (message.fate === "never" && isHeard) this.#fail(`${message.name} was refused, and delivered`);
    }
  }

  /** A message through each member, on each channel, until it is counted right and everybody has it. */
  #reachEverybody(): void {
    const simulation = this.#simulation;
    simulation.advance(REACH_MS_MAX, "everybody is subscribed", () =>
      this.#subscribers.every(
        ({ client, current }) =>
          client.isConnected &&
          simulation.census.members.some((member) => member === client.host) &&
          current.size > 0 &&
          client.unanswered.length === 0,
      ),
    );
    for (const member of simulation.census.members) {
      const client = this.#newClient(`${member.machine}!`);
      client.connect(member);
      const publisher = `m${this.#connections++}`;
      for (const channel of CHANNELS) {
        let counted = -1;
        const publish = (): Message =>
          this.#publish(client, publisher, channel, (count) => {
            counted = count;
          });
        let last = publish();
        simulation.advance(
          REACH_MS_MAX,
          `what is published on ${channel} at ${member.label} is counted right and reaches everybody`,
          () => {
            if (client.unanswered.length > 0) return false;
            const heard = this.#hearing(channel);
            if (counted === heard.length) return heard.every(({ received }) => received.includes(last));
            last = publish();
            return false;
          },
          () => `counted ${counted}, subscribed ${this.#hearing(channel).length}`,
        );
        if (simulation.hasFailed) return;
      }
      client.hangUp();
    }
  }

  #hearing(channel: string): Subscription[] {
    return this.#subscribers.flatMap(({ client, current }) =>
      client.isConnected ? [...current.values()].filter(({ hears }) => hears(channel)) : [],
    );
  }

  /** Whoever stays connected misses nothing of what was sent after it was subscribed. */
  #checkGaps(subscription: Subscription): void {
    const { received, confirmedMs, hears, isOver } = subscription;
    const heard = new Set(received);
    for (const [, sent] of this.#sentBy) {
      const last = isOver ? sent.findLastIndex((it) => heard.has(it)) : sent.length;
      const missed = sent
        .slice(0, Math.max(0, last))
        .find((it) => this.#isSure(it) && it.sentMs > confirmedMs && hears(it.channel) && !heard.has(it));
      if (missed !== undefined)
        this.#fail(`a subscriber to ${subscription.name} did not get ${missed.name}, but later ones`);
    }
  }

  /** Nobody is told that it has left before it has what was answered before it left. */
  #checkFarewell({ name, received, confirmedMs, hears, leftMs }: Subscription): void {
    if (leftMs === Number.POSITIVE_INFINITY) return;
    const heard = new Set(received);
    for (const message of this.#messages.values()) {
      const { sentMs, answeredMs, channel } = message;
      if (answeredMs >= leftMs || sentMs <= confirmedMs || !hears(channel) || heard.has(message)) continue;
      if (this.#isSure(message))
        this.#fail(`a subscriber left ${name} before it got ${message.name}, which was answered before that`);
    }
  }

  /** Whoever is counted gets the message, or has lost its connection; the others may hear late that it has. */
  #checkCount(message: Message): void {
    const { counted, channel, sentMs } = message;
    if (counted === 0 || !this.#isSure(message)) return;
    const takers = this.#subscriptions.filter(
      ({ received, hears, lostMs }) =>
        received.includes(message) ||
        (hears(channel) && lostMs < Number.POSITIVE_INFINITY && lostMs > sentMs - LOSS_MS_MAX),
    );
    if (takers.length < counted)
      this.#fail(
        `${message.name} was counted for ${counted}, and ${takers.length} got it or may have lost it`,
      );
  }

  /** What was answered before a recovery may be lost. */
  #isSure({ fate, answeredMs }: Message): boolean {
    const { recoveries } = this.#simulation.checks;
    return fate === "sure" && recoveries.every((it) => answeredMs <= it.safeUntilMs || answeredMs > it.atMs);
  }

  /** There is one order in which everybody heard a part of the messages, and in which every publisher sent its own. */
  #checkOrder(): void {
    const after = new Map<Message, Message[]>();
    const waitsFor = new Map<Message, number>();
    const chains = [
      ...this.#subscriptions.map(({ received }) => received),
      ...[...this.#sentBy.values()].map((sent) => sent.filter((it) => this.#isSure(it))),
    ];
    for (const chain of chains) {
      for (const [i, message] of chain.entries()) {
        const next = chain[i + 1];
        if (next === undefined) continue;
        after.set(message, [...(after.get(message) ?? []), next]);
        waitsFor.set(next, (waitsFor.get(next) ?? 0) + 1);
      }
    }
    const ready = [...this.#messages.values()].filter((it) => !waitsFor.has(it));
    let count = 0;
    for (let message = ready.pop(); message !== undefined; message = ready.pop()) {
      count++;
      for (const next of after.get(message) ?? []) {
        const left = waitsFor.get(next)! - 1;
        waitsFor.set(next, left);
        if (left === 0) ready.push(next);
      }
    }
    if (count === this.#messages.size) return;
    const stuck = [...this.#messages.values()].filter((it) => (waitsFor.get(it) ?? 0) > 0);
    this.#fail(`no one order of ${stuck.map(({ name }) => name).join(" ")} fits what everybody heard`);
  }

  #fail(text: string): void {
    this.#simulation.fail("publish and subscribe", text);
  }
}

/** Has the process known a leader for so long? If not, it may have let a client go without having been told all. */
function isLedSince(process: SimProcess | undefined, ms: number): boolean {
  if (process === undefined) return false;
  const { mode, modeSinceMs, monotonicMs } = process.node.replica;
  return mode !== MODE_NONE && monotonicMs - modeSinceMs > CLOCK_SHARE * ms;
}
