// A real redis-server to compare with, on a unix socket of its own. Tests that need it are skipped, and say so,
// where it is not installed.

import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import RedisParser, { type Reply } from "redis-parser";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { startChild } from "../children.ts";
import { until } from "../until.ts";

/** "7.0" or the like; undefined when there is no redis-server. */
export const redisVersion: string | undefined = /v=(\d+\.\d+)/.exec(
  spawnSync("redis-server", ["--version"], { encoding: "utf8" }).stdout ?? "",
)?.[1];

export const isRedis70 = redisVersion === "7.0";

export class RedisServer {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #path: string;

  private constructor(process: ChildProcess, folder: string, path: string) {
    this.#process = process;
    this.#folder = folder;
    this.#path = path;
  }

  static async start(...options: readonly string[]): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), "seshat-redis-"));
    const path = join(folder, "socket");
    const args = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder, ...options];
    const server = new RedisServer(startChild("redis-server", args, { stdio: "ignore" }), folder, path);
    await until("redis-server answers", async () => {
      if (server.#process.exitCode !== null)
        throw new Error(`redis-server ended: ${server.#process.exitCode}`);
      return await server.exchange(Buffer.alloc(0)).catch(() => undefined);
    });
    return server;
  }

  /** Sends raw bytes, closes its side, and returns all that came back before the server closed. */
  exchange(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", (error: Error & { code?: string }) => {
        // A server that refuses closes while we still send.
        if (error.code !== "EPIPE" && error.code !== "ECONNRESET") reject(error);
      });
      socket.on("close", () => resolve(Buffer.concat(chunks)));
      socket.end(bytes);
    });
  }

  /** Commands pipelined on one connection, their RESP2 replies in order; texts are latin1. */
  async ask(commands: readonly (readonly (string | Uint8Array)[])[]): Promise<Reply[]> {
    const answer = await this.exchange(Buffer.concat(commands.map((command) => encodeCommand(command))));
    const replies: Reply[] = [];
    const push = (reply: Reply): void => {
      replies.push(reply);
    };
    new RedisParser({
      returnReply: push,
      returnError: push,
      returnBuffers: true,
      stringNumbers: true,
    }).execute(answer);
    return replies;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A reply as text: an error is its message, a bulk string its bytes as latin1. */
export function textOf(reply: Reply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  return reply instanceof Error ? reply.message : String(reply);
}
