// Nanoseconds a reply for the reply writer. Run with `node bench/micro/run.mjs writer`.

import { ReplyWriter } from "../../src/resp/reply-writer.ts";
import { rounds, show } from "./measure.ts";

const REPLIES = 4_000_000;
const ROUNDS = 5;

const values = Buffer.alloc(4096, "v");
const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
const reply = new ReplyWriter();
reply.buffer = buffer;

const kinds: readonly (readonly [string, (n: number) => void])[] = [
  ["ok", () => reply.ok()],
  ["nil", () => reply.nil()],
  ["integer, one digit", (n) => reply.integer(n & 7)],
  ["integer, nine digits", (n) => reply.integer(123_000_000 + n)],
  ["bulk of 3", (n) => reply.bulk(values, n & 63, (n & 63) + 3)],
  ["bulk of 32", (n) => reply.bulk(values, n & 63, (n & 63) + 32)],
  ["bulk of 64", (n) => reply.bulk(values, n & 63, (n & 63) + 64)],
  ["bulk of 80", (n) => reply.bulk(values, n & 63, (n & 63) + 80)],
  ["bulk of 96", (n) => reply.bulk(values, n & 63, (n & 63) + 96)],
  ["bulk of 127", (n) => reply.bulk(values, n & 63, (n & 63) + 127)],
  ["bulk of 128", (n) => reply.bulk(values, n & 63, (n & 63) + 128)],
  ["bulk of 1000", (n) => reply.bulk(values, n & 63, (n & 63) + 1000)],
  ["double, whole", (n) => reply.double(n)],
  ["double, 1.1", (n) => reply.double(n + 0.1)],
];

for (const [name, write] of kinds) {
  const count = name.startsWith("double, 1") || name.endsWith("1000") ? REPLIES / 10 : REPLIES;
  const run = (): void => {
    for (let n = 0; n < count; n++) {
      if (reply.position > 1_000_000) reply.position = 0;
      write(n);
    }
  };
  show(name, rounds(ROUNDS, count, run));
}
