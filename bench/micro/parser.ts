// Nanoseconds a command for the request parser, beside redis-parser, on pipelined SETs in chunks of 16; and for finding a command's row.
// Run with `node bench/micro/run.mjs parser`.

import RedisParser from "redis-parser";
import { Args } from "../../src/base/args.ts";
import { lookup } from "../../src/command/lookup.ts";
import { COMMAND, RequestParser, redisLimits } from "../../src/resp/request-parser.ts";
import { rounds, show } from "./measure.ts";

const COMMANDS_PER_CHUNK = 16;
const COMMANDS = 3_200_000;
const ROUNDS = 5;

const command = `*3\r\n$3\r\nSET\r\n$16\r\nkey:000000012345\r\n$32\r\n${"v".repeat(32)}\r\n`;
const chunk = Buffer.from(command.repeat(COMMANDS_PER_CHUNK));

function ours(): number {
  const parser = new RequestParser(redisLimits);
  let sum = 0;
  for (let n = 0; n < COMMANDS; n += COMMANDS_PER_CHUNK) {
    let from = 0;
    while (parser.next(chunk, from, chunk.length) === COMMAND) {
      const offsets = parser.offsets;
      for (let i = 0; i < 2 * parser.argumentCount; i++) sum += offsets[i]!;
      from = parser.position;
    }
  }
  return sum;
}

function theirs(): number {
  let sum = 0;
  const parser = new RedisParser({
    returnReply: (reply) => {
      sum += Array.isArray(reply) ? reply.length : 0;
    },
    returnError: (error: Error) => {
      throw error;
    },
    returnBuffers: true,
  });
  for (let n = 0; n < COMMANDS; n += COMMANDS_PER_CHUNK) parser.execute(chunk);
  return sum;
}

for (const [name, run] of [
  ["request-parser", ours],
  ["redis-parser", theirs],
] as const)
  show(name, rounds(ROUNDS, COMMANDS, run));

const found = ["SET", "get", "ZRANGEBYSCORE", "nothing"].map((name) => Args.of(name));
const lookups = (): void => {
  for (let n = 0; n < COMMANDS; n++) lookup(found[n & 3]!);
};
show("lookup", rounds(ROUNDS, COMMANDS, lookups));
