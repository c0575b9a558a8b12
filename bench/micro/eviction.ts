// Processor time of a node's turns while it evicts, on one node without sockets: a full cache that is written to with and without
// maxmemory, and a maxmemory that is set far below what is held. Not of a clock, so others on the machine do not matter.
// Run: node bench/micro/run.mjs eviction; KEYS=n for another number than 400,000.

import { encodeCommand } from "../../src/resp/encode-command.ts";
import { type Client, type Host, World } from "../../test/node/world.ts";
import { nsEach } from "./measure.ts";

const KEYS = Number(process.env["KEYS"] ?? 400_000);
const BATCH = 200;
const VALUE = "x".repeat(100);
const ROUNDS = KEYS / BATCH;

const usedBy = (host: Host): number => host.node.replica.machine.store.logicalBytes;
const evictedBy = (host: Host): number => host.node.replica.machine.counters.keysEvicted;

function write(world: World, client: Client, from: number): void {
  const commands = Array.from({ length: BATCH }, (_, i) => encodeCommand(["SET", `key:${from + i}`, VALUE]));
  client.sendRaw(Buffer.concat(commands));
  world.step();
  client.take();
}

/** Processor time of each of the node's turns while `work` is done, in ms. */
function turnsOf({ node }: Host, work: () => void): number[] {
  const turns: number[] = [];
  const { turn } = node;
  node.turn = (...at) => {
    turns.push(nsEach(1, () => turn.apply(node, at)) / 1e6);
  };
  work();
  node.turn = turn;
  return turns.sort((a, b) => a - b);
}

function report(what: string, turns: readonly number[], keys: number): void {
  const sum = turns.reduce((a, b) => a + b, 0);
  const at = (part: number): string => turns[Math.floor(part * (turns.length - 1))]!.toFixed(2);
  console.log(
    `${what.padEnd(28)} ${keys} keys evicted in ${turns.length} turns: p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms; ` +
      `${keys > 0 ? `${((1000 * sum) / keys).toFixed(2)} us a key, all counted` : `${sum.toFixed(0)} ms in all`}`,
  );
}

for (const policy of ["allkeys-lru", "allkeys-lfu", "allkeys-random"]) {
  const world = new World(1);
  world.start(1, { "maxmemory-policy": policy });
  world.until("a leader", () => world.leader() !== undefined);
  const host = world.leader()!;
  const client = host.connect();
  let written = 0;
  const fill = (): void => {
    for (let i = 0; i < ROUNDS; i++, written += BATCH) write(world, client, written);
  };
  fill();
  const evicting = (what: string, work: () => void): void => {
    const before = evictedBy(host);
    const turns = turnsOf(host, work);
    report(`${policy}, ${what}`, turns, evictedBy(host) - before);
  };
  evicting("no limit", fill);
  client.call("CONFIG", "SET", "maxmemory", String(usedBy(host)));
  evicting("at the limit", fill);
  evicting("limit set to a tenth", () => {
    client.call("CONFIG", "SET", "maxmemory", String(Math.floor(usedBy(host) / 10)));
    world.settle();
  });
}
