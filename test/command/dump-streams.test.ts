// DUMP and RESTORE of streams: forms of other versions, payloads that lie, and payloads that were changed anywhere.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { payloadOf } from "../differential/payload.ts";
import { fc } from "../property.ts";

const FORM_LISTPACKS = 15;
const FORM_LISTPACKS_2 = 19;
const FORM_LISTPACKS_3 = 21;

const executor = (): MemoryExecutor => new MemoryExecutor();
const text = (of: MemoryExecutor, ...command: (string | Buffer)[]): string =>
  of.runOne(command).toString("latin1");

/** The payload without its version and checksum. */
function bodyOf(of: MemoryExecutor, key: string): string {
  const reply = text(of, "DUMP", key);
  return reply.slice(reply.indexOf("\r\n") + 2, -2 - 10);
}
const restore = (of: MemoryExecutor, body: string): string =>
  text(of, "RESTORE", "to", "0", Buffer.from(payloadOf(body), "latin1"), "REPLACE");

/** Two entries, one deleted; a group whose consumer "c" has 1-1 pending. */
function example(): MemoryExecutor {
  const of = executor();
  for (const id of ["1-1", "2-1", "3-1"]) text(of, "XADD", "k", id, "f", "v");
  text(of, "XDEL", "k", "2-1");
  text(of, "XGROUP", "CREATE", "k", "g", "0");
  text(of, "XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "k", ">");
  return of;
}

// A node: its key, and the listpack.
const nodesOf = (body: string): string => {
  const listpackBytes = body.charCodeAt(19);
  return body.slice(1, 20 + listpackBytes);
};
const id = (ms: number, seq: number): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(ms, 4);
  bytes.writeUInt32BE(seq, 12);
  return bytes.toString("latin1");
};
const TIME = "\x01\x02\x03\x04\x05\x00\x00\x00";

const head = "\x02\x03\x01"; // length, last id
const edges = "\x01\x01\x02\x01\x03"; // first id, largest deleted id, entries added
const pending = `\x01${id(1, 1)}${TIME}\x05`;
const own = `\x01${id(1, 1)}`;

test("forms of other versions", () => {
  const of = example();
  const nodes = nodesOf(bodyOf(of, "k"));
  const old = `${String.fromCharCode(FORM_LISTPACKS)}${nodes}${head}\x01\x01g\x01\x01${pending}\x01\x01c${TIME}${own}`;
  assert.equal(restore(of, old), "+OK\r\n");
  const asOld = text(of, "XINFO", "STREAM", "to", "FULL");
  assert.match(asOld, /entries-added\r\n:2\r\n.*recorded-first-entry-id\r\n\$3\r\n1-1/s);
  assert.match(asOld, /max-deleted-entry-id\r\n\$3\r\n0-0/);
  assert.match(asOld, /entries-read\r\n:1\r\n/);
  const third = `${String.fromCharCode(FORM_LISTPACKS_3)}${nodes}${head}${edges}\x01\x01g\x01\x01\x01${pending}\x01\x01c${TIME}${"\xff".repeat(8)}${own}`;
  assert.equal(restore(of, third), "+OK\r\n");
  const asThird = text(of, "XINFO", "STREAM", "to", "FULL");
  assert.match(asThird, /seen-time\r\n:21542142465\r\n\$11\r\nactive-time\r\n:-1\r\n/);
  assert.match(asThird, /max-deleted-entry-id\r\n\$3\r\n2-1/);
  assert.match(text(of, "XPENDING", "to", "g", "-", "+", "5"), /:5\r\n$/);
});

test("payloads that lie are refused", () => {
  const of = example();
  const nodes = nodesOf(bodyOf(of, "k"));
  const make = (change: {
    nodes?: string;
    head?: string;
    pending?: string;
    consumers?: string;
    groups?: string;
  }): string =>
    String.fromCharCode(FORM_LISTPACKS_2) +
    (change.nodes ?? nodes) +
    (change.head ?? head) +
    edges +
    (change.groups ??
      `\x01\x01g\x01\x01\x01${change.pending ?? pending}${change.consumers ?? `\x01\x01c${TIME}${own}`}`);
  assert.equal(restore(of, make({})), "+OK\r\n");
  const lies: Parameters<typeof make>[0][] = [
    { nodes: "\x00" }, // a length, and no entries
    { nodes: `\x02${nodes.slice(1)}${nodes.slice(1)}`, head: "\x04\x03\x01" }, // one node twice
    { nodes: nodes.replace("\x02\x01\x01\x01", "\x03\x01\x00\x01") }, // more alive than there are
    { head: "\x03\x03\x01" },
    { pending: `\x02${id(1, 1)}${TIME}\x05${id(3, 1)}${TIME}\x05` }, // pending with nobody
    { pending: `\x02${id(1, 1)}${TIME}\x05${id(1, 1)}${TIME}\x05` }, // twice
    { pending: "\x00" }, // only with a consumer
    { consumers: `\x02\x01c${TIME}${own}\x01d${TIME}${own}` }, // with two
    { consumers: `\x02\x01c${TIME}${own}\x01c${TIME}\x00` }, // two of one name
    { groups: "\x02\x01g\x01\x01\x01\x00\x00\x01g\x01\x01\x01\x00\x00" },
  ];
  for (const lie of lies)
    assert.equal(restore(of, make(lie)), "-ERR Bad data format\r\n", JSON.stringify(lie));
});

const reads: readonly string[][] = [
  ["XINFO", "STREAM", "to", "FULL", "COUNT", "0"],
  ["XRANGE", "to", "-", "+"],
  ["XREVRANGE", "to", "+", "-"],
  ["XADD", "to", "99999999-1", "f", "v"],
  ["XDEL", "to", "1-1", "3-1"],
  ["XGROUP", "DELCONSUMER", "to", "g", "c"],
  ["XTRIM", "to", "MINID", "2"],
  ["XTRIM", "to", "MAXLEN", "0"],
  ["DUMP", "to"],
];

test("whatever is changed in a payload: it is refused, or a stream that can be used", () => {
  const of = example();
  for (let i = 4; i < 40; i++) text(of, "XADD", "k", `${i}-1`, i % 7 === 0 ? "other" : "f", "v".repeat(i));
  text(of, "XREADGROUP", "GROUP", "g", "d", "COUNT", "20", "STREAMS", "k", ">");
  const body = Buffer.from(bodyOf(of, "k"), "latin1");
  let accepted = 0;
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 3 }), (seed, changes) => {
      const random = new Xoshiro(seed);
      const changed = Buffer.from(body);
      for (let i = 0; i < changes; i++) changed[1 + random.below(changed.length - 1)] = random.below(256);
      const to = executor();
      if (restore(to, changed.toString("latin1")) !== "+OK\r\n") return;
      accepted++;
      for (const command of reads) text(to, ...command);
    }),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 100, `${accepted} accepted`);
});
