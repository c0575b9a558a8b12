// Is there an order of the operations, within their times, in which a single copy of the data would have given these
// replies? Wing and Gong's search with Lowe's memory of what was tried, on one group of keys at a time.
//
//   call |------ GET -> 1 ------| return        Between call and return each takes effect once. One whose outcome
//        |--- SET 1 -> ? ---------------- ...    is unknown has no return: at any later time, or never.

import { encodeState, initialState, isRead, type Operation, successors } from "./model.ts";

export type Verdict =
  | { readonly kind: "linearizable"; readonly states: number }
  /** More states than allowed: nothing was found, nothing is proved. */
  | { readonly kind: "undecided"; readonly states: number }
  | { readonly kind: "violation"; readonly group: string; readonly text: string };

type Values = ReturnType<typeof initialState>;

interface Level {
  readonly choices: readonly { readonly index: number; readonly after: Values }[];
  next: number;
  /** What was taken to get to the level above. */
  taken: number;
}

const STATES_MAX = 200_000;

export function checkHistory(operations: readonly Operation[], statesMax = STATES_MAX): Verdict {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const members = groups.get(operation.group) ?? [];
    members.push(operation);
    groups.set(operation.group, members);
  }
  let states = 0;
  let isUndecided = false;
  for (const [group, members] of groups) {
    const verdict = new GroupSearch(group, members, statesMax).run();
    if (verdict.kind === "violation") return verdict;
    states += verdict.states;
    if (verdict.kind === "undecided") isUndecided = true;
  }
  return { kind: isUndecided ? "undecided" : "linearizable", states };
}

class GroupSearch {
  readonly #group: string;
  /** In order of their calls. */
  readonly #operations: readonly Operation[];
  /** The answered one before it on the same connection, or -1: that one took effect first. */
  readonly #before: Int32Array;
  readonly #isDone: Uint8Array;
  readonly #bits: Uint32Array;
  readonly #statesMax: number;
  readonly #tried = new Set<string>();
  #open: number;
  #first = 0;
  #deepest = -1;
  #stuck = "";

  constructor(group: string, members: readonly Operation[], statesMax: number) {
    this.#group = group;
    this.#statesMax = statesMax;
    const isKnown = (it: Operation): boolean => it.returnMs !== Number.POSITIVE_INFINITY;
    this.#operations = members
      .filter((it) => isKnown(it) || !isRead(it))
      .sort((a, b) => a.callMs - b.callMs || a.order - b.order);
    this.#open = this.#operations.filter(isKnown).length;
    this.#isDone = new Uint8Array(this.#operations.length);
    this.#bits = new Uint32Array((this.#operations.length >>> 5) + 1);
    this.#before = new Int32Array(this.#operations.length).fill(-1);
    const last = new Map<number, number>();
    this.#operations.forEach((operation, i) => {
      if (!isKnown(operation)) return;
      this.#before[i] = last.get(operation.connection) ?? -1;
      last.set(operation.connection, i);
    });
  }

  run(): Verdict {
    const path: Level[] = [this.#level(initialState(this.#group), -1)];
    while (this.#open > 0) {
      const level = path[path.length - 1]!;
      const choice = level.choices[level.next++];
      if (choice === undefined) {
        path.pop();
        if (path.length === 0) return { kind: "violation", group: this.#group, text: this.#stuck };
        this.#mark(level.taken, false);
        continue;
      }
      this.#mark(choice.index, true);
      const key = `${this.#bits.join(",")} ${encodeState(choice.after)}`;
      if (this.#tried.has(key)) {
        this.#mark(choice.index, false);
        continue;
      }
      this.#tried.add(key);
      if (this.#tried.size > this.#statesMax) return { kind: "undecided", states: this.#tried.size };
      path.push(this.#level(choice.after, choice.index));
    }
    return { kind: "linearizable", states: this.#tried.size };
  }

  #mark(index: number, done: boolean): void {
    this.#isDone[index] = done ? 1 : 0;
    this.#bits[index >>> 5]! ^= 1 << (index & 31);
    if (this.#operations[index]!.returnMs !== Number.POSITIVE_INFINITY) this.#open += done ? -1 : 1;
    if (!done && index < this.#first) this.#first = index;
    while (this.#isDone[this.#first] === 1) this.#first++;
  }

  /** Who may take effect next: called before any other open one returned. The answered first, they are fewer ways. */
  #level(state: Values, taken: number): Level {
    const operations = this.#operations;
    let firstReturnMs = Number.POSITIVE_INFINITY;
    const candidates: number[] = [];
    for (let i = this.#first; i < operations.length; i++) {
      const operation = operations[i]!;
      if (operation.callMs > firstReturnMs) break;
      if (this.#isDone[i] === 1) continue;
      candidates.push(i);
      firstReturnMs = Math.min(firstReturnMs, operation.returnMs);
    }
    const allowed = candidates
      .filter(
        (i) =>
          operations[i]!.callMs <= firstReturnMs &&
          (this.#before[i]! < 0 || this.#isDone[this.#before[i]!] === 1),
      )
      .sort((a, b) => operations[a]!.returnMs - operations[b]!.returnMs || a - b);
    const choices = allowed.flatMap((index) =>
      successors(operations[index]!, state).map((after) => ({ index, after })),
    );
    this.#remember(state, allowed, choices.length);
    return { choices, next: 0, taken };
  }

  /** The longest way that was found, for whoever has to explain the violation. */
  #remember(state: Values, allowed: readonly number[], choices: number): void {
    const done = this.#isDone.reduce((sum, bit) => sum + bit, 0);
    if (done < this.#deepest || (done === this.#deepest && choices > 0)) return;
    this.#deepest = done;
    const next = allowed.map((i) => describe(this.#operations[i]!)).join("\n  ");
    this.#stuck = `${this.#group}: after ${done} operations the state is ${encodeState(state)}, and none of these fits:\n  ${next}`;
  }
}

export const describe = ({ client, command, callMs, returnMs, reply }: Operation): string =>
  `${client} [${callMs.toFixed(1)}, ${returnMs.toFixed(1)}] ${command.join(" ")} -> ${reply ?? "unknown"}`;
