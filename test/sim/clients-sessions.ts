// Clients whose commands are more than one operation on one key: queues with commands that wait, and transactions with watched
// keys. What they do is not searched for an order, it is added up: no element is lost, given twice or given although its push was
// refused; sums stay what they are; no update is lost. Beside the clients of the history, on keys of their own.

import type { Owner } from "../../src/wire/session-state.ts";
import { SimClient } from "./clients.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

const QUEUES = ["queue0", "queue1", "queue2"];
const ACCOUNTS = ["account0", "account1"];
const COUNTER = "optimistic";
const REFUSED = /^-(TRYAGAIN|CLUSTERDOWN|EXECABORT) /;
const UNSURE = /^-UNCERTAIN /;
const SETTLING_MS_MAX = 15_000;
const NIL = /^(\*-1|\$-1)$/;

/** "sure": its push was answered. "never": it was refused. */
type Fate = "maybe" | "sure" | "never";

export class SessionClients {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #clients: SimClient[] = [];
  readonly #elements = new Map<string, Fate>();
  readonly #taken = new Set<string>();
  /** As many elements may have been taken by commands whose answer nobody got. */
  #unsureTakes = 0;
  #updates = 0;
  #unsureUpdates = 0;
  #names = 0;
  #isOver = false;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
  }

  get figures(): { readonly pushed: number; readonly taken: number; readonly updates: number } {
    return { pushed: this.#elements.size, taken: this.#taken.size, updates: this.#updates };
  }

  begin(): void {
    const acts = [this.#produce, this.#consume, this.#consume, this.#transfer, this.#update, this.#update];
    for (const act of acts) {
      for (let i = 1 + this.#random.below(2); i > 0; i--) {
        const client = this.#newClient();
        this.#clients.push(client);
        this.#live(client, act.bind(this));
      }
    }
  }

  /** Who still waits goes. */
  end(): void {
    this.#isOver = true;
    for (const client of this.#clients) client.hangUp();
  }

  /** Everything is well again: what is there must be what the clients were told. */
  judge(): void {
    const { advance, members } = boundTo(this.#simulation);
    // What a dead member watched stays until another process takes its place.
    const incarnations = members().map(({ node }) => node.cluster.membership.self.incarnation);
    // A client whose WATCH was its last command does watch.
    const isOver = ({ incarnation, session, serial }: Owner): boolean =>
      members().some(
        ({ node }) =>
          node.cluster.membership.self.incarnation === incarnation &&
          node.server.clients.byId(session)?.transaction?.serial !== serial,
      );
    advance("nobody waits any more, and what lives of watches is their clients' own", () =>
      members().every(({ node }) => {
        const { blocking, watches } = node.replica.machine.sessions;
        return blocking.waiters.count === 0 && !incarnations.some((it) => watches.ownersOf(it).some(isOver));
      }),
    );
    const client = this.#newClient();
    const found = new Map<string, string>();
    client.connect(members()[0]);
    for (const key of QUEUES)
      this.#ask(client, ["LRANGE", key, "0", "-1"], /^\*/, (it) => found.set(key, it ?? ""));
    this.#ask(client, ["MGET", ...ACCOUNTS], /^\*/, (it) => found.set("accounts", it ?? ""));
    this.#ask(client, ["GET", COUNTER], /^\$/, (it) => found.set(COUNTER, it ?? ""));
    advance("what is left is read", () => client.unanswered.length === 0);
    if (this.#simulation.hasFailed) return;
    this.#judgeQueues(QUEUES.flatMap((key) => itemsOf(found.get(key) ?? "")));
    this.#checkSum(found.get("accounts"));
    const count = Number(itemsOf(`*${found.get(COUNTER)}`)[0] ?? 0);
    if (count < this.#updates || count > this.#updates + this.#unsureUpdates)
      this.#fail(
        `${this.#updates} updates were made, ${this.#unsureUpdates} perhaps, and the count is ${count}`,
      );
  }

  #judgeQueues(left: readonly string[]): void {
    const leftOnce = new Set(left);
    if (leftOnce.size < left.length) this.#fail(`an element is there twice: ${left.join(" ")}`);
    const lost: string[] = [];
    for (const [element, fate] of this.#elements) {
      const isThere = leftOnce.has(element);
      if (isThere && this.#taken.has(element)) this.#fail(`${element} was taken, and is still there`);
      if (isThere && fate === "never") this.#fail(`the push of ${element} was refused, and it is there`);
      if (fate === "sure" && !isThere && !this.#taken.has(element)) lost.push(element);
    }
    if (lost.length > this.#unsureTakes)
      this.#fail(`lost: ${lost.join(" ")}; only ${this.#unsureTakes} may have gone to nobody`);
  }

  #newClient(): SimClient {
    const world = this.#simulation.worldOf(this.#random, () => this.#simulation.living);
    return new SimClient(`s${this.#clients.length}`, world, 0);
  }

  #live(client: SimClient, act: (client: SimClient) => void): void {
    if (this.#isOver) return;
    if (!client.isConnected) client.connect();
    if (client.isConnected && client.unanswered.length === 0) {
      act(client);
      const commands = client.unanswered;
      // Nobody waits for ever: the other end may be dead without a word.
      this.#simulation.timeline.after(this.#random.magnitude(300, 5000), () => {
        if (client.unanswered[0] === commands[0] && commands.length > 0) client.hangUp();
      });
    }
    this.#simulation.timeline.after(this.#random.magnitude(5, 200), () => this.#live(client, act));
  }

  #ask(
    client: SimClient,
    command: readonly string[],
    reply: RegExp,
    answered: (reply: string | undefined) => void = () => {},
  ): void {
    const expected = new RegExp(`${reply.source}|${REFUSED.source}|${UNSURE.source}`);
    client.ask({ command, expected, answered });
  }

  #element(): string {
    const element = `e${this.#names++}`;
    this.#elements.set(element, "maybe");
    return element;
  }

  #produce(client: SimClient): void {
    const key = this.#random.pick(QUEUES);
    const elements = Array.from({ length: 1 + this.#random.below(3) }, () => this.#element());
    const push = [this.#random.pick(["LPUSH", "RPUSH"]), key, ...elements];
    const told = (reply: string | undefined): void => {
      if (reply === undefined || UNSURE.test(reply)) return;
      for (const element of elements) this.#elements.set(element, REFUSED.test(reply) ? "never" : "sure");
      const twice = elements.find(
        (element) => this.#taken.has(element) && this.#elements.get(element) === "never",
      );
      if (twice !== undefined) this.#fail(`the push of ${twice} was refused, and it was taken`);
    };
    if (this.#random.chance(0.7)) return this.#ask(client, push, /^:/, told);
    this.#ask(client, ["MULTI"], /^\+OK$/);
    this.#ask(client, push, /^\+QUEUED$/);
    this.#ask(client, ["EXEC"], /^\*/, told);
  }

  #consume(client: SimClient): void {
    const [one, two] = [this.#random.pick(QUEUES), this.#random.pick(QUEUES)];
    const timeout = this.#random.chance(0.4) ? "0" : this.#random.between(0.01, 1).toFixed(3);
    const [command, most] = this.#random.pick<readonly [readonly string[], number]>([
      [["BLPOP", one, two, timeout], 1],
      [["BRPOP", one, timeout], 1],
      [["BLMPOP", timeout, "2", one, two, "LEFT", "COUNT", "2"], 2],
      [["BLMOVE", one, two, "LEFT", "RIGHT", timeout], 0],
      [["LPOP", one], 1],
    ]);
    this.#ask(client, command, /^[*$]/, (reply) => {
      if (reply === undefined || UNSURE.test(reply)) this.#unsureTakes += most;
      else if (most > 0 && !REFUSED.test(reply) && !NIL.test(reply)) this.#take(itemsOf(`*${reply}`));
    });
  }

  /** Keys are among the words of the reply. */
  #take(words: readonly string[]): void {
    for (const element of words) {
      if (QUEUES.includes(element)) continue;
      if (this.#taken.has(element)) this.#fail(`${element} was given twice`);
      if (this.#elements.get(element) === "never")
        this.#fail(`the push of ${element} was refused, and it was given`);
      if (!this.#elements.has(element)) this.#fail(`${element} was given, and never pushed`);
      this.#taken.add(element);
    }
  }

  #transfer(client: SimClient): void {
    // No balance is -1, which these clients could not tell from nil.
    const amount = String(10 * (1 + this.#random.below(9)));
    this.#ask(client, ["MGET", ...ACCOUNTS], /^\*/, (reply) => this.#checkSum(reply));
    this.#ask(client, ["MULTI"], /^\+OK$/);
    this.#ask(client, ["DECRBY", ACCOUNTS[0]!, amount], /^\+QUEUED$/);
    this.#ask(client, ["MGET", ...ACCOUNTS], /^\+QUEUED$/);
    this.#ask(client, ["INCRBY", ACCOUNTS[1]!, amount], /^\+QUEUED$/);
    this.#ask(client, ["EXEC"], /^\*/);
  }

  #checkSum(reply: string | undefined): void {
    if (reply === undefined || !reply.startsWith("*")) return;
    const sum = itemsOf(reply).reduce((total, item) => total + Number(item), 0);
    if (sum !== 0) this.#fail(`half a transaction was seen: the accounts add up to ${sum}`);
  }

  #update(client: SimClient): void {
    this.#ask(client, ["WATCH", COUNTER], /^\+OK$/, (watched) => {
      if (watched !== "+OK") return;
      this.#ask(client, ["GET", COUNTER], /^\$/, (reply) => {
        if (reply === undefined || !reply.startsWith("$")) return;
        const next = Number(itemsOf(`*${reply}`)[0] ?? 0) + 1;
        this.#ask(client, ["MULTI"], /^\+OK$/);
        this.#ask(client, ["SET", COUNTER, String(next)], /^\+QUEUED$/);
        this.#ask(client, ["EXEC"], /^\*/, (done) => {
          if (done === "*+OK") this.#updates++;
          else if (done === undefined || UNSURE.test(done)) this.#unsureUpdates++;
        });
      });
    });
  }

  #fail(text: string): void {
    this.#simulation.fail("queues and transactions", text);
  }
}

function boundTo(simulation: Simulation) {
  return {
    advance: (what: string, isReached: () => boolean): void =>
      simulation.advance(SETTLING_MS_MAX, what, isReached),
    members: () => simulation.census.members,
  };
}

/** The bulk strings of a reply; what is not there is left out. */
const itemsOf = (reply: string): string[] =>
  reply
    .replace(/^\*+/, "")
    .split(",")
    .map((item) => item.replace(/^\*+/, ""))
    .filter((item) => item.startsWith("$") && item !== "$-1")
    .map((item) => item.slice(1));
