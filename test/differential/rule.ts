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
}

/** The items of an array, sorted; of SCAN's [cursor, array], those of the inner one. */
export function sorted(reply: string): string {
  const bytes = Buffer.from(reply, "latin1");
  const items: string[] = [];
  let at = bytes.indexOf("\r\n") + 2;
  while (at < bytes.length) {
    const end = replyEnd(bytes, at);
    items.push(bytes.toString("latin1", at, end));
    at = end;
  }
  const inner = items.find((item) => item[0] === "*");
  if (inner === undefined) return items.sort().join("");
  return items.map((item) => (item === inner ? sorted(item) : item)).join("");
}
