// Random commands from a seed: every family's commands over few keys, so that they meet, with wrong types, wrong
// counts and wrong arguments among them. families/ has what to draw, draw.ts what of.

import { DATABASES_USED, Draw } from "./draw.ts";
import type { Command } from "./executor.ts";
import { families } from "./families/families.ts";
import type { Family, Maker } from "./families/family.ts";

const DATABASES = 16;

export interface GeneratorOptions {
  readonly seed: number;
  /** Wall clock, for absolute times to be future or past by. */
  readonly nowMs: number;
  /** RPUSH may make keys of a wrong type. */
  /** Names of families that most commands are of; all in equal measure when empty. */
  readonly focus: readonly string[];
}

export class Generator {
  readonly #draw: Draw;
  readonly #all: readonly (readonly [Family, Maker])[];
  /** Each once, whatever its weight. */
  readonly #makers: readonly (readonly [Family, Maker])[];
  readonly #focused: readonly (readonly [Family, Maker])[];
  readonly #sequences: readonly (readonly [Family, (g: Draw) => string[][]])[];

  constructor(options: GeneratorOptions) {
    const unknown = options.focus.filter((name) => !families.some((family) => family.name === name));
    if (unknown.length > 0) throw new Error(`no such family: ${unknown.join(", ")}`);
    const focused = families.filter((family) => options.focus.includes(family.name));
    this.#all = makersOf(families);
    this.#makers = [...new Map(this.#all.map((pair) => [pair[1], pair])).values()];
    this.#focused = makersOf(focused);
    this.#sequences = (focused.length > 0 ? focused : families).flatMap((family) =>
      (family.sequences ?? []).map((sequence) => [family, sequence] as const),
    );
    const keys = families.flatMap((family) => (family.keysArePrivate ? [] : (family.keys ?? [])));
    const words = new Set(families.flatMap((family) => family.optionWords ?? []));
    this.#draw = new Draw(options.seed, options.nowMs, keys, [...words]);
  }

  /** A few commands that belong together; mostly one. */
  next(): Command[] {
    const g = this.#draw;
    if (g.chance(1, 100))
      return this.#sequence()
        .flatMap((command) => this.#mended(command))
        .map(toBuffers);
    const some = this.#focused.length > 0 && g.chance(9, 10) ? this.#focused : this.#all;
    const [family, maker] = g.pick(some);
    g.familyKeys = family.keys ?? [];
    const command = maker(g);
    if (g.chance(1, 30)) this.#spoil(command);
    // Redis digests dead keys that nobody has asked for yet.
    const asked = command[1] === "DIGEST-VALUE" ? [["EXISTS", ...command.slice(2)]] : [];
    if (g.chance(1, 8)) command[0] = g.mixCase(command[0] ?? "");
    return [...asked, ...this.#mended(command)].map(toBuffers);
  }

  /** What two correct servers answer alike, and all that goes with it. */
  #mended(command: string[]): string[][] {
    keepDeadlinesFar(command);
    let all = [command];
    for (const { mend } of families) {
      if (mend === undefined) continue;
      const { before, after } = mend(this.#draw, command);
      all = [...before, ...all, ...after];
    }
    return all;
  }

  /** Of each maker and each sequence, and of settle(): whatever the seed, all that can be drawn has its turn. */
  oneOfEach(): Command[] {
    const g = this.#draw;
    const commands = this.#makers.map(([family, maker]) => {
      g.familyKeys = family.keys ?? [];
      return maker(g);
    });
    for (const [family, sequence] of this.#sequences) {
      g.familyKeys = family.keys ?? [];
      commands.push(...sequence(g));
    }
    commands.push(...this.settle());
    return commands.flatMap((command) => this.#mended(command)).map(toBuffers);
  }

  /** One that commands use. */
  key(): string {
    const g = this.#draw;
    const [family] = g.pick(this.#all);
    g.familyKeys = family.keys ?? [];
    return g.key();
  }

  #spoil(command: string[]): void {
    const g = this.#draw;
    const how = g.below(4);
    if (how === 0) command.pop();
    else if (how === 1) command.push(g.word());
    else if (how === 2) command.push(g.integer(), g.word());
    else if (command.length > 1) command[1 + g.below(command.length - 1)] = g.anything();
    if (command.length === 0) command.push("NOSUCH");
    keepRepeatsFew(command);
  }

  /** Commands that only make sense together. */
  #sequence(): string[][] {
    const g = this.#draw;
    const how = g.below(10);
    if (how < 2) {
      const key = g.pick(["list", "a", "f"]);
      return [
        ["DEL", key],
        ["RPUSH", key, "x"],
      ];
    }
    if (how < 3) return [...this.settle(), ["SELECT", String(g.below(DATABASES_USED))]];
    if (how === 3) return [["HELLO", g.pick(["2", "3"])]];
    if (how < 6 || this.#sequences.length === 0) {
      return [["SELECT", String(g.chance(1, 2) ? 0 : g.below(DATABASES_USED))]];
    }
    const [family, sequence] = g.pick(this.#sequences);
    g.familyKeys = family.keys ?? [];
    return sequence(g);
  }

  /** Walks over every key, so that Redis drops what is dead, then asks about whole databases. */
  settle(): string[][] {
    const commands: string[][] = [];
    for (let database = 0; database < DATABASES; database++) {
      commands.push(["SELECT", String(database)], ["SCAN", "0", "COUNT", "10000"], ["DBSIZE"], ["KEYS", "*"]);
    }
    commands.push(["DEBUG", "DIGEST"]);
    return commands;
  }
}

function makersOf(some: readonly Family[]): (readonly [Family, Maker])[] {
  return some.flatMap((family) =>
    family.commands.flatMap(([weight, maker]) =>
      Array.from({ length: weight }, () => [family, maker] as const),
    ),
  );
}

/** Chance may have put a small number where a relative time is read: 0 is past on both sides. */
function keepDeadlinesFar(command: string[]): void {
  const name = command[0]?.toUpperCase() ?? "";
  const timeFirst = /^(P?EXPIRE|P?SETEX|RESTORE(-ASKING)?)$/.test(name);
  if (!timeFirst && !/^(SET|GETEX)$/.test(name)) return;
  for (let i = 2; i < command.length; i++) {
    const isTime = (timeFirst && i === 2) || /^[EP]X$/i.test(command[i - 1]!);
    if (isTime && /^\d{1,5}$/.test(command[i]!)) command[i] = "0";
  }
}

/** Chance may have put a huge negative number where random members are counted: Redis would answer for hours. */
function keepRepeatsFew(command: string[]): void {
  if (!/^(SRANDMEMBER|HRANDFIELD|ZRANDMEMBER)$/i.test(command[0] ?? "")) return;
  if (/^-\d{4,}$/.test(command[2] ?? "")) command[2] = "-999";
}

function toBuffers(words: readonly string[]): Command {
  return words.map((word) => Buffer.from(word, "latin1"));
}
