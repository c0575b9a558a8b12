// Sorted sets: scores of every kind, small ones and ones around the sizes where they become skiplists.

import { replyError } from "../../../src/command/errors.ts";
import type { Draw } from "../draw.ts";
import { sortedPairs } from "../rule.ts";
import type { Family, Maker } from "./family.ts";
import { randomCount, scanAll, scanOptions, shape } from "./hashes.ts";

const KEYS = ["zset:1", "zset:2", "zset:3", "zset:4"];
/** Keys that nothing else touches: all scores are equal in the one, the form is compared in the other. */
const TEXT_KEY = "zset:text";
const FORM_KEY = "zset:form";
const SET_KEYS = ["set:1", "set:2"];

const SCORES =
  "0 1 2 3 -1 -2 1.5 2.5 -0.5 0.1 0.30000000000000004 1e100 -1e100 1e17 4611686018427387904 4611686018427387905 " +
  "9007199254740993 1e-7 123456.789 -0 5e-324 1.7976931348623157e308 inf -inf +inf 100000000000000000000";
const SCORE_POOL = SCORES.split(" ");

const score = (g: Draw): string => {
  if (g.chance(1, 12)) return g.float();
  return g.chance(1, 2) ? String(g.below(12) - 4) : g.pick(SCORE_POOL);
};
const edge = (g: Draw): string => "e".repeat(g.pick([19, 20, 21, 63, 64, 65]));
const member = (g: Draw): string => {
  if (g.chance(1, 40)) return edge(g);
  if (g.chance(1, 30)) return g.value();
  return g.chance(1, 3) ? String(g.below(24) - 6) : `m${g.below(16)}`;
};
const members = (g: Draw): string[] => Array.from({ length: 1 + g.below(4) }, () => member(g));
/** Members are all different where there are many: with repeats Redis 7.2 looks at their number before, 7.0 does not. */
const pairs = (g: Draw): string[] => {
  const count = g.chance(1, 60) ? g.below(300) : 1 + g.below(g.chance(1, 6) ? 7 : 3);
  const name = (i: number): string => (count > 7 ? `m${i}` : member(g));
  return Array.from({ length: Math.max(1, count) }, (_, i) => [score(g), name(i)]).flat();
};
const zaddOptions = (g: Draw): string[] =>
  g.options(3, () => [g.mixCase(g.pick(["NX", "XX", "GT", "LT", "CH"]))]);

const scoreEnd = (g: Draw): string => {
  if (g.chance(1, 20))
    return g.pick(["", "(", " 1", "(+inf", "nan", "1 ", "((1", "[1", "1e400", "-1e400", "(0x1p2", "1\x00x"]);
  return `${g.maybe("(").join("")}${score(g)}`;
};
const textEnd = (g: Draw): string => {
  if (g.chance(1, 20)) return g.pick(["", "a", "++", "-x", "[", "(", "+\x00", "m1"]);
  return g.chance(1, 4) ? g.pick(["-", "+"]) : g.pick(["[", "("]) + member(g);
};
const rank = (g: Draw): string => (g.chance(1, 15) ? g.integer() : String(g.below(24) - 10));
const limit = (g: Draw): string[] => [
  g.mixCase("LIMIT"),
  g.chance(1, 12) ? g.integer() : String(g.below(8) - 1),
  g.chance(1, 12) ? g.integer() : String(g.below(8) - 2),
];
const withScores = (g: Draw): string[] => [g.mixCase("WITHSCORES")];

const rangeEnds = (g: Draw, kind: string): string[] =>
  kind === "BYSCORE"
    ? [scoreEnd(g), scoreEnd(g)]
    : kind === "BYLEX"
      ? [textEnd(g), textEnd(g)]
      : [rank(g), rank(g)];
/** Range and options of ZRANGE, with no text ranges but where all scores are equal. */
const anyRange = (g: Draw, kinds: readonly string[], isStore: boolean): string[] => {
  const kind = g.pick(kinds);
  const options = [kind, ...(g.chance(1, 3) ? ["REV"] : [])]
    .filter((word) => word !== "")
    .map((word) => [g.mixCase(word)]);
  if (kind !== "" && g.chance(1, 3)) options.push(limit(g));
  if (!isStore && kind !== "BYLEX" && g.chance(1, 3)) options.push(withScores(g));
  if (g.chance(1, 20)) options.push(g.pick([limit(g), withScores(g), [g.word()], ["REV"], ["BYSCORE"]]));
  return [...rangeEnds(g, kind), ...options.flat()];
};

const popCount = (g: Draw): string[] =>
  g.chance(1, 2) ? [g.chance(1, 8) ? g.integer() : String(g.below(5))] : [];

/** Keys of inputs: sorted sets mostly, sets too. */
const inputs = (g: Draw, operation: "weighed" | "plain" | "card", isStore: boolean): string[] => {
  const keys = Array.from({ length: 1 + g.below(3) }, () => (g.chance(1, 5) ? g.pick(SET_KEYS) : g.key()));
  const count = g.chance(1, 20) ? g.integer() : String(keys.length);
  const makers: (() => string[])[] = [];
  if (operation === "weighed") {
    makers.push(() => [g.mixCase("WEIGHTS"), ...keys.map(() => score(g))]);
    makers.push(() => [g.mixCase("AGGREGATE"), g.mixCase(g.pick(["SUM", "MIN", "MAX", "SUM", "AVG"]))]);
  }
  if (operation === "card")
    makers.push(() => [g.mixCase("LIMIT"), g.chance(1, 6) ? g.integer() : String(g.below(4))]);
  if (!isStore || makers.length === 0 || g.chance(1, 20)) makers.push(() => withScores(g));
  return [count, ...keys, ...g.options(2, ...makers)];
};

const legacyRange =
  (name: string, ends: (g: Draw) => string, ...options: readonly ((g: Draw) => string[])[]): Maker =>
  (g) => [name, g.key(), ends(g), ends(g), ...g.options(2, ...options.map((option) => () => option(g)))];

/** A key whose members all have one score, and what is asked of it. */
const textSequence = (g: Draw): string[][] => {
  const common = g.pick(["0", "1.5", "-inf", "-0"]);
  const all = Array.from({ length: g.pick([1, 3, 8, 12, 130]) }, (_, i) => [
    common,
    i < 12 ? member(g) : `m${i}`,
  ]);
  const ends = (): string[] => [textEnd(g), textEnd(g)];
  const some = (): string[] => (g.chance(1, 2) ? limit(g) : []);
  const questions = [
    ["ZRANGEBYLEX", TEXT_KEY, ...ends(), ...some()],
    ["ZREVRANGEBYLEX", TEXT_KEY, ...ends(), ...some()],
    ["ZLEXCOUNT", TEXT_KEY, ...ends()],
    ["ZRANGE", TEXT_KEY, ...anyRange(g, ["BYLEX"], false)],
    ["ZRANGESTORE", "zset:4", TEXT_KEY, ...anyRange(g, ["BYLEX"], true)],
    ["ZREMRANGEBYLEX", TEXT_KEY, ...ends()],
  ];
  return [
    ["DEL", TEXT_KEY],
    ["ZADD", TEXT_KEY, ...all.flat()],
    ...questions,
    ["ZRANGE", TEXT_KEY, "0", "-1", "WITHSCORES"],
  ];
};

const formSequence = (g: Draw): string[][] => {
  const size = g.pick([1, 7, 8, 9, 10, 127, 128, 129, 130]);
  const all = Array.from({ length: size }, (_, i) => [score(g), `m${i}`]).flat();
  const last = g.pick([
    ["ZADD", FORM_KEY, "7", g.pick(["m0", "new", edge(g)])],
    ["ZADD", FORM_KEY, "7", "m0", "8", edge(g), "9", "m1"],
    ["ZINCRBY", FORM_KEY, "1", g.pick(["m0", "new", edge(g)])],
    ["ZADD", FORM_KEY, "XX", "7", edge(g)],
    ["ZREM", FORM_KEY, "m0", "m1"],
    ["ZRANGESTORE", FORM_KEY, FORM_KEY, "0", g.pick(["6", "7", "8", "127", "-1"])],
    ["ZUNIONSTORE", FORM_KEY, "2", FORM_KEY, "zset:1"],
    ["ZDIFFSTORE", FORM_KEY, "1", FORM_KEY],
  ]);
  const form = ["OBJECT", "ENCODING", FORM_KEY];
  return [
    ["DEL", FORM_KEY],
    ["ZADD", FORM_KEY, ...all],
    form,
    last,
    form,
    ["ZRANGE", FORM_KEY, "0", "-1", "WITHSCORES"],
  ];
};

export const zsets: Family = {
  name: "zsets",
  keys: KEYS,
  optionWords: "INCR CH GT LT WITHSCORES LIMIT REV BYSCORE BYLEX WEIGHTS AGGREGATE MIN MAX".split(" "),
  commands: [
    [16, (g) => ["ZADD", g.key(), ...(g.chance(1, 3) ? zaddOptions(g) : []), ...pairs(g)]],
    [4, (g) => ["ZADD", g.key(), ...zaddOptions(g), g.mixCase("INCR"), score(g), member(g)]],
    [6, (g) => ["ZINCRBY", g.key(), score(g), member(g)]],
    [7, (g) => ["ZREM", g.key(), ...members(g)]],
    [3, (g) => ["ZCARD", g.key()]],
    [4, (g) => ["ZSCORE", g.key(), member(g)]],
    [3, (g) => ["ZMSCORE", g.key(), ...members(g)]],
    [2, (g) => ["ZRANK", g.key(), member(g)]],
    [2, (g) => ["ZREVRANK", g.key(), member(g)]],
    [4, (g) => ["ZCOUNT", g.key(), scoreEnd(g), scoreEnd(g)]],
    [10, (g) => ["ZRANGE", g.key(), ...anyRange(g, ["", "BYSCORE"], false)]],
    [4, (g) => ["ZRANGESTORE", g.key(), g.key(), ...anyRange(g, ["", "BYSCORE"], true)]],
    [2, legacyRange("ZREVRANGE", rank, withScores)],
    [4, legacyRange("ZRANGEBYSCORE", scoreEnd, withScores, limit)],
    [4, legacyRange("ZREVRANGEBYSCORE", scoreEnd, withScores, limit)],
    [1, (g) => ["ZREMRANGEBYRANK", g.key(), rank(g), rank(g)]],
    [1, (g) => ["ZREMRANGEBYSCORE", g.key(), scoreEnd(g), scoreEnd(g)]],
    [1, (g) => ["ZPOPMIN", g.key(), ...popCount(g)]],
    [1, (g) => ["ZPOPMAX", g.key(), ...popCount(g)]],
    [
      2,
      (g) => {
        const keys = g.keys();
        const count = g.chance(1, 12) ? g.integer() : String(keys.length);
        const options = g.options(1, () => [
          g.mixCase("COUNT"),
          g.chance(1, 6) ? g.integer() : String(g.below(4)),
        ]);
        return ["ZMPOP", count, ...keys, g.mixCase(g.pick(["MIN", "MAX", "MIN", "MAX", "MID"])), ...options];
      },
    ],
    [1, (g) => ["ZRANDMEMBER", g.key()]],
    [2, (g) => ["ZRANDMEMBER", g.key(), randomCount(g), ...g.maybe("WITHSCORES")]],
    [1, (g) => ["ZRANDMEMBER", g.key(), String(100_000 + g.below(9)), "WITHSCORES"]],
    [3, (g) => ["ZSCAN", g.key(), ...scanAll(g)]],
    [2, (g) => ["ZSCAN", g.key(), g.chance(1, 3) ? g.integer() : "0", ...scanOptions(g)]],
    [4, (g) => ["ZUNION", ...inputs(g, "weighed", false)]],
    [4, (g) => ["ZINTER", ...inputs(g, "weighed", false)]],
    [3, (g) => ["ZDIFF", ...inputs(g, "plain", false)]],
    [3, (g) => ["ZINTERCARD", ...inputs(g, "card", false)]],
    [3, (g) => ["ZUNIONSTORE", g.key(), ...inputs(g, "weighed", true)]],
    [3, (g) => ["ZINTERSTORE", g.key(), ...inputs(g, "weighed", true)]],
    [2, (g) => ["ZDIFFSTORE", g.key(), ...inputs(g, "plain", true)]],
    [1, (g) => ["SADD", g.pick(SET_KEYS), ...members(g)]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [1, (g) => ["DEBUG", "DIGEST-VALUE", g.key()]],
  ],
  sequences: [(g) => [["DEL", g.key()]], textSequence, textSequence, formSequence],
  rules: [
    {
      command: /^ZSCAN .* 0 COUNT 10000\b(?!.* COUNT )|^ZRANDMEMBER .* 10000\d WITHSCORES$/s,
      reason: "the order of a skiplist's dictionary is each side's own",
      normalise: sortedPairs,
    },
    { command: /^ZSCAN\b/, reason: "cursors are each side's own", normalise: () => "some members" },
    { command: /^ZRANDMEMBER\b/, reason: "random", normalise: shape },
    {
      command: /^(ZRANK|ZREVRANK)\b/,
      reason: "7.2 has a third argument, and another error for what it does not know",
      refusal: replyError.syntax,
    },
    {
      command: /^OBJECT ENCODING ZSET:FORM$/,
      reason: "there it is the same",
      normalise: (reply) => reply,
    },
  ],
};
