// The cluster that `npm start` runs, asked by real clients: a line "ok ..." for each thing that holds, another
// line for each that does not. Exit code 0 when it could say something about everything.
import { spawnSync } from "node:child_process";
import { Redis } from "ioredis";
import { createClient } from "redis";

const PORTS = [6379, 6380, 6381];
const READY_MS_MAX = 90_000;

function say(holds, what, otherwise) {
  console.log(holds ? `ok ${what}` : `${what}: ${otherwise}`);
}

async function ioredis(port, ...command) {
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null, connectTimeout: 2000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.call(...command);
  } finally {
    client.disconnect();
  }
}

async function nodeRedis(port, ...command) {
  const client = createClient({ socket: { port, reconnectStrategy: false, connectTimeout: 2000 } });
  client.on("error", () => {});
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

function redisCli(port, ...command) {
  const result = spawnSync("redis-cli", ["-p", String(port), ...command], { encoding: "utf8", timeout: 5000 });
  return result.stdout?.trim() || result.stderr?.trim();
}

async function waitUntilReady() {
  const deadline = Date.now() + READY_MS_MAX;
  let last = "no answer";
  while (Date.now() < deadline) {
    try {
      for (const port of PORTS) {
        const reply = await ioredis(port, "SET", `smoke:ready:${port}`, "1");
        if (reply !== "OK") throw new Error(String(reply));
      }
      return undefined;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return `not within ${READY_MS_MAX / 1000} s: ${last}`;
}

const began = Date.now();
const trouble = await waitUntilReady();
say(trouble === undefined, `three nodes take writes after ${Math.round((Date.now() - began) / 1000)} s`, trouble);
if (trouble === undefined) {
  const clients = [["ioredis", ioredis], ["node-redis", nodeRedis]];
  if (spawnSync("redis-cli", ["--version"]).status === 0) clients.push(["redis-cli", redisCli]);
  for (const [name, run] of clients) {
    const key = `smoke:${name}`;
    const value = `written by ${name} at ${Date.now()}`;
    const seen = [await run(PORTS[0], "SET", key, value)];
    for (const port of PORTS) seen.push(await run(port, "GET", key));
    const holds = seen[0] === "OK" && seen.slice(1).every((it) => it === value);
    say(holds, `${name}: SET on ${PORTS[0]} is readable on ${PORTS.join(", ")}`, JSON.stringify(seen));
  }
}
