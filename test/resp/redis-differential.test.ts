// The parser beside a real Redis 7.0, byte for byte: the table, and random streams with damage in them.
//
//   SEED=n   the streams      RUNS=n   how many

import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { encodeCommand, redisLimits } from "../../src/resp/request-parser.ts";
import { drawsOf } from "../chance.ts";
import { type Case, cases, longCases } from "./cases.ts";
import { drive } from "./drive.ts";
import { isRedis70, RedisServer, redisVersion } from "./redis-server.ts";

const BULK_MAX = 1024 * 1024;
const limits = { ...redisLimits, bulkBytesMax: BULK_MAX, argumentsMax: 0x7fff_ffff };

for (const { seed, count: streamCount, text } of drawsOf("requests beside Redis"))
  describe.skipIf(!isRedis70)(
    `beside redis-server (7.0 wanted, ${redisVersion ?? "none"} found): ${text}`,
    () => {
      let server: RedisServer;
      beforeAll(async () => {
        server = await RedisServer.start("--proto-max-bulk-len", String(BULK_MAX));
      });
      afterAll(() => server.stop());

      test("the table", async () => {
        for (const row of [...cases, ...longCases]) {
          if (row.unauthenticated !== true) await compare(Buffer.from(row.wire, "latin1"), row.name);
        }
      });

      test("random streams with damage", async () => {
        const random = new Xoshiro(seed);
        let refused = 0;
        for (let n = 0; n < streamCount; n += 50) {
          const streams = Array.from({ length: 50 }, () => damagedStream(random));
          const outcomes = await Promise.all(streams.map((stream, i) => compare(stream, `stream ${n + i}`)));
          refused += outcomes.filter((error) => error !== "").length;
        }
        assert.ok(
          refused > streamCount / 10 && refused < (streamCount * 9) / 10,
          `${refused} of ${streamCount} refused: bad mix`,
        );
      });

      test("the table for clients that are not authenticated", async () => {
        await server.ask([["CONFIG", "SET", "requirepass", "secret"]]);
        const rows: readonly Case[] = [...cases, ...longCases].filter((row) => row.refused !== undefined);
        for (const row of rows) {
          const wire = Buffer.from(row.wire, "latin1");
          const ours = drive([wire], { limits, authenticated: false });
          const theirs = (await server.exchange(wire)).toString("latin1");
          assert.equal(theirs.slice(theirs.lastIndexOf("-")), `-${ours.error}\r\n`, row.name);
        }
        assert.equal(
          (
            await server.ask([
              ["AUTH", "secret"],
              ["CONFIG", "SET", "requirepass", ""],
            ])
          ).length,
          2,
        );
      });

      /** Both must answer the same, as far as we can say what Redis answers; returns our refusal. */
      async function compare(wire: Buffer, name: string): Promise<string> {
        const { commands, error } = drive([wire], { limits });
        const theirs = (await server.exchange(wire)).toString("latin1");
        let ours = "";
        for (const parts of commands) {
          const answer = answerOf(parts);
          if (answer === undefined) {
            assert.equal(
              theirs.slice(0, ours.length),
              ours,
              `${name}: ${JSON.stringify(wire.toString("latin1"))}`,
            );
            return error;
          }
          ours += answer;
        }
        if (error !== "") ours += `-${error}\r\n`;
        assert.equal(theirs, ours, `${name}: ${JSON.stringify(wire.toString("latin1"))}`);
        return error;
      }
    },
  );

/** What Redis says to PING, to ECHO and to a name it does not know; undefined for all else. */
function answerOf(parts: readonly string[]): string | undefined {
  const name = parts[0]!.toLowerCase();
  if (name === "echo" && parts.length === 2) return `$${parts[1]!.length}\r\n${parts[1]}\r\n`;
  if (name === "ping" && parts.length === 1) return "+PONG\r\n";
  return undefined;
}

const ALPHABET = `\r\n\t \x0b"'\\x4fgn*$0123456789-+\xff`;

function damagedStream(random: Xoshiro): Buffer {
  const parts: Buffer[] = [];
  const count = 1 + random.below(4);
  for (let i = 0; i < count; i++) parts.push(random.below(3) === 0 ? inlineOf(random) : multibulkOf(random));
  const stream = Buffer.concat(parts);
  // A third stays whole; the rest gets up to three bytes changed, dropped or doubled.
  let damaged = stream;
  for (let hits = random.below(3) === 0 ? 0 : 1 + random.below(3); hits > 0 && damaged.length > 0; hits--) {
    const at = random.below(damaged.length);
    const byte = Buffer.from([ALPHABET.charCodeAt(random.below(ALPHABET.length))]);
    const kind = random.below(3);
    damaged = Buffer.concat([
      damaged.subarray(0, at),
      kind === 0 ? byte : kind === 1 ? Buffer.alloc(0) : Buffer.concat([byte, damaged.subarray(at, at + 1)]),
      damaged.subarray(at + 1),
    ]);
  }
  return damaged;
}

function multibulkOf(random: Xoshiro): Buffer {
  const kind = random.below(8);
  if (kind === 0) return Buffer.from("*0\r\n");
  if (kind === 1) return encodeCommand(["PING"]);
  const size = [0, 1, 5, 9, 10, 99, 100, 2000][random.below(8)]!;
  return encodeCommand(["ECHO", Buffer.alloc(size, 0).map(() => random.below(256))]);
}

function inlineOf(random: Xoshiro): Buffer {
  let text = "";
  for (let i = random.below(12); i > 0; i--) text += ALPHABET[random.below(ALPHABET.length)]!;
  const quote = [`"`, "'", ""][random.below(3)]!;
  return Buffer.from(`ECHO ${quote}${text.replaceAll("\n", "")}${quote}\r\n`, "latin1");
}
