// What clients send and get around XREAD and XREADGROUP with BLOCK: rows for blocking.test.ts, as blocking-cases.ts has them.

import type { Case, Step } from "./blocking-cases.ts";

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const error = (text: string): string => `-${text}\r\n`;
const OK = "+OK\r\n";
const NIL_ARRAY = "*-1\r\n";
const NO_GROUP = error("NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option");
const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");

/** One stream's part of a reply: entries with a field f and the value v. */
const entries = (...ids: string[]): string =>
  `*${ids.length}\r\n${ids.map((id) => `*2\r\n${bulk(id)}*2\r\n${bulk("f")}${bulk("v")}`).join("")}`;
const read = (...streams: (readonly [key: string, ...ids: string[]])[]): string =>
  `*${streams.length}\r\n${streams.map(([key, ...ids]) => `*2\r\n${bulk(key)}${entries(...ids)}`).join("")}`;

const a = (send: string, want = ""): Step => ({ client: "a", send, want });
const b = (send: string, want = ""): Step => ({ client: "b", send, want });
const c = (send: string, want = ""): Step => ({ client: "c", send, want });
const d = (send: string, want = ""): Step => ({ client: "d", send, want });

const add = (key: string, id: string): Step => d(`XADD ${key} ${id} f v`, bulk(id));

export const streamCases: readonly Case[] = [
  {
    name: "streams: what is there is read at once, what is not is waited for",
    run: [
      add("s", "1-1"),
      a("XREAD BLOCK 0 STREAMS s 0", read(["s", "1-1"])),
      a("XREAD BLOCK 0 STREAMS s 1-1"),
      b("XREAD BLOCK 0 COUNT 1 STREAMS t s 0 $"),
      add("s", "2-1"),
      a("", read(["s", "2-1"])),
      b("", read(["s", "2-1"])),
      a("XREAD BLOCK 20 STREAMS s t $ $", NIL_ARRAY),
    ],
  },
  {
    name: "streams: $ is what it was when the command came",
    run: [
      add("s", "1-1"),
      a("XREAD BLOCK 0 STREAMS s u $ $"),
      d("XTRIM s MAXLEN 0 | XSETID s 7-7 | XGROUP CREATE s g 0", `:1\r\n${OK}${OK}`),
      a(""),
      d(
        "MULTI | XADD s 8-1 f v | XADD s 8-2 f v | XADD u 1-1 f v | EXEC",
        `${OK}${"+QUEUED\r\n".repeat(3)}*3\r\n${bulk("8-1")}${bulk("8-2")}${bulk("1-1")}`,
      ),
      a("", read(["s", "8-1", "8-2"], ["u", "1-1"])),
    ],
  },
  {
    name: "streams: consumers of one group are served in the order in which they came",
    run: [
      d("XGROUP CREATE s g $ MKSTREAM", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      b("XREADGROUP GROUP g two BLOCK 0 NOACK STREAMS s >"),
      c("XREADGROUP GROUP g three BLOCK 0 STREAMS s >"),
      add("s", "1-1"),
      a("", read(["s", "1-1"])),
      add("s", "2-1"),
      b("", read(["s", "2-1"])),
      c("XPENDING s g", ""),
      add("s", "3-1"),
      c(
        "",
        `${read(["s", "3-1"])}*4\r\n:2\r\n${bulk("1-1")}${bulk("3-1")}*2\r\n*2\r\n${bulk("one")}${bulk("1")}*2\r\n${bulk("three")}${bulk("1")}`,
      ),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s 0", read(["s", "1-1"])),
      a("XREADGROUP GROUP g two BLOCK 0 STREAMS s 0", read(["s"])),
      a("XREADGROUP GROUP g one BLOCK 20 STREAMS s >", NIL_ARRAY),
    ],
  },
  {
    name: "streams: other ways in which a group goes",
    run: [
      d("XGROUP CREATE s g $ MKSTREAM", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("RENAME s t", OK),
      a("", NO_GROUP),
      d("XGROUP CREATE s g $ MKSTREAM", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("SET u x | COPY u s REPLACE", `${OK}:1\r\n`),
      a("", WRONG_TYPE),
      d("DEL s | XGROUP CREATE s g $ MKSTREAM", `:1\r\n${OK}`),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("MOVE s 7", ":1\r\n"),
      a("", NO_GROUP),
      d("XGROUP CREATE s g $ MKSTREAM | XGROUP CREATE v g $ MKSTREAM", OK.repeat(2)),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS v s > >"),
      d("SWAPDB 0 11", OK),
      a("", error("NOGROUP No such key 'v' or consumer group 'g' in XREADGROUP with GROUP option")),
      d("XGROUP CREATE s g $ MKSTREAM", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d(
        "MULTI | XGROUP DESTROY s g | XGROUP CREATE s g $ | EXEC",
        `${OK}+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n${OK}`,
      ),
      add("s", "7-1"),
      a("", read(["s", "7-1"])),
    ],
  },
  {
    name: "streams: a group that goes, a key that goes or becomes another",
    run: [
      d("XGROUP CREATE s g $ MKSTREAM", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      b("XREAD BLOCK 0 STREAMS s $"),
      d("XGROUP DESTROY s nosuch | XGROUP DESTROY s g", ":0\r\n:1\r\n"),
      a("", NO_GROUP),
      d("XGROUP CREATE s g $", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("DEL s", ":1\r\n"),
      a("", NO_GROUP),
      d("XGROUP CREATE s g $ MKSTREAM", OK),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("SET s x", OK),
      a("", WRONG_TYPE),
      d("DEL s | XGROUP CREATE s g $ MKSTREAM", `:1\r\n${OK}`),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("SELECT 5 | SET s x | SELECT 0 | SWAPDB 0 5", OK.repeat(4)),
      a("", WRONG_TYPE),
      d("FLUSHALL | XGROUP CREATE s g $ MKSTREAM", OK.repeat(2)),
      a("XREADGROUP GROUP g one BLOCK 0 STREAMS s >"),
      d("FLUSHALL", OK),
      a("", NO_GROUP),
      add("s", "1-1"),
      b("", read(["s", "1-1"])),
    ],
  },
  {
    name: "streams: whatever brings a stream",
    run: [
      add("src", "5-1"),
      a("XREAD BLOCK 0 STREAMS k 0"),
      b("XREAD BLOCK 0 STREAMS k $"),
      d("COPY src k", ":1\r\n"),
      a("", read(["k", "5-1"])),
      b("", read(["k", "5-1"])),
      a("XREAD BLOCK 0 STREAMS l 0"),
      d("RENAME src l", OK),
      a("", read(["l", "5-1"])),
    ],
  },
  {
    name: "streams: in a transaction they do not wait; what is no timeout",
    run: [
      a(
        "MULTI | XREAD BLOCK 0 STREAMS s $ | XADD s 1-1 f v | XREAD BLOCK 0 STREAMS s 0 | EXEC",
        `${OK}${"+QUEUED\r\n".repeat(3)}*3\r\n${NIL_ARRAY}${bulk("1-1")}${read(["s", "1-1"])}`,
      ),
      a("XREAD BLOCK x STREAMS s $", error("ERR timeout is not an integer or out of range")),
      a("XREAD BLOCK 1.5 STREAMS s $", error("ERR timeout is not an integer or out of range")),
      a("XREAD BLOCK -1 STREAMS s $", error("ERR timeout is negative")),
      a("XREAD BLOCK 9223372036854775807 STREAMS s $", error("ERR timeout is out of range")),
      a("XREAD BLOCK 0 STREAMS s $"),
      add("s", "2-1"),
      a("", read(["s", "2-1"])),
    ],
  },
];
