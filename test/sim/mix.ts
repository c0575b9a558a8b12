// What clients send: families of commands on a few keys each, drawn with weights. Values that a reply may show are
// written once in a run, so that a reply says which write it saw; commands of unknown outcome come in few kinds, so that
// there are few ways to explain a reply.

import type { Random } from "./random.ts";

/** One command, and what it is in the history. */
export interface Draft {
  readonly command: readonly string[];
  /** Commands of different groups share no key; without one it has no place in the history, and `expected` is right. */
  readonly group?: string;
  readonly expected?: string | RegExp;
  /** What it means, when that is not what is sent. */
  readonly means?: readonly string[];
  /** Errors that say why it was not done. */
  readonly refusals?: RegExp;
  /** What follows on the same connection when this is its reply. */
  readonly next?: (reply: string) => readonly Draft[];
  /** Told of the reply, or that there will be none. */
  readonly answered?: (reply: string | undefined) => void;
}

/** Of one client. */
export interface Draw {
  readonly random: Random;
  /** A value that is written once in a run; ends in ";". */
  readonly token: () => string;
  /** Between its WATCH and the EXEC for it: another EXEC would forget the first. */
  isWatching: boolean;
}

type Family = (draw: Draw, key: string) => readonly Draft[];
type Row = readonly [weight: number, command: () => string[]];

/** One of these, on the key's group. */
function oneOf({ random }: Draw, group: string, rows: readonly Row[]): Draft[] {
  const row = rows[random.weighted(rows.map(([weight]) => weight))]!;
  return [{ command: row[1](), group }];
}

function strings(draw: Draw, key: string): Draft[] {
  const token = draw.token();
  return oneOf(draw, key, [
    [30, () => ["SET", key, token]],
    [30, () => ["GET", key]],
    [10, () => ["GETSET", key, token]],
    [10, () => ["DEL", key]],
    [10, () => ["SET", key, token, "NX"]],
    [5, () => ["EXISTS", key]],
  ]);
}

/** Sums say how many of each there were. */
const counters: Family = (draw, key) =>
  oneOf(draw, key, [
    [40, () => ["INCR", key]],
    [15, () => ["INCRBY", key, "1000"]],
    [15, () => ["INCRBY", key, "-1000000"]],
    [28, () => ["GET", key]],
    [2, () => ["DEL", key]],
  ]);

/** As it was before there were other families: any sum. */
const anyCounters: Family = (draw, key) =>
  oneOf(draw, key, [
    [50, () => ["INCR", key]],
    [20, () => ["INCRBY", key, String(draw.random.below(2000) - 1000)]],
    [28, () => ["GET", key]],
    [2, () => ["DEL", key]],
  ]);

const appends: Family = (draw, key) =>
  oneOf(draw, key, [
    [50, () => ["APPEND", key, draw.token()]],
    [30, () => ["GET", key]],
    [10, () => ["STRLEN", key]],
    [10, () => ["DEL", key]],
  ]);

function mortals(draw: Draw, key: string): Draft[] {
  const lifeMs = String(Math.floor(draw.random.magnitude(50, 2500)));
  return oneOf(draw, key, [
    [30, () => ["SET", key, draw.token(), "PX", lifeMs]],
    [30, () => ["GET", key]],
    [15, () => ["PEXPIRE", key, lifeMs]],
    [10, () => ["SET", key, draw.token()]],
    [5, () => ["PERSIST", key]],
    [5, () => ["DEL", key]],
  ]);
}

const either = ({ random }: Draw, key: string): [string, string] =>
  random.chance(0.5) ? [`${key}.0`, `${key}.1`] : [`${key}.1`, `${key}.0`];

function pairs(draw: Draw, key: string): Draft[] {
  const [first, second] = either(draw, key);
  return oneOf(draw, key, [
    [40, () => ["MSET", `${key}.0`, draw.token(), `${key}.1`, draw.token()]],
    [35, () => ["MGET", `${key}.0`, `${key}.1`]],
    [15, () => ["RENAME", first, second]],
    [10, () => ["DEL", first]],
  ]);
}

/** Whoever waits gets what comes, or nothing when its time is up. */
const patience = ({ random }: Draw): string => random.magnitude(0.02, 1.5).toFixed(3);

function lists(draw: Draw, key: string): Draft[] {
  const [first, second] = either(draw, key);
  return oneOf(draw, key, [
    [22, () => ["RPUSH", first, draw.token()]],
    [12, () => ["LPUSH", first, draw.token()]],
    [15, () => ["LPOP", first]],
    [10, () => ["RPOP", first]],
    [10, () => ["BLPOP", first, patience(draw)]],
    [8, () => ["LMOVE", first, second, "LEFT", "RIGHT"]],
    [5, () => ["BLMOVE", first, second, "LEFT", "RIGHT", patience(draw)]],
    [5, () => ["LLEN", first]],
    [18, () => ["LRANGE", first, "0", "-1"]],
    [4, () => ["DEL", first]],
  ]);
}

function hashes(draw: Draw, key: string): Draft[] {
  const field = `f${draw.random.below(3)}`;
  const value = draw.token().slice(0, -1);
  return oneOf(draw, key, [
    [25, () => ["HSET", key, field, value]],
    [8, () => ["HSETNX", key, field, value]],
    [15, () => ["HINCRBY", key, "n", draw.random.pick(["1", "1000"])]],
    [10, () => ["HDEL", key, field]],
    [15, () => ["HGET", key, draw.random.pick([field, "n"])]],
    [5, () => ["HLEN", key]],
    [15, () => ["HGETALL", key]],
    [3, () => ["DEL", key]],
  ]);
}

function sets(draw: Draw, key: string): Draft[] {
  const [first, second] = either(draw, key);
  const member = `m${draw.random.below(6)}`;
  return oneOf(draw, key, [
    [30, () => ["SADD", first, member]],
    [10, () => ["SREM", first, member]],
    [15, () => ["SPOP", first]],
    [10, () => ["SMOVE", first, second, member]],
    [10, () => ["SISMEMBER", first, member]],
    [5, () => ["SCARD", first]],
    [15, () => ["SMEMBERS", first]],
    [3, () => ["DEL", first]],
  ]);
}

function sortedSets(draw: Draw, key: string): Draft[] {
  const member = `z${draw.random.below(4)}`;
  return oneOf(draw, key, [
    [25, () => ["ZADD", key, String(draw.random.below(5)), member]],
    [15, () => ["ZINCRBY", key, draw.random.pick(["1", "10"]), member]],
    [8, () => ["ZREM", key, member]],
    [10, () => ["ZPOPMIN", key]],
    [8, () => ["BZPOPMIN", key, patience(draw)]],
    [10, () => ["ZSCORE", key, member]],
    [20, () => ["ZRANGE", key, "0", "-1", "WITHSCORES"]],
    [3, () => ["DEL", key]],
  ]);
}

/** A group of consumers reads each entry once. */
function streams(draw: Draw, key: string): Draft[] {
  const read = ["XREADGROUP", "GROUP", "g", "c", "COUNT", "1"];
  const block = ["BLOCK", String(Math.ceil(draw.random.magnitude(20, 1500)))];
  return oneOf(draw, key, [
    [35, () => ["XADD", key, "*", "field", draw.token()]],
    [10, () => ["XGROUP", "CREATE", key, "g", "0", "MKSTREAM"]],
    [20, () => [...read, "STREAMS", key, ">"]],
    [8, () => [...read, ...block, "STREAMS", key, ">"]],
    [6, () => ["XLEN", key]],
    [15, () => ["XRANGE", key, "-", "+"]],
    [4, () => ["DEL", key]],
  ]);
}

function bitmaps(draw: Draw, key: string): Draft[] {
  const at = String(draw.random.below(5));
  return oneOf(draw, key, [
    [45, () => ["SETBIT", key, at, draw.random.pick(["0", "1"])]],
    [25, () => ["GETBIT", key, at]],
    [20, () => ["BITCOUNT", key]],
    [3, () => ["DEL", key]],
  ]);
}

function sketches(draw: Draw, key: string): Draft[] {
  const [first, second] = either(draw, key);
  return oneOf(draw, key, [
    [40, () => ["PFADD", first, `e${draw.random.below(8)}`]],
    [35, () => ["PFCOUNT", first]],
    [10, () => ["PFMERGE", first, second]],
    [6, () => ["DEL", first]],
  ]);
}

const QUEUED = /^\+QUEUED$|^-(TRYAGAIN|CLUSTERDOWN) /;
const WATCHED = /^\+OK$|^-(TRYAGAIN|CLUSTERDOWN|UNCERTAIN) /;
const ABORTED = /^-EXECABORT /;

/** The sum of the two stays what it is. */
function transfers(draw: Draw, key: string): Draft[] {
  const [from, to] = either(draw, key);
  if (draw.isWatching || draw.random.chance(0.35))
    return [{ command: ["MGET", `${key}.0`, `${key}.1`], group: key }];
  const amount = draw.random.pick(["1", "1000"]);
  return [
    { command: ["MULTI"], expected: "+OK" },
    { command: ["INCRBY", from, `-${amount}`], expected: QUEUED },
    { command: ["INCRBY", to, amount], expected: QUEUED },
    { command: ["EXEC"], group: key, means: ["TRANSFER", from, to, amount], refusals: ABORTED },
  ];
}

/** Reads, thinks, and writes only if nobody else has. */
function comparisons(draw: Draw, key: string): Draft[] {
  if (draw.random.chance(0.3)) return [{ command: ["SET", key, draw.token()], group: key }];
  if (draw.isWatching || draw.random.chance(0.3)) return [{ command: ["GET", key], group: key }];
  const token = draw.token();
  draw.isWatching = true;
  return [
    { command: ["WATCH", key], expected: WATCHED },
    {
      command: ["GET", key],
      group: key,
      next: (seen) => {
        draw.isWatching = false;
        return seen.startsWith("$")
          ? setIfSame(key, seen, token)
          : [{ command: ["UNWATCH"], expected: WATCHED }];
      },
    },
  ];
}

function setIfSame(key: string, seen: string, token: string): Draft[] {
  const means = ["COMPARE", key, seen, token];
  return [
    { command: ["MULTI"], expected: "+OK" },
    { command: ["SET", key, token], expected: QUEUED },
    // Nothing: somebody else was faster.
    { command: ["EXEC"], group: key, means, refusals: /^\*$|^-EXECABORT / },
  ];
}

/**
 * A lock that expires, taken and given back only by its holder. Not one of the families that a seed of the simulator draws
 * from, since all seeds would mean other runs with it: the fault tests on processes ask for it.
 */
export function locks(draw: Draw, key: string): readonly Draft[] {
  const { random } = draw;
  const token = draw.token();
  const lifeMs = String(Math.floor(random.magnitude(50, 1500)));
  if (random.chance(0.4)) return [{ command: ["SET", key, token, "PX", lifeMs, "NX"], group: key }];
  if (draw.isWatching || random.chance(0.3)) return [{ command: ["GET", key], group: key }];
  const isMine = (seen: string): boolean => seen.split(".")[0] === `$${token.split(".")[0]}`;
  draw.isWatching = true;
  return [
    { command: ["WATCH", key], expected: WATCHED },
    {
      command: ["GET", key],
      group: key,
      next: (seen) => {
        draw.isWatching = false;
        return isMine(seen) ? release(key, seen) : [{ command: ["UNWATCH"], expected: WATCHED }];
      },
    },
  ];
}

const release = (key: string, seen: string): Draft[] => [
  { command: ["MULTI"], expected: "+OK" },
  { command: ["DEL", key], expected: QUEUED },
  // Nothing: it has expired, and may be somebody else's by now.
  { command: ["EXEC"], group: key, means: ["RELEASE", key, seen], refusals: /^\*$|^-EXECABORT / },
];

const FAMILIES: Readonly<Record<string, Family>> = {
  string: strings,
  counter: counters,
  append: appends,
  mortal: mortals,
  pair: pairs,
  list: lists,
  hash: hashes,
  set: sets,
  zset: sortedSets,
  stream: streams,
  bits: bitmaps,
  sketch: sketches,
  bank: transfers,
  compare: comparisons,
};

export type Mix = (draw: Draw) => readonly Draft[];

/** Commands of one family on one key. */
export const mixOf =
  (family: string, key: string): Mix =>
  (draw) =>
    FAMILIES[family]!(draw, key);

const echo = (token: string): Draft => ({ command: ["ECHO", token], expected: `$${token}` });

/** What there was before there were other families. */
export const plainMix: Mix = (draw) => {
  const { random } = draw;
  const family = random.weighted([30, 20, 20, 15, 12, 3]);
  if (family === 5) return [echo(draw.token())];
  const key = `${["string", "counter", "append", "mortal", "pair"][family]}${random.below(2)}`;
  return [strings, anyCounters, appends, mortals, pairs][family]!(draw, key);
};

/** Half of the families, each run other ones: fewer keys are more contention. */
export function drawMix(random: Random): { readonly mix: Mix; readonly names: readonly string[] } {
  const all = Object.keys(FAMILIES);
  const drawn = all.filter(() => random.chance(0.4));
  const names = drawn.length > 0 ? drawn : all;
  return {
    names,
    mix: (draw) => {
      if (draw.random.chance(0.03)) return [echo(draw.token())];
      const name = draw.random.pick(names);
      return FAMILIES[name]!(draw, `${name}${draw.random.below(2)}`);
    },
  };
}

const CACHE_KEYS = 30;
/** Values come in all sizes. */
const CACHE_VALUE_BYTES_MAX = 300;

function caches(draw: Draw): Draft[] {
  const { random } = draw;
  const key = `cache${random.below(CACHE_KEYS)}`;
  const value = draw.token() + "x".repeat(Math.floor(random.magnitude(1, CACHE_VALUE_BYTES_MAX)));
  return oneOf(draw, key, [
    [30, () => ["SET", key, value]],
    [20, () => ["SET", key, value, "PX", String(Math.floor(random.magnitude(100, 5000)))]],
    [45, () => ["GET", key]],
    [5, () => ["DEL", key]],
  ]);
}

/** What fills memory, half of the time. */
export const withCache =
  (mix: Mix): Mix =>
  (draw) =>
    !draw.isWatching && draw.random.chance(0.5) ? caches(draw) : mix(draw);

/** The command that shows most of a group's keys. */
export function lastLooks(group: string): (readonly string[])[] {
  const family = group.replace(/\d.*$/, "");
  const [kind, setting = ""] = group.split(":");
  if (kind === "setting") return [["CONFIG", "GET", setting]];
  const both = [`${group}.0`, `${group}.1`];
  switch (family) {
    case "pair":
    case "bank":
      return [["MGET", ...both]];
    case "list":
      return both.map((key) => ["LRANGE", key, "0", "-1"]);
    case "set":
      return both.map((key) => ["SMEMBERS", key]);
    case "sketch":
      return both.map((key) => ["PFCOUNT", key]);
    case "hash":
      return [["HGETALL", group]];
    case "zset":
      return [["ZRANGE", group, "0", "-1", "WITHSCORES"]];
    case "stream":
      return [["XRANGE", group, "-", "+"]];
    case "bits":
      return [["BITCOUNT", group]];
    case "names:":
    case "names:n":
      return [["RAFT.MEMBER", "LIST"]];
    default:
      return [["GET", group]];
  }
}
