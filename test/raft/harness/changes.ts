// Membership changes as transcripts write them: "v2 l3 r1 u4" (FORMAT.md 5.5).
import type { ConfChange, ConfChangeStep } from "../../../src/raft/index.ts";

const STEP_TYPE = { v: "addVoter", l: "addLearner", r: "remove", u: "update" } as const;

export function parseSteps(text: string): ConfChangeStep[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return words.map((word) => {
    const type = Object.entries(STEP_TYPE).find(([letter]) => letter === word[0])?.[1];
    if (type === undefined) throw new Error(`unknown change ${word}`);
    return { type, id: Number(word.slice(1)) };
  });
}

export function parseChange(text: string, transition: string): ConfChange {
  if (transition !== "auto" && transition !== "implicit" && transition !== "explicit") {
    throw new Error(`unknown transition ${transition}`);
  }
  return { transition, changes: parseSteps(text), context: new Uint8Array(0) };
}
