// The whole history of a run, judged with what a recovery was allowed to lose.

import { checkHistory, type Verdict } from "./linearizability.ts";
import { isRead, type Operation } from "./model.ts";

/** A majority was lost, and a survivor's log became the truth. */
interface Break {
  readonly atMs: number;
  /** Nothing that was answered until then is lost. */
  readonly safeUntilMs: number;
}

/**
 * Two questions where there was one. Did those who were answered before the break see one copy of the data? And did all
 * others, when of what was answered before only the part that the survivor had must be there? Between the two, from
 * the first entry that the survivor lacks on, an acknowledged write may have been lost with the lost majority.
 */
export function judgeHistory(operations: readonly Operation[], [first, second]: readonly Break[]): Verdict {
  if (first === undefined) return checkHistory(operations);
  if (second !== undefined) throw new Error("one recovery a run");
  const { atMs, safeUntilMs } = first;
  const before = checkHistory(
    operations
      .filter(({ callMs }) => callMs < atMs)
      .map((it) => (it.returnMs <= atMs ? it : withoutAnswer(it))),
  );
  if (before.kind === "violation") return before;
  const after = checkHistory(
    operations
      .filter((it) => !isBetween(it) || !isRead(it))
      .map((it) => (isBetween(it) ? withoutAnswer(it) : it)),
  );
  if (after.kind === "violation") return after;
  const states = before.states + after.states;
  const groups = [before, after].flatMap((it) => (it.kind === "undecided" ? it.groups : []));
  return groups.length > 0 ? { kind: "undecided", states, groups } : { kind: "linearizable", states };

  function isBetween({ returnMs }: Operation): boolean {
    return returnMs > safeUntilMs && returnMs <= atMs;
  }
}

const withoutAnswer = (operation: Operation): Operation => ({
  ...operation,
  returnMs: Number.POSITIVE_INFINITY,
  reply: undefined,
});
