// A network namespace of our own, with a loopback on which packets are late, lost or out of order, as `tc` is told. Nothing outside
// it is touched. Needs root, iproute2, and the kernel's part for what is asked.

import { execFileSync } from "node:child_process";
import { startChild } from "../children.ts";

/** Of Ethernet, as the queues of a real network see packets; loopback's would be one packet for everything. */
const MTU_BYTES = "1500";

function run(command: string, words: readonly string[]): void {
  execFileSync(command, [...words], { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
}

function addNamespace(name: string, qdisc: readonly string[]): void {
  run("ip", ["netns", "add", name]);
  run("ip", ["-n", name, "link", "set", "lo", "up", "mtu", MTU_BYTES]);
  run("tc", ["-n", name, "qdisc", "add", "dev", "lo", "root", ...qdisc]);
}

function removeNamespace(name: string): void {
  try {
    run("ip", ["netns", "del", name]);
  } catch {
    // It was not made.
  }
}

/** Why it cannot be had here; undefined when it can. */
export function namespaceProblem(qdisc: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const name = `seshat-chaos-probe-${process.pid}`;
  try {
    addNamespace(name, qdisc);
    return undefined;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return `needs ip, tc and the kernel's ${qdisc[0]}: ${(stderr || message).trim().split("\n")[0]}`;
  } finally {
    removeNamespace(name);
  }
}

/** Runs a program of Node in there; its exit code. */
export async function runInNamespace(qdisc: readonly string[], words: readonly string[]): Promise<number> {
  const name = `seshat-chaos-${process.pid}`;
  try {
    addNamespace(name, qdisc);
    const child = startChild("ip", ["netns", "exec", name, process.execPath, ...words], { stdio: "inherit" });
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => child.kill(signal));
    // Ctrl-C reaches it by itself, and it ends its round.
    process.on("SIGINT", () => {});
    return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  } finally {
    removeNamespace(name);
  }
}
