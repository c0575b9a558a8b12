// ns of processor time a command for a follower that applies entries of 800 commands each, as 50 clients with 16 make them in a turn.
// Run: node bench/micro/run.mjs apply; KEYS=n for another number than 100,000.

import { Xoshiro } from "../../src/base/prng.ts";
import { Machine } from "../../src/machine/machine.ts";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { Store } from "../../src/store/store.ts";
import { ENTRY_HEADER_BYTES, writeEntryHeader } from "../../src/wire/entry-codec.ts";
import { rounds, show } from "./measure.ts";

const KEYS = Number(process.env["KEYS"] ?? 100_000);
const COMMANDS = 800;
const ENTRIES = 250;
const ROUNDS = 5;
const VALUE = "v".repeat(32);
const random = new Xoshiro(1);

const commands: Readonly<Record<string, (key: string) => readonly string[]>> = {
  SET: (key) => ["SET", `key:${key}`, VALUE],
  "SET EX": (key) => ["SET", `key:${key}`, VALUE, "EX", "1000"],
  INCR: (key) => ["INCR", `count:${key}`],
  DEL: (key) => ["DEL", `key:${key}`],
  "LPUSH, RPOP": (key) => (Number(key) % 2 === 0 ? ["LPUSH", "list", VALUE] : ["RPOP", "list"]),
  SADD: (key) => ["SADD", "set", key],
  HSET: (key) => ["HSET", "hash", key, VALUE],
  ZADD: (key) => ["ZADD", "zset", key, key],
  XADD: () => ["XADD", "stream", "MAXLEN", "~", "1000", "*", "field", VALUE],
};

function entryOf(words: (key: string) => readonly string[]): Buffer {
  const key = (): string => String(random.below(KEYS)).padStart(12, "0");
  const bytes = Buffer.concat(Array.from({ length: COMMANDS }, () => encodeCommand(words(key()))));
  const payload = Buffer.concat([Buffer.alloc(ENTRY_HEADER_BYTES), bytes]);
  writeEntryHeader(payload, 0, 1_700_000_000_000, 42, bytes.length, 0, 0);
  return payload;
}

for (const [name, words] of Object.entries(commands)) {
  const machine = new Machine(new Store({ databases: 16, hashSeed: [1, 2] }));
  const entries = Array.from({ length: ENTRIES }, () => entryOf(words));
  const run = (): void => {
    for (const payload of entries) machine.apply(payload, machine.appliedIndex + 1, 1);
  };
  run();
  show(name, rounds(ROUNDS, ENTRIES * COMMANDS, run));
}
