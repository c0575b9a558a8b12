// Starts and stops an installed redis-server on a loopback port, as the one to be compared with.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { TcpExecutor } from "./tcp-executor.ts";

const BINARY = "redis-server";
const PORT_FIRST = 17100;
const PORT_LAST = 17189;
const START_TIMEOUT_MS = 5000;

/** Version line of the installed server; undefined when there is none. */
export function installedVersion(): string | undefined {
  const found = spawnSync(BINARY, ["--version"], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

export interface RedisServer {
  readonly executor: TcpExecutor;
  stop(): Promise<void>;
}

/** @param settings more options of the command line, "--name" and value each */
export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  for (let port = PORT_FIRST + (process.pid % 40); port <= PORT_LAST; port++) {
    const options = [
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
      "--enable-debug-command",
      "yes",
    ];
    const child = spawn(BINARY, ["--port", String(port), ...options, ...settings], { stdio: "ignore" });
    const executor = await connectTo(child, port);
    if (executor === undefined) continue; // the port is taken: it ended by itself
    return { executor, stop: () => stop(child, executor) };
  }
  throw new Error(`no free port in ${PORT_FIRST}-${PORT_LAST} for ${BINARY}`);
}

async function connectTo(child: ChildProcess, port: number): Promise<TcpExecutor | undefined> {
  const giveUpMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUpMs) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (child.exitCode !== null) return undefined;
    const executor = await TcpExecutor.connect("127.0.0.1", port).catch(() => undefined);
    if (executor === undefined) continue;
    if (child.exitCode === null && (await isProcess(executor, child))) return executor;
    await executor.close();
  }
  child.kill("SIGKILL");
  throw new Error(`${BINARY} did not come up on port ${port}`);
}

/** Somebody else's server on this port must not be taken for ours. */
async function isProcess(executor: TcpExecutor, child: ChildProcess): Promise<boolean> {
  const [info] = await executor.run([[Buffer.from("INFO"), Buffer.from("server")]]);
  return info!.includes(`process_id:${child.pid}\r\n`);
}

async function stop(child: ChildProcess, executor: TcpExecutor): Promise<void> {
  await executor.close();
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
