// Streams: ids in order mostly, entries with the same fields and with others, nodes that fill up, groups and consumers.

import { replyError, streamsUnbalanced } from "../../../src/command/errors.ts";
import type { Draw } from "../draw.ts";
import type { Family, Maker } from "./family.ts";

const KEYS = ["stream:1", "stream:2", "stream:3"];
/** No other command draws it. */
const CLOCK_KEY = "stream clock";
const ODD_IDS = [
  ..."0-0 0-1 0 - + (5 (5-1 (0-0 (- (+ ( abc 1- -1 5--3 5-+3 +5 05 5-05 1-1-1 $ > 5\x005 5-5\x00 5-abc".split(
    " ",
  ),
  ..."18446744073709551615 18446744073709551616 5-18446744073709551615 5-18446744073709551616".split(" "),
  ..."18446744073709551615-18446744073709551615 (18446744073709551615-18446744073709551615".split(" "),
  ..."9223372036854775808-1 9007199254740993-9007199254740993 4294967296-4294967295".split(" "),
  ...[
    "",
    " 5",
    "5- 5",
    "5 ",
    "5--0",
    "5--00000001",
    "5- -3",
    "\t5-1",
    "0".repeat(126) + "7",
    "0".repeat(127) + "7",
  ],
];

/** How far ids are, in the sequence of one seed. */
const clocks = new WeakMap<Draw, number>();
function advance(g: Draw, by: number): number {
  const now = (clocks.get(g) ?? 1) + by;
  clocks.set(g, now);
  return now;
}

/** What mostly is behind the last entry. */
const newId = (g: Draw): string => {
  const how = g.below(40);
  if (how === 0) return g.pick(ODD_IDS);
  if (how < 4) return oldId(g);
  const ms = advance(g, g.below(3));
  // Not of 5: after 5-18446744073709551615 (ODD_IDS) Redis 7.0 answers by an errno that an earlier command has left, and stops when it is 0.
  if (how < 8) return ms === 5 ? "5-3" : `${ms}-*`;
  return how < 12 ? String(ms) : `${ms}-${g.below(3)}`;
};

/** What may be there. */
const oldId = (g: Draw): string => {
  if (g.chance(1, 25)) return g.pick(ODD_IDS);
  const ms = Math.max(0, advance(g, 0) - g.below(g.chance(1, 3) ? 200 : 20));
  return g.chance(1, 6) ? String(ms) : `${ms}-${g.below(3)}`;
};

/** What may be there and is not huge: `around` relies on it. */
const smallId = (g: Draw): string => oldId(g).replace(/^\d{10,}.*/, "5");

const edge = (g: Draw, open: string): string => {
  if (g.chance(1, 3)) return open;
  return g.chance(1, 5) ? `(${oldId(g)}` : oldId(g);
};

const pairs = (g: Draw): string[] => {
  if (g.chance(3, 5)) return ["f", g.value()];
  if (g.chance(1, 2)) return ["f", g.value(), "g", g.value()];
  return Array.from({ length: 1 + g.below(4) }, () => [g.pick(["f", "g", "1", "-5", ""]), g.value()]).flat();
};

const count = (g: Draw): string =>
  g.chance(1, 15) ? g.integer() : String(g.below(g.chance(1, 4) ? 200 : 6));
const maybeCount = (g: Draw): string[] => (g.chance(1, 2) ? [g.mixCase("COUNT"), count(g)] : []);

const trim = (g: Draw): string[] => {
  const how = g.pick([[], ["~"], ["~"], ["="]]);
  const limit = g.chance(1, how[0] === "~" ? 3 : 20)
    ? [g.mixCase("LIMIT"), g.chance(1, 8) ? g.integer() : String(g.below(200))]
    : [];
  const what = g.chance(2, 3)
    ? ["MAXLEN", ...how, g.chance(1, 15) ? g.integer() : String(g.below(250))]
    : ["MINID", ...how, oldId(g)];
  return [g.mixCase(what[0]!), ...what.slice(1), ...limit];
};

const add: Maker = (g) => [
  "XADD",
  g.key(),
  ...(g.chance(1, 6)
    ? g.options(
        2,
        () => trim(g),
        () => [g.mixCase("NOMKSTREAM")],
      )
    : []),
  newId(g),
  ...pairs(g),
];

const read: Maker = (g) => {
  const keys = g.keys();
  const options = g.options(
    2,
    () => [g.mixCase("COUNT"), count(g)],
    () => [g.mixCase("COUNT"), count(g)],
    () => (g.chance(1, 6) ? ["NOACK"] : []),
  );
  return [
    "XREAD",
    ...options,
    g.mixCase("STREAMS"),
    ...keys,
    ...keys.map(() => (g.chance(1, 8) ? "$" : oldId(g))),
  ];
};

/** Many entries: nodes fill up. */
const fill = (g: Draw): string[][] => {
  const key = g.ownKey();
  const fields = g.pick([["f"], ["f", "g"], ["f", "g", "h"]]);
  return Array.from({ length: 20 + g.below(300) }, () => [
    "XADD",
    key,
    `${advance(g, 1)}-${g.below(2)}`,
    ...fields.flatMap((field) => [field, g.value()]),
  ]);
};

/** "*" behind a time far off. */
const automatic = (g: Draw): string[][] => {
  const key = g.ownKey();
  return [
    ["XADD", key, "1900000000000-5", "f", "1"],
    ["XADD", key, "*", "f", "2"],
    ["XADD", key, ...trim(g), "*", "f", "3"],
    ["XRANGE", key, "-", "+"],
    ["DEL", key],
  ];
};

/** "*" as it is: the ids are times of two clocks. */
const byClock = (g: Draw): string[][] => [
  ["XADD", CLOCK_KEY, "*", "f", "1"],
  ["XADD", CLOCK_KEY, "*", "f", g.value()],
  ["XADD", CLOCK_KEY, "NOMKSTREAM", "MAXLEN", "2", "*", "f", "3"],
  ["XREAD", "STREAMS", CLOCK_KEY, "0"],
  ["XREAD", "STREAMS", CLOCK_KEY, "$"],
  ["XREVRANGE", CLOCK_KEY, "+", "-", "COUNT", "1"],
  ["DEL", CLOCK_KEY],
];

const entryCommands: Family["commands"] = [
  [25, add],
  [3, (g) => ["XLEN", g.key()]],
  [5, (g) => ["XDEL", g.key(), ...Array.from({ length: 1 + g.below(4) }, () => smallId(g))]],
  [5, (g) => ["XTRIM", g.key(), ...trim(g)]],
  [
    2,
    (g) => [
      "XSETID",
      g.key(),
      g.chance(4, 5) ? `${advance(g, 0) + 1}-${g.below(3)}` : oldId(g),
      ...g.options(
        2,
        () => [g.mixCase("ENTRIESADDED"), g.chance(1, 3) ? g.integer() : String(g.below(400))],
        () => [g.mixCase("MAXDELETEDID"), oldId(g)],
      ),
    ],
  ],
  [6, (g) => ["XRANGE", g.key(), edge(g, "-"), edge(g, "+"), ...maybeCount(g)]],
  [6, (g) => ["XREVRANGE", g.key(), edge(g, "+"), edge(g, "-"), ...maybeCount(g)]],
  [6, read],
  [1, (g) => ["DEL", g.key()]],
  [1, (g) => ["OBJECT", "ENCODING", g.key()]],
  [1, (g) => ["COPY", g.key(), g.key(), ...g.maybe("REPLACE")]],
  [1, (g) => ["DEBUG", "DIGEST-VALUE", g.key()]],
];

const mend: Family["mend"] = (g, command) => {
  const [name = "", key = "", third = "", consumer] = command;
  if (/^xsetid$/i.test(name) && command.length > 2) {
    // 7.0 lets the last id go back below that of a deleted entry: the stream is not used after that.
    return { before: [], after: isBehindAll(g, third) ? [] : [["DEL", key]] };
  }
  if (/^(xclaim|xautoclaim|xpending)$/i.test(name)) {
    // Between 0 and hours the clocks of the two would decide.
    const index = /^xpending$/i.test(name) && !/^idle$/i.test(consumer ?? "") ? 0 : 4;
    if (index > 0 && /^\d{1,7}$/.test(command[index] ?? "")) command[index] = "0";
    // 7.0 allocates for so many.
    if (/^xautoclaim$/i.test(name))
      for (let i = 6; i < command.length; i++) if (/^\d{7,}$/.test(command[i]!)) command[i] = "1000";
  }
  if (/^xread(group)?$/i.test(name)) {
    const block = command.findIndex((word) => /^block$/i.test(word));
    if (block >= 0 && /^\d{1,18}$/.test(command[block + 1] ?? "")) command[block + 1] = "1";
  }
  return { before: consumersOf(command), after: [] };
};

/** The consumers that a command names are made first: 7.0 makes them only when there is something for them. */
function consumersOf(command: readonly string[]): string[][] {
  const [name = "", key = "", group, consumer] = command;
  const make = (at: string, of: string | undefined, who: string | undefined): string[][] =>
    of === undefined || who === undefined ? [] : [["XGROUP", "CREATECONSUMER", at, of, who]];
  if (/^x(auto)?claim$/i.test(name)) return make(key, group, consumer);
  if (!/^xreadgroup$/i.test(name)) return [];
  const groupAt = command.findIndex((word) => /^group$/i.test(word));
  // Behind the consumer, whose name may be any word.
  const streamsAt = command.findIndex((word, i) => i > groupAt + 2 && /^streams$/i.test(word));
  if (streamsAt < 0 || groupAt < 0) return [];
  const keys = command.slice(streamsAt + 1, streamsAt + 1 + Math.floor((command.length - streamsAt - 1) / 2));
  return keys.flatMap((each) => make(each, command[groupAt + 1], command[groupAt + 2]));
}

const isBehindAll = (g: Draw, id: string): boolean =>
  /^\d{1,15}(-\d+)?$/.test(id) && Number.parseInt(id, 10) > advance(g, 0);

const group = (g: Draw): string => (g.chance(1, 30) ? g.word() : g.pick(["g1", "g1", "g2", "group three"]));
const consumer = (g: Draw): string =>
  g.chance(1, 30) ? g.word() : g.pick(["alice", "bob", "carol", "", "al"]);
const ids = (g: Draw): string[] =>
  Array.from({ length: 1 + g.below(g.chance(1, 10) ? 40 : 4) }, () => oldId(g));
/** A stream of this family, mostly. */
const streamKeys = (g: Draw): string[] => (g.chance(1, 6) ? g.keys() : [g.ownKey()]);
const idleTime = (g: Draw): string => g.pick(["0", "0", "0", "50000000", "10000000000", "-1", g.integer()]);

const readGroup: Maker = (g) => {
  const keys = streamKeys(g);
  return [
    "XREADGROUP",
    g.mixCase("GROUP"),
    group(g),
    consumer(g),
    ...g.options(
      2,
      () => [g.mixCase("COUNT"), count(g)],
      () => [g.mixCase("COUNT"), count(g)],
      () => (g.chance(1, 4) ? [g.mixCase("NOACK")] : []),
      () => (g.chance(1, 10) ? [g.mixCase("BLOCK"), g.pick(["1", "-1", "x"])] : []),
    ),
    g.mixCase("STREAMS"),
    ...keys,
    ...keys.map(() => (g.chance(3, 4) ? ">" : g.chance(1, 10) ? "$" : g.chance(1, 2) ? "0" : oldId(g))),
  ];
};

const claim: Maker = (g) => [
  "XCLAIM",
  g.key(),
  group(g),
  consumer(g),
  idleTime(g),
  ...ids(g),
  ...g.options(
    2,
    () => [g.mixCase("IDLE"), g.pick(["0", "100000000", "-5", "abc"])],
    () => [g.mixCase("TIME"), g.pick(["0", "1000", "1500000000000", "-1", "99999999999999", "abc"])],
    () => [g.mixCase("RETRYCOUNT"), g.integer()],
    () => [g.mixCase("FORCE")],
    () => [g.mixCase("JUSTID")],
    () => [g.mixCase("LASTID"), oldId(g)],
  ),
];

const groupCommands: Family["commands"] = [
  [
    4,
    (g) => [
      "XGROUP",
      "CREATE",
      g.key(),
      group(g),
      g.pick(["$", "0", oldId(g)]),
      ...g.options(
        2,
        () => [g.mixCase("MKSTREAM")],
        () => [g.mixCase("ENTRIESREAD"), g.integer()],
      ),
    ],
  ],
  [
    2,
    (g) => [
      "XGROUP",
      "SETID",
      g.key(),
      group(g),
      g.pick(["$", "0", oldId(g), oldId(g)]),
      ...g.options(1, () => [g.mixCase("ENTRIESREAD"), g.integer()]),
    ],
  ],
  [1, (g) => ["XGROUP", "DESTROY", g.key(), group(g)]],
  [1, (g) => ["XGROUP", "CREATECONSUMER", g.key(), group(g), consumer(g)]],
  [1, (g) => ["XGROUP", "DELCONSUMER", g.key(), group(g), consumer(g)]],
  [1, (g) => ["XGROUP", g.pick(["HELP", "help"])]],
  [1, () => ["XGROUP", "NOSUCH"]],
  [20, readGroup],
  [8, (g) => ["XACK", g.key(), group(g), ...ids(g)]],
  [3, (g) => ["XPENDING", g.key(), group(g)]],
  [
    5,
    (g) => [
      "XPENDING",
      g.key(),
      group(g),
      ...(g.chance(1, 3) ? [g.mixCase("IDLE"), idleTime(g)] : []),
      edge(g, "-"),
      edge(g, "+"),
      count(g),
      ...(g.chance(1, 2) ? [consumer(g)] : []),
    ],
  ],
  [6, claim],
  [
    5,
    (g) => [
      "XAUTOCLAIM",
      g.key(),
      group(g),
      consumer(g),
      idleTime(g),
      edge(g, "-"),
      ...g.options(
        2,
        () => [g.mixCase("COUNT"), count(g)],
        () => [g.mixCase("JUSTID")],
      ),
    ],
  ],
  [4, (g) => ["XINFO", "STREAM", g.key()]],
  [4, (g) => ["XINFO", "STREAM", g.key(), g.mixCase("FULL"), ...maybeCount(g)]],
  [4, (g) => ["XINFO", "GROUPS", g.key()]],
  [3, (g) => ["XINFO", "CONSUMERS", g.key(), group(g)]],
  [1, (g) => ["XINFO", g.pick(["HELP", "help"])]],
  [1, () => ["XINFO", "NOSUCH"]],
];

export const streams: Family = {
  name: "streams",
  keys: KEYS,
  optionWords: (
    "MAXLEN MINID ~ = LIMIT NOMKSTREAM STREAMS NOACK GROUP ENTRIESADDED MAXDELETEDID " +
    "ENTRIESREAD MKSTREAM JUSTID FORCE RETRYCOUNT LASTID IDLE TIME FULL"
  ).split(" "),
  commands: [...entryCommands, ...groupCommands],
  sequences: [fill, fill, fill, automatic, byClock],
  mend,
  rules: [
    ...[true, false].map((isGroup) => ({
      // Not the one of CLOCK_KEY, which has a rule of its own.
      command: isGroup ? /^XREADGROUP\b/ : /^XREAD\b(?! STREAMS STREAM CLOCK)/,
      reason: "streams without ids have another text since Redis 7.2",
      refusal: streamsUnbalanced(isGroup),
    })),
    {
      command: /^XINFO CONSUMERS/,
      reason: "times of two clocks; inactive is new in 7.2",
      normalise: (reply) =>
        reply
          .replace(/\$8\r\ninactive\r\n:-?\d+\r\n/g, "")
          .replace(/[*%]\d+\r\n\$4\r\nname/g, "consumer")
          .replace(/idle\r\n:\d+/g, "idle"),
    },
    {
      command: /^XINFO STREAM/,
      reason: "times of two clocks; active-time is new in 7.2",
      normalise: (reply) =>
        reply
          .replace(/\$11\r\nactive-time\r\n:-?\d+\r\n/g, "")
          .replace(/[*%]\d+\r\n\$4\r\nname/g, "name")
          .replace(/:1[6-9]\d{11}\r\n/g, "time"),
    },
    {
      command: /^XPENDING/,
      reason: "times of two clocks",
      normalise: (reply) =>
        reply.replace(/(?<=\n):(\d+)\r\n(:-?\d+\r\n)/g, (_, idle: string, times: string) => {
          return `${Math.round(Number(idle) / 1e9)} ${times}`;
        }),
    },
    {
      command: /^XSETID/,
      reason: "an id below that of a deleted entry is refused since Redis 7.2",
      refusal: replyError.setIdBelowDeleted,
    },
    {
      command: new RegExp(`^X\\w+( NOMKSTREAM| STREAMS)? ${CLOCK_KEY}`, "i"),
      reason: "times of two clocks",
      normalise: (reply) => reply.replace(/\$\d+\r\n\d{13}-\d+/g, "id"),
    },
  ],
};
