// Unions, intersections and differences of sorted sets and sets (whose members count as of score 1): answered, counted,
// stored. Results are sorted: nothing depends on the order in which members are met but the rounding of sums, which
// is Redis's because inputs are taken from the smallest on.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { SetReader } from "../store/set-reader.ts";
import { SortedSetReader } from "../store/sorted-set-reader.ts";
import { SET, ZSET } from "../store/types.ts";
import { noInputKey, replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";
import { scoreAt } from "./sorted-sets.ts";
import { sortedSetDraft, storeDraft } from "./sorted-sets-store.ts";
import { type CommandRow, type DataContext, noKeys, oneKey } from "./types.ts";

const answers = { arity: -3, route: "read", flags: ["readonly", "movablekeys"], keys: noKeys } as const;
const stores = {
  arity: -4,
  route: "write",
  flags: ["write", "denyoom", "movablekeys"],
  keys: oneKey,
} as const;

// biome-ignore format: one row a line
export const sortedSetAlgebraCommands = [
  { name: "zunion", ...answers, run: zunion },
  { name: "zinter", ...answers, run: zinter },
  { name: "zdiff",  ...answers, run: zdiff },
  { name: "zintercard",  ...answers, run: zintercard },
  { name: "zunionstore", ...stores,  run: zunionstore },
  { name: "zinterstore", ...stores,  run: zinterstore },
  { name: "zdiffstore",  ...stores,  run: zdiffstore },
] as const satisfies readonly CommandRow[];

type Operation = "union" | "inter" | "diff";
type Aggregate = "SUM" | "MIN" | "MAX";

/** An input, walked over or asked for members. */
interface Input {
  readonly handle: number;
  readonly count: number;
  weight: number;
  /** Calls visit() on each member; stops when it returns false. */
  readonly walk: (visit: (bytes: Buffer, start: number, end: number, score: number) => boolean) => void;
  /** The member's score, or undefined. */
  readonly scoreOf: (bytes: Buffer, start: number, end: number) => number | undefined;
}

interface Question {
  readonly inputs: Input[];
  aggregate: Aggregate;
  withScores: boolean;
  /** ZINTERCARD's; 0 = none. */
  limit: number;
}

/** Members (latin1) and their scores. */
type Scores = Map<string, number>;

function sortedSetInput(context: DataContext, handle: number): Input {
  const set = new SortedSetReader().open(context.keys, handle);
  return {
    handle,
    count: set.count,
    weight: 1,
    walk(visit) {
      if (!set.goTo(0)) return;
      while (visit(set.bytes, set.start, set.end, set.score) && set.next());
    },
    scoreOf: (bytes, start, end) => (set.find(bytes, start, end) ? set.score : undefined),
  };
}

function setInput(context: DataContext, handle: number): Input {
  const set = new SetReader().open(context.keys, handle);
  return {
    handle,
    count: set.count,
    weight: 1,
    walk(visit) {
      while (set.next() && visit(set.bytes, set.start, set.end, 1));
    },
    scoreOf: (bytes, start, end) => (set.has(bytes, start, end) ? 1 : undefined),
  };
}

/** `numkeys key ...` from argument `index` on, then options. Undefined after an error was replied. */
function ask(
  context: DataContext,
  args: Args,
  index: number,
  name: string,
  operation: Operation | "card",
  reply: ReplyWriter,
): Question | undefined {
  const count = integerAt(args, index);
  if (count === undefined) return refuse(reply, replyError.notInteger);
  if (count < 1) return refuse(reply, noInputKey(name));
  if (count > args.count - index - 1) return refuse(reply, replyError.syntax);
  const inputs: Input[] = [];
  const end = index + 1 + Number(count);
  const { keys } = context;
  for (let i = index + 1; i < end; i++) {
    const handle = keys.find(args.bytes, args.start(i), args.end(i));
    const type = handle === 0 ? ZSET : keys.typeOf(handle);
    if (type === ZSET) inputs.push(sortedSetInput(context, handle));
    else if (type === SET) inputs.push(setInput(context, handle));
    else return refuse(reply, replyError.wrongType);
  }
  const question: Question = { inputs, aggregate: "SUM", withScores: false, limit: 0 };
  const isStore = index === 2;
  for (let i = end; i < args.count; ) {
    const next = parseOption(args, i, question, operation, isStore, reply);
    if (next === undefined) return undefined;
    i = next;
  }
  return question;
}

/** Reads the option at argument `i`; returns where the next one is. */
function parseOption(
  args: Args,
  i: number,
  question: Question,
  operation: Operation | "card",
  isStore: boolean,
  reply: ReplyWriter,
): number | undefined {
  const { inputs } = question;
  const left = args.count - i - 1;
  const isWeighable = operation === "union" || operation === "inter";
  if (isWeighable && left >= inputs.length && args.is(i, "WEIGHTS")) {
    for (const input of inputs) {
      const weight = scoreAt(args, ++i);
      if (weight === undefined) return refuse(reply, replyError.weightNotFloat);
      input.weight = weight;
    }
    return i + 1;
  }
  if (isWeighable && left >= 1 && args.is(i, "AGGREGATE")) {
    if (args.is(i + 1, "SUM")) question.aggregate = "SUM";
    else if (args.is(i + 1, "MIN")) question.aggregate = "MIN";
    else if (args.is(i + 1, "MAX")) question.aggregate = "MAX";
    else return refuse(reply, replyError.syntax);
    return i + 2;
  }
  if (operation !== "card" && !isStore && args.is(i, "WITHSCORES")) {
    question.withScores = true;
    return i + 1;
  }
  if (operation === "card" && left >= 1 && args.is(i, "LIMIT")) {
    const limit = integerAt(args, i + 1);
    if (limit === undefined || limit < 0) return refuse(reply, replyError.limitNegative);
    question.limit = Number(limit);
    return i + 2;
  }
  return refuse(reply, replyError.syntax);
}

function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
  return undefined;
}

function aggregated(aggregate: Aggregate, score: number, other: number): number {
  if (aggregate === "SUM") return numberOrZero(score + other);
  // As Redis compares: a NaN never wins, and of the two zeros the first stays.
  const isBetter = aggregate === "MIN" ? other < score : other > score;
  return isBetter ? other : score;
}

/** Infinities that cancel each other, and zero times infinity, count as 0. */
const numberOrZero = (score: number): number => (Number.isNaN(score) ? 0 : score);

function resultOf(operation: Operation, { inputs, aggregate }: Question): Scores {
  if (operation === "diff") return difference(inputs);
  const ordered = [...inputs].sort((a, b) => a.count - b.count);
  return operation === "union" ? union(ordered, aggregate) : intersection(ordered, aggregate);
}

function union(inputs: readonly Input[], aggregate: Aggregate): Scores {
  const scores: Scores = new Map();
  for (const input of inputs) {
    input.walk((bytes, start, end, score) => {
      const weighed = numberOrZero(input.weight * score);
      const member = bytes.toString("latin1", start, end);
      const before = scores.get(member);
      scores.set(member, before === undefined ? weighed : aggregated(aggregate, before, weighed));
      return true;
    });
  }
  return scores;
}

/** @param limit members after which to stop; 0 = none */
function intersection(ordered: readonly Input[], aggregate: Aggregate, limit = 0): Scores {
  const scores: Scores = new Map();
  const [first, ...others] = ordered;
  first!.walk((bytes, start, end, score) => {
    let sum = numberOrZero(first!.weight * score);
    for (const input of others) {
      const other = input.handle === first!.handle ? score : input.scoreOf(bytes, start, end);
      if (other === undefined) return true;
      sum = aggregated(aggregate, sum, input.weight * other);
    }
    scores.set(bytes.toString("latin1", start, end), sum);
    return scores.size !== limit;
  });
  return scores;
}

function difference([first, ...others]: readonly Input[]): Scores {
  const scores: Scores = new Map();
  if (others.some((input) => input.handle !== 0 && input.handle === first!.handle)) return scores;
  first!.walk((bytes, start, end, score) => {
    if (others.every((input) => input.scoreOf(bytes, start, end) === undefined)) {
      scores.set(bytes.toString("latin1", start, end), score);
    }
    return true;
  });
  return scores;
}

/** In the order of a sorted set. Latin1 texts compare as their bytes. */
function inOrder(scores: Scores): readonly (readonly [string, number])[] {
  return [...scores].sort(([a, x], [b, y]) => (x < y ? -1 : x > y ? 1 : a < b ? -1 : 1));
}

function answer(
  context: DataContext,
  args: Args,
  name: string,
  operation: Operation,
  reply: ReplyWriter,
): void {
  const question = ask(context, args, 1, name, operation, reply);
  if (question === undefined) return;
  const members = inOrder(resultOf(operation, question));
  const { withScores } = question;
  reply.array(withScores && reply.protocol === 2 ? 2 * members.length : members.length);
  for (const [member, score] of members) {
    if (withScores && reply.protocol === 3) reply.array(2);
    reply.bulkLatin1(member);
    if (withScores) reply.double(score);
  }
}

function store(
  context: DataContext,
  args: Args,
  name: string,
  operation: Operation,
  reply: ReplyWriter,
): void {
  const question = ask(context, args, 2, name, operation, reply);
  if (question === undefined) return;
  const members = inOrder(resultOf(operation, question));
  const longestBytes = members.reduce((longest, [member]) => Math.max(longest, member.length), 0);
  sortedSetDraft.begin(context.store.thresholds, context.store.hashSeed, members.length, longestBytes);
  for (const [member, score] of members) {
    const bytes = Buffer.from(member, "latin1");
    sortedSetDraft.append(score, bytes, 0, bytes.length);
  }
  reply.integer(storeDraft(context, args, 1, name));
}

function zunion(context: DataContext, args: Args, reply: ReplyWriter): void {
  answer(context, args, "zunion", "union", reply);
}

function zinter(context: DataContext, args: Args, reply: ReplyWriter): void {
  answer(context, args, "zinter", "inter", reply);
}

function zdiff(context: DataContext, args: Args, reply: ReplyWriter): void {
  answer(context, args, "zdiff", "diff", reply);
}

function zintercard(context: DataContext, args: Args, reply: ReplyWriter): void {
  const question = ask(context, args, 1, "zintercard", "card", reply);
  if (question === undefined) return;
  const ordered = [...question.inputs].sort((a, b) => a.count - b.count);
  reply.integer(intersection(ordered, "SUM", question.limit).size);
}

function zunionstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  store(context, args, "zunionstore", "union", reply);
}

function zinterstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  store(context, args, "zinterstore", "inter", reply);
}

function zdiffstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  store(context, args, "zdiffstore", "diff", reply);
}
