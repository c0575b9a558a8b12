// What clients did and were told, by groups of keys. A group takes a few hundred commands and is then replaced by a fresh
// one, so that each history stays small enough to be searched, however long a run is.

import { checkHistory } from "../sim/linearizability.ts";
import { type Draft, type Draw, locks, mixOf } from "../sim/mix.ts";
import type { Operation } from "../sim/model.ts";
import type { Anomaly } from "./anomalies.ts";

/** Registers, counters, appended lists, sets, transfers, locks, and what else the model knows. */
export const FAMILIES = [
  "string",
  "counter",
  "append",
  "mortal",
  "pair",
  "list",
  "set",
  "hash",
  "zset",
  "bank",
  "compare",
  "lock",
] as const;
export type Family = (typeof FAMILIES)[number];

const OPERATIONS_PER_GROUP = 200;
/** Groups of one family that are written at once. */
const GROUPS_AT_ONCE = 2;

interface Group {
  readonly key: string;
  readonly family: Family;
  drawn: number;
}

export interface Judgement {
  readonly operations: number;
  readonly unknown: number;
  readonly groups: number;
  readonly undecided: number;
  readonly anomalies: readonly Anomaly[];
}

export class Histories {
  readonly #families: readonly Family[];
  readonly #active = new Map<Family, Group[]>();
  readonly #operations = new Map<string, Operation[]>();
  /** Group numbers are not used again in one cluster. */
  #next: number;

  constructor(families: readonly Family[], firstNumber: number) {
    this.#families = families;
    this.#next = firstNumber;
    for (const family of families)
      this.#active.set(
        family,
        Array.from({ length: GROUPS_AT_ONCE }, () => this.#newGroup(family)),
      );
  }

  get nextNumber(): number {
    return this.#next;
  }

  /** Groups that were written. */
  get keys(): readonly string[] {
    return [...this.#operations.keys()];
  }

  draw(draw: Draw): readonly Draft[] {
    const groups = this.#active.get(draw.random.pick(this.#families))!;
    const at = draw.random.below(groups.length);
    let group = groups[at]!;
    if (group.drawn >= OPERATIONS_PER_GROUP) {
      group = this.#newGroup(group.family);
      groups[at] = group;
    }
    group.drawn++;
    return group.family === "lock" ? locks(draw, group.key) : mixOf(group.family, group.key)(draw);
  }

  add(operation: Operation): void {
    const { group } = operation;
    const operations = this.#operations.get(group);
    if (operations === undefined) this.#operations.set(group, [operation]);
    else operations.push(operation);
  }

  /** It was refused, so nothing happened. */
  remove(operation: Operation): void {
    const operations = this.#operations.get(operation.group) ?? [];
    operations.splice(operations.lastIndexOf(operation), 1);
  }

  /** Searches one group after the other; others have their turn between. */
  async judge(): Promise<Judgement> {
    let operations = 0;
    let unknown = 0;
    let undecided = 0;
    const anomalies: Anomaly[] = [];
    for (const history of this.#operations.values()) {
      operations += history.length;
      unknown += history.filter(({ reply }) => reply === undefined).length;
      const verdict = checkHistory(history);
      if (verdict.kind === "undecided") undecided++;
      if (verdict.kind === "violation")
        anomalies.push({ kind: "not linearizable", text: verdict.text, history });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { operations, unknown, groups: this.#operations.size, undecided, anomalies };
  }

  #newGroup(family: Family): Group {
    return { key: `${family}${this.#next++}`, family, drawn: 0 };
  }
}
