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

const COUNT_ZERO: WrongFact = {
  also: { type: "null" },
  reason: "COUNT 0; redis-server 7.0 answers the same",
};

/** The shape, whatever numbers are in it, and with items that come twice. */
function withoutBounds(name: string): unknown {
  const text = JSON.stringify(facts.get(name)?.reply_schema ?? {});
  return JSON.parse(text.replaceAll(/,"(minimum|uniqueItems)":\w+/g, ""));
}

/** The shape with a summary beside each group. */
function withSummary(name: string): unknown {
  return JSON.parse(JSON.stringify(facts.get(name)?.reply_schema ?? {}), (_, value) =>
    value?.group?.oneOf !== undefined ? { ...value, summary: { type: "string" } } : value,
  );
}

/** Where the published shape leaves out what Redis answers. */
const WRONG_FACTS: ReadonlyMap<string, WrongFact> = new Map([
  ["object|freq", NO_KEY],
  ["object|idletime", NO_KEY],
  ["object|refcount", NO_KEY],
  ["lmove", NO_KEY],
  [
    "geohash",
    {
      also: { type: "array", items: { oneOf: [{ type: "null" }, { type: "string" }] } },
      reason: "no such member; redis-server 7.0 answers the same",
    },
  ],
  [
    "command|docs",
    { also: withSummary("command|docs"), reason: "summaries; redis-server 7.0 answers with them" },
  ],
  ["xrange", COUNT_ZERO],
  ["xrevrange", COUNT_ZERO],
  [
    "xinfo|stream",
    {
      also: withoutBounds("xinfo|stream"),
      reason: "a consumer that was never active: -1, as XINFO CONSUMERS",
    },
  ],
  ["xclaim", { also: withoutBounds("xclaim"), reason: "an id that is given twice is claimed twice" }],
  [
    "xpending",
    {
      also: { type: "array", items: { oneOf: [{ type: "null" }, { type: "integer" }] } },
      reason: "nothing is pending: no ids and no consumers; redis-server 7.0 answers the same",
    },
  ],
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
