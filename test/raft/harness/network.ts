// Members and the messages between them: delivered until quiet, unless something is cut, dropped or held back.
import type { MemberId, Message, MessageType } from "../../../src/raft/index.ts";
import { Member, type Setup } from "./member.ts";

export class Network {
  readonly members = new Map<MemberId, Member>();
  readonly #isolated = new Set<MemberId>();
  readonly #cut = new Set<string>();
  readonly #dropped = new Set<MessageType>();
  #queue: Message[] = [];
  /** True: the message is kept out of the network; the test may deliver it later. */
  hold: (m: Message) => boolean = () => false;

  constructor(setups: Readonly<Record<number, Setup>>) {
    for (const [id, setup] of Object.entries(setups)) this.add(Number(id), setup);
  }

  /** `count` voters with equal setups. */
  static of(count: number, setup: Setup = {}): Network {
    const voters = Array.from({ length: count }, (_, at) => at + 1);
    return new Network(Object.fromEntries(voters.map((id) => [id, { voters, ...setup }])));
  }

  add(id: MemberId, setup: Setup): Member {
    const member = new Member(id, setup);
    this.members.set(id, member);
    return member;
  }

  at(id: MemberId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  isolate(id: MemberId): void {
    this.#isolated.add(id);
  }
  cut(from: MemberId, to: MemberId): void {
    this.#cut.add(`${from}>${to}`);
  }
  split(a: MemberId, b: MemberId): void {
    this.cut(a, b);
    this.cut(b, a);
  }
  drop(type: MessageType): void {
    this.#dropped.add(type);
  }
  recover(): void {
    this.#isolated.clear();
    this.#cut.clear();
    this.#dropped.clear();
    this.hold = () => false;
  }

  #passes(m: Message): boolean {
    if (this.#isolated.has(m.from) || this.#isolated.has(m.to) || !this.members.has(m.to)) return false;
    return !this.#cut.has(`${m.from}>${m.to}`) && !this.#dropped.has(m.type) && !this.hold(m);
  }

  /** Puts messages on the wire and delivers until nobody has anything to say. */
  settle(...messages: readonly Message[]): void {
    this.#queue.push(...messages);
    for (let rounds = 0; ; rounds++) {
      if (rounds > 10_000) throw new Error("the network does not come to rest");
      for (const member of this.members.values()) this.#queue.push(...member.drain());
      const batch = this.#queue;
      if (batch.length === 0) return;
      this.#queue = [];
      for (const m of batch) if (this.#passes(m)) this.at(m.to).core.step(m);
    }
  }

  campaign(id: MemberId): void {
    this.at(id).core.campaign();
    this.settle();
  }

  propose(id: MemberId, content: string): boolean {
    const result = this.at(id).core.propose(new TextEncoder().encode(content));
    this.settle();
    return result.ok;
  }

  tick(id: MemberId, count = 1): void {
    for (let i = 0; i < count; i++) {
      this.at(id).core.tick();
      this.settle();
    }
  }

  tickAll(count = 1): void {
    for (let i = 0; i < count; i++) {
      for (const member of this.members.values()) member.core.tick();
      this.settle();
    }
  }

  setNow(nowMs: number): void {
    for (const member of this.members.values()) member.core.setNow(nowMs);
  }

  /** Ids by role, for short assertions: "1 leader, 2 follower, ..." */
  roles(): string {
    return [...this.members.values()].map((member) => `${member.id} ${member.core.role}`).join(", ");
  }

  leaders(): MemberId[] {
    return [...this.members.values()].filter((m) => m.core.role === "leader").map((m) => m.id);
  }
}
