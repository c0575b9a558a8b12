// What is added up instead of searched for an order, over keys that live for a whole round: no element of a queue, a set or a
// list is lost, given twice or given although it was refused; no count is lost; accounts always add up to nothing.

import type { Draft, Draw } from "../sim/mix.ts";
import type { Anomaly } from "./anomalies.ts";

/** "sure": it was answered. "never": it was refused. "maybe": nobody knows. */
type Fate = "maybe" | "sure" | "never";

const REFUSED = /^-(TRYAGAIN|CLUSTERDOWN|EXECABORT) /;
const UNSURE = /^-UNCERTAIN /;
const ACCOUNTS = 6;
/** Then a round's ledger only reads and takes: its last reading stays small. */
const ELEMENTS_MAX = 20_000;

type Answered = (reply: string | undefined) => void;

export class Ledger {
  readonly anomalies: Anomaly[] = [];
  readonly #prefix: string;
  /** Elements of the queue, the set and the list, by fate. */
  readonly #queued = new Map<string, Fate>();
  readonly #added = new Map<string, Fate>();
  readonly #appended = new Map<string, Fate>();
  readonly #taken = new Set<string>();
  /** Takes whose answer nobody got: as many elements may be gone. */
  #unsureTakes = 0;
  #counted = 0;
  #unsureCounts = 0;
  readonly #countsSeen = new Set<string>();
  #names = 0;

  /** Keys begin with `prefix`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get commands(): number {
    return this.#queued.size + this.#added.size + this.#appended.size + this.#taken.size + this.#counted;
  }

  draw({ random }: Draw): readonly Draft[] {
    const acts: readonly ((one: number, other: number) => Draft[])[] = [
      this.#push,
      this.#take,
      this.#add,
      this.#append,
      this.#count,
      this.#transfer,
      this.#sum,
    ];
    const weights = this.#names < ELEMENTS_MAX ? [2, 2, 2, 2, 2, 2, 1] : [0, 2, 0, 0, 0, 2, 1];
    return acts[random.weighted(weights)]!.call(this, random.below(ACCOUNTS), random.below(ACCOUNTS));
  }

  /** What is there in the end must be what clients were told; `read` asks until it is answered. */
  async judge(read: (command: readonly string[]) => Promise<string>): Promise<void> {
    const left = itemsOf(await read(["LRANGE", this.#key("queue"), "0", "-1"]));
    this.#judgeElements("queue", this.#queued, left, this.#taken, this.#unsureTakes);
    const none = new Set<string>();
    this.#judgeElements("set", this.#added, itemsOf(await read(["SMEMBERS", this.#key("set")])), none, 0);
    const list = itemsOf(await read(["LRANGE", this.#key("list"), "0", "-1"]));
    this.#judgeElements("list", this.#appended, list, none, 0);
    this.#checkSum(await read(["MGET", ...this.#accounts()]));
    const count = Number((await read(["GET", this.#key("count")])).slice(1));
    const isRight = count >= this.#counted && count <= this.#counted + this.#unsureCounts;
    if (!isRight && !(count === -1 && this.#counted === 0))
      this.#fail(
        "lost or doubled updates",
        `${this.#counted} counted, ${this.#unsureCounts} perhaps: ${count}`,
      );
  }

  #judgeElements(
    where: string,
    fates: ReadonlyMap<string, Fate>,
    left: readonly string[],
    taken: ReadonlySet<string>,
    unsureTakes: number,
  ): void {
    const there = new Set(left);
    if (there.size < left.length) {
      const twice = left.filter((element, i) => left.indexOf(element) < i);
      this.#fail("doubled", `${where}: there twice: ${twice.join(" ")}`);
    }
    const lost: string[] = [];
    for (const [element, fate] of fates) {
      if (there.has(element) && taken.has(element))
        this.#fail("doubled", `${where}: ${element} was taken, and is there`);
      if (there.has(element) && fate === "never")
        this.#fail("refused, but done", `${where}: ${element} is there`);
      if (fate === "sure" && !there.has(element) && !taken.has(element)) lost.push(element);
    }
    const strange = left.filter((element) => !fates.has(element));
    if (strange.length > 0) this.#fail("from nowhere", `${where}: ${strange.join(" ")}`);
    if (lost.length > unsureTakes)
      this.#fail("lost", `${where}: ${lost.join(" ")}; ${unsureTakes} may have gone to nobody`);
  }

  #push(one: number): Draft[] {
    const elements = Array.from({ length: 1 + (one % 3) }, () => this.#element(this.#queued));
    return [
      this.#asks(
        [one % 2 === 0 ? "LPUSH" : "RPUSH", this.#key("queue"), ...elements],
        /^:/,
        told(this.#queued, elements),
      ),
    ];
  }

  #take(one: number): Draft[] {
    const queue = this.#key("queue");
    const command = one === 0 ? ["BLPOP", queue, "0.3"] : [one % 2 === 0 ? "LPOP" : "RPOP", queue];
    return [
      this.#asks(command, /^[*$]/, (reply) => {
        if (reply === undefined || UNSURE.test(reply)) this.#unsureTakes++;
        else if (!REFUSED.test(reply)) for (const element of itemsOf(reply)) this.#give(element);
      }),
    ];
  }

  #give(element: string): void {
    if (element === this.#key("queue")) return;
    if (this.#taken.has(element)) this.#fail("doubled", `queue: ${element} was given twice`);
    const fate = this.#queued.get(element);
    if (fate === "never") this.#fail("refused, but done", `queue: ${element} was given`);
    if (fate === undefined) this.#fail("from nowhere", `queue: ${element} was given`);
    this.#taken.add(element);
  }

  #add(): Draft[] {
    const element = this.#element(this.#added);
    return [this.#asks(["SADD", this.#key("set"), element], /^:1$/, told(this.#added, [element]))];
  }

  #append(): Draft[] {
    const element = this.#element(this.#appended);
    return [this.#asks(["RPUSH", this.#key("list"), element], /^:/, told(this.#appended, [element]))];
  }

  #count(): Draft[] {
    return [
      this.#asks(["INCR", this.#key("count")], /^:/, (reply) => {
        if (reply === undefined || UNSURE.test(reply)) this.#unsureCounts++;
        else if (!REFUSED.test(reply)) {
          this.#counted++;
          if (this.#countsSeen.has(reply)) this.#fail("lost updates", `two were told that they are ${reply}`);
          this.#countsSeen.add(reply);
        }
      }),
    ];
  }

  #transfer(one: number, other: number): Draft[] {
    const [from, to] = [this.#accounts()[one]!, this.#accounts()[other]!];
    const queued = /^\+QUEUED$/;
    return [
      this.#asks(["MULTI"], /^\+OK$/),
      this.#asks(["DECRBY", from, "10"], queued),
      this.#asks(["MGET", ...this.#accounts()], queued),
      this.#asks(["INCRBY", to, "10"], queued),
      this.#asks(["EXEC"], /^\*/),
    ];
  }

  #sum(): Draft[] {
    return [this.#asks(["MGET", ...this.#accounts()], /^\*/, (reply) => this.#checkSum(reply))];
  }

  #checkSum(reply: string | undefined): void {
    if (reply === undefined || !reply.startsWith("*")) return;
    const sum = itemsOf(reply).reduce((total, item) => total + Number(item), 0);
    if (sum !== 0) this.#fail("half a transaction", `the accounts add up to ${sum}: ${reply}`);
  }

  #asks(command: readonly string[], reply: RegExp, answered: Answered = () => {}): Draft {
    return { command, expected: new RegExp(`${reply.source}|${REFUSED.source}|${UNSURE.source}`), answered };
  }

  #accounts(): string[] {
    return Array.from({ length: ACCOUNTS }, (_, i) => this.#key(`account${i}`));
  }

  #element(fates: Map<string, Fate>): string {
    const element = `e${this.#names++}`;
    fates.set(element, "maybe");
    return element;
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  #fail(kind: string, text: string): void {
    this.anomalies.push({ kind, text: `${this.#prefix}: ${text}` });
  }
}

function told(fates: Map<string, Fate>, elements: readonly string[]): Answered {
  return (reply) => {
    if (reply === undefined || UNSURE.test(reply)) return;
    for (const element of elements) fates.set(element, REFUSED.test(reply) ? "never" : "sure");
  };
}

/** The bulk strings of a reply; what is not there is left out. */
const itemsOf = (reply: string): string[] =>
  reply
    .replace(/^\*/, "")
    .split(",")
    .filter((item) => item.startsWith("$") && item !== "$-1")
    .map((item) => item.slice(1));
