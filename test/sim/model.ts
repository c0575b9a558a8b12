// What the commands of the simulated clients mean: the state of one group of keys (one key, or two that are written
// together), and for each command the replies and next states that are possible. Expiry is the one thing that is not
// determined: a key with a deadline may be dead from a certain moment on.

import { COLLECTION_READS, COLLECTIONS, keyIndex } from "./model-collections.ts";

/** One command of a client, as it saw it. Times are true ones. */
export interface Operation {
  readonly client: string;
  /** Position on its connection; replies come in this order. */
  readonly connection: number;
  readonly order: number;
  /** Commands of different groups share no key. */
  readonly group: string;
  readonly command: readonly string[];
  readonly callMs: number;
  /** Infinity: the outcome is unknown, it may take effect at any later time or never. */
  returnMs: number;
  /** RESP, without the line ends: "+OK", ":1", "$value", "$-1", "*$a,$b". */
  reply: string | undefined;
  /** What the key must have held just before, as a later reply shows (`seenBefore`). */
  readonly before?: string;
  /** Keys are evicted in this run: any may be gone, whole, at any time. */
  readonly mayVanish?: boolean;
}

/** undefined = absent. `mortalFromMs`: true time before which it cannot have expired; Infinity without a deadline. */
interface Value {
  readonly text: string | undefined;
  readonly mortalFromMs: number;
}

type Values = readonly Value[];

const ABSENT: Value = { text: undefined, mortalFromMs: Number.POSITIVE_INFINITY };
const lasting = (text: string): Value => ({ text, mortalFromMs: Number.POSITIVE_INFINITY });

/** Cluster time runs at most a twentieth faster than clocks, which are off by far less. */
const FASTEST = 1.13;

export const encodeState = (values: Values): string =>
  values.map(({ text, mortalFromMs }) => (text === undefined ? "-" : `=${text}@${mortalFromMs}`)).join("|");

const OF_TWO = /^(pair|list|set|sketch|bank)\d/;

export function initialState(group: string): Values {
  if (group.startsWith(NAMES)) return [lasting(group.slice(NAMES.length).split("/")[0]!)];
  if (group.startsWith(SETTING)) return [lasting(group.split(":")[2]!.split("/")[0]!)];
  return OF_TWO.test(group) ? [ABSENT, ABSENT] : [ABSENT];
}

/** The group of the members' names: behind it those of the founders, in order, with commas. */
export const NAMES = "names:";

/** The group of a setting of the cluster: behind it its name, a colon, and the value that it begins with. */
export const SETTING = "setting:";

interface Outcome {
  readonly reply: string;
  readonly after: Values;
}

const nil = "$-1";
const bulk = (value: Value): string => (value.text === undefined ? nil : `$${value.text}`);

/** The states the group can be in after `operation`, if it takes effect in `before`; none if its reply is impossible. */
export function successors(operation: Operation, before: Values): Values[] {
  const found: Values[] = [];
  for (const alive of livingStates(before, operation)) {
    for (const { reply, after } of effects(operation, alive)) {
      if (operation.reply === undefined || matches(operation, reply)) found.push(after);
    }
  }
  return found;
}

/**
 * A key whose time may have come is dead or alive. So is one that may have been evicted: whoever looks at it is the first
 * to notice, so that those that are not looked at need not be gone yet.
 */
function livingStates(before: Values, { command, mayVanish, returnMs }: Operation): Values[] {
  let states: Values[] = [before];
  before.forEach((value, i) => {
    const mayBeEvicted =
      mayVanish === true && (before.length === 1 || command.some((it) => it.endsWith(`.${i}`)));
    if (value.text === undefined || (value.mortalFromMs > returnMs && !mayBeEvicted)) return;
    states = states.flatMap((state) => [state, state.with(i, ABSENT)]);
  });
  return states;
}

function matches(operation: Operation, expected: string): boolean {
  const { reply, command } = operation;
  if (command[0] === "RAFT.MEMBER") return memberReply(command, reply ?? "") === expected;
  if (expected !== "?ttl") return reply === expected;
  // How much is left depends on the clock; never more than was given.
  const left = Number(reply?.slice(1));
  return reply?.startsWith(":") === true && left >= 0 && left <= Number(command[2]);
}

function effects(operation: Operation, values: Values): Outcome[] {
  const { before } = operation;
  if (before !== undefined && before !== (values[0]?.text ?? "").split("|")[0]) return [];
  const run = COLLECTIONS[operation.command[0]!];
  if (run === undefined) return [effect(operation, values)];
  const texts = values.map(({ text }) => text);
  return run(operation.command, texts, operation.reply).map(({ reply, after }) => ({
    reply,
    after: values.map((value, i) => (after[i] === value.text ? value : { ...value, text: after[i] })),
  }));
}

function effect(operation: Operation, values: Values): Outcome {
  const { command } = operation;
  const [name, key = "", argument = "", option = ""] = command;
  const at = keyIndex(key);
  const value = values[at] ?? ABSENT;
  const isThere = value.text !== undefined;
  const put = (reply: string, next: Value): Outcome => ({ reply, after: values.with(at, next) });
  const same = (reply: string): Outcome => ({ reply, after: values });
  switch (name) {
    case "RAFT.MEMBER":
      return changeNames(value.text ?? "", key, argument);
    case "CONFIG": {
      const [, verb, setting, text = ""] = command;
      const inExec = command.at(-1) === "EXEC" ? "*" : "";
      return verb === "SET"
        ? { reply: `${inExec}+OK`, after: [lasting(text)] }
        : same(`${inExec}*$${setting},$${value.text}`);
    }
    case "GET":
      return same(bulk(value));
    case "STRLEN":
      return same(`:${value.text?.length ?? 0}`);
    case "EXISTS":
      return same(isThere ? ":1" : ":0");
    case "SET":
      if (command.includes("NX", 3) && isThere) return same(nil);
      if (option === "PX")
        return put("+OK", { text: argument, mortalFromMs: mortalFrom(operation, command[4]) });
      return put("+OK", lasting(argument));
    case "GETSET":
      return put(bulk(value), lasting(argument));
    case "APPEND": {
      const text = (value.text ?? "") + argument;
      return put(`:${text.length}`, { text, mortalFromMs: value.mortalFromMs });
    }
    case "INCR":
    case "INCRBY": {
      const sum = Number(value.text ?? "0") + (name === "INCR" ? 1 : Number(argument));
      return put(`:${sum}`, { text: String(sum), mortalFromMs: value.mortalFromMs });
    }
    case "DEL":
      return put(isThere ? ":1" : ":0", ABSENT);
    case "PERSIST":
      return isThere && value.mortalFromMs !== Number.POSITIVE_INFINITY
        ? put(":1", lasting(value.text))
        : same(":0");
    case "PEXPIRE":
      return isThere
        ? put(":1", { text: value.text, mortalFromMs: mortalFrom(operation, argument) })
        : same(":0");
    case "PTTL":
      if (!isThere) return same(":-2");
      return same(value.mortalFromMs === Number.POSITIVE_INFINITY ? ":-1" : "?ttl");
    case "MSET":
      return { reply: "+OK", after: [lasting(argument), lasting(command[4] ?? "")] };
    case "MGET":
      return same(`*${values.map(bulk).join(",")}`);
    case "RENAME": {
      if (!isThere) return same("-ERR no such key");
      return { reply: "+OK", after: values.with(keyIndex(argument), value).with(at, ABSENT) };
    }
    default:
      throw new Error(`the model does not know ${name}`);
  }
}

function changeNames(text: string, verb: string, name: string): Outcome {
  const names = new Set(text.split(","));
  const isThere = names.has(name);
  if (verb === "ADD") names.add(name);
  if (verb === "REMOVE") names.delete(name);
  const reply = verb === "LIST" ? `names ${text}` : verb === "REMOVE" && !isThere ? "unknown" : "+OK";
  return { reply, after: [lasting([...names].sort().join(","))] };
}

/** What the model calls it. A list also shows processes that are about to be replaced, under one name. */
function memberReply([, verb]: readonly string[], reply: string): string {
  if (verb === "LIST") {
    const names = [...reply.matchAll(/\$name,\$([^,]+)/g)].map((match) => match[1]);
    return `names ${[...new Set(names)].sort().join(",")}`;
  }
  return reply.startsWith("-ERR no member is called") ? "unknown" : reply;
}

const mortalFrom = (operation: Operation, milliseconds = ""): number =>
  operation.callMs + Number(milliseconds) / FASTEST;

/**
 * What is only appended to, or deleted whole, shows its history: whoever saw a piece, which is written once, saw what
 * stood before it when it was appended. By piece; nothing for other groups.
 */
export function seenBefore(group: string, operations: readonly Operation[]): Map<string, string> {
  const found = new Map<string, string>();
  if (!/^(append|stream)\d/.test(group)) return found;
  for (const { command, reply } of operations) {
    if (command[0] !== "GET" && command[0] !== "XRANGE") continue;
    let before = "";
    for (const piece of reply?.match(/[a-z]+\.\d+;/g) ?? []) {
      found.set(piece, before);
      before += piece;
    }
  }
  return found;
}

/** Whose reply does not say whether they changed anything. */
const BLIND = new Set(["CONFIG", "PFMERGE", "ZADD", "SET", "MSET", "RENAME", "SETBIT"]);
/** And where keys may be gone a write may have made anew just what it found. */
export const isBlind = (operation: Operation): boolean =>
  BLIND.has(operation.command[0]!) || (operation.mayVanish === true && !isRead(operation));

const READS = new Set(["GET", "STRLEN", "EXISTS", "PTTL", "MGET"]);
export const isRead = ({ command }: Operation): boolean =>
  READS.has(command[0]!) ||
  COLLECTION_READS.has(command[0]!) ||
  command[1] === "LIST" ||
  command[1] === "GET";
