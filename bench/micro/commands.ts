// ns of processor time per command on a whole node without sockets: 50 clients that send 16 commands each, a turn, their replies, as
// redis-benchmark -c 50 -P 16 does. All that a node does itself, and nothing of the kernel's, which is half of what a socket costs.
// Run: node bench/micro/run.mjs commands; TESTS=rpush,sadd for some, ROUNDS=n for other than 5, COMMANDS=n a round for other than 800,000.

import { Xoshiro } from "../../src/base/prng.ts";
import { SizeClassPool } from "../../src/io/buffer-pool.ts";
import type { ClientConnection } from "../../src/node/ports.ts";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { World } from "../../test/node/world.ts";
import { nsEach } from "./measure.ts";

const CLIENTS = 50;
const PIPELINE = 16;
const TURN_COMMANDS = CLIENTS * PIPELINE;
const TURNS = Math.ceil(Number(process.env["COMMANDS"] ?? 800_000) / TURN_COMMANDS);
const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const KEYS = Number(process.env["KEYS"] ?? 100_000);
const VALUE = "x".repeat(32);
/** "%" is a number below KEYS in twelve digits. `before`: what the test needs in the store before each round. */
const TESTS: Readonly<Record<string, { readonly command: readonly string[]; readonly before?: string }>> = {
  set: { command: ["SET", "key:%", VALUE] },
  get: { command: ["GET", "key:%"] },
  incr: { command: ["INCR", "counter:%"] },
  lpush: { command: ["LPUSH", "mylist", VALUE] },
  rpush: { command: ["RPUSH", "mylist", VALUE] },
  lpop: { command: ["LPOP", "mylist"], before: "lpush" },
  rpop: { command: ["RPOP", "mylist"], before: "lpush" },
  sadd: { command: ["SADD", "myset", "element:%"] },
  hset: { command: ["HSET", "myhash", "element:%", VALUE] },
  spop: { command: ["SPOP", "myset"], before: "sadd" },
  zadd: { command: ["ZADD", "myzset", "%", "element:%"] },
  zpopmin: { command: ["ZPOPMIN", "myzset"], before: "zadd" },
  mset: { command: ["MSET", ...Array.from({ length: 10 }, () => ["key:%", VALUE]).flat()] },
  mget: { command: ["MGET", ...Array.from({ length: 10 }, () => "key:%")] },
};

const world = new World(1);
world.start(1);
world.until("a leader", () => world.leader() !== undefined);
const { node } = world.leader()!;
Object.assign(node.ports.buffers, bound(new SizeClassPool()));
const random = new Xoshiro(1);
/** Of all clients, as in io/client-connection. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);
let repliedBytes = 0;

function bound(from: SizeClassPool): { acquire(bytes?: number): Buffer; release(buffer: Buffer): void } {
  return { acquire: (bytes) => from.acquire(bytes), release: (buffer) => from.release(buffer) };
}

const clients = Array.from({ length: CLIENTS }, (_, i) => {
  const connection: ClientConnection = {
    id: 1_000_000 + i,
    fileDescriptor: -1,
    address: "127.0.0.1:1",
    localAddress: "127.0.0.1:2",
    isLoopback: true,
    pendingBytes: 0,
    write(_buffer, length) {
      repliedBytes += length;
      return true;
    },
    pauseReading() {},
    resumeReading() {},
    end() {},
    destroy() {},
  };
  return node.clientConnected(connection);
});

/** PIPELINE commands and where their numbers end. */
function requestOf(words: readonly string[]): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  const zeros = "0".repeat(12);
  const one = encodeCommand(words.map((word) => word.replace("%", zeros)));
  const bytes = Buffer.concat(Array.from({ length: PIPELINE }, () => one));
  const ends: number[] = [];
  if (!words.some((word) => word.includes("%"))) return { bytes, ends };
  for (let at = bytes.indexOf(zeros); at >= 0; at = bytes.indexOf(zeros, at + 12)) ends.push(at + 12);
  return { bytes, ends };
}

const requests = Object.fromEntries(
  Object.entries(TESTS).map(([name, { command }]) => [name, requestOf(command)]),
);

/** One turn. Making the requests is in its time. */
function turn(name: string): void {
  const { bytes, ends } = requests[name]!;
  for (const client of clients) {
    for (const end of ends) {
      let rest = random.below(KEYS);
      for (let at = end - 1, i = 0; i < 6; i++, at--) {
        bytes[at] = 48 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
    bytes.copy(readBuffer);
    client.receive(readBuffer, 0, bytes.length);
  }
  node.turn(world.nowMs, world.wallMs, 0);
}

function round(name: string): number {
  return nsEach(TURNS * TURN_COMMANDS, () => {
    for (let i = 0; i < TURNS; i++) {
      turn(name);
      world.nowMs += 1;
      world.wallMs += 1;
      if (i % 10 === 9) node.turn(world.nowMs, world.wallMs, 1);
    }
  });
}

const chosen = process.env["TESTS"]?.split(",") ?? Object.keys(TESTS);
for (const name of chosen) {
  const of = (): number => {
    const { before } = TESTS[name]!;
    if (before !== undefined) for (let i = 0; i < TURNS; i++) turn(before);
    return round(name);
  };
  of();
  const figures = Array.from({ length: ROUNDS }, of).sort((a, b) => a - b);
  const middle = figures[Math.floor(figures.length / 2)]!;
  console.log(
    `${name.padEnd(8)} ${middle.toFixed(0).padStart(5)} ns (${figures[0]!.toFixed(0)}-${figures.at(-1)!.toFixed(0)})`,
  );
}
if (repliedBytes === 0) throw new Error("nobody was answered");
