// Every kind of reply: its bytes, what clients' decoders make of it, growth of the buffer, silence when muted.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { ReplyWriter } from "../../src/resp/reply-writer.ts";
import { fc } from "../property.ts";
import { type Decoded, decode2, decode3 } from "./decode.ts";

interface Row {
  readonly name: string;
  readonly write: (reply: ReplyWriter) => void;
  /** RESP2, and RESP3 where it differs; latin1. */
  readonly wire: readonly [string] | readonly [string, string];
}

const bytes = Buffer.from("0123456789");
const long = Buffer.alloc(5000, "x");

const rows: readonly Row[] = [
  { name: "ok", write: (r) => r.ok(), wire: ["+OK\r\n"] },
  { name: "simple", write: (r) => r.simple("PONG"), wire: ["+PONG\r\n"] },
  { name: "simple, empty", write: (r) => r.simple(""), wire: ["+\r\n"] },
  { name: "simple with line ends", write: (r) => r.simple("a\r\nb"), wire: ["+a  b\r\n"] },
  { name: "error", write: (r) => r.error("ERR no"), wire: ["-ERR no\r\n"] },
  {
    name: "error with a client's bytes",
    write: (r) => r.error("ERR '\xff\r\n+OK'"),
    wire: ["-ERR '\xff  +OK'\r\n"],
  },
  { name: "integer", write: (r) => r.integer(0), wire: [":0\r\n"] },
  { name: "integer, negative", write: (r) => r.integer(-1), wire: [":-1\r\n"] },
  { name: "integer, 999", write: (r) => r.integer(999), wire: [":999\r\n"] },
  {
    name: "integer, largest",
    write: (r) => r.integer(Number.MAX_SAFE_INTEGER),
    wire: [":9007199254740991\r\n"],
  },
  {
    name: "integer, least",
    write: (r) => r.integer(Number.MIN_SAFE_INTEGER),
    wire: [":-9007199254740991\r\n"],
  },
  { name: "integerBig", write: (r) => r.integerBig(-(2n ** 63n)), wire: [":-9223372036854775808\r\n"] },
  { name: "bulk", write: (r) => r.bulk(bytes, 2, 5), wire: ["$3\r\n234\r\n"] },
  { name: "bulk, empty", write: (r) => r.bulk(bytes, 5, 5), wire: ["$0\r\n\r\n"] },
  { name: "bulk, two digits", write: (r) => r.bulk(bytes, 0, 10), wire: ["$10\r\n0123456789\r\n"] },
  {
    name: "bulk, just below the long copy",
    write: (r) => r.bulk(long, 0, 127),
    wire: [`$127\r\n${"x".repeat(127)}\r\n`],
  },
  { name: "bulk, long", write: (r) => r.bulk(long, 0, 5000), wire: [`$5000\r\n${"x".repeat(5000)}\r\n`] },
  {
    name: "bulk, long, of a plain Uint8Array",
    write: (r) => r.bulk(new Uint8Array(200).fill(0x79), 10, 160),
    wire: [`$150\r\n${"y".repeat(150)}\r\n`],
  },
  { name: "bulkText", write: (r) => r.bulkText("é€"), wire: ["$5\r\n\xc3\xa9\xe2\x82\xac\r\n"] },
  { name: "bulkLatin1", write: (r) => r.bulkLatin1("\xe9\x00"), wire: ["$2\r\n\xe9\x00\r\n"] },
  { name: "nil", write: (r) => r.nil(), wire: ["$-1\r\n", "_\r\n"] },
  { name: "nilArray", write: (r) => r.nilArray(), wire: ["*-1\r\n", "_\r\n"] },
  {
    name: "array",
    write: (r) => {
      r.array(2);
      r.integer(1);
      r.array(0);
    },
    wire: ["*2\r\n:1\r\n*0\r\n"],
  },
  {
    name: "map",
    write: (r) => {
      r.map(1);
      r.integer(1);
      r.integer(2);
    },
    wire: ["*2\r\n:1\r\n:2\r\n", "%1\r\n:1\r\n:2\r\n"],
  },
  {
    name: "set",
    write: (r) => {
      r.set(1);
      r.integer(1);
    },
    wire: ["*1\r\n:1\r\n", "~1\r\n:1\r\n"],
  },
  {
    name: "push",
    write: (r) => {
      r.push(1);
      r.ok();
    },
    wire: ["*1\r\n+OK\r\n", ">1\r\n+OK\r\n"],
  },
  {
    name: "double",
    write: (r) => r.double(1.1),
    wire: ["$18\r\n1.1000000000000001\r\n", ",1.1000000000000001\r\n"],
  },
  { name: "double, whole", write: (r) => r.double(-3), wire: ["$2\r\n-3\r\n", ",-3\r\n"] },
  {
    name: "double, nine digits",
    write: (r) => r.double(123456789),
    wire: ["$9\r\n123456789\r\n", ",123456789\r\n"],
  },
  {
    name: "double, ten digits",
    write: (r) => r.double(1234567890),
    wire: ["$10\r\n1234567890\r\n", ",1234567890\r\n"],
  },
  {
    name: "double, largest whole",
    write: (r) => r.double(Number.MIN_SAFE_INTEGER),
    wire: ["$17\r\n-9007199254740991\r\n", ",-9007199254740991\r\n"],
  },
  {
    name: "double, 1e300",
    write: (r) => r.double(1e300),
    wire: ["$23\r\n1.0000000000000001e+300\r\n", ",1.0000000000000001e+300\r\n"],
  },
  { name: "double, -0", write: (r) => r.double(-0), wire: ["$2\r\n-0\r\n", ",-0\r\n"] },
  {
    name: "double, inf",
    write: (r) => r.double(Number.POSITIVE_INFINITY),
    wire: ["$3\r\ninf\r\n", ",inf\r\n"],
  },
  {
    name: "double, -inf",
    write: (r) => r.double(Number.NEGATIVE_INFINITY),
    wire: ["$4\r\n-inf\r\n", ",-inf\r\n"],
  },
  { name: "double, nan", write: (r) => r.double(Number.NaN), wire: ["$3\r\nnan\r\n", ",nan\r\n"] },
  { name: "doubleText", write: (r) => r.doubleText("10.6"), wire: ["$4\r\n10.6\r\n", ",10.6\r\n"] },
  { name: "boolean, true", write: (r) => r.boolean(true), wire: [":1\r\n", "#t\r\n"] },
  { name: "boolean, false", write: (r) => r.boolean(false), wire: [":0\r\n", "#f\r\n"] },
  {
    name: "verbatim",
    write: (r) => r.verbatim("txt", "é"),
    wire: ["$2\r\n\xc3\xa9\r\n", "=6\r\ntxt:\xc3\xa9\r\n"],
  },
  {
    name: "bigNumber",
    write: (r) => r.bigNumber("1234567999999999999999999999"),
    wire: ["$28\r\n1234567999999999999999999999\r\n", "(1234567999999999999999999999\r\n"],
  },
  { name: "raw", write: (r) => r.raw(Buffer.from("..+OK\r\n.."), 2, 7), wire: ["+OK\r\n"] },
  {
    name: "arrayAt",
    write: (r) => inserted(r, (mark) => r.arrayAt(mark, 12)),
    wire: [`*12\r\n${":7\r\n".repeat(12)}`],
  },
  {
    name: "setAt",
    write: (r) => inserted(r, (mark) => r.setAt(mark, 12)),
    wire: [`*12\r\n${":7\r\n".repeat(12)}`, `~12\r\n${":7\r\n".repeat(12)}`],
  },
  {
    name: "mapAt",
    write: (r) => inserted(r, (mark) => r.mapAt(mark, 6)),
    wire: [`*12\r\n${":7\r\n".repeat(12)}`, `%6\r\n${":7\r\n".repeat(12)}`],
  },
  {
    name: "rawAt",
    write: (r) => inserted(r, (mark) => r.rawAt(mark, Buffer.from("..*12\r\n.."), 2, 7)),
    wire: [`*12\r\n${":7\r\n".repeat(12)}`],
  },
  { name: "arrayAt, empty", write: (r) => r.arrayAt(r.position, 0), wire: ["*0\r\n"] },
];

function inserted(reply: ReplyWriter, insert: (mark: number) => void): void {
  const mark = reply.position;
  for (let i = 0; i < 12; i++) reply.integer(7);
  insert(mark);
}

function written(protocol: 2 | 3, capacity: number, writes: readonly Row["write"][]): Buffer {
  const reply = new ReplyWriter();
  reply.protocol = protocol;
  reply.buffer = Buffer.alloc(capacity);
  for (const write of writes) write(reply);
  return reply.buffer.subarray(0, reply.position);
}

for (const protocol of [2, 3] as const) {
  describe(`RESP${protocol}`, () => {
    for (const { name, write, wire } of rows) {
      const want = protocol === 3 && wire.length === 2 ? wire[1] : wire[0];
      test(name, () => {
        assert.equal(written(protocol, 0, [write]).toString("latin1"), want);
        assert.equal(written(protocol, 100_000, [write]).toString("latin1"), want);
        // Whatever the room that is left: it grows in time, and keeps what was there.
        for (let room = 0; room < Math.min(want.length + 40, 300); room++) {
          const reply = new ReplyWriter();
          reply.protocol = protocol;
          reply.buffer = Buffer.alloc(64 + room, "#");
          reply.position = 64;
          write(reply);
          assert.equal(
            reply.buffer.toString("latin1", 0, reply.position),
            "#".repeat(64) + want,
            `room ${room}`,
          );
        }
        const decoded = (protocol === 2 ? decode2 : decode3)(Buffer.from(want, "latin1"));
        assert.equal(decoded.length, 1);
      });
    }

    test("any sequence decodes to its parts", () => {
      const decode = protocol === 2 ? decode2 : decode3;
      const part = fc.oneof(
        fc.maxSafeInteger().map((n): [Row["write"], Decoded] => [(r) => r.integer(n), n]),
        fc
          .uint8Array({ maxLength: 300 })
          .map((b): [Row["write"], Decoded] => [
            (r) => r.bulk(b, 0, b.length),
            Buffer.from(b).toString("latin1"),
          ]),
        fc
          .string({ unit: "binary", maxLength: 200 })
          .map((s): [Row["write"], Decoded] => [(r) => r.bulkText(s), Buffer.from(s).toString("latin1")]),
        fc.constant<[Row["write"], Decoded]>([(r) => r.nil(), null]),
        fc.constant<[Row["write"], Decoded]>([(r) => r.ok(), "OK"]),
      );
      fc.assert(
        fc.property(fc.array(fc.array(part, { maxLength: 30 }), { maxLength: 10 }), (arrays) => {
          const writes = arrays.flatMap((parts) => [
            (r: ReplyWriter) => r.array(parts.length),
            ...parts.map(([write]) => write),
          ]);
          assert.deepEqual(
            decode(written(protocol, 0, writes)),
            arrays.map((parts) => parts.map(([, value]) => value)),
          );
        }),
      );
    });
  });
}

test("muted: nothing is written, counted or allocated", () => {
  const reply = new ReplyWriter();
  reply.muted = true;
  const buffer = reply.buffer;
  for (const protocol of [2, 3] as const) {
    reply.protocol = protocol;
    for (const { write } of rows) write(reply);
  }
  assert.equal(reply.position, 0);
  assert.equal(reply.buffer, buffer);
  assert.equal(reply.errors, 0);
  assert.equal(reply.lastError, "");
});

test("every method that writes has a row", () => {
  const methods = Object.getOwnPropertyNames(ReplyWriter.prototype).filter(
    (name) => name !== "constructor" && name !== "ensure",
  );
  const named = new Set(rows.map(({ name }) => name.split(",")[0]));
  assert.deepEqual(
    methods.filter((name) => !named.has(name)),
    [],
  );
});

test("errors are counted", () => {
  const reply = new ReplyWriter();
  reply.error("ERR one");
  reply.error("WRONGTYPE two");
  assert.equal(reply.errors, 2);
  assert.equal(reply.lastError, "WRONGTYPE two");
});

test("headers of all small numbers", () => {
  const reply = new ReplyWriter();
  for (let n = 0; n < 12_000; n++) reply.integer(n);
  let want = "";
  for (let n = 0; n < 12_000; n++) want += `:${n}\r\n`;
  assert.equal(reply.buffer.toString("latin1", 0, reply.position), want);
});
