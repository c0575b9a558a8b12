// npm run bench:big-values: values of 32 to 512 MiB through each of three nodes, three times each, and read back from all. Stored,
// equal byte by byte, nothing of unknown outcome, the same term; how long a PING waits meanwhile, and how much memory it takes.
// Words as arguments: other sizes in MiB.

import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { cpus, loadavg } from "node:os";
import { once } from "./client.ts";
import { type Child, residentBytes, runAndCleanUp, sleep, stop } from "./processes.ts";
import { table } from "./report.ts";
import { type Server, startThree } from "./servers.ts";

const MIB = 1024 * 1024;
const SIZES_MIB = [32, 64, 128, 256, 512];
const TRIALS = 3;
const PING_EVERY_MS = 20;
const SETTLED_MS = 3000;

interface RawReply {
  /** The first line, without its end. */
  readonly head: string;
  /** Of a bulk string: does it equal what was expected? */
  readonly isEqual: boolean;
}

/** One command, its arguments as they are, on a connection of its own. */
function call(
  port: number,
  args: readonly (string | Buffer)[],
  expected = Buffer.alloc(0),
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1");
    let head: Buffer | undefined = Buffer.alloc(0);
    let text = "";
    let at = 0;
    let left = 0;
    let isEqual = true;
    const finish = (): void => {
      socket.destroy();
      resolve({ head: text, isEqual });
    };
    const compare = (bytes: Buffer): void => {
      const part = bytes.subarray(0, Math.max(0, expected.length - at));
      isEqual &&= part.equals(expected.subarray(at, at + part.length));
      at += bytes.length;
      left -= bytes.length;
      if (left <= 0) finish();
    };
    socket.on("data", (bytes) => {
      if (head === undefined) return compare(bytes);
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf("\r\n");
      if (end < 0) return;
      text = head.toString("latin1", 0, end);
      const rest = head.subarray(end + 2);
      head = undefined;
      if (!text.startsWith("$") || text === "$-1") return finish();
      isEqual = Number(text.slice(1)) === expected.length;
      left = Number(text.slice(1)) + 2;
      compare(rest);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed after ${args[0]}`)));
    socket.write(`*${args.length}\r\n`);
    for (const arg of args) {
      socket.write(`$${arg.length}\r\n`);
      socket.write(arg);
      socket.write("\r\n");
    }
  });
}

/** The longest that a PING waited at each node. */
class Pings {
  readonly longestMs: number[];
  #isOver = false;
  readonly #loops: Promise<void>[];

  constructor(ports: readonly number[]) {
    this.longestMs = ports.map(() => 0);
    this.#loops = ports.map((port, node) => this.#ping(port, node));
  }

  async #ping(port: number, node: number): Promise<void> {
    while (!this.#isOver) {
      const beganMs = performance.now();
      await call(port, ["PING"]);
      this.longestMs[node] = Math.max(this.longestMs[node]!, performance.now() - beganMs);
      await sleep(PING_EVERY_MS);
    }
  }

  async end(): Promise<string> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    return this.longestMs.map((ms) => ms.toFixed(0)).join(" / ");
  }
}

const termOf = async (port: number): Promise<string | undefined> =>
  /^raft_term:(\d+)/m.exec(String(await once(port, "INFO", "raft")))?.[1];

/** The most that was ever resident, in MiB. */
function peakMib({ process }: Child): string {
  const path = `/proc/${process.pid}/status`;
  if (!existsSync(path)) return "?";
  return (Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(path, "latin1"))?.[1]) / 1024).toFixed(0);
}

const residentMib = ({ children }: Server): string =>
  children.map((child) => (residentBytes(child) / MIB).toFixed(0)).join(" / ");

/** What was wrong, one line each. */
async function run(sizeMib: number, server: Server, rows: string[][]): Promise<string[]> {
  const problems: string[] = [];
  const value = Buffer.alloc(sizeMib * MIB);
  for (let at = 0; at < value.length; at += 1024) value.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  for (const [node, port] of server.ports.entries()) {
    for (let trial = 0; trial < TRIALS; trial++) {
      const where = `${sizeMib} MiB through ${port === server.port ? "the leader" : `follower ${node + 1}`}`;
      value.writeUInt32LE(node * TRIALS + trial, 512);
      const term = await termOf(server.port);
      const pings = new Pings(server.ports);
      const beganMs = performance.now();
      const { head } = await call(port, ["SET", "big", value]);
      const setMs = performance.now() - beganMs;
      if (head !== "+OK") problems.push(`${where}: ${head}`);
      const getMs: string[] = [];
      for (const [reader, from] of server.ports.entries()) {
        const askedMs = performance.now();
        const got = await call(from, ["GET", "big"], value);
        getMs.push((performance.now() - askedMs).toFixed(0));
        if (!got.isEqual) problems.push(`${where}, read at node ${reader + 1}: ${got.head}`);
      }
      const waits = await pings.end();
      const after = await termOf(server.port);
      if (after !== term) problems.push(`${where}: term ${term} became ${after}`);
      rows.push([
        where,
        setMs.toFixed(0),
        getMs.join(" / "),
        waits,
        server.children.map(peakMib).join(" / "),
        head,
      ]);
    }
  }
  await call(server.port, ["DEL", "big"]);
  return problems;
}

async function main(): Promise<void> {
  const words = process.argv.slice(2).map(Number);
  console.log(`${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)} at the start`);
  const rows: string[][] = [];
  const problems: string[] = [];
  for (const size of words.length > 0 ? words : SIZES_MIB) {
    // Peaks of a process never fall: a new one for each size.
    const server = await startThree([]);
    const before = residentMib(server);
    problems.push(...(await run(size, server, rows)));
    await sleep(SETTLED_MS);
    console.log(`${size} MiB: resident ${before} MiB before, ${residentMib(server)} after DEL`);
    await Promise.all(server.children.map(stop));
  }
  console.log(
    table(["", "SET ms", "GET ms at each", "longest PING ms at each", "peak MiB of each", "reply"], rows),
  );
  for (const problem of problems) console.log(`WRONG: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

runAndCleanUp(main);
