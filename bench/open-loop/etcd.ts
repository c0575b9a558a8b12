// Puts and gets of three etcd nodes beside SETs and GETs of three of ours. Where etcd is not installed the section says so.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Options } from "../options.ts";
import { type Child, outputOf, start, stop } from "../processes.ts";
import type { Report } from "../results.ts";
import { type Server, until, withServers } from "../servers.ts";
import {
  CONNECTIONS,
  type Figure,
  fill,
  findMaxima,
  measureRates,
  NAP_US,
  type Say,
  SMALL_VALUE_BYTES,
  scaledTimes,
} from "./compare.ts";
import { pointOf, pointsTable } from "./tables.ts";

const CLIENT_PORT = 17_540;
const PEER_PORT = 17_545;
const NODES = 3;
const KEYS = 10_000;
const RATE_PART = 0.5;
const TIMES = { warmUpMs: 1000, measureMs: 4000 };
const MEMORY_FOLDER = "/dev/shm";
const KINDS = [
  { name: "put, SET", writePart: 1 },
  { name: "get, GET", writePart: 0 },
] as const;

interface KindFigure {
  readonly kind: string;
  readonly maxima: readonly Figure[];
  /** Both at half of etcd's maximum. */
  readonly latencies: readonly Figure[];
}

export async function measureEtcd(
  startOurs: () => Promise<Server>,
  { scale, rounds }: Options,
  say: Say,
): Promise<Report> {
  const title = "etcd beside three nodes, all on this machine, asked at the leader";
  const version = /etcd Version: (\S+)/.exec(outputOf("etcd", ["--version"]) ?? "")?.[1];
  if (version === undefined) {
    const text = "Skipped: etcd was not found. Debian and Ubuntu: apt-get install etcd-server.";
    return { title, text, data: null, isSkipped: true };
  }
  const isInMemory = existsSync(MEMORY_FOLDER);
  const folder = mkdtempSync(join(isInMemory ? MEMORY_FOLDER : tmpdir(), "seshat-etcd-"));
  // Also after Ctrl-C: it may be memory.
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const figures = await withServers([() => startEtcd(folder), startOurs], async (...servers) => {
    const found: KindFigure[] = [];
    for (const { name, writePart } of KINDS) {
      say(`  etcd: ${name}`);
      const mix = { keys: KEYS, valueBytes: SMALL_VALUE_BYTES, writePart, seed: 1 };
      const load = { mix, connections: CONNECTIONS, napUs: NAP_US };
      if (found.length === 0) for (const server of servers) await fill(server, mix);
      const maxima = await findMaxima(servers, load, rounds);
      const perSecond = Math.round(maxima[0]!.perSecond * RATE_PART);
      const times = scaledTimes(TIMES, scale);
      const latencies = await measureRates(
        servers,
        load,
        servers.map(() => perSecond),
        rounds,
        times,
      );
      found.push({ kind: name, maxima, latencies });
    }
    return found;
  });
  const points = figures.map((figure) => ({ ...figure, name: figure.kind }));
  const table = pointsTable("", (rate) => `latencies at ${rate}`, points);
  const where = isInMemory ? "in memory (tmpfs), where fsync costs next to nothing" : "on disk";
  return {
    title,
    text:
      `etcd ${version} over gRPC, linearizable gets. It writes each put to a log and calls fsync; its data is ${where}. ` +
      `Ours keeps nothing on disk, and answers GET from the leader's memory under a lease.\n\n${table}`,
    plots: { etcd: plotOf(figures) },
    data: { version, isInMemory, figures },
  };
}

function plotOf(figures: readonly KindFigure[]): NonNullable<Report["plots"]>[string] {
  const names = figures.flatMap(({ kind }) => [`${kind}: p50`, `${kind}: p99`]);
  const series = figures[0]!.latencies.map(({ server }, i) => ({
    name: server,
    points: figures.flatMap(({ latencies }, at) => [
      ...pointOf(2 * at, latencies[i]!, "p50Us"),
      ...pointOf(2 * at + 1, latencies[i]!, "p99Us"),
    ]),
  }));
  return {
    title: "Latency at half of etcd's maximum rate",
    x: { label: "", scale: { names } },
    y: { label: "latency, ms", scale: "log" },
    series,
  };
}

async function startEtcd(folder: string): Promise<Server> {
  const names = Array.from({ length: NODES }, (_, i) => `e${i + 1}`);
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const cluster = names.map((name, i) => `${name}=${url(PEER_PORT + i)}`).join(",");
  const children: Child[] = names.map((name, i) =>
    start(`etcd ${name}`, "etcd", [
      ...["--name", name, "--data-dir", join(folder, name), "--log-level", "error"],
      ...["--listen-client-urls", url(CLIENT_PORT + i), "--advertise-client-urls", url(CLIENT_PORT + i)],
      ...["--listen-peer-urls", url(PEER_PORT + i), "--initial-advertise-peer-urls", url(PEER_PORT + i)],
      ...["--initial-cluster", cluster, "--initial-cluster-state", "new"],
    ]),
  );
  const ports = names.map((_, i) => CLIENT_PORT + i);
  let leader: number | undefined;
  try {
    await until("three etcd nodes", children, async () => {
      for (const port of ports) if (await leads(url(port))) leader = port;
      return leader !== undefined;
    });
  } catch (error) {
    await Promise.all(children.map(stop));
    throw error;
  }
  return { name: "three of etcd", port: leader!, ports, children, protocol: "etcd" };
}

/** By etcd's gateway from JSON, which is good enough to ask once. */
async function leads(url: string): Promise<boolean> {
  const response = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" });
  const status = (await response.json()) as { leader?: string; header?: { member_id?: string } };
  return status.leader !== undefined && status.leader === status.header?.member_id;
}
