// npm run bench:snapshot: a follower that starts from nothing while clients write to a cluster that holds 1 GiB. How fast the
// state goes over, what clients of the leader wait meanwhile, and how much memory it takes. --quick: an eighth of the data.

import { loadavg } from "node:os";
import { Client, encode, once } from "./client.ts";
import { probe, quantile } from "./probe.ts";
import { type Child, residentBytes, runAndCleanUp, sleep, start, stop } from "./processes.ts";
import { table, verdict } from "./report.ts";
import { describeMachine, machineLine } from "./results.ts";
import { checkInstalled, type Server, startThree } from "./servers.ts";

const MIB = 1024 * 1024;
const DATA_BYTES = 1024 * MIB;
const VALUE_BYTES = 1024;
const PIPELINE = 64;
const FILLERS = 2;
const PROBES = 4;
const BASE_MS = 10_000;
const JOIN_MS_MAX = 120_000;
const TRIALS = 3;
/** What the clients of redis-benchmark ask for, one by one. */
const LOAD = ["-c", "20", "-d", "32", "-r", "100000", "-t", "set,get", "-P", "1", "-q", "-l"];
/** Bytes a second, "0" for as fast as it goes. */
const CAPS = ["0", "100mb"] as const;
const WANTED = { riseMs: 10, memoryPart: 0.1, bytesPerSecond: 200e6 };

interface Window {
  /** Of the probes, ascending. */
  readonly waits: readonly number[];
  readonly residentBytesMost: number;
}

interface Figure {
  readonly cap: string;
  readonly before: Window;
  readonly during: Window;
  readonly bytes: number;
  /** From the first chunk to the receiver's word that it has all. */
  readonly sendingMs: number;
  /** From the start of the process to a voter that follows. */
  readonly joinedMs: number;
}

async function fill(port: number, from: number, to: number): Promise<void> {
  const client = await Client.open(port);
  const value = "v".repeat(VALUE_BYTES - 12);
  for (let i = from; i < to; i += PIPELINE) {
    let text = "";
    const count = Math.min(PIPELINE, to - i);
    for (let k = i; k < i + count; k++)
      text += encode(["SET", `large:${k}`, `${String(k).padStart(12, "0")}${value}`]);
    await Promise.all(client.sendEncoded(text, count));
  }
  client.close();
}

/** Probes on the leader, and looks at its memory, until `work` is done. */
async function during(server: Server, leader: Child, work: () => Promise<unknown>): Promise<Window> {
  let isOver = false;
  let residentBytesMost = 0;
  const probes = Array.from({ length: PROBES }, (_, i) => probe(server.port, String(i), () => isOver));
  const look = async (): Promise<void> => {
    while (!isOver) {
      residentBytesMost = Math.max(residentBytesMost, residentBytes(leader));
      await sleep(100);
    }
  };
  const looks = look();
  await work();
  isOver = true;
  const waits = (await Promise.all(probes)).flat().sort((a, b) => a - b);
  await looks;
  return { waits, residentBytesMost };
}

interface LogLine {
  readonly time: number;
  readonly msg: string;
  readonly bytes?: number;
  readonly ok?: boolean;
}

/** What the leader logged, as far back as it is kept. */
function logged(child: Child, message: string): LogLine | undefined {
  const lines = child
    .output()
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as LogLine);
  return lines.findLast(({ msg }) => msg === message);
}

async function trial(server: Server, cap: string): Promise<Figure> {
  const leaderAt = server.ports.indexOf(server.port);
  const followerAt = (leaderAt + 1) % server.ports.length;
  const leader = server.children[leaderAt]!;
  await once(server.port, "CONFIG", "SET", "snapshot-max-bytes-per-second", cap);
  const load = start("redis-benchmark", "redis-benchmark", ["-p", String(server.port), ...LOAD]);
  try {
    await sleep(2000);
    const before = await during(server, leader, () => sleep(BASE_MS));
    const follower = server.children[followerAt]!;
    const ended = new Promise<void>((resolve) => follower.process.once("exit", () => resolve()));
    follower.process.kill("SIGKILL");
    await ended;
    // The leader has found out by then.
    await sleep(2000);
    const sentBefore = logged(leader, "snapshot sent")?.time;
    let sent: LogLine | undefined;
    let joinedMs = 0;
    const startMs = performance.now();
    server.startAgain!(followerAt);
    const joining = await during(server, leader, async () => {
      for (;;) {
        const line = logged(leader, "snapshot sent");
        if (line !== undefined && line.time !== sentBefore) sent = line;
        const role = String(await once(server.ports[followerAt]!, "INFO", "raft").catch(() => ""));
        if (sent !== undefined && /^raft_role:follower\r?$/m.test(role)) break;
        if (performance.now() - startMs > JOIN_MS_MAX)
          throw new Error(`the follower did not join:\n${leader.output()}`);
        await sleep(20);
      }
      joinedMs = performance.now() - startMs;
    });
    const begun = logged(leader, "sending a snapshot");
    if (sent?.ok !== true || begun === undefined)
      throw new Error(`no snapshot went over:\n${leader.output()}`);
    return {
      cap,
      before,
      during: joining,
      bytes: sent.bytes ?? Number.NaN,
      sendingMs: sent.time - begun.time,
      joinedMs,
    };
  } finally {
    await stop(load);
  }
}

const ms = (value: number): string => value.toFixed(1);

function row(figure: Figure): string[] {
  const { before, during: joining } = figure;
  const rise = quantile(joining.waits, 0.999) - quantile(before.waits, 0.999);
  const rate = figure.bytes / (figure.sendingMs / 1000);
  const growth = joining.residentBytesMost / before.residentBytesMost - 1;
  const isFast = figure.cap !== "0" || rate >= WANTED.bytesPerSecond;
  return [
    figure.cap === "0" ? "no cap" : figure.cap,
    (figure.bytes / 1e6).toFixed(0),
    (figure.sendingMs / 1000).toFixed(1),
    (rate / 1e6).toFixed(0),
    (figure.joinedMs / 1000).toFixed(1),
    `${ms(quantile(before.waits, 0.99))} / ${ms(quantile(before.waits, 0.999))} / ${ms(before.waits.at(-1)!)}`,
    `${ms(quantile(joining.waits, 0.99))} / ${ms(quantile(joining.waits, 0.999))} / ${ms(joining.waits.at(-1)!)}`,
    ms(rise),
    `${(100 * growth).toFixed(1)} %`,
    verdict(rise < WANTED.riseMs && growth < WANTED.memoryPart && isFast),
  ];
}

async function main(): Promise<void> {
  const isQuick = process.argv.includes("--quick");
  const redis = checkInstalled();
  const server = await startThree([], false, ["--loglevel", "notice"]);
  const count = Math.floor((isQuick ? DATA_BYTES / 8 : DATA_BYTES) / VALUE_BYTES);
  const share = Math.ceil(count / FILLERS);
  await Promise.all(
    Array.from({ length: FILLERS }, (_, i) => fill(server.port, i * share, Math.min(count, (i + 1) * share))),
  );
  const rows: string[][] = [];
  for (const cap of CAPS) {
    for (let i = 0; i < (isQuick ? 1 : TRIALS); i++) {
      rows.push(row(await trial(server, cap)));
      console.error(`  ${rows.at(-1)!.join(", ")} (load ${loadavg()[0]!.toFixed(1)})`);
    }
  }
  console.log(
    `# A follower from nothing, ${count.toLocaleString("en-US")} values of ${VALUE_BYTES} bytes, redis-benchmark on the leader\n\n` +
      `${machineLine(describeMachine(redis))}` +
      `${isQuick ? "; a quick run: no figures to quote" : ""}\n`,
  );
  console.log(
    table(
      [
        "",
        "MB",
        "seconds",
        "MB/s",
        "joined after s",
        "before: p99 / p99.9 / longest ms",
        "meanwhile",
        "p99.9 rises by",
        "leader's memory",
        `under ${WANTED.riseMs} ms, ${100 * WANTED.memoryPart} %, over ${WANTED.bytesPerSecond / 1e6} MB/s`,
      ],
      rows,
    ),
  );
  await Promise.all(server.children.map(stop));
}

runAndCleanUp(main);
