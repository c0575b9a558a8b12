// The leader is killed (SIGKILL) while clients write: how long until writes succeed again, and is every
// write that was acknowledged still there? Each writer's keys are its own, so nothing is overwritten.

import { Client, once } from "./client.ts";
import { hasEnded, sleep } from "./processes.ts";
import { isLeader, type Server } from "./servers.ts";

const WRITERS = 8;
const BEFORE_MS = 2000;
const AFTER_MS = 3000;

export interface FailoverFigure {
  /** From the kill to the first write acknowledged after it. */
  readonly silentMs: number;
  readonly acknowledged: number;
  readonly lost: number;
}

interface Progress {
  stopped: boolean;
  killedAt: number;
  firstAfterKill: number;
  readonly acknowledged: string[];
}

/** Kills one of the three; after that the server is of no use for anything else. */
export async function measureFailover(server: Server): Promise<FailoverFigure> {
  const { ports } = server;
  const progress: Progress = { stopped: false, killedAt: 0, firstAfterKill: 0, acknowledged: [] };
  const leader = ports.indexOf(server.port);
  const survivors = ports.filter((port) => port !== server.port);
  const writers = Array.from({ length: WRITERS }, (_, i) =>
    write(survivors[i % survivors.length]!, i, progress),
  );
  await sleep(BEFORE_MS);
  if (!(await isLeader(server.port))) throw new Error("the leader changed before it was killed");
  progress.killedAt = performance.now();
  server.children[leader]!.process.kill("SIGKILL");
  await sleep(AFTER_MS);
  progress.stopped = true;
  await Promise.all(writers);
  if (!hasEnded(server.children[leader]!)) throw new Error("the leader was not killed");
  const lost = await countLost(survivors[0]!, progress.acknowledged);
  return {
    silentMs:
      progress.firstAfterKill === 0 ? Number.POSITIVE_INFINITY : progress.firstAfterKill - progress.killedAt,
    acknowledged: progress.acknowledged.length,
    lost,
  };
}

async function write(port: number, writer: number, progress: Progress): Promise<void> {
  let client = await Client.open(port);
  for (let i = 0; !progress.stopped; i++) {
    const key = `ack:${writer}:${i}`;
    const sentAt = performance.now();
    try {
      await client.send("SET", key, key);
    } catch {
      // Not acknowledged: it may or may not be there, and proves nothing. The next key is another one.
      client.close();
      await sleep(5);
      client = await Client.open(port);
      continue;
    }
    progress.acknowledged.push(key);
    if (progress.killedAt > 0 && sentAt > progress.killedAt && progress.firstAfterKill === 0) {
      progress.firstAfterKill = performance.now();
    }
  }
  client.close();
}

async function countLost(port: number, keys: readonly string[]): Promise<number> {
  if ((await once(port, "PING")) !== "PONG") throw new Error("a survivor does not answer");
  const client = await Client.open(port);
  let lost = 0;
  for (let at = 0; at < keys.length; at += 1000) {
    const some = keys.slice(at, at + 1000);
    const values = (await client.send("MGET", ...some)) as readonly unknown[];
    lost += values.filter((value, i) => value !== some[i]).length;
  }
  client.close();
  return lost;
}
