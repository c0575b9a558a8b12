// The leader is taken away while clients of the other nodes write: how long does no write succeed, does any command
// fail, and is every write that was acknowledged still there? Each writer's keys are its own, so nothing is overwritten.

import { Client, once } from "./client.ts";
import { hasEnded, sleep } from "./processes.ts";
import { isLeader, memberName, type Server } from "./servers.ts";

const BEFORE_MS = 1000;
const AFTER_MS = 2500;

/** Killed, stopped without a word, told to stop; or nothing passes between it and the other members any more. */
export type Loss = "SIGKILL" | "SIGSTOP" | "SIGTERM" | "cut off";

export interface FailoverFigure {
  /** The longest time without a success of any writer, from the signal on. */
  readonly silentMs: number;
  /** The same of the one writer for which it was longest. */
  readonly worstClientMs: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** Error replies on the connections to the other nodes, by text. */
  readonly failures: ReadonlyMap<string, number>;
}

interface Progress {
  stopped: boolean;
  readonly acknowledged: string[];
  readonly failures: Map<string, number>;
  readonly all: Gap;
}

/** The longest time between two successes, once it is begun. */
class Gap {
  longestMs = 0;
  #lastMs = 0;

  begin(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  success(nowMs: number): void {
    if (this.#lastMs === 0) return;
    this.longestMs = Math.max(this.longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}

/** After it the server is of no use for anything else. */
export async function measureFailover(server: Server, loss: Loss, writers: number): Promise<FailoverFigure> {
  const { ports } = server;
  const progress: Progress = { stopped: false, acknowledged: [], failures: new Map(), all: new Gap() };
  const leader = ports.indexOf(server.port);
  const survivors = ports.filter((port) => port !== server.port);
  const gaps = Array.from({ length: writers }, () => new Gap());
  const done = gaps.map((gap, i) => write(survivors[i % survivors.length]!, i, gap, progress));
  await sleep(BEFORE_MS);
  if (!(await isLeader(server.port))) throw new Error("the leader changed before it was taken away");
  const nowMs = performance.now();
  for (const gap of [progress.all, ...gaps]) gap.begin(nowMs);
  if (loss === "cut off") cutOff(server);
  else server.children[leader]!.process.kill(loss);
  await sleep(AFTER_MS);
  const endMs = performance.now();
  progress.stopped = true;
  for (const gap of [progress.all, ...gaps]) gap.success(endMs);
  await Promise.all(done);
  const ends = loss === "SIGKILL" || loss === "SIGTERM";
  if (ends && !hasEnded(server.children[leader]!)) throw new Error(`${loss} did not end the leader`);
  if (loss === "cut off" && (await isLeader(server.port)))
    throw new Error("the leader that was cut off still says that it leads");
  const lost = await countLost(survivors[0]!, progress.acknowledged);
  // Its end is the caller's, who could not stop it otherwise.
  if (loss === "SIGSTOP") server.children[leader]!.process.kill("SIGCONT");
  return {
    silentMs: progress.all.longestMs,
    worstClientMs: Math.max(...gaps.map(({ longestMs }) => longestMs)),
    acknowledged: progress.acknowledged.length,
    lost,
    failures: progress.failures,
  };
}

function cutOff({ proxy, port }: Server): void {
  if (proxy === undefined) throw new Error("only links that pass a proxy can be cut");
  proxy.setAround(memberName(port), { held: true });
}

async function write(port: number, writer: number, gap: Gap, progress: Progress): Promise<void> {
  const client = await Client.open(port);
  for (let i = 0; !progress.stopped; i++) {
    const key = `ack:${writer}:${i}`;
    try {
      await client.send("SET", key, key);
    } catch (error) {
      // Not acknowledged: it may or may not be there, and proves nothing. The next key is another one.
      const text = error instanceof Error ? error.message : String(error);
      progress.failures.set(text, (progress.failures.get(text) ?? 0) + 1);
      await sleep(1);
      continue;
    }
    progress.acknowledged.push(key);
    const nowMs = performance.now();
    gap.success(nowMs);
    progress.all.success(nowMs);
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
