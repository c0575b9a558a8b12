// DUMP and RESTORE of strings. Payloads are made here, in every form of a string, with mistakes in every part.

import type { Draw } from "../draw.ts";
import { payloadOf, stringBody, stringIn } from "../payload.ts";
import type { Family } from "./family.ts";

const BODIES = [
  "\x00\xc0\x85",
  "\x00\xc1\x00\x80",
  "\x00\xc2\xff\xff\xff\x7f",
  "\x00\x80\x00\x00\x00\x03abc",
  "\x00\x81\x00\x00\x00\x00\x00\x00\x00\x03abc",
  "\x00\x40\x03abc",
  "\x00\x0e-9223372036854",
  // packed: "aaaaaaaaaaaaaaaaaaaa", "abcabcabcab", plain bytes only
  "\x00\xc3\x05\x14\x00a\xe0\x0a\x00",
  "\x00\xc3\x06\x0b\x02abc\xc0\x02",
  "\x00\xc3\x04\x03\x02abc",
  // trailing bytes
  "\x00\x01abc",
];
const BAD_BODIES = [
  "",
  "\x00",
  "\x00\x04abc",
  "\x00\xc0",
  "\x00\xc1\x00",
  "\x00\xc4\x00",
  "\x00\xff",
  "\x00\x82\x00\x00\x00\x01a",
  "\x00\x80\x00\x00\x00\x04abc",
  "\x00\x81\xff\xff\xff\xff\xff\xff\xff\xffabc",
  "\x00\xc3",
  "\x00\xc3\x05\x13\x00a\xe0\x0a\x00",
  "\x00\xc3\x05\x15\x00a\xe0\x0a\x00",
  "\x00\xc3\x06\x0b\x02abc\xc0\x03",
  "\x00\xc3\x05\x0b\x02abc\xc0",
  "\x00\xc3\x09\x14\x00a\xe0\x0a\x00",
  "\x08\x03abc",
  "\x1f\x03abc",
  "\xfe\x03abc",
];

const payload = (g: Draw): string => {
  const how = g.below(20);
  if (how === 0) return g.value();
  if (how === 1) return payloadOf(stringBody(g.value()), g.pick([12, 255, 65535]));
  if (how === 2) return `${payloadOf(stringBody(g.value())).slice(0, -1)}x`;
  if (how < 5) return payloadOf(g.pick(BAD_BODIES));
  if (how < 9) return payloadOf(g.pick(BODIES));
  return payloadOf(stringBody(g.value()), g.pick([1, 6, 9, 10, 10, 10]));
};

const options = (g: Draw): string[] =>
  g.options(
    3,
    () => [g.mixCase("REPLACE")],
    () => ["REPLACE"],
    () => ["IDLETIME", g.integer()],
    () => ["FREQ", g.integer()],
  );

export const dump: Family = {
  name: "dump",
  keys: ["dump:1", "dump:2", "dump:3", "dump:4"],
  optionWords: "REPLACE ABSTTL IDLETIME FREQ".split(" "),
  commands: [
    [4, (g) => ["DUMP", g.key()]],
    [6, (g) => ["RESTORE", g.key(), g.chance(1, 2) ? "0" : g.time("PX"), payload(g), ...options(g)]],
    [3, (g) => ["RESTORE", g.key(), g.time("PXAT"), payload(g), "ABSTTL", ...options(g)]],
    [1, (g) => ["RESTORE-ASKING", g.key(), "0", payload(g), ...options(g)]],
    [2, (g) => ["SET", g.key(), g.value()]],
    [2, (g) => ["SET", g.key(), g.bytes(3).repeat(g.below(300))]],
    [4, (g) => ["GET", g.key()]],
    [1, (g) => ["OBJECT", "ENCODING", g.key()]],
    [2, (g) => ["PTTL", g.key()]],
    [2, (g) => ["DEL", g.key()]],
  ],
  rules: [
    {
      command: /^DUMP\b/,
      reason: "Redis packs long strings, and what is in them must be the same",
      normalise: (reply) => {
        const [, length] = /^\$(\d+)\r\n/.exec(reply) ?? [];
        if (length === undefined) return reply;
        const text = stringIn(reply.slice(length.length + 3, -2));
        // Other types than strings: dump-members.test.ts and its like.
        return text === undefined ? "a value" : `a string: ${text}`;
      },
    },
  ],
};
