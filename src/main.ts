#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=1048576 node --max-semi-space-size=4
// The composition root: command line -> settings -> ports -> node -> listeners. The only place that knows all parts,
// and with io/ the only one that touches the process. Decides nothing else.

import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ownMember } from "./config/checks.ts";
import { helpText, parseCommandLine } from "./config/command-line.ts";
import { Configuration } from "./config/configuration.ts";
import { loadSettings } from "./config/load.ts";
import { formatAddress } from "./config/special-kinds.ts";
import type { Settings } from "./config/table.ts";
import { SizeClassPool } from "./io/buffer-pool.ts";
import { ClientListener } from "./io/client-listener.ts";
import { readText } from "./io/config-file.ts";
import { createLog, type LogDestination, logDestination, reopenOnHangup } from "./io/log.ts";
import { openFilesMax, reservedFiles } from "./io/open-files.ts";
import type { OperatorCommand } from "./io/operator-commands.ts";
import { TcpPeerTransport } from "./io/peer-transport.ts";
import { complain, EXIT_PROBLEM, ProcessEnd } from "./io/process-end.ts";
import { WorkerPulse } from "./io/pulse-thread.ts";
import { processInfo, systemClock, systemEntropy } from "./io/system.ts";
import { TurnLoop } from "./io/turn-loop.ts";
import { SeshatNode } from "./node/node.ts";
import type { PeerIdentity, Ports } from "./node/ports.ts";

const USAGE = `Usage: seshat [file.conf] [--name value]...

A cache that speaks the Redis protocol and agrees on every write by Raft.

  seshat                            one node on port 6379
  seshat --port 7000                flags override the file, the file overrides the defaults
  seshat node1.conf --port 7000     the file has the grammar of redis.conf: name value, # comment
  seshat local-cluster              three nodes on this machine, on ports 6379, 6380 and 6381
  seshat ping|health [--port 6379]  ask a running node: does it answer, does it serve
  seshat status [--port 6379]       what a node knows of the cluster and its members
  seshat member list|add|remove|promote, transfer, recover
                                    change the cluster; --help after each says how
  seshat --help | --version
`;

const OPERATOR_COMMANDS: readonly OperatorCommand[] = ["status", "member", "transfer", "recover"];
const LOOPBACK = "127.0.0.1";
const packageFile = new URL("../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };

async function main(argv: readonly string[]): Promise<number | undefined> {
  const [command, ...rest] = argv;
  // Loaded when asked for: a node needs no client library.
  if (command === "local-cluster") {
    const { localCluster } = await import("./io/local-cluster.ts");
    return localCluster(fileURLToPath(import.meta.url), rest);
  }
  if (command === "ping" || command === "health") {
    const { probeCommand } = await import("./io/probe.ts");
    return probeCommand(command, rest);
  }
  const operatorCommand = OPERATOR_COMMANDS.find((name) => name === command);
  if (operatorCommand !== undefined) {
    const { runOperatorCommand } = await import("./io/operator-commands.ts");
    return runOperatorCommand(operatorCommand, rest);
  }
  const commandLine = parseCommandLine(argv);
  switch (commandLine.kind) {
    case "help":
      process.stdout.write(helpText(USAGE));
      return 0;
    case "version":
      process.stdout.write(`seshat ${version}\n`);
      return 0;
    case "error":
      return problem(commandLine.error);
    case "run":
      break;
  }
  const { file: path, flags } = commandLine;
  const file = path === undefined ? undefined : readText(path);
  if (file?.ok === false) {
    const isWord = /^[a-z-]+$/.test(path ?? "");
    return problem(isWord ? `${file.error}; if it was meant as a command: seshat --help` : file.error);
  }
  const loaded = loadSettings({
    file: file === undefined || path === undefined ? undefined : { path, text: file.text },
    environment: process.env,
    flags,
    readFile: readText,
  });
  if (!loaded.ok) return problem(loaded.error);
  const configFile = path === undefined ? "" : realpathSync(path);
  const { settings, given, outside, warnings } = loaded;
  const unwritten = new Set([...outside, ...loaded.derived]);
  process.title = titleOf(settings);
  const clientsMax = (openFilesMax() ?? Number.POSITIVE_INFINITY) - reservedFiles(settings);
  if (clientsMax < 1) return problem("ulimit -n is too low for a node: raise it to 1024 or more");
  const fewer = lowerMaxclients(settings, clientsMax);
  if (fewer.length > 0) unwritten.add("maxclients");
  const configuration = new Configuration(settings, given, unwritten);
  configuration.onChange(["maxclients"], ({ maxclients }) =>
    maxclients <= clientsMax
      ? undefined
      : `The operating system is not able to handle the specified number of clients, try with ${clientsMax}`,
  );
  return runNode(configuration, [...warnings, ...fewer], configFile);
}

/** As redis-server does when the limit of open files leaves fewer. */
function lowerMaxclients(settings: Settings, clientsMax: number): readonly string[] {
  const { maxclients } = settings;
  if (maxclients <= clientsMax) return [];
  settings.maxclients = clientsMax;
  return [
    `maxclients has been reduced from ${maxclients} to ${clientsMax}: the limit of open files leaves no more beside ` +
      "members, snapshots and what watches. If you need more, increase 'ulimit -n'",
  ];
}

/** What ps shows, as for redis-server; the command line, which may hold secrets, is written over by it. */
function titleOf({ bind, port, clusterEnabled }: Settings): string {
  return `seshat ${formatAddress(bind[0] ?? "*", port)}${clusterEnabled ? " [cluster]" : ""}`;
}

function problem(text: string): number {
  complain(text);
  return EXIT_PROBLEM;
}

/** Undefined while the node runs: it ends through ProcessEnd. */
async function runNode(
  configuration: Configuration,
  warnings: readonly string[],
  configFile: string,
): Promise<number | undefined> {
  const { settings } = configuration;
  const destination = openLog(settings.logfile);
  if (typeof destination === "string") return problem(destination);
  const log = createLog(settings.loglevel, destination);
  reopenOnHangup(destination, log);
  for (const warning of warnings) log.warn({}, warning);

  const buffers = new SizeClassPool();
  const clients = new ClientListener(buffers, log, settings.maxclients, settings.tcpKeepaliveSeconds);
  const { busyLimitMs, electionTimeoutMs } = settings;
  const pulse = busyLimitMs > 0 ? new WorkerPulse(electionTimeoutMs, busyLimitMs) : undefined;
  const peers = new TcpPeerTransport(
    identity(settings),
    {
      secret: settings.clusterSecret,
      sharedSettings: configuration.sharedText(),
      needsPassword: () => settings.requirepass !== "",
      sharedDifferences: (theirs, founding) => configuration.sharedDifferences(theirs, founding),
      snapshotWindowBytes: settings.snapshotWindowBytes,
      busyLimitMs,
    },
    log,
    pulse,
  );
  const turns = new TurnLoop(systemClock, settings.tickMs, (monotonicMs) => pulse?.turnDue(monotonicMs));
  const lifecycle = new ProcessEnd(log, configFile);
  const ports: Ports = {
    clients,
    peers,
    pulse: pulse ?? { alive: () => {} },
    buffers,
    scheduler: turns,
    clock: systemClock,
    entropy: systemEntropy,
    host: processInfo(version, configFile),
    lifecycle,
    log,
  };
  const node = new SeshatNode(configuration, ports);
  peers.attach(node);
  lifecycle.watch({ clients, peers }, () => node.shutdown());

  // Alone and without a name, it has nobody to talk to; with one, others may be added.
  if (settings.members.length > 0) {
    const peerPort = await peers.listen(settings.peerBind, settings.peerPort);
    if ("error" in peerPort) return problem(peerPort.error);
  }
  if (settings.port !== 0) {
    const port = await clients.listen(node, settings.bind, settings.port, settings.tcpBacklog);
    if ("error" in port) return problem(port.error);
  }
  if (settings.httpPort !== 0) {
    const error = await watchOver(node, turns);
    if (error !== undefined) return problem(error);
  }
  turns.start(node);
  node.start();
  log.info({ version, name: settings.nodeName, port: settings.port }, "started");
  return undefined;
}

/** Loaded when asked for, as few nodes on a developer's machine are scraped. */
async function watchOver(node: SeshatNode, turns: TurnLoop): Promise<string | undefined> {
  const { createMetrics } = await import("./io/metrics.ts");
  const { startHttpEndpoint } = await import("./io/http-endpoint.ts");
  const { httpBind, httpPort } = node.settings;
  const metrics = createMetrics(node.server.figures, turns);
  return startHttpEndpoint(httpBind, httpPort, metrics, () => node.readinessProblem);
}

function openLog(path: string): LogDestination | string {
  try {
    return logDestination(path);
  } catch (error) {
    return `cannot write the log to ${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** This process start: a new incarnation each time (DESIGN section 8). */
function identity(settings: Settings): PeerIdentity {
  const own = ownMember(settings);
  const host = own?.host ?? LOOPBACK;
  const clientHost = settings.clusterAnnounceIp || host;
  return {
    clusterId: "",
    name: settings.nodeName,
    // What the others dial, which leads to peer-port through a mapped port or a proxy.
    address: formatAddress(host, own?.port ?? settings.peerPort),
    clientAddress: formatAddress(clientHost, settings.clusterAnnouncePort || settings.port),
    clientHostname: settings.clusterAnnounceHostname,
    incarnation: systemEntropy.identity(),
  };
}

const exitCode = await main(process.argv.slice(2));
if (exitCode !== undefined) process.exit(exitCode);
