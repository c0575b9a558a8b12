// A run in which somebody changes and looks at settings of the cluster (ADR 23), on any node, also in MULTI, while all else goes
// on. Each setting is a register of the history: what CONFIG GET shows must be linearizable. That replicas have them equal
// at one index, and go by them, is the business of checks.ts.

import { SimClient } from "./clients.ts";
import type { Draft } from "./mix.ts";
import { SETTING } from "./model.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

/** Of limits of encodings few values: collections of these runs have a few members. */
const VALUES: Readonly<Record<string, { readonly first: string; readonly others: readonly string[] }>> = {
  "hash-max-listpack-entries": { first: "512", others: ["0", "1", "2", "3"] },
  "set-max-intset-entries": { first: "512", others: ["0", "2"] },
  "set-max-listpack-entries": { first: "128", others: ["0", "1", "2", "3"] },
  "zset-max-listpack-entries": { first: "128", others: ["0", "1", "2"] },
  "list-max-listpack-size": { first: "-2", others: ["1", "2", "-1"] },
  "stream-node-max-entries": { first: "100", others: ["1", "2", "3"] },
  "hll-sparse-max-bytes": { first: "3000", others: ["0", "30"] },
};
/** Each value of it is written once, so that a reply says which change it saw. */
const COUNTED = "lfu-log-factor";
const COUNTED_FIRST = "10";
const COUNTED_SHARE = 0.4;
const IN_MULTI_SHARE = 0.3;
const LOOK_SHARE = 0.5;
const QUEUED = /^\+QUEUED$/;
const ABORTED = /^-EXECABORT /;

export class SettingsDesk {
  readonly desk: SimClient;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #leaderlessMs = new Map<SimProcess, number>();
  #count = 100;
  #lookers = 0;
  #patientUntilMs = 0;
  #isOver = false;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
    this.desk = new SimClient(
      "settings",
      simulation.worldOf(random, () => simulation.living),
      0,
    );
  }

  begin(): void {
    this.#simulation.timeline.after(this.#random.magnitude(20, 800), () => {
      if (this.#isOver) return;
      this.#act();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
  }

  /** After every step of a process. */
  stepped(process: SimProcess): void {
    if (process.node.isLeaderless) this.#leaderlessMs.set(process, this.#simulation.timeline.nowMs);
  }

  #act(): void {
    const { desk } = this;
    const random = this.#random;
    const { nowMs } = this.#simulation.timeline;
    if (desk.unanswered.length > 0) {
      if (nowMs > this.#patientUntilMs) desk.hangUp();
      return;
    }
    if (!desk.isConnected) return desk.connect();
    // Another node next time.
    if (random.chance(0.3)) return desk.hangUp();
    this.#patientUntilMs = nowMs + random.magnitude(200, 12_000);
    const { name, first, value } = this.#draw();
    const words = random.chance(LOOK_SHARE) ? ["CONFIG", "GET", name] : ["CONFIG", "SET", name, value];
    const group = `${SETTING}${name}:${first}`;
    if (random.chance(IN_MULTI_SHARE)) this.#askInMulti(words, group);
    else this.#ask(words, group);
  }

  #draw(): { readonly name: string; readonly first: string; readonly value: string } {
    const random = this.#random;
    if (random.chance(COUNTED_SHARE))
      return { name: COUNTED, first: COUNTED_FIRST, value: String(this.#count++) };
    const name = random.pick(Object.keys(VALUES));
    const { first, others } = VALUES[name]!;
    return { name, first, value: random.pick([first, ...others]) };
  }

  #ask(command: readonly string[], group: string): void {
    const { desk } = this;
    const sentMs = this.#simulation.timeline.nowMs;
    const process = desk.host;
    desk.ask({
      command,
      group,
      answered: (reply) => {
        if (command[1] === "SET" && reply === "+OK") this.#lookElsewhere(command[2]!, group);
        if (command[1] === "GET" && this.#mayBeOld(process, sentMs)) forgetLast(desk, command);
      },
    });
  }

  /** A change that is answered is in force for whoever asks now, wherever. */
  #lookElsewhere(name: string, group: string): void {
    const { living, timeline, clients } = this.#simulation;
    if (this.#isOver || living.length === 0) return;
    const process = this.#random.pick(living);
    const looker = new SimClient(
      `look${this.#lookers++}`,
      this.#simulation.worldOf(this.#random, () => []),
      0,
    );
    clients.push(looker);
    looker.connect(process);
    const sentMs = timeline.nowMs;
    looker.ask({
      command: ["CONFIG", "GET", name],
      group,
      answered: () => {
        if (this.#mayBeOld(process, sentMs)) forgetLast(looker, ["CONFIG", "GET", name]);
        looker.hangUp();
      },
    });
  }

  /** A node that knows no leader shows the last value that it knows: that promises nothing. */
  #mayBeOld(process: SimProcess | undefined, sentMs: number): boolean {
    if (process === undefined) return true;
    return process.node.isLeaderless || (this.#leaderlessMs.get(process) ?? 0) >= sentMs;
  }

  #askInMulti(command: readonly string[], group: string): void {
    const exec: Draft = { command: ["EXEC"], group, means: [...command, "EXEC"], refusals: ABORTED };
    for (const draft of [{ command: ["MULTI"], expected: "+OK" }, { command, expected: QUEUED }, exec])
      this.desk.ask(draft);
  }
}

/** Takes the look back if it is in the history: one that was refused is not, and the last in it is another command. */
function forgetLast({ history }: SimClient, command: readonly string[]): void {
  if (history.at(-1)?.command.join(" ") === command.join(" ")) history.pop();
}
