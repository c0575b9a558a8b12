// Runs the quorum and confchange files: no cluster, only the arithmetic (FORMAT.md sections 7 and 8).
import {
  type ConfigResult,
  type ConfState,
  describeConfig,
  describeProgress,
  EMPTY_CONFIG,
  enterJoint,
  leaveJoint,
  simpleChange,
} from "../../../src/raft/index.ts";
import { jointIndex, jointVote, majorityIndex, majorityVote } from "../../../src/raft/quorum.ts";
import { Tracker } from "../../../src/raft/tracker.ts";
import { parseSteps } from "./changes.ts";
import { type Directive, parseBool } from "./datadriven.ts";
import { formatIndex } from "./format.ts";

function values(directive: Directive, key: string): string[] | undefined {
  return directive.args.find((arg) => arg.key === key)?.values.filter((value) => value !== "");
}

export function handleQuorum(directive: Directive): string {
  const voters = (values(directive, "cfg") ?? []).map(Number);
  const joint = values(directive, "cfgj");
  const outgoing = joint === undefined || joint[0] === "zero" ? [] : joint.map(Number);
  const ids = [...new Set([...voters, ...outgoing])];
  const given = values(directive, directive.command === "vote" ? "votes" : "idx") ?? [];
  if (given.length !== ids.length)
    return `error: mismatched input for voters [${ids.join(" ")}]: [${given.join(" ")}]`;
  const byId = new Map(ids.map((id, at) => [id, given[at]!]));
  return directive.command === "vote"
    ? voteText(voters, outgoing, joint !== undefined, byId)
    : committedText(voters, outgoing, joint !== undefined, byId);
}

const VOTE_TEXT = { won: "VoteWon", lost: "VoteLost", pending: "VotePending" } as const;

function voteText(voters: number[], outgoing: number[], joint: boolean, votes: Map<number, string>): string {
  const voteOf = (id: number): boolean | undefined => {
    const vote = votes.get(id);
    return vote === "y" ? true : vote === "n" ? false : undefined;
  };
  const result = joint ? jointVote(voters, outgoing, voteOf) : majorityVote(voters, voteOf);
  // The halves have no order, and a set joined with itself is the set.
  if (jointVote(outgoing, voters, voteOf) !== jointVote(voters, outgoing, voteOf)) return "halves differ";
  if (!joint && jointVote(voters, voters, voteOf) !== result) return "joined with itself differs";
  return VOTE_TEXT[result];
}

function committedText(
  voters: number[],
  outgoing: number[],
  joint: boolean,
  given: Map<number, string>,
): string {
  const known = new Map(
    [...given].filter(([, text]) => text !== "_").map(([id, text]) => [id, Number(text)]),
  );
  const indexOf = (id: number): number => known.get(id) ?? 0;
  const index = joint ? jointIndex(voters, outgoing, indexOf) : majorityIndex(voters, indexOf);
  if (jointIndex(outgoing, voters, indexOf) !== jointIndex(voters, outgoing, indexOf)) return "halves differ";
  if (!joint && jointIndex(voters, voters, indexOf) !== index) return "joined with itself differs";
  for (const [id, own] of known) {
    // Lowering an index that is above the result changes nothing.
    const lowered = (other: number): number => (other === id && own > index ? index : indexOf(other));
    if ((joint ? jointIndex(voters, outgoing, lowered) : majorityIndex(voters, lowered)) !== index) {
      return "lowered index differs";
    }
  }
  return describeIndexes([...given.keys()], known) + formatIndex(index);
}

function describeIndexes(ids: number[], known: Map<number, number>): string {
  const count = ids.length;
  if (count === 0) return "<empty majority quorum>";
  const indexes = ids.map((id) => known.get(id) ?? 0);
  let text = `${" ".repeat(count)}    idx\n`;
  for (const id of [...ids].sort((a, b) => a - b)) {
    const own = known.get(id) ?? 0;
    const below = indexes.filter((index) => index < own).length;
    const bar = known.has(id) ? `${"x".repeat(below)}>${" ".repeat(count - below)}` : `?${" ".repeat(count)}`;
    text += `${bar} ${String(own).padStart(5)}    (id=${id.toString(16)})\n`;
  }
  return text;
}

/** One configuration per file; the index rises with every directive, failed ones too. */
export class ChangeEnvironment {
  readonly #tracker = new Tracker(10, 0);
  #config: ConfState = EMPTY_CONFIG;
  #lastIndex = 0;

  handle(directive: Directive): string {
    const text = this.#result(directive);
    this.#lastIndex++;
    return text;
  }

  #result(directive: Directive): string {
    const steps = parseSteps(directive.input);
    let result: ConfigResult;
    if (directive.command === "simple") result = simpleChange(this.#config, steps);
    else if (directive.command === "enter-joint") {
      const autoLeave = values(directive, "autoleave")?.[0];
      result = enterJoint(this.#config, autoLeave !== undefined && parseBool(autoLeave), steps);
    } else if (directive.command === "leave-joint") {
      if (steps.length > 0) return "this command takes no input";
      result = leaveJoint(this.#config);
    } else return "unknown command";
    if (!result.ok) return result.error;
    this.#config = result.config;
    this.#tracker.adopt(result.config, this.#lastIndex, result.fresh);
    const peers = this.#tracker.peers.map((peer) => `${peer.id}: ${describeProgress(peer.view())}\n`);
    return `${describeConfig(result.config)}\n${peers.join("")}`;
  }
}
