// Is there an order of the operations, within their times, in which a single copy of the data would have given these
// replies? Wing and Gong's search with Lowe's memory of what was tried, on one group of keys at a time.
//
//   call |------ GET -> 1 ------| return        Between call and return each takes effect once. One whose outcome
//        |--- SET 1 -> ? ---------------- ...    is unknown has no return: at any later time, or never.

import {
  encodeState,
  initialState,
  isBlind,
  isRead,
  type Operation,
  seenBefore,
  successors,
} from "./model.ts";

export type Verdict =
  | { readonly kind: "linearizable"; readonly states: number }
  /** More states than allowed: nothing was found, nothing is proved. */
  | { readonly kind: "undecided"; readonly states: number; readonly groups: readonly string[] }
  | { readonly kind: "violation"; readonly group: string; readonly text: string };

type Values = ReturnType<typeof initialState>;

interface Next {
  readonly after: Values;
  /** `after` as text. */
  readonly key: string;
}

interface Choice extends Next {
  readonly index: number;
}

/** The open operation that was taken last, and the state before it. */
interface Step {
  readonly index: number;
  readonly from: Values;
  readonly fromKey: string;
}

interface Level {
  readonly choices: readonly Choice[];
  next: number;
  /** What was taken to get to this level; -1 for the first. */
  readonly taken: number;
  readonly state: Values;
  readonly stateKey: string;
}

const STATES_MAX = 10_000;
/** Ways to one state that are remembered for comparison. */
const WAYS_MAX = 64;

export function checkHistory(operations: readonly Operation[], statesMax = STATES_MAX): Verdict {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const members = groups.get(operation.group) ?? [];
    members.push(operation);
    groups.set(operation.group, members);
  }
  let states = 0;
  const undecided: string[] = [];
  for (const [group, members] of groups) {
    const verdict = new GroupSearch(group, members, statesMax).run();
    if (verdict.kind === "violation") return verdict;
    states += verdict.states;
    if (verdict.kind === "undecided") undecided.push(group);
  }
  return undecided.length > 0
    ? { kind: "undecided", states, groups: undecided }
    : { kind: "linearizable", states };
}

/**
 * Three observations keep the search small:
 * - an answered operation that fits and changes nothing, and would not with this reply at any other time, can be taken
 *   at once: waiting gains nothing;
 * - an open one that would change nothing need not be taken;
 * - of two ways that did the same answered ones and led to the same state, one that used fewer open ones is as good;
 * - an open one may wait until it is needed. So it is taken only right before what it makes a difference to: not if the
 *   next one would do the same without it, or could as well come first. Of all orders that explain the replies, the one
 *   with the fewest open ones, these as late as can be, and neighbours among them that could change places in order of
 *   their calls, has no pair that breaks this rule.
 */
class GroupSearch {
  readonly #group: string;
  /** In order of their calls. */
  readonly #operations: readonly Operation[];
  /**
   * Who takes effect before it, or -1: of an answered one the answered one before it on the same connection, of an open
   * one the open one before it that does the same (they are as good as each other, but that one could be earlier).
   */
  readonly #before: Int32Array;
  readonly #isDone: Uint8Array;
  /** Bits of the answered ones, and of the open ones, that are done. */
  readonly #answered: Uint32Array;
  readonly #open: Uint32Array;
  readonly #statesMax: number;
  readonly #tried = new Map<string, Uint32Array[]>();
  /** Of each operation, by the state before it: one state is met after many sets of operations. */
  readonly #successors: readonly Map<string, readonly Next[]>[];
  #states = 0;
  #left: number;
  #first = 0;
  #deepest = 0;
  #stuck = "";

  constructor(group: string, members: readonly Operation[], statesMax: number) {
    this.#group = group;
    this.#statesMax = statesMax;
    const before = seenBefore(group, members);
    this.#operations = withoutNames(members.filter((it) => isAnswered(it) || !isRead(it)))
      .map((it) => withBefore(it, before))
      .map(withoutWaiting)
      .sort((a, b) => a.callMs - b.callMs || a.order - b.order);
    const { length } = this.#operations;
    this.#left = this.#operations.filter(isAnswered).length;
    this.#isDone = new Uint8Array(length);
    this.#answered = new Uint32Array((length >>> 5) + 1);
    this.#open = new Uint32Array((length >>> 5) + 1);
    this.#before = new Int32Array(length).fill(-1);
    this.#successors = this.#operations.map(() => new Map<string, readonly Next[]>());
    const last = new Map<number, number>();
    const alike = new Map<string, number>();
    this.#operations.forEach((operation, i) => {
      if (isAnswered(operation)) {
        this.#before[i] = last.get(operation.connection) ?? -1;
        last.set(operation.connection, i);
      } else {
        const text = operation.command.join(" ");
        this.#before[i] = alike.get(text) ?? -1;
        alike.set(text, i);
      }
    });
  }

  run(): Verdict {
    const start = initialState(this.#group);
    const path: Level[] = [this.#level(start, encodeState(start), -1, undefined)];
    while (this.#left > 0) {
      const level = path[path.length - 1]!;
      const choice = level.choices[level.next++];
      if (choice === undefined) {
        path.pop();
        if (path.length === 0) return { kind: "violation", group: this.#group, text: this.#stuck };
        this.#mark(level.taken, false);
        continue;
      }
      this.#mark(choice.index, true);
      const step = isAnswered(this.#operations[choice.index]!)
        ? undefined
        : { index: choice.index, from: level.state, fromKey: level.stateKey };
      if (this.#isNoBetter(choice.key, step)) {
        this.#mark(choice.index, false);
        continue;
      }
      if (++this.#states > this.#statesMax)
        return { kind: "undecided", states: this.#states, groups: [this.#group] };
      path.push(this.#level(choice.after, choice.key, choice.index, step));
    }
    return { kind: "linearizable", states: this.#states };
  }

  #mark(index: number, done: boolean): void {
    const answered = isAnswered(this.#operations[index]!);
    this.#isDone[index] = done ? 1 : 0;
    const bits = answered ? this.#answered : this.#open;
    bits[index >>> 5]! ^= 1 << (index & 31);
    if (answered) this.#left += done ? -1 : 1;
    if (!done && index < this.#first) this.#first = index;
    while (this.#isDone[this.#first] === 1) this.#first++;
  }

  /**
   * Was this state reached with the same answered ones done, and no open one beyond those done now? What may follow
   * depends on the open one that was taken last: it must have been the same, or none.
   */
  #isNoBetter(state: string, step: Step | undefined): boolean {
    // The first ones that are not done say all about the words before them.
    const from = this.#first >>> 5;
    let to = this.#answered.length;
    while (to > from && this.#answered[to - 1] === 0) to--;
    let free = String(from);
    for (let i = from; i < to; i++) free += `,${this.#answered[i]}`;
    free += ` ${state}`;
    if (step === undefined) return this.#isKnown(free, true);
    return this.#isKnown(free, false) || this.#isKnown(`${free} ${step.index} ${step.fromKey}`, true);
  }

  #isKnown(key: string, isKept: boolean): boolean {
    const before = this.#tried.get(key);
    if (before?.some((used) => isSubset(used, this.#open)) === true) return true;
    if (!isKept) return false;
    if (before === undefined) this.#tried.set(key, [this.#open.slice()]);
    else if (before.length < WAYS_MAX) before.push(this.#open.slice());
    return false;
  }

  /** Who may take effect next: called before any other answered one returned. */
  #level(state: Values, stateKey: string, taken: number, step: Step | undefined): Level {
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
      .filter((i) => operations[i]!.callMs <= firstReturnMs && this.#isItsTurn(i))
      .sort((a, b) => operations[a]!.returnMs - operations[b]!.returnMs || a - b);
    const choices: Choice[] = [];
    for (const index of allowed) {
      const answered = isAnswered(operations[index]!);
      for (const { after, key } of this.#successorsOf(index, state, stateKey)) {
        if (step !== undefined && this.#isNotNeeded(step, index, key)) continue;
        if (key !== stateKey) choices.push({ index, after, key });
        else if (answered && !isBlind(operations[index]!))
          return { choices: [{ index, after, key }], next: 0, taken, state, stateKey };
        else if (answered) choices.push({ index, after, key });
      }
    }
    this.#remember(stateKey, allowed, choices.length);
    return { choices, next: 0, taken, state, stateKey };
  }

  /** Would `next` have led to the same state without the open operation before it, or ahead of it? */
  #isNotNeeded({ index, from, fromKey }: Step, next: number, afterKey: string): boolean {
    const operation = this.#operations[next]!;
    const isAlwaysLater = isAnswered(operation) || next < index;
    for (const { after: without, key } of this.#successorsOf(next, from, fromKey)) {
      if (key === afterKey) return true;
      // An open one that changes nothing there is not taken at all.
      if (!isAlwaysLater || (key === fromKey && !isAnswered(operation))) continue;
      if (this.#successorsOf(index, without, key).some((then) => then.key === afterKey)) return true;
    }
    return false;
  }

  #successorsOf(index: number, state: Values, stateKey: string): readonly Next[] {
    const known = this.#successors[index]!.get(stateKey);
    if (known !== undefined) return known;
    const found = successors(this.#operations[index]!, state).map((after) => ({
      after,
      key: encodeState(after),
    }));
    this.#successors[index]!.set(stateKey, found);
    return found;
  }

  #isItsTurn(index: number): boolean {
    const before = this.#before[index]!;
    return before < 0 || this.#isDone[before] === 1;
  }

  /** The longest way that was found, for whoever has to explain the violation. */
  #remember(state: string, allowed: readonly number[], choices: number): void {
    const total = this.#operations.length;
    const rank = total - this.#left;
    if (choices > 0 || rank <= this.#deepest) return;
    this.#deepest = rank;
    const next = allowed.map((i) => describe(this.#operations[i]!)).join("\n  ");
    this.#stuck = `${this.#group}: with ${this.#left} operations left the state is ${state}, and none of these fits:\n  ${next}`;
  }
}

function withBefore(operation: Operation, before: ReadonlyMap<string, string>): Operation {
  const { command } = operation;
  const text =
    command[0] === "APPEND" || command[0] === "XADD" ? before.get(command.at(-1) ?? "") : undefined;
  return text === undefined ? operation : { ...operation, before: text };
}

/** As clients write them (`SimClient`), with or without the end, or with a longer one. */
const TOKEN = /^[a-z]+\.\d+;?x*$/;

/** Values that an open operation wrote and nobody ever saw could as well be any other of that length: one name for all. */
function withoutNames(operations: readonly Operation[]): Operation[] {
  const seen = operations.map(({ reply }) => reply ?? "").join(" ");
  const isSecret = (word: string): boolean => TOKEN.test(word) && !seen.includes(word);
  return operations.map((operation) => {
    if (isAnswered(operation) || !operation.command.some(isSecret)) return operation;
    const command = operation.command.map((word) => (isSecret(word) ? word.replace(/[^;]/g, "?") : word));
    return { ...operation, command };
  });
}

const AT_ONCE: Readonly<Record<string, string>> = { BLPOP: "LPOP", BLMOVE: "LMOVE", BZPOPMIN: "ZPOPMIN" };

/** Of unknown outcome, to wait and to look are the same; how long is no difference between two. */
function withoutWaiting(operation: Operation): Operation {
  const { command } = operation;
  if (isAnswered(operation)) return operation;
  const name = AT_ONCE[command[0]!];
  if (name !== undefined) return { ...operation, command: [name, ...command.slice(1, -1)] };
  const block = command.indexOf("BLOCK");
  return block < 0 ? operation : { ...operation, command: command.toSpliced(block, 2) };
}

const isAnswered = (operation: Operation): boolean => operation.returnMs !== Number.POSITIVE_INFINITY;

function isSubset(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if ((a[i]! & ~b[i]!) !== 0) return false;
  return true;
}

export const describe = ({ client, command, callMs, returnMs, reply }: Operation): string =>
  `${client} [${callMs.toFixed(1)}, ${returnMs.toFixed(1)}] ${command.join(" ")} -> ${reply ?? "unknown"}`;
