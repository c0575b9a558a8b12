// npm run bench:rejoin: a member that comes back while clients write. Three nodes that hold some hundred MiB; clients overwrite
// values of 10 KiB at a fixed rate; a follower is killed and started, or stopped for a while. How long until it is ready, how
// many snapshots that took, what clients waited and what the leader's memory came to. --quick: an eighth of the data;
// --case NAME: that one only.

import { loadavg } from "node:os";
import { Client, encode, once } from "./client.ts";
import { PacedWriters } from "./paced-writers.ts";
import { residentBytes, runAndCleanUp, sleep, stop } from "./processes.ts";
import { table, verdict } from "./report.ts";
import { describeMachine, machineLine } from "./results.ts";
import { checkInstalled, type Server, startThree } from "./servers.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 10 * 1024;
const FILL_PIPELINE = 16;
const BEFORE_MS = 5000;
const AFTER_MS = 3000;
const LOOK_MS = 50;
const STOPPED_MS = 6000;
const READY_MS_MAX = 90_000;
const MEMORY_FACTOR_MAX = 1.5;

interface Case {
  readonly name: string;
  readonly dataMib: number;
  readonly bytesPerSecond: number;
  readonly fault: "killed" | "stopped";
  readonly secondsMax: number;
}

const CASES: readonly Case[] = [
  { name: "killed-27", dataMib: 500, bytesPerSecond: 27e6, fault: "killed", secondsMax: 30 },
  { name: "killed-44", dataMib: 500, bytesPerSecond: 44e6, fault: "killed", secondsMax: 60 },
  { name: "killed-1g-27", dataMib: 1024, bytesPerSecond: 27e6, fault: "killed", secondsMax: 60 },
  { name: "killed-1g-44", dataMib: 1024, bytesPerSecond: 44e6, fault: "killed", secondsMax: 60 },
  { name: "stopped-27", dataMib: 500, bytesPerSecond: 27e6, fault: "stopped", secondsMax: 30 },
  { name: "stopped-44", dataMib: 500, bytesPerSecond: 44e6, fault: "stopped", secondsMax: 60 },
];

interface Figure {
  readonly readySeconds: number;
  readonly snapshots: number;
  readonly residentBytesBefore: number;
  readonly residentBytesMost: number;
  readonly followerBytesMost: number;
  readonly writtenBefore: number;
  readonly writtenMeanwhile: number;
  readonly longestBeforeMs: number;
  readonly longestMs: number;
  readonly stretches: string;
}

async function fill(port: number, count: number): Promise<void> {
  const client = await Client.open(port);
  const value = "f".repeat(VALUE_BYTES);
  for (let i = 0; i < count; i += FILL_PIPELINE) {
    let text = "";
    const size = Math.min(FILL_PIPELINE, count - i);
    for (let k = i; k < i + size; k++) text += encode(["SET", `value:${k}`, value]);
    await Promise.all(client.sendEncoded(text, size));
  }
  client.close();
}

const info = async (port: number): Promise<string> =>
  String(await once(port, "INFO", "everything").catch(() => ""));
const fieldOf = (text: string, name: string): string =>
  new RegExp(`^${name}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";

/** A follower with a vote that has applied all that the leader had committed when it was asked. */
async function isReady(server: Server, node: number): Promise<boolean> {
  const [leader, follower] = await Promise.all([info(server.port), info(server.ports[node]!)]);
  return (
    fieldOf(follower, "raft_role") === "follower" &&
    fieldOf(follower, "raft_members") === "3" &&
    Number(fieldOf(follower, "raft_applied_index")) > 0 &&
    Number(fieldOf(leader, "raft_commit_index")) - Number(fieldOf(follower, "raft_applied_index")) < 1000
  );
}

async function measure(
  server: Server,
  { dataMib, bytesPerSecond, fault }: Case,
  scale: number,
): Promise<Figure> {
  const count = Math.floor((dataMib * scale * MIB) / VALUE_BYTES);
  await fill(server.port, count);
  const leaderAt = server.ports.indexOf(server.port);
  const node = (leaderAt + 1) % server.ports.length;
  const leader = server.children[leaderAt]!;
  const writers = await PacedWriters.start(server.port, {
    bytesPerSecond,
    valueBytes: VALUE_BYTES,
    keys: count,
  });
  let residentBytesBefore = 0;
  for (let i = 0; i < BEFORE_MS / LOOK_MS; i++) {
    await sleep(LOOK_MS);
    residentBytesBefore = Math.max(residentBytesBefore, residentBytes(leader));
  }
  const before = writers.take();
  const sentBefore = Number(fieldOf(await info(server.port), "raft_snapshots_sent"));
  const follower = server.children[node]!;
  if (fault === "killed") {
    const ended = new Promise<void>((resolve) => follower.process.once("exit", () => resolve()));
    follower.process.kill("SIGKILL");
    await ended;
    await sleep(2000);
    server.startAgain!(node);
  } else {
    follower.process.kill("SIGSTOP");
    await sleep(STOPPED_MS);
    follower.process.kill("SIGCONT");
  }
  const startMs = performance.now();
  let residentBytesMost = 0;
  let followerBytesMost = 0;
  let readySeconds = Number.NaN;
  for (let nextAskMs = startMs; ; ) {
    const elapsedMs = performance.now() - startMs;
    const isOver = elapsedMs > (Number.isNaN(readySeconds) ? READY_MS_MAX : 1000 * readySeconds + AFTER_MS);
    if (isOver) break;
    residentBytesMost = Math.max(residentBytesMost, residentBytes(leader));
    followerBytesMost = Math.max(followerBytesMost, residentBytes(server.children[node]!));
    if (Number.isNaN(readySeconds) && performance.now() >= nextAskMs) {
      if (await isReady(server, node)) readySeconds = (performance.now() - startMs) / 1000;
      nextAskMs = performance.now() + 4 * LOOK_MS;
    }
    await sleep(LOOK_MS);
  }
  const meanwhile = writers.take();
  const snapshots = Number(fieldOf(await info(server.port), "raft_snapshots_sent")) - sentBefore;
  await writers.stop();
  return {
    readySeconds,
    snapshots,
    residentBytesBefore,
    residentBytesMost,
    followerBytesMost,
    writtenBefore: before.bytesPerSecond,
    writtenMeanwhile: meanwhile.bytesPerSecond,
    longestBeforeMs: before.longestMs,
    longestMs: meanwhile.longestMs,
    stretches: meanwhile.stretches,
  };
}

function row(it: Case, figure: Figure): string[] {
  const factor = figure.residentBytesMost / figure.residentBytesBefore;
  const met = figure.readySeconds <= it.secondsMax && factor <= MEMORY_FACTOR_MAX && figure.snapshots === 1;
  return [
    it.name,
    Number.isNaN(figure.readySeconds) ? `not in ${READY_MS_MAX / 1000}` : figure.readySeconds.toFixed(1),
    String(figure.snapshots),
    `${(figure.writtenBefore / 1e6).toFixed(1)} / ${(figure.writtenMeanwhile / 1e6).toFixed(1)}`,
    `${figure.longestBeforeMs.toFixed(0)} / ${figure.longestMs.toFixed(0)}`,
    `${(figure.residentBytesBefore / MIB).toFixed(0)} / ${(figure.residentBytesMost / MIB).toFixed(0)}`,
    factor.toFixed(2),
    (figure.followerBytesMost / MIB).toFixed(0),
    verdict(met),
  ];
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const isQuick = words.includes("--quick");
  const only = words.filter((_, i) => words[i - 1] === "--case");
  const settings = words.filter((_, i) => words[i - 1] === "--setting").flatMap((word) => word.split("="));
  const redis = checkInstalled();
  const rows: string[][] = [];
  for (const it of CASES.filter(({ name }) => only.length === 0 || only.includes(name))) {
    const server = await startThree([], false, ["--loglevel", "notice", ...settings]);
    const figure = await measure(server, it, isQuick ? 1 / 8 : 1);
    rows.push(row(it, figure));
    console.error(
      `  ${rows.at(-1)!.join(", ")} (load ${loadavg()[0]!.toFixed(1)})\n  MB written, second by second: ${figure.stretches}`,
    );
    await Promise.all(server.children.map(stop));
  }
  console.log(
    `# A member comes back while clients write values of ${VALUE_BYTES / 1024} KiB to the leader\n\n` +
      `${machineLine(describeMachine(redis))}${isQuick ? "; a quick run: no figures to quote" : ""}\n`,
  );
  console.log(
    table(
      [
        "",
        "ready after s",
        "snapshots",
        "MB/s written before / meanwhile",
        "longest wait ms",
        "leader MiB",
        "factor",
        "its own MiB",
        `in time, one snapshot, factor under ${MEMORY_FACTOR_MAX}`,
      ],
      rows,
    ),
  );
}

runAndCleanUp(main);
