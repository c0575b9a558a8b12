// The search leaves out what need not be tried. Here it is compared with one that tries everything, on small random
// histories: of a single copy with some replies unknown, and the same with a reply that is another one's.

import assert from "node:assert/strict";
import { test } from "vitest";
import { checkHistory } from "./linearizability.ts";
import { mixOf } from "./mix.ts";
import { encodeState, initialState, isRead, type Operation, successors } from "./model.ts";
import { Random } from "./random.ts";

const HISTORIES = 1500;
const OPEN = Number.POSITIVE_INFINITY;

type State = ReturnType<typeof initialState>;

/** Every order of the answered ones, with any of the open ones anywhere. */
function isExplained(operations: readonly Operation[], state: State, done: ReadonlySet<number>): boolean {
  const left = operations.flatMap((operation, i) => (done.has(i) ? [] : [{ operation, i }]));
  if (left.every(({ operation }) => operation.returnMs === OPEN)) return true;
  const firstReturnMs = Math.min(...left.map(({ operation }) => operation.returnMs));
  return left.some(
    ({ operation, i }) =>
      operation.callMs <= firstReturnMs &&
      !left.some(
        ({ operation: other }) =>
          operation.returnMs !== OPEN &&
          other.returnMs !== OPEN &&
          other.connection === operation.connection &&
          other.order < operation.order,
      ) &&
      successors(operation, state).some((after) => isExplained(operations, after, new Set([...done, i]))),
  );
}

/** Replies that a single copy could give: of those that are tried, one that the model accepts. */
function history(random: Random, mayVanish: boolean): Operation[] {
  const group = random.pick([
    "counter0",
    "append0",
    "string0",
    "set0",
    "zset0",
    "hash0",
    "bits0",
    "sketch0",
    "pair0",
  ]);
  let tokens = 0;
  const token = (): string => `a.${String(tokens++).padStart(4, "0")};`;
  const mix = mixOf(group.slice(0, -1), group);
  const operations: Operation[] = [];
  let state = initialState(group);
  let nowMs = 0;
  while (operations.length < 8) {
    const [draft, more] = mix({ random, token, isWatching: true });
    if (draft === undefined || more !== undefined) continue;
    nowMs += random.below(3);
    const connection = 1 + random.below(3);
    // In order on each connection, as calls are and replies.
    const before = operations.findLast((it) => it.connection === connection);
    const callMs = Math.max(nowMs - random.below(6), before?.callMs ?? 0);
    const operation: Operation = {
      client: "a",
      connection,
      order: operations.length,
      group,
      command: draft.command,
      callMs,
      returnMs: OPEN,
      reply: undefined,
      ...(mayVanish ? { mayVanish } : {}),
    };
    const isOpen = random.chance(0.35);
    if (isOpen && random.chance(0.5)) {
      operations.push(operation);
      continue;
    }
    const answer = CANDIDATES.map((reply) => ({
      ...operation,
      reply,
      returnMs: nowMs + random.below(6),
    })).find((it) => successors(it, state).length > 0);
    const taken = answer ?? operation;
    const after = successors(taken, state);
    if (after.length > 0) state = random.pick(after);
    operations.push(isOpen ? operation : taken);
  }
  return operations;
}

const numbers = Array.from({ length: 60 }, (_, i) => String(i));
const CANDIDATES = [
  "+OK",
  "$-1",
  "*",
  "*$-1,$-1",
  ...numbers.map((it) => `:${it}`),
  ...["0", "1", "2", "3", "4", "11", "12", "13"].map((it) => `$${it}`),
  ...numbers.slice(0, 9).map((it) => `$a.000${it};`),
  ...numbers.slice(0, 9).flatMap((a) => numbers.slice(0, 9).map((b) => `$a.000${a};a.000${b};`)),
  ...numbers.slice(0, 6).map((it) => `$m${it}`),
];

const kinds = [
  { mayVanish: false, text: "it finds what a search without shortcuts finds" },
  { mayVanish: true, text: "the same where any key may be evicted at any time" },
];
for (const { mayVanish, text } of kinds) test(text, () => compare(mayVanish));

function compare(mayVanish: boolean): void {
  const counts = { linearizable: 0, violation: 0, undecided: 0 };
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const random = new Random(seed);
    const operations = history(random, mayVanish);
    const answered = operations.filter(({ returnMs }) => returnMs !== OPEN);
    if (answered.length > 1 && random.chance(0.6)) {
      const [a, b] = [random.pick(answered), random.pick(answered)];
      [a.reply, b.reply] = [b.reply, a.reply];
    }
    const group = operations[0]!.group;
    const useful = operations.filter((it) => it.returnMs !== OPEN || !isRead(it));
    const { kind } = checkHistory(operations);
    counts[kind]++;
    const isFine = isExplained(useful, initialState(group), new Set());
    assert.equal(
      kind,
      isFine ? "linearizable" : "violation",
      `seed ${seed}, ${encodeState(initialState(group))}:\n${operations.map((it) => JSON.stringify(it)).join("\n")}`,
    );
  }
  assert.ok(Math.min(counts.linearizable, counts.violation) > HISTORIES / 20, JSON.stringify(counts));
}
