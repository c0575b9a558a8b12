// Where two correct servers may answer differently: the form of such a rule, and what several of them use.

import { replyEnd } from "./tcp-executor.ts";

export interface Rule {
  readonly command: RegExp;
  readonly reason: string;
  /** What remains to be compared as text. */
  readonly normalise?: (reply: string) => string;
  /** An error that ours may answer with where theirs succeeds. */
  readonly refusal?: string;
  /** Integers may differ by so much. */
  readonly tolerance?: number;
  /** Do replies that differ say the same? */
  readonly isClose?: (ours: string, theirs: string) => boolean;
}

/** The items of an array, sorted; of SCAN's [cursor, array], those of the inner one. */
export function sorted(reply: string): string {
  const items = itemsOf(reply);
  const inner = items.find((item) => item[0] === "*");
  if (inner === undefined) return items.sort().join("");
  return items.map((item) => (item === inner ? sorted(item) : item)).join("");
}

/** The same with two items at a time: HGETALL in both protocols, HSCAN, HRANDFIELD. */
export function sortedPairs(reply: string): string {
  const items = itemsOf(reply);
  const inner = items.find((item) => item[0] === "*");
  if (inner !== undefined && items[0]![0] !== "*")
    return items.map((item) => (item === inner ? sortedPairs(item) : item)).join("");
  if (inner !== undefined) return items.sort().join("");
  const pairs: string[] = [];
  for (let i = 0; i < items.length; i += 2) pairs.push(items[i]! + items[i + 1]!);
  return pairs.sort().join("");
}

function itemsOf(reply: string): string[] {
  const bytes = Buffer.from(reply, "latin1");
  const items: string[] = [];
  let at = bytes.indexOf("\r\n") + 2;
  while (at < bytes.length) {
    const end = replyEnd(bytes, at);
    items.push(bytes.toString("latin1", at, end));
    at = end;
  }
  return items;
}
