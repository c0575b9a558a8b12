// DUMP and RESTORE of collections: payloads by hand, right and wrong ones.

import assert from "node:assert/strict";
import { test } from "vitest";
import { IntsetBuilder } from "../../src/store/intset.ts";
import { ListpackBuilder } from "../../src/store/listpack-builder.ts";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { payloadOf } from "../differential/payload.ts";
import { fc } from "../property.ts";
import { array, bulk, type Case, error, integer, OK, testCases } from "./cases.ts";

const BAD_FORMAT = error("ERR Bad data format");

const text = (word: string): string =>
  String.fromCharCode(0x40 | (word.length >> 8), word.length & 0xff) + word;
const listOf = (form: number, words: readonly string[], count = words.length): string =>
  String.fromCharCode(form, 0x40 | (count >> 8), count & 0xff) + words.map(text).join("");

function listpack(words: readonly string[]): string {
  const builder = new ListpackBuilder().begin();
  for (const word of words) builder.text(Buffer.from(word, "latin1"), 0, word.length);
  builder.finish();
  return builder.bytes.toString("latin1", 0, builder.length);
}

function intset(values: readonly number[]): string {
  let from = new IntsetBuilder().empty();
  let to = new IntsetBuilder();
  values.forEach((value, i) => {
    const spare = from;
    from = to.insert(from.bytes, 0, i, value);
    to = spare;
  });
  return from.bytes.toString("latin1", 0, from.length);
}

/** "1" as a text of one byte: no listpack of Redis's has that. */
const NOT_CANONICAL = "\x0a\x00\x00\x00\x01\x00\x81\x31\x02\xff";
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i}`);
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const restore = (body: string): readonly string[] => ["RESTORE", "k", "0", payloadOf(body)];

const formOf = (name: string, body: string, want: string): Case => ({
  name,
  run: [restore(body), "OBJECT ENCODING k"],
  want: [OK, bulk(want)],
});
const refused = (name: string, body: string): Case => ({
  name: `refused: ${name}`,
  run: [restore(body), "EXISTS k"],
  want: [BAD_FORMAT, integer(0)],
});

const scored = (count: number): string[] => many(count).flatMap((name, i) => [name, String(i)]);
function double(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes.toString("latin1");
}
const sortedSet = (names: readonly string[]): string =>
  `\x05\x40${String.fromCharCode(names.length)}` +
  names.map((name, i) => text(name) + double(i / 2)).join("");

const LONG = "x".repeat(65);

const cases: readonly Case[] = [
  {
    name: "DUMP of a small hash",
    run: ["HSET k f 1", "DUMP k"],
    want: bulk(payloadOf(`\x10\x0c${listpack(["f", "1"])}`)),
  },
  {
    name: "DUMP of a hashtable",
    run: [["HSET", "k", "f", LONG], "DUMP k"],
    want: bulk(payloadOf(`\x04\x01\x01f\x40\x41${LONG}`)),
  },
  {
    name: "DUMP of an intset",
    run: ["SADD k 2 1", "DUMP k"],
    want: bulk(payloadOf(`\x0b\x0c${intset([1, 2])}`)),
  },
  {
    name: "DUMP of a set of strings",
    run: ["SADD k a 7", "DUMP k"],
    want: bulk(payloadOf("\x02\x02\x01a\xc0\x07")),
  },
  {
    name: "a set's listpack keeps its order",
    run: [restore(`\x14${text(listpack(["b", "1", "a"]))}`), "SMEMBERS k", "OBJECT ENCODING k"],
    want: [OK, array(bulk("b"), bulk("1"), bulk("a")), bulk("listpack")],
  },
  {
    name: "what is no listpack of Redis's becomes one",
    run: [restore(`\x14${text(NOT_CANONICAL)}`), "SISMEMBER k 1", "SREM k 1", "EXISTS k"],
    want: [OK, integer(1), integer(1), integer(0)],
  },
  formOf("a set's listpack of 128", `\x14${text(listpack(many(128)))}`, "listpack"),
  formOf("a set's listpack of 129", `\x14${text(listpack(many(129)))}`, "hashtable"),
  formOf("a set's listpack of a long member", `\x14${text(listpack([LONG]))}`, "listpack"),
  formOf("a hash's listpack of 512", `\x10${text(listpack(many(1024)))}`, "listpack"),
  formOf("a hash's listpack of 513", `\x10${text(listpack(many(1026)))}`, "hashtable"),
  formOf("a hash's listpack of a long value", `\x10${text(listpack(["f", LONG]))}`, "listpack"),
  formOf("a hash of 512", listOf(4, many(1024), 512), "listpack"),
  formOf("a hash of 513", listOf(4, many(1026), 513), "hashtable"),
  formOf("a hash of a long value", listOf(4, ["f", LONG], 1), "hashtable"),
  formOf("an intset of 512", `\x0b${text(intset(numbers(512)))}`, "intset"),
  formOf("an intset of 513", `\x0b${text(intset(numbers(513)))}`, "hashtable"),
  formOf("a set of integers", listOf(2, ["1", "2"]), "intset"),
  formOf("a set of both", listOf(2, ["1", "a"]), "listpack"),
  formOf("a set of 129 strings", listOf(2, many(129)), "hashtable"),
  formOf("a set of a long string", listOf(2, [LONG]), "hashtable"),

  formOf("a sorted set's listpack of 128", `\x11${text(listpack(scored(128)))}`, "listpack"),
  formOf("a sorted set's listpack of 129", `\x11${text(listpack(scored(129)))}`, "skiplist"),
  formOf("a sorted set's listpack of a long member", `\x11${text(listpack([LONG, "1"]))}`, "listpack"),
  formOf("a sorted set of 128", sortedSet(many(128)), "listpack"),
  formOf("a sorted set of 129", sortedSet(many(129)), "skiplist"),
  formOf("a sorted set of a long member", sortedSet([LONG]), "skiplist"),
  {
    name: "a sorted set out of order is put in order",
    run: [restore(`\x11${text(listpack(["b", "2", "c", "0.5", "a", "2"]))}`), "ZRANGE k 0 -1 WITHSCORES"],
    want: [OK, array(...["c", "0.5", "a", "2", "b", "2"].map(bulk))],
  },
  {
    name: "DUMP of a small sorted set",
    run: ["ZADD k 2 b 1 a", "DUMP k"],
    want: bulk(payloadOf(`\x11\x11${listpack(["a", "1", "b", "2"])}`)),
  },
  {
    name: "DUMP of a large sorted set, from the last member on",
    run: [["ZADD", "k", "1", LONG, "-1", "7"], "DUMP k"],
    want: bulk(payloadOf(`\x05\x02\x40\x41${LONG}${double(1)}\xc0\x07${double(-1)}`)),
  },
  {
    name: "DUMP of a small list",
    run: ["RPUSH k b 1 b", "DUMP k"],
    want: bulk(payloadOf(`\x12\x01\x02\x0f${listpack(["b", "1", "b"])}`)),
  },
  {
    name: "a list of plain and packed nodes, one of them empty",
    run: [
      restore(`\x12\x03\x01\x03abc\x02${text(listpack([]))}\x02${text(listpack(["x", "1"]))}`),
      "LRANGE k 0 -1",
      "OBJECT ENCODING k",
    ],
    want: [OK, array(bulk("abc"), bulk("x"), bulk("1")), bulk("quicklist")],
  },
  formOf("a list of one node", `\x12\x01\x02${text(listpack(many(9)))}`, "listpack"),
  formOf("a list of two nodes", `\x12\x02${`\x02${text(listpack(["a"]))}`.repeat(2)}`, "quicklist"),
  formOf("a list of a node of 8 KiB", `\x12\x01\x02${text(listpack(many(2000)))}`, "quicklist"),

  refused("an empty list", "\x12\x00"),
  refused("a list of an empty node", `\x12\x01\x02${text(listpack([]))}`),
  refused("fewer nodes than said", `\x12\x02\x02${text(listpack(["a"]))}`),
  refused("a node of a third kind", `\x12\x01\x03${text(listpack(["a"]))}`),
  refused("an empty sorted set", sortedSet([])),
  refused("an empty listpack of a sorted set", `\x11${text(listpack([]))}`),
  refused("a member without a score", `\x11${text(listpack(["a", "1", "b"]))}`),
  refused("a score that is no number", `\x11${text(listpack(["a", "b"]))}`),
  refused("NaN", `\x05\x01\x01a${double(Number.NaN)}`),
  refused("fewer members of a sorted set than said", `\x05\x09\x01a${double(1)}`),
  refused("a member twice in a sorted set", sortedSet(["a", "a"])),
  refused("a member twice in a sorted set's listpack", `\x11${text(listpack(["a", "1", "a", "2"]))}`),
  refused("an empty hash", listOf(4, [])),
  refused("an empty set", listOf(2, [])),
  refused("an empty listpack of a hash", `\x10${text(listpack([]))}`),
  refused("an empty listpack of a set", `\x14${text(listpack([]))}`),
  refused("an empty intset", "\x0b\x08\x02\x00\x00\x00\x00\x00\x00\x00"),
  refused("a field without a value", `\x10${text(listpack(["a", "b", "c"]))}`),
  refused("a field twice in a listpack", `\x10${text(listpack(["a", "b", "a", "c"]))}`),
  refused("a field twice", listOf(4, ["a", "b", "a", "c"], 2)),
  refused("a field twice in a large one", listOf(4, [...many(1026), "m0", "x"], 514)),
  refused("a member twice in a listpack", `\x14${text(listpack(["a", "a"]))}`),
  refused("a member twice", listOf(2, ["a", "a"])),
  refused("an integer twice", listOf(2, ["1", "1"])),
  refused("fewer members than said", listOf(2, ["a"], 200)),
  refused("no value", listOf(4, ["a"], 1)),
  refused("a listpack of another length", `\x14${text(`${listpack(["a"])}x`)}`),
  refused("integers out of order", `\x0b${text(intset([2, 1]))}`),
  refused("a width of 3", "\x0b\x0b\x03\x00\x00\x00\x01\x00\x00\x00abc"),
];

testCases(cases);

test("a damaged payload never throws, and what it leaves can be used", () => {
  const bodies = [
    `\x10${text(listpack(many(20)))}`,
    `\x14${text(listpack([...many(9), "7", "-300", "70000", LONG]))}`,
    `\x0b${text(intset([-5, 3, 70_000]))}`,
    listOf(4, many(12), 6),
    listOf(2, ["1", "x", "30000"]),
    `\x11${text(listpack(["-0.5", "-0.5", "x", "1", "y", "1", "z", "inf"]))}`,
    sortedSet(["a", "b", LONG]),
    `\x12\x02\x02${text(listpack(["a", LONG, "7"]))}\x01\x03abc`,
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...bodies),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (body, changes, cut) => {
        const bytes = Buffer.from(body, "latin1");
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const length = cut % 4 === 0 ? cut % bytes.length : bytes.length;
        const executor = new MemoryExecutor();
        const ask = (...words: string[]): string =>
          executor.runOne(words.map((word) => Buffer.from(word, "latin1"))).toString("latin1");
        const reply = ask(...restore(bytes.toString("latin1", 0, length)));
        if (reply !== OK) return assert.equal(ask("EXISTS", "k"), integer(0));
        const digest = ask("DEBUG", "DIGEST-VALUE", "k");
        ask("HSET", "k", "new", "x");
        ask("HDEL", "k", "new");
        ask("SADD", "k", "new");
        ask("SREM", "k", "new");
        ask("ZADD", "k", "3", "new");
        ask("ZREM", "k", "new");
        ask("RPUSH", "k", "new");
        ask("RPOP", "k");
        assert.equal(ask("DEBUG", "DIGEST-VALUE", "k"), digest);
      },
    ),
    { numRuns: 2000 },
  );
});
