// Nanoseconds a command for the request parser, beside redis-parser, on pipelined SETs in chunks of 16.
// Run with `node bench/micro/run.mjs parser`.

import RedisParser from "redis-parser";
import { COMMAND, RequestParser, redisLimits } from "../../src/resp/request-parser.ts";

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

function nanosecondsOf(run: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage().user; // CPU time: other processes' turns do not count
    run();
    best = Math.min(best, ((process.cpuUsage().user - before) * 1000) / COMMANDS);
  }
  return best;
}

console.log(`request-parser ${nanosecondsOf(ours).toFixed(1)} ns/command`);
console.log(`redis-parser   ${nanosecondsOf(theirs).toFixed(1)} ns/command`);
