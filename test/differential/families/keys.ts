// Commands on keys of any type, and on whole databases.

import { DATABASES_USED, type Draw } from "../draw.ts";
import { sorted } from "../rule.ts";
import type { Family, Maker } from "./family.ts";

const PATTERNS = [
  "*",
  "**",
  "?",
  "a*",
  "*b*",
  "key:?",
  "key:[0-9]",
  "[^a]",
  "[a-c]",
  "\\a",
  "[",
  "[^",
  "a\\*b",
];
const TYPES = ["string", "STRING", "list", "hash", "nonsense", ""];
const conditions = (g: Draw): string[] => g.options(2, () => [g.mixCase(g.pick(["NX", "XX", "GT", "LT"]))]);

const expireWith =
  (name: string, unit: "EX" | "PX" | "EXAT" | "PXAT"): Maker =>
  (g) => [name, g.key(), g.time(unit), ...(g.chance(1, 2) ? conditions(g) : [])];

export const keys: Family = {
  name: "keys",
  optionWords: "NX XX GT LT REPLACE DB COUNT MATCH TYPE ASYNC SYNC".split(" "),
  commands: [
    [3, (g) => ["DEL", ...g.keys()]],
    [1, (g) => ["UNLINK", ...g.keys()]],
    [2, (g) => ["EXISTS", ...g.keys()]],
    [2, (g) => ["TYPE", g.key()]],
    [1, (g) => ["TOUCH", ...g.keys()]],
    [1, (g) => ["KEYS", g.pick(PATTERNS)]],
    [
      3,
      (g) => [
        "SCAN",
        "0",
        "COUNT",
        "10000",
        ...g.options(
          2,
          () => ["MATCH", g.pick(PATTERNS)],
          () => ["TYPE", g.pick(TYPES)],
        ),
      ],
    ],
    [
      2,
      (g) => [
        "SCAN",
        g.integer(),
        ...g.options(
          3,
          () => ["COUNT", g.integer()],
          () => ["MATCH", g.pick(PATTERNS)],
          () => ["TYPE", g.pick(TYPES)],
        ),
      ],
    ],
    [1, () => ["RANDOMKEY"]],
    [4, (g) => ["RENAME", g.key(), g.key()]],
    [3, (g) => ["RENAMENX", g.key(), g.key()]],
    [
      5,
      (g) => [
        "COPY",
        g.key(),
        g.key(),
        ...g.options(
          2,
          () => ["REPLACE"],
          () => ["DB", g.database()],
        ),
      ],
    ],
    [
      2,
      (g) => [
        "MOVE",
        g.key(),
        g.chance(1, 6)
          ? g.pick(["-1", "16", "x", "4294967296", "99999999999999999999"])
          : String(g.below(DATABASES_USED)),
      ],
    ],
    [4, expireWith("EXPIRE", "EX")],
    [4, expireWith("PEXPIRE", "PX")],
    [4, expireWith("EXPIREAT", "EXAT")],
    [4, expireWith("PEXPIREAT", "PXAT")],
    [3, (g) => ["TTL", g.key()]],
    [3, (g) => ["PTTL", g.key()]],
    [3, (g) => ["EXPIRETIME", g.key()]],
    [3, (g) => ["PEXPIRETIME", g.key()]],
    [3, (g) => ["PERSIST", g.key()]],
    [
      1,
      (g) => [
        "SWAPDB",
        g.chance(1, 6) ? g.integer() : "0",
        g.chance(1, 6) ? "x" : String(g.below(DATABASES_USED)),
      ],
    ],
    [3, (g) => ["OBJECT", "ENCODING", g.key()]],
    [1, (g) => ["OBJECT", "REFCOUNT", g.key()]],
    [1, (g) => ["OBJECT", "IDLETIME", g.key()]],
    [1, (g) => ["OBJECT", "FREQ", g.key()]],
    [1, (g) => ["OBJECT", "HELP", ...g.maybe("x")]],
    [1, (g) => ["OBJECT", g.pick(["NOSUCH", ""]), ...g.maybe("x")]],
    [
      1,
      (g) => [
        g.pick(["NOSUCH", "GE", "SETT", "", "OBJECT|ENCODING"]),
        ...g.maybe(g.value()),
        ...g.maybe(g.key()),
      ],
    ],
  ],
  sequences: [
    ...["FLUSHDB", "FLUSHDB", "FLUSHDB", "FLUSHALL"].map((name) => (g: Draw): string[][] => [
      [name, ...g.maybe("ASYNC", "SYNC", "no")],
    ]),
    // Redis counts dead keys too until somebody meets them.
    () => [["SCAN", "0", "COUNT", "10000"], ["DBSIZE"]],
    // In Redis these show dead keys as well; EXISTS drops them first.
    (g) => {
      const several = g.keys();
      return [
        ["EXISTS", ...several],
        ["DEBUG", "OBJECT", several[0]!],
        ["DEBUG", "DIGEST-VALUE", ...several],
      ];
    },
  ],
  rules: [
    {
      command: /^(KEYS\b|SCAN 0 COUNT 10000\b(?!.* COUNT ))/s,
      reason: "order follows each side's own hash; SCAN's single step still has to end with cursor 0",
      normalise: sorted,
    },
    {
      command: /^SCAN\b/,
      reason: "cursors are positions in each side's own hash space",
      normalise: () => "some keys",
    },
    {
      command: /^RANDOMKEY\b/,
      reason: "random",
      normalise: (reply) => (/^[$_]-?1?\r\n$/.test(reply) ? reply : "some key"),
    },
    {
      command: /^(PTTL|PEXPIRETIME)\b/,
      reason: "the sides read their clocks at other moments",
      tolerance: 5000,
    },
    { command: /^(TTL|EXPIRETIME)\b/, reason: "the same, in seconds", tolerance: 5 },
    {
      command: /^OBJECT IDLETIME\b/,
      reason: "Redis's shared small integers share one access clock",
      normalise: (reply) => reply.replace(/^:\d+/, ":seconds"),
    },
    {
      command: /^OBJECT ENCODING\b/,
      reason:
        "an integer made by INCRBYFLOAT is embstr in Redis; here int, for it is a function of the bytes. Since Redis 7.2 " +
        "small sets of strings are listpacks, SADD and HSET look at the number of arguments first, and what SPOP leaves of " +
        "a hashtable becomes a listpack (families hashes and sets compare forms by themselves). Small lists are listpacks too, and large ones are cut into nodes at " +
        "other places here",
      normalise: (reply) =>
        reply
          .replace("$6\r\nembstr", "$3\r\nint")
          .replace("$9\r\nquicklist", "$8\r\nlistpack")
          .replace(/^\$\d+\r\n(hashtable|intset|listpack)\r\n/, "members"),
    },
    {
      command: /^OBJECT REFCOUNT\b/,
      reason: "COPY makes Redis forget that a small integer is shared",
      normalise: (reply) => reply.replace(":2147483647", ":1"),
    },
    {
      command: /^DEBUG OBJECT\b/,
      reason: "addresses, clocks, compression and allocation are each side's own",
      normalise: (reply) =>
        reply.replace(/^\+Value at:0x[\da-f]+ refcount:\d+ encoding:\w+ serializedlength:\d+ .*/, "+Value"),
    },
  ],
};
