// How the process ends: asked to by a signal, told to by the node, or stopped by a bug of ours. Every way leaves a
// clear line; only the last leaves a stack trace, in the log.

import { InvariantError } from "../base/assert.ts";
import type { Lifecycle, Log } from "../node/ports.ts";
import type { ClientListener } from "./client-listener.ts";
import { replaceText } from "./config-file.ts";
import type { TcpPeerTransport } from "./peer-transport.ts";

/** Broken invariants and other bugs: EX_SOFTWARE of sysexits. */
export const EXIT_BUG = 70;
/** What the operator can mend. */
export const EXIT_PROBLEM = 1;
/** How long clients may take to read their last replies. */
const FAREWELL_MS = 1000;
const FAREWELL_STEP_MS = 10;

/** One line for the operator, whatever is in the log. */
export function complain(text: string): void {
  process.stderr.write(`seshat: ${text}\n`);
}

/** What there is to close at the end. */
export interface Running {
  readonly clients: ClientListener;
  readonly peers: TcpPeerTransport;
}

export class ProcessEnd implements Lifecycle {
  readonly #log: Log;
  readonly #configFile: string;
  #running: Running | undefined;
  #isEnding = false;

  constructor(log: Log, configFile: string) {
    this.#log = log;
    this.#configFile = configFile;
  }

  /** From now on signals ask `shutdown`, which leads to stopped(). */
  watch(running: Running, shutdown: () => void): void {
    this.#running = running;
    let signals = 0;
    const onSignal = (signal: string): void => {
      signals++;
      if (signals > 1) {
        complain(`second ${signal}: exiting at once`);
        process.exit(EXIT_PROBLEM);
      }
      this.#log.info({ signal }, "asked to stop");
      running.clients.stopListening();
      shutdown();
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
    // Started by local-cluster: when that is gone, so are we.
    if (process.channel !== undefined) {
      process.on("disconnect", () => onSignal("disconnect"));
      process.channel?.unref();
    }
    process.on("uncaughtException", (error) => this.#bug(error));
    process.on("unhandledRejection", (error) => this.#bug(error));
  }

  stopped(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const running = this.#running;
    if (running === undefined) process.exit(0);
    running.clients.stopListening();
    running.clients.endAll();
    let waitedMs = 0;
    setInterval(() => {
      waitedMs += FAREWELL_STEP_MS;
      if (running.clients.count > 0 && waitedMs < FAREWELL_MS) return;
      running.peers.close();
      this.#log.info({}, "stopped");
      process.exit(0);
    }, FAREWELL_STEP_MS);
  }

  halt(text: string): void {
    this.#log.error({}, text);
    complain(text);
    process.exit(EXIT_PROBLEM);
  }

  rewriteConfig(edit: (text: string) => string): string | undefined {
    if (this.#configFile === "") return "the node was started without a config file";
    return replaceText(this.#configFile, edit);
  }

  #bug(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const kind = error instanceof InvariantError ? "a broken invariant" : "an unexpected error";
    this.#log.error({ stack }, `${kind} stopped the node`);
    complain(`${kind} stopped the node: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(EXIT_BUG);
  }
}
