// Clock, randomness and facts about the process, for the node's ports. Nothing here is scheduled.

import { randomBytes, randomInt } from "node:crypto";
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock, Entropy, ProcessInfo } from "../node/ports.ts";

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  monotonicUs: () => Math.floor(performance.now() * 1000),
  wallMs: () => Date.now(),
  // performance.timeOrigin is read once at the start; later steps of the wall clock show in Date.now() only.
  wallUs: () => Date.now() * 1000 + (Math.floor(performance.now() * 1000) % 1000),
  sleep: (milliseconds) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  },
};

/** Largest range that randomInt takes. */
const IDENTITY_LIMIT = 2 ** 48 - 1;

export const systemEntropy: Entropy = {
  u32: () => randomInt(0x1_0000_0000),
  identity: () => randomInt(1, IDENTITY_LIMIT),
  hex: (digits) =>
    randomBytes((digits + 1) >> 1)
      .toString("hex")
      .slice(0, digits),
};

let collect: (() => void) | undefined;

/** V8 shows its collector to contexts that are made while the flag is set; the flag for all would show it to libraries. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof gc === "function" ? () => gc() : () => {};
}

export function processInfo(version: string, configFile: string): ProcessInfo {
  return {
    pid: process.pid,
    runtimeVersion: process.version,
    platform: process.platform,
    architecture: process.arch,
    version,
    executable: process.argv[1] ?? process.execPath,
    configFile,
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    arrayBytes: () => process.memoryUsage().arrayBuffers,
    collectGarbage: () => {
      collect ??= collector();
      collect();
    },
    systemBytes: totalmem(),
    cpuSeconds: () => {
      const { user, system } = process.cpuUsage();
      return { user: user / 1e6, system: system / 1e6 };
    },
  };
}
