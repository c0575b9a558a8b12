// What the load generator says and understands on a connection: RESP with checked replies, and as much of etcd's messages as it reads.

import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "vitest";
import { lengthOfValue } from "../../bench/open-loop/etcd-channel.ts";
import { RedisChannel } from "../../bench/open-loop/redis-channel.ts";
import { parseOptions } from "../../bench/options.ts";

const LARGE = 5000;

/** Sends three requests to a server that has read them all and then answers `reply`, a piece at a time; what came back. */
async function converse(valueBytes: number, reply: string, pieceBytes: number): Promise<[number, boolean][]> {
  const asked = [
    ...["*2", "$3", "GET", "$16", "key:000000000007"],
    ...["*3", "$3", "SET", "$16", "key:000000000042", `$${valueBytes}`, "x".repeat(valueBytes)],
    ...["*2", "$3", "GET", "$16", "key:123456789012", ""],
  ].join("\r\n");
  let heard = "";
  const server = createServer((socket) => {
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (heard.length < asked.length) return;
      for (let at = 0; at < reply.length; at += pieceBytes) socket.write(reply.slice(at, at + pieceBytes));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const replies: [number, boolean][] = [];
  let answered = (): void => {};
  const all = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const onReply = (atUs: number, isRight: boolean): void => {
    if (replies.push([atUs, isRight]) === 3) answered();
  };
  const channel = await RedisChannel.open((server.address() as AddressInfo).port, valueBytes, { onReply });
  channel.queue(7, false, 1);
  channel.queue(42, true, 2);
  channel.queue(123456789012, false, 3);
  assert.equal(channel.outstanding, 3);
  channel.flush();
  await all;
  assert.equal(channel.outstanding, 0);
  channel.close();
  server.close();
  assert.equal(heard, asked);
  return replies;
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

describe("RESP", () => {
  const cases = [
    {
      name: "all right",
      valueBytes: 3,
      reply: `${bulk("xxx")}+OK\r\n${bulk("xxx")}`,
      right: [true, true, true],
    },
    {
      name: "values that are written apart",
      valueBytes: LARGE,
      reply: `${bulk("x".repeat(LARGE))}+OK\r\n${bulk("x".repeat(LARGE))}`,
      right: [true, true, true],
    },
    {
      name: "a missing key",
      valueBytes: 3,
      reply: `$-1\r\n+OK\r\n${bulk("xxx")}`,
      right: [false, true, true],
    },
    {
      name: "an error",
      valueBytes: 3,
      reply: `${bulk("xxx")}-OOM no\r\n${bulk("x")}`,
      right: [true, false, false],
    },
  ];
  for (const { name, valueBytes, reply, right } of cases) {
    for (const pieceBytes of [1, 7, 100_000].filter((bytes) => bytes > 1 || reply.length < 100)) {
      test(`${name}, in pieces of ${pieceBytes}: replies in order with their requests' times`, async () => {
        const replies = await converse(valueBytes, reply, pieceBytes);
        assert.deepEqual(
          replies,
          right.map((isRight, i) => [i + 1, isRight]),
        );
      });
    }
  }
});

describe("etcd's RangeResponse", () => {
  const header = [0x0a, 2, 0x08, 1];
  const cases = [
    {
      name: "a value",
      message: [...header, 0x12, 9, 0x0a, 1, 0x6b, 0x10, 5, 0x2a, 2, 0x61, 0x62, 0x20, 1],
      want: 2,
    },
    { name: "a large one", message: [...header, 0x12, 0x85, 0x01, 0x2a, 0x82, 0x01], want: 130 },
    { name: "no such key", message: header, want: undefined },
    { name: "nothing", message: [], want: undefined },
  ];
  for (const { name, message, want } of cases) {
    test(name, () =>
      assert.equal(lengthOfValue(Buffer.from([0, 0, 0, 0, message.length, ...message])), want),
    );
  }
});

describe("options: which runs are kept in bench/results", () => {
  const cases = [
    { argv: [], results: "bench/results" },
    { argv: ["--only", "tail", "--rounds", "5"], results: "bench/results" },
    { argv: ["--quick"], results: undefined },
    { argv: ["--control"], results: undefined },
    { argv: ["--keys", "1000"], results: undefined },
    { argv: ["--rounds", "1"], results: undefined },
    { argv: ["--node-flag", "--cpu-prof"], results: undefined },
    { argv: ["--quick", "--results", "elsewhere"], results: "elsewhere" },
  ];
  for (const { argv, results } of cases) {
    test(argv.join(" ") || "none", () => assert.equal(parseOptions(argv).results, results));
  }
});
