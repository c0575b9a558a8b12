// Streams where redis-server 7.0 cannot say what is right, for it is not 7.2, and where chance seldom comes by: last ids that are
// set back, the largest numbers, what WATCH is told.

import assert from "node:assert/strict";
import { test } from "vitest";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import { MemoryExecutor } from "../differential/memory-executor.ts";
import { array, bulk, type Case, error, integer, NIL, NOW_MS, OK, testCases } from "./cases.ts";

const MAX = "18446744073709551615";
const NIL_ARRAY = "*-1\r\n";
const entry = (id: string, ...words: string[]): string => array(bulk(id), array(...words.map(bulk)));
const consumer = (name: string, pending: number, idle: number, inactive: number): string =>
  array(
    ...[bulk("name"), bulk(name), bulk("pending"), integer(pending)],
    ...[bulk("idle"), integer(idle), bulk("inactive"), integer(inactive)],
  );

const cases: readonly Case[] = [
  {
    name: "an id of its own: the time, then the next number",
    run: [
      "XADD s * f v",
      "XADD s * f v",
      `XADD s ${NOW_MS + 5}-7 f v`,
      "XADD s * f v",
      `XADD s ${NOW_MS + 5}-* f v`,
    ],
    want: [
      bulk(`${NOW_MS}-0`),
      bulk(`${NOW_MS}-1`),
      bulk(`${NOW_MS + 5}-7`),
      bulk(`${NOW_MS + 5}-8`),
      bulk(`${NOW_MS + 5}-9`),
    ],
  },
  {
    name: "the largest ids",
    run: [
      `XADD s 5-${MAX} f v`,
      "XADD s 5-* f v",
      "XADD s 6 f v",
      `XADD s ${MAX}-${MAX} f v`,
      "XADD s * f v",
      "XRANGE s (5-18446744073709551615 (18446744073709551615-18446744073709551615",
      `XRANGE s (${MAX}-${MAX} +`,
      "XREVRANGE s + - COUNT 1",
      `XREAD STREAMS s ${MAX}-${MAX}`,
    ],
    want: [
      bulk(`5-${MAX}`),
      error("ERR The ID specified in XADD is equal or smaller than the target stream top item"),
      bulk("6-0"),
      bulk(`${MAX}-${MAX}`),
      error("ERR The stream has exhausted the last possible ID, unable to add more items"),
      array(entry("6-0", "f", "v")),
      error("ERR invalid start ID for the interval"),
      array(entry(`${MAX}-${MAX}`, "f", "v")),
      NIL_ARRAY,
    ],
  },
  {
    name: "whoever names a consumer makes it, also for nothing",
    run: [
      "XGROUP CREATE s g $ MKSTREAM",
      "XREADGROUP GROUP g reader STREAMS s >",
      "XCLAIM s g claimer 0 1-1",
      "XAUTOCLAIM s g taker 0 0",
      "XINFO CONSUMERS s g",
    ],
    want: [
      OK,
      NIL_ARRAY,
      array(),
      array(bulk("0-0"), array(), array()),
      array(consumer("claimer", 0, 0, -1), consumer("reader", 0, 0, -1), consumer("taker", 0, 0, -1)),
    ],
  },
  {
    name: "a consumer is active when it is given something to acknowledge",
    run: [
      "XADD s 1-1 f v",
      "XADD s 2-1 f v",
      "XGROUP CREATE s g 0",
      "XREADGROUP GROUP g a COUNT 1 STREAMS s >",
      "XREADGROUP GROUP g b NOACK STREAMS s >",
      "XREADGROUP GROUP g c STREAMS s 0",
      "XCLAIM s g d 0 1-1 JUSTID",
      "XINFO CONSUMERS s g",
    ],
    want: [
      array(consumer("a", 0, 0, 0), consumer("b", 0, 0, -1), consumer("c", 0, 0, -1), consumer("d", 1, 0, 0)),
    ],
  },
  {
    name: "the last id does not go back below a deleted one",
    run: [
      "XADD s 1-1 f v",
      "XADD s 2-1 f v",
      "XDEL s 2-1",
      "XSETID s 1-5",
      "XSETID s 2-1 MAXDELETEDID 2-2",
      "XSETID s 2-1",
    ],
    want: [
      error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"),
      error("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"),
      OK,
    ],
  },
  {
    name: "counters of 64 bits go round",
    run: [
      "XADD s 1-1 f v",
      "XGROUP CREATE s g 0",
      "XSETID s 1-1 ENTRIESADDED 9223372036854775807",
      "XADD s 2-1 f v",
      "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
      "XCLAIM s g c 0 1-1 RETRYCOUNT 9223372036854775807 JUSTID",
      "XREADGROUP GROUP g c STREAMS s 0",
      "XPENDING s g - + 5",
    ],
    want: array(array(bulk("1-1"), bulk("c"), integer(0), integer("-9223372036854775808"))),
  },
  {
    name: "RESP3",
    protocol: 3,
    run: [
      "XADD s 1-1 f v",
      "XREAD STREAMS s 0",
      "XREAD STREAMS s 1-1",
      "XADD t NOMKSTREAM 1-1 f v",
      "XRANGE s - + COUNT 0",
    ],
    want: [`%1\r\n${bulk("s")}${array(entry("1-1", "f", "v"))}`, "_\r\n", "_\r\n", "_\r\n"],
  },
  {
    name: "keys without ids: the command's own name, and the special id that the command takes",
    run: ["XREAD STREAMS s", "XREADGROUP GROUP g c STREAMS s t >"],
    want: [
      error("ERR wrong number of arguments for 'xread' command"),
      error(
        "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
      ),
    ],
  },
  {
    name: "and for everybody",
    run: ["XREAD COUNT 1 STREAMS s t 0"],
    want: error(
      "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
    ),
  },
  {
    name: "no stream is made where none is wanted",
    run: ["XADD s NOMKSTREAM * f v", "EXISTS s"],
    want: [NIL, integer(0)],
  },
];

testCases(cases);

/** Deletes and sets back, so that later entries come behind deleted ones with larger ids. */
const SET_BACK = [
  "XADD s 50-1 f v",
  "XADD s 60-1 f v",
  "XDEL s 60-1",
  "XSETID s 60-1 MAXDELETEDID 1-1",
  "XTRIM s MINID 55",
  "XSETID s 20-1",
];

for (const more of [
  ["XADD s 30-1 f v", "XADD s 40-1 f w"],
  ["XADD s 50-1 f v", "XADD s 60-1 f w"],
  ...[1, 2].map((n) => Array.from({ length: 300 }, (_, i) => `XADD s ${n * 30 + i}-1 f v`)),
]) {
  test(`entries behind deleted ones with larger ids, from ${more[0]} on: as long as a replica and its twin`, () => {
    const ours = new MemoryExecutor();
    const run = (of: MemoryExecutor, command: string): string => of.runOne(command.split(" ")).toString();
    for (const command of SET_BACK) assert.doesNotMatch(run(ours, command), /^-/, command);
    assert.equal(run(ours, "XLEN s"), integer(0));
    run(ours, "XRANGE s 50 +"); // a walk that one replica has made and another has not
    for (const command of more) {
      assert.doesNotMatch(run(ours, command), /^-/, command);
      const { store } = ours;
      const reader = store.beginSnapshot();
      const loader = new SnapshotLoader();
      for (let chunk = reader.next(65_536); chunk !== undefined; chunk = reader.next(65_536))
        assert.equal(loader.accept(chunk), undefined);
      const loaded = loader.finish();
      assert.ok(loaded.ok);
      assert.equal(loaded.store.digest(), store.digest());
      const twin = new MemoryExecutor({ store: loaded.store });
      for (const read of ["XRANGE s - +", "XRANGE s 45 +", "XREVRANGE s + -", "XINFO STREAM s", "DUMP s"])
        assert.equal(run(twin, read), run(ours, read), read);
      assert.equal(run(ours, "XLEN s"), integer(more.indexOf(command) + 1));
    }
  });
}
