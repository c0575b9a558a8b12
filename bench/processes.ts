// Child processes of a bench run: started here, each stopped by its own pid, also after Ctrl-C and failures.
// Never touches a process that it did not start.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const OUTPUT_KEPT_BYTES = 4000;
const STOP_MS_MAX = 5000;

export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** The end of what it wrote, for error messages. */
  output(): string;
}

const running = new Set<Child>();

/** `environment`: variables beside those of this process. */
export function start(
  name: string,
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let tail = "";
  const keep = (chunk: Buffer): void => {
    tail = (tail + chunk.toString("utf8")).slice(-OUTPUT_KEPT_BYTES);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const started: Child = { name, process: child, output: () => tail };
  running.add(started);
  child.on("error", (error) => keep(Buffer.from(`${command}: ${error.message}\n`)));
  child.on("exit", () => running.delete(started));
  return started;
}

export const hasEnded = (child: Child): boolean =>
  child.process.pid === undefined || child.process.exitCode !== null || child.process.signalCode !== null;

/** Until it has ended and all that it wrote has been read. To be asked for while it runs. */
export const closed = ({ process }: Child): Promise<void> =>
  new Promise((resolve) => process.once("close", () => resolve()));

/** SIGTERM, and SIGKILL for one that does not go. */
export async function stop(child: Child): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => child.process.once("exit", () => resolve()));
  child.process.kill("SIGTERM");
  const late = setTimeout(() => child.process.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(late);
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop));
}

/** Runs `main`; whatever happens, nothing that was started outlives this process. */
export function runAndCleanUp(main: () => Promise<void>): void {
  process.on("exit", () => {
    for (const child of running) child.process.kill("SIGKILL");
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      process.exitCode = 130;
      stopAll().finally(() => process.exit());
    });
  }
  main()
    .catch((error: unknown) => {
      console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    })
    .finally(() => stopAll().finally(() => process.exit()));
}

/** What a command prints, or undefined when it is not installed or fails. */
export function outputOf(command: string, args: readonly string[]): string | undefined {
  const result = spawnSync(command, args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * Resident bytes of a process, as the system sees them. From /proc where there is one: starting ps holds up whoever asks, and a client that
 * measures its waits beside it, for tens of ms on a busy machine.
 */
export function residentBytes(child: Child): number {
  const { pid } = child.process;
  const path = `/proc/${pid}/status`;
  const kib = existsSync(path)
    ? Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(path, "latin1"))?.[1])
    : Number(outputOf("ps", ["-o", "rss=", "-p", String(pid)]));
  if (!Number.isFinite(kib) || kib === 0) throw new Error(`cannot read the memory of ${child.name}`);
  return kib * 1024;
}

/** The most that was resident since the process started, as the system has counted; NaN where there is no /proc. */
export function residentBytesMost({ process: { pid } }: Child): number {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return Number.NaN;
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(path, "latin1"))?.[1]) * 1024;
}

const TICKS_PER_SECOND = 100;

/** Processor time that a process has used, in ms; NaN where there is no /proc. What others do meanwhile is not in it. */
export const processorMs = (child: Child): number => processorMsOf(child.process.pid);

export function processorMsOf(pid: number | undefined): number {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return Number.NaN;
  // The name in parentheses may have anything in it; user and system time are fields 14 and 15.
  const fields = readFileSync(path, "latin1").split(") ").at(-1)!.split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
