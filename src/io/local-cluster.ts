// `seshat local-cluster`: three nodes on this machine, for trying it out. Starts them, waits until they serve, says
// what to type, and stops them, each by its pid. Keeps nothing that the nodes need: each runs as it would alone.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { secretIn } from "../config/secrets.ts";
import { readText } from "./config-file.ts";
import { listen } from "./listen.ts";
import { probe } from "./probe.ts";
import { complain } from "./process-end.ts";

const NODES = 3;
const PEER_PORT_OFFSET = 10_000;
const PORT_MAX = 65_535 - PEER_PORT_OFFSET - NODES;
const DEFAULT_PORT = 6379;
const SERVE_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 15_000;
const HOST = "127.0.0.1";

/** Examples of another port, in errors and hints: the first that is not the one given. */
const OTHER_PORTS: readonly number[] = [7379, 8379];

const USAGE = `Usage: seshat local-cluster [--port <first port>] [--name value]...

Three nodes on this machine, on three ports in a row (6379, 6380, 6381). Other options go to every node.
The logs are in a folder of their own, which goes when all three were stopped; one that was started again by hand
goes on, and keeps the folder.
`;

interface LocalNode {
  readonly name: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly process: ChildProcess;
}

/** @param script the program that a node is started with; resolves to the exit code */
export async function localCluster(script: string, words: readonly string[]): Promise<number> {
  if (words.includes("--help")) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { port, rest } = takePort(words);
  if (port === undefined) {
    complain(`--port takes a number from 1 to ${PORT_MAX}`);
    return 1;
  }
  const ports = Array.from({ length: NODES }, (_, i) => port + i);
  const taken = await firstTaken([...ports, ...ports.map((it) => it + PEER_PORT_OFFSET)]);
  if (taken !== undefined) {
    complain(`${taken}: ${commandBeside(port)}`);
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), "seshat-"));
  process.stdout.write(`Starting three nodes on ${HOST}, ports ${ports.join(", ")}. Logs: ${folder}\n`);
  const secrets = takeSecrets(rest, folder);
  process.title = "seshat local-cluster";
  const members = ports.flatMap((it, i) => ["--member", `n${i + 1}`, `${HOST}:${it + PEER_PORT_OFFSET}`]);
  const nodes = ports.map((it, i): LocalNode => {
    const name = `n${i + 1}`;
    const log = ["--logfile", join(folder, `${name}.log`)];
    const flags = [
      "--port",
      `${it}`,
      "--bind",
      HOST,
      "--node-name",
      name,
      ...members,
      ...log,
      ...secrets.flags,
    ];
    return { name, port: it, flags, process: start(script, flags) };
  });
  return new Run(nodes, folder, commandOf(script), secrets.passwordFile).untilStopped();
}

/** The words that start this cluster on another port, as whoever reads them started the cluster on this one. */
function commandBeside(taken: number): string {
  const port = OTHER_PORTS.find((it) => it !== taken);
  const isScript = process.env["npm_lifecycle_event"] === "start";
  return `${isScript ? "npm start --" : "seshat local-cluster"} --port ${port}`;
}

/** A variable that glibc's malloc reads. */
const MALLOC_THRESHOLD = "MALLOC_MMAP_THRESHOLD_";

/** The words that run the program whether or not "seshat" is on PATH. */
function commandOf(script: string): string {
  const near = relative(process.cwd(), script);
  const path = near.startsWith("..") ? script : near;
  const command = [process.argv0, ...process.execArgv, path].map(quoted).join(" ");
  // What npm start sets for a node's sake, it has to have in another terminal too.
  const threshold = process.env[MALLOC_THRESHOLD];
  return threshold === undefined ? command : `${MALLOC_THRESHOLD}=${quoted(threshold)} ${command}`;
}

/** For a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function takePort(words: readonly string[]): { port: number | undefined; rest: readonly string[] } {
  const at = words.indexOf("--port");
  if (at < 0) return { port: DEFAULT_PORT, rest: words };
  const port = Number(words[at + 1]);
  const isPort = Number.isInteger(port) && port >= 1 && port <= PORT_MAX;
  return { port: isPort ? port : undefined, rest: [...words.slice(0, at), ...words.slice(at + 2)] };
}

const SECRET_BYTES = 16;

/**
 * Secrets are in files of the folder, which only this user can read, and not in the nodes' command lines. Members have one in any
 * case: without it a password could be got past through the peer ports.
 */
function takeSecrets(
  words: readonly string[],
  folder: string,
): { readonly flags: readonly string[]; readonly passwordFile: string | undefined } {
  let flags: readonly string[] = words;
  const fileOf = (name: string): string | undefined => {
    const at = flags.indexOf(`--${name}-file`);
    return at < 0 ? undefined : flags[at + 1];
  };
  const take = (name: string, fromOutside: string | undefined): void => {
    const at = flags.indexOf(`--${name}`);
    const secret = at < 0 ? fromOutside : flags[at + 1];
    if (secret === undefined || secret === "" || fileOf(name) !== undefined) return;
    const path = join(folder, name);
    writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    const others = at < 0 ? flags : [...flags.slice(0, at), ...flags.slice(at + 2)];
    flags = [...others, `--${name}-file`, path];
  };
  const { SESHAT_REQUIREPASS, SESHAT_REQUIREPASS_FILE, SESHAT_CLUSTER_SECRET } = process.env;
  take("requirepass", SESHAT_REQUIREPASS || undefined);
  take("cluster-secret", SESHAT_CLUSTER_SECRET || randomBytes(SECRET_BYTES).toString("hex"));
  // A node that is started again by hand may have another environment, and another folder.
  if (SESHAT_REQUIREPASS_FILE && fileOf("requirepass") === undefined) {
    flags = [...flags, "--requirepass-file", resolve(SESHAT_REQUIREPASS_FILE)];
  }
  return { flags, passwordFile: fileOf("requirepass") };
}

/** Undefined, or the line that says which port is taken. */
async function firstTaken(ports: readonly number[]): Promise<string | undefined> {
  for (const port of ports) {
    const listening = await listen("port", [HOST], port, 1, (socket) => socket.destroy());
    if (!listening.ok) return listening.error;
    for (const server of listening.servers) await new Promise((resolve) => server.close(resolve));
  }
  return undefined;
}

/**
 * In a process group of its own, so that Ctrl-C reaches this process only and each node is stopped once; with a
 * channel whose end tells it when this process is gone.
 */
function start(script: string, flags: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, script, ...flags], {
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

class Run {
  readonly #nodes: readonly LocalNode[];
  readonly #folder: string;
  readonly #command: string;
  /** Undefined: clients need no password. */
  readonly #passwordFile: string | undefined;
  #isStopping = false;
  #failed = false;

  /** @param command runs one node, with its flags behind */
  constructor(
    nodes: readonly LocalNode[],
    folder: string,
    command: string,
    passwordFile: string | undefined,
  ) {
    this.#passwordFile = passwordFile;
    this.#nodes = nodes;
    this.#folder = folder;
    this.#command = command;
  }

  async untilStopped(): Promise<number> {
    const ended = this.#nodes.map((node) => this.#watch(node));
    const onSignal = (): void => this.#stop();
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal).on("SIGHUP", onSignal);
    if (await this.#serves()) this.#announce();
    else if (!this.#isStopping) {
      this.#failed = true;
      complain(`the nodes do not serve after ${SERVE_LIMIT_MS / 1000} s; their logs are in ${this.#folder}`);
      this.#stop();
    }
    await Promise.all(ended);
    if (this.#failed) return 1;
    const others = await this.#startedByOthers();
    if (others.length > 0) {
      const names = others.map(({ name, port: it }) => `${name} on port ${it}`).join(", ");
      process.stdout.write(
        `Stopped, except for what was started by hand: ${names}. The folder ${this.#folder} stays for it.\n`,
      );
      return 0;
    }
    rmSync(this.#folder, { recursive: true, force: true });
    process.stdout.write(`All nodes are stopped. Their logs in ${this.#folder} are removed.\n`);
    return 0;
  }

  /** Resolves when the node has ended. */
  #watch({ name, port, flags, process: child }: LocalNode): Promise<void> {
    return new Promise((resolve) => {
      child.on("error", (error) => {
        complain(`${name}: ${error.message}`);
        this.#failed = true;
        this.#stop();
        resolve();
      });
      child.on("exit", (code, signal) => {
        resolve();
        if (this.#isStopping) return;
        if (this.#running().length === 0) {
          this.#failed = true;
          return void complain(`all nodes have ended; their logs are in ${this.#folder}`);
        }
        complain(
          `${name} on port ${port} ended (${signal ?? `code ${code}`}); a member that comes back is started by`,
        );
        process.stderr.write(`  ${this.#command} ${flags.map(quoted).join(" ")}\n`);
      });
    });
  }

  /** Those that ended before, and whose ports somebody has: their logs and secrets are in our folder. */
  async #startedByOthers(): Promise<LocalNode[]> {
    const others: LocalNode[] = [];
    for (const node of this.#nodes) if ((await firstTaken([node.port])) !== undefined) others.push(node);
    return others;
  }

  #running(): LocalNode[] {
    return this.#nodes.filter(({ process: child }) => child.exitCode === null && child.signalCode === null);
  }

  async #serves(): Promise<boolean> {
    const end = Date.now() + SERVE_LIMIT_MS;
    const file = this.#passwordFile;
    const read = file === undefined ? undefined : readText(file);
    const password = read?.ok === true ? secretIn(read.text) : undefined;
    for (const { port } of this.#nodes) {
      while ((await probe("health", { host: HOST, port, password })) !== undefined) {
        if (this.#isStopping || this.#running().length < NODES || Date.now() > end) return false;
        await sleep(50);
      }
    }
    return true;
  }

  #announce(): void {
    const [first, second] = this.#nodes;
    const file = this.#passwordFile;
    // By the environment: on the command line ps would show it.
    const client = file === undefined ? "redis-cli" : `REDISCLI_AUTH="$(cat ${quoted(file)})" redis-cli`;
    const lines = [
      `Three nodes are serving: ${this.#nodes.map(({ name, port }) => `${name} on ${port}`).join(", ")}.`,
      "",
      `  ${client} -p ${first?.port} set greeting hello`,
      `  ${client} -p ${second?.port} get greeting`,
      `  ${client} -p ${first?.port} info raft`,
      `  kill -9 ${first?.process.pid}          # n1 dies; the others go on`,
      "",
      `Logs: ${this.#folder}, until all are stopped. Ctrl-C stops all three.`,
      ...(first?.port === DEFAULT_PORT ? [`Other ports: ${commandBeside(DEFAULT_PORT)}`] : []),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  }

  /** Each by its pid, first kindly; a second call, or time, kills. */
  #stop(): void {
    const signal = this.#isStopping ? "SIGKILL" : "SIGTERM";
    if (!this.#isStopping) setTimeout(() => this.#stop(), STOP_LIMIT_MS).unref();
    this.#isStopping = true;
    for (const { process: child } of this.#running()) child.kill(signal);
  }
}
