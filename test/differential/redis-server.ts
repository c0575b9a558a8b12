// Starts and stops an installed redis-server on a loopback port, as the one to be compared with.

import assert from "node:assert/strict";
import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { startChild } from "../children.ts";
import { freePort } from "../ports.ts";
import { until } from "../until.ts";
import { TcpExecutor } from "./tcp-executor.ts";

const BINARY = "redis-server";

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
  const port = await freePort();
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
  const child = startChild(BINARY, ["--port", String(port), ...options, ...settings], { stdio: "ignore" });
  const executor = await until(`${BINARY} answers on port ${port}`, async () => {
    if (child.exitCode !== null) throw new Error(`${BINARY} ended with exit code ${child.exitCode}`);
    return await TcpExecutor.connect("127.0.0.1", port).catch(() => undefined);
  });
  assert.ok(await isProcess(executor, child), `somebody else's server is on port ${port}`);
  return { executor, stop: () => stop(child, executor) };
}

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
