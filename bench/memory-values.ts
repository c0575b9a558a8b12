// npm run bench:memory: what an element of a hash, list, set or sorted set costs, in small values and in large ones, on
// redis-server and on one node: growth of used_memory and of resident memory, per element. Each shape in a fresh process.
// A word as argument: only shapes whose name has it; --quick: a tenth of the values, no figures to quote.

import { cpus, loadavg } from "node:os";
import { Client, encode } from "./client.ts";
import { residentBytes, runAndCleanUp, sleep, stop } from "./processes.ts";
import { table, verdict } from "./report.ts";
import { checkInstalled, type Server, startOne, startRedis } from "./servers.ts";

const ELEMENTS = 5_000_000;
const WRITERS = 2;
const ELEMENTS_PER_COMMAND = 100;
const COMMANDS_PER_WRITE = 20;
const SETTLE_MS = 2000;
const RATIO_MAX = 1.2;

interface Shape {
  readonly name: string;
  readonly elements: number;
  readonly command: "HSET" | "RPUSH" | "SADD" | "ZADD";
}

const SHAPES: readonly Shape[] = [
  { name: "hash of 10", command: "HSET", elements: 10 },
  { name: "list of 100", command: "RPUSH", elements: 100 },
  { name: "set of 100", command: "SADD", elements: 100 },
  { name: "sorted set of 100", command: "ZADD", elements: 100 },
  { name: "hash of 1,000", command: "HSET", elements: 1000 },
  { name: "list of 1,000", command: "RPUSH", elements: 1000 },
  { name: "set of 1,000", command: "SADD", elements: 1000 },
  { name: "sorted set of 1,000", command: "ZADD", elements: 1000 },
  { name: "hash of 100,000", command: "HSET", elements: 100_000 },
  { name: "list of 100,000", command: "RPUSH", elements: 100_000 },
  { name: "set of 100,000", command: "SADD", elements: 100_000 },
  { name: "sorted set of 100,000", command: "ZADD", elements: 100_000 },
];

/** "element:000042": 14 bytes; values of hashes have 16. */
const elementOf = (i: number): string => `element:${String(i).padStart(6, "0")}`;

function partsOf({ command }: Shape, i: number): string[] {
  switch (command) {
    case "HSET":
      return [elementOf(i), `value:${String(i).padStart(10, "0")}`];
    case "ZADD":
      return [String((i * 7919) % 1_000_003), elementOf(i)];
    default:
      return [elementOf(i)];
  }
}

async function fill(port: number, shape: Shape, from: number, to: number): Promise<void> {
  const client = await Client.open(port);
  let text = "";
  let count = 0;
  const flush = async (): Promise<void> => {
    await Promise.all(client.sendEncoded(text, count));
    text = "";
    count = 0;
  };
  for (let value = from; value < to; value++) {
    for (let at = 0; at < shape.elements; at += ELEMENTS_PER_COMMAND) {
      const parts: string[] = [shape.command, `key:${String(value).padStart(8, "0")}`];
      const end = Math.min(shape.elements, at + ELEMENTS_PER_COMMAND);
      for (let i = at; i < end; i++) parts.push(...partsOf(shape, i));
      text += encode(parts);
      if (++count === COMMANDS_PER_WRITE) await flush();
    }
  }
  if (count > 0) await flush();
  client.close();
}

interface Held {
  readonly used: number;
  readonly resident: number;
}

async function held({ port, children }: Server): Promise<Held> {
  await sleep(SETTLE_MS);
  const client = await Client.open(port);
  const used = /^used_memory:(\d+)/m.exec(String(await client.send("INFO", "memory")));
  client.close();
  return { used: Number(used![1]), resident: residentBytes(children[0]!) };
}

/** Growth per element. */
async function measure(server: Server, shape: Shape, values: number): Promise<Held> {
  // What the first commands cost whatever they are, does not count.
  await fill(server.port, shape, values, values + Math.ceil(values / 50));
  const client = await Client.open(server.port);
  await client.send("FLUSHALL");
  const before = await held(server);
  const part = Math.ceil(values / WRITERS);
  await Promise.all(
    Array.from({ length: WRITERS }, (_, i) =>
      fill(server.port, shape, i * part, Math.min(values, (i + 1) * part)),
    ),
  );
  const after = await held(server);
  if (Number(await client.send("DBSIZE")) !== values)
    throw new Error(`${shape.name}: not all values are there`);
  client.close();
  const elements = values * shape.elements;
  return {
    used: (after.used - before.used) / elements,
    resident: (after.resident - before.resident) / elements,
  };
}

async function main(): Promise<void> {
  const quick = process.argv.includes("--quick");
  const [only] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const redisVersion = checkInstalled();
  const rows: string[][] = [];
  for (const shape of SHAPES.filter(({ name }) => only === undefined || name.includes(only))) {
    const values = Math.max(2, Math.round(ELEMENTS / shape.elements / (quick ? 10 : 1)));
    const figures: Held[] = [];
    for (const start of [() => startRedis(), () => startOne([])]) {
      const server = await start();
      try {
        figures.push(await measure(server, shape, values));
      } finally {
        await Promise.all(server.children.map(stop));
      }
    }
    const [redis, seshat] = figures as [Held, Held];
    const ratios = [seshat.used / redis.used, seshat.resident / redis.resident];
    rows.push([
      shape.name,
      values.toLocaleString("en-US"),
      redis.used.toFixed(1),
      seshat.used.toFixed(1),
      ratios[0]!.toFixed(2),
      redis.resident.toFixed(1),
      seshat.resident.toFixed(1),
      ratios[1]!.toFixed(2),
      verdict(ratios.every((ratio) => ratio <= RATIO_MAX)),
    ]);
    console.error(
      `  ${shape.name}: ${ratios.map((it) => it.toFixed(2)).join(", ")} (load ${loadavg()[0]!.toFixed(1)})`,
    );
  }
  const date = new Date().toISOString().slice(0, 10);
  console.log(
    `# Bytes per element: 14 bytes each, in hashes with values of 16\n\n${date}, ${cpus()[0]?.model ?? "unknown"}, ` +
      `Node ${process.version}, redis-server ${redisVersion}${quick ? "; a quick run: no figures to quote" : ""}\n`,
  );
  console.log(
    table(
      [
        "",
        "values",
        "used, redis-server",
        "used, Seshat",
        "ratio",
        "resident, redis-server",
        "resident, Seshat",
        "ratio",
        `both at most ${RATIO_MAX}`,
      ],
      rows,
    ),
  );
}

runAndCleanUp(main);
