// One round on a cluster: clients write and read while faults come and go, as the seed says; then the faults end, everybody
// must be well again, and what the clients were told is judged.

import { lastLooks } from "../sim/mix.ts";
import { Random } from "../sim/random.ts";
import type { Anomaly } from "./anomalies.ts";
import { Availability } from "./availability.ts";
import { ChaosClient } from "./client.ts";
import { ask } from "./connection.ts";
import {
  drawPlan,
  FAULTS,
  type FaultKind,
  type FaultWorld,
  kindsOf,
  type Lane,
  type Plan,
} from "./faults.ts";
import { FAMILIES, type Family, Histories } from "./histories.ts";
import { Ledger } from "./ledger.ts";
import { Links } from "./links.ts";
import { eventually, type Members, NeverHappened, pause } from "./members.ts";

export interface RoundOptions {
  readonly seed: number;
  /** Of the rounds with this seed on this cluster, from 0. */
  readonly round: number;
  readonly seconds: number;
  readonly kinds?: readonly FaultKind[];
  readonly families?: readonly Family[];
  readonly historyClients?: number;
  readonly ledgerClients?: number;
  readonly thinkMs?: number;
  /** Default: a minute. */
  readonly wellMsMax?: number;
  /** Loads of full size (faults.ts). */
  readonly isFull?: boolean;
  readonly say?: (line: string) => void;
}

export interface RoundResult {
  readonly seconds: number;
  readonly operations: number;
  readonly unknown: number;
  readonly ledgerCommands: number;
  readonly groups: number;
  readonly undecided: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly availability: Availability;
  readonly anomalies: readonly Anomaly[];
}

const LANES: readonly Lane[] = ["links", "clocks", "clients"];
/** Within which members must be well again, where nothing else is said. */
const WELL_MS_MAX = 60_000;
const GROUPS_PER_ROUND = 100_000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export async function runRound(members: Members, options: RoundOptions): Promise<RoundResult> {
  const round = new Round(members, options);
  try {
    return await round.run();
  } finally {
    round.stop();
  }
}

class Round {
  readonly #members: Members;
  readonly #options: RoundOptions;
  readonly #links: Links;
  readonly #histories: Histories;
  readonly #ledger: Ledger;
  readonly #availability = new Availability();
  readonly #anomalies: Anomaly[] = [];
  readonly #faults = new Map<FaultKind, number>();
  readonly #clients: ChaosClient[] = [];

  constructor(members: Members, options: RoundOptions) {
    this.#members = members;
    this.#options = options;
    this.#links = new Links(members.cluster.proxy, members.names);
    this.#histories = new Histories(options.families ?? FAMILIES, options.round * GROUPS_PER_ROUND);
    this.#ledger = new Ledger(`ledger${options.round}`);
  }

  async run(): Promise<RoundResult> {
    const { seconds } = this.#options;
    await this.#members.allAreWell(this.#wellMsMax);
    const living = this.#beginClients();
    this.#availability.start();
    const beganMs = performance.now();
    await this.#beFaulty(beganMs + seconds * 1000);
    this.#availability.stop();
    const tookMs = performance.now() - beganMs;
    await this.#must(() => this.#members.allAreWell(this.#wellMsMax));
    this.#stopClients();
    await Promise.all(living);
    await this.#must(() => this.#lookAtAll());
    await this.#must(() => this.#ledger.judge((command) => this.#read(command)));
    await this.#must(() => this.#digestsAgree());
    const judgement = await this.#histories.judge();
    return {
      seconds: (tookMs - this.#availability.ownStallMs) / 1000,
      operations: judgement.operations,
      unknown: judgement.unknown,
      ledgerCommands: this.#ledger.commands,
      groups: judgement.groups,
      undecided: judgement.undecided,
      faults: this.#faults,
      availability: this.#availability,
      anomalies: [...this.#anomalies, ...this.#ledger.anomalies, ...judgement.anomalies],
    };
  }

  stop(): void {
    this.#availability.stop();
    this.#stopClients();
  }

  #stopClients(): void {
    for (const client of this.#clients) client.stop();
  }

  #beginClients(): Promise<void>[] {
    const { historyClients = 20, ledgerClients = 8, thinkMs = 4 } = this.#options;
    for (let i = 0; i < historyClients + ledgerClients; i++) {
      const source = i < historyClients ? this.#histories : this.#ledger;
      const name = `${LETTERS[i % 26]}${LETTERS[Math.floor(i / 26)]}`;
      const random = this.#stream(`client ${i}`);
      const world = {
        ports: this.#members.ports,
        draw: source.draw.bind(source),
        began: this.#histories.add.bind(this.#histories),
        refused: this.#histories.remove.bind(this.#histories),
        succeeded: () => this.#availability.succeeded(),
        wrongReply: (client: string, command: readonly string[], reply: string) =>
          this.#anomalies.push({ kind: "wrong reply", text: `${client}: ${command.join(" ")} -> ${reply}` }),
      };
      this.#clients.push(new ChaosClient(name, world, random, thinkMs));
    }
    return this.#clients.map((client) => client.live());
  }

  #stream(name: string): Random {
    const { seed, round } = this.#options;
    return Random.stream(seed, `${name} of round ${round}`);
  }

  /** As many nodes at once as the others can do without, and one fault of each other lane. */
  async #beFaulty(untilMs: number): Promise<void> {
    const nodeLanes = this.#members.names.length - this.#members.majority;
    const lanes: Promise<void>[] = [];
    for (let i = 0; i < nodeLanes; i++) lanes.push(this.#lane("node", i, untilMs));
    for (const lane of LANES) lanes.push(this.#lane(lane, 0, untilMs));
    await Promise.all(lanes);
  }

  async #lane(lane: Lane, number: number, untilMs: number): Promise<void> {
    const random = this.#stream(`${lane} ${number}`);
    const wanted = this.#options.kinds;
    const kinds = kindsOf(lane).filter((kind) => wanted === undefined || wanted.includes(kind));
    if (kinds.length === 0) return;
    while (performance.now() < untilMs) {
      const plan = drawPlan(random, kinds);
      await pause(plan.pauseMs);
      if (performance.now() >= untilMs) return;
      await this.#must(() => this.#inflict(plan, lane));
    }
  }

  async #inflict(plan: Plan, lane: Lane): Promise<void> {
    const { kind, lengthMs } = plan;
    const members = this.#members;
    const { isFull = false } = this.#options;
    const world: FaultWorld = { members, links: this.#links, isFull, wellMsMax: this.#wellMsMax };
    const victim = await this.#victimOf(plan);
    if (lane === "node") members.lost.add(victim);
    this.#options.say?.(`${kind} at ${victim} for ${lengthMs} ms`);
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1);
    this.#availability.began(kind);
    const end = await FAULTS[kind].begin(world, victim, plan);
    await pause(lengthMs);
    await end();
    if (lane === "node") {
      await members.isBack(victim, this.#wellMsMax).finally(() => members.lost.delete(victim));
      this.#options.say?.(`${victim} is back after ${kind}`);
    }
    this.#availability.over(kind);
  }

  get #wellMsMax(): number {
    return this.#options.wellMsMax ?? WELL_MS_MAX;
  }

  async #victimOf({ wantsLeader, pick }: Plan): Promise<string> {
    const members = this.#members;
    const leader = wantsLeader ? await members.findLeader() : undefined;
    if (leader !== undefined && !members.lost.has(leader)) return leader;
    const left = members.names.filter((name) => !members.lost.has(name));
    return left[pick % left.length]!;
  }

  async #lookAtAll(): Promise<void> {
    const { ports } = this.#members;
    for (const [i, group] of this.#histories.keys.entries()) {
      for (const command of lastLooks(group)) {
        const callMs = performance.now();
        const reply = await this.#read(command, ports[i % ports.length]);
        this.#histories.add({
          client: "end",
          connection: -1,
          order: 0,
          group,
          command,
          callMs,
          returnMs: performance.now(),
          reply,
        });
      }
    }
  }

  /** Asks until it is answered. */
  #read(command: readonly string[], port = this.#members.ports[0]!): Promise<string> {
    return eventually(`${command.slice(0, 2).join(" ")} is answered`, async () => {
      const reply = await ask(port, command, 10_000);
      return reply?.startsWith("-") === true ? undefined : reply;
    });
  }

  /** All replicas hold the same bytes, once all have applied the same. */
  async #digestsAgree(): Promise<void> {
    let seen: string[] = [];
    await eventually("the replicas hold the same", async () => {
      const answers = this.#members.ports.map((port) => ask(port, ["DEBUG", "DIGEST"], 10_000));
      seen = (await Promise.all(answers)).map(String);
      return seen.every((digest) => digest === seen[0] && /^[+$]/.test(digest)) ? true : undefined;
    }).catch((error) => {
      throw new Error(`${error}: ${seen.join(" ")}`);
    });
  }

  /** What goes on for too long is an anomaly, and the round goes on. */
  async #must(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const kind = error instanceof NeverHappened ? "did not recover" : "failed";
      this.#anomalies.push({ kind, text: String(error), logs: this.#members.logs() });
    }
  }
}
