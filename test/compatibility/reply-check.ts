// Holds our replies to the published shapes while other tests run. In: a command and the bytes of its RESP3 reply. Out:
// what does not fit, or undefined. Errors have no shape. Without the facts nothing is checked; tests say so in their names.

import { Args } from "../../src/base/args.ts";
import { lookup } from "../../src/command/lookup.ts";
import { decode3 } from "../resp/decode.ts";
import { facts } from "./facts.ts";
import { shapeProblem } from "./reply-shape.ts";

interface WrongFact {
  /** Fits too. */
  readonly also: unknown;
  readonly reason: string;
}

const NO_KEY: WrongFact = {
  also: { type: "null" },
  reason: "no such key; redis-server 7.0 answers the same",
};

/** Where the published shape leaves out what Redis answers. */
const WRONG_FACTS: ReadonlyMap<string, WrongFact> = new Map([
  ["object|freq", NO_KEY],
  ["object|idletime", NO_KEY],
  ["object|refcount", NO_KEY],
  ["lmove", NO_KEY],
]);

const MINUS = 0x2d;

export class ReplyCheck {
  /** Commands of which a reply was held to its shape. */
  readonly checked = new Set<string>();

  problem(command: readonly Buffer[], reply: Buffer): string | undefined {
    const name = lookup(Args.of(...command))?.name ?? "";
    const schema = facts.get(name)?.reply_schema;
    if (schema === undefined || reply[0] === MINUS) return undefined;
    this.checked.add(name);
    const [decoded, ...more] = decode3(reply);
    if (decoded === undefined || more.length > 0) return "not one reply";
    const problem = shapeProblem(schema, decoded);
    const wrong = WRONG_FACTS.get(name);
    const isKnown = wrong !== undefined && shapeProblem(wrong.also, decoded) === undefined;
    return isKnown ? undefined : problem;
  }
}
