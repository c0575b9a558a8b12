// Accepts clients: counts them, refuses those over maxclients with Redis's words, and hands the others to the
// node. Errors of single sockets end here.

import type { Server, Socket } from "node:net";
import type { BufferPool, Clients, Log, NodeInputs } from "../node/ports.ts";
import { type ConnectionOwner, TcpClientConnection } from "./client-connection.ts";
import { listen } from "./listen.ts";

const REFUSAL = "-ERR max number of clients reached\r\n";
/** How long a refused client may take to read why. */
const REFUSAL_LINGER_MS = 500;
/** Refused clients that are given this time at once; more are closed unheard. */
const REFUSALS_MAX = 256;

export class ClientListener implements Clients, ConnectionOwner {
  readonly buffers: BufferPool;
  readonly log: Log;
  limit: number;
  keepAliveSeconds: number;
  acceptedCount = 0;
  rejectedCount = 0;
  readonly #connections = new Set<TcpClientConnection>();
  #servers: readonly Server[] = [];
  #node: NodeInputs | undefined;
  #refusals = 0;

  constructor(buffers: BufferPool, log: Log, limit: number, keepAliveSeconds: number) {
    this.buffers = buffers;
    this.log = log;
    this.limit = limit;
    this.keepAliveSeconds = keepAliveSeconds;
  }

  get count(): number {
    return this.#connections.size;
  }

  /** Undefined, or the line that says why it cannot. `port` is the one in use, for port 0. */
  async listen(
    node: NodeInputs,
    addresses: readonly string[],
    port: number,
    backlog: number,
  ): Promise<{ readonly port: number } | { readonly error: string }> {
    this.#node = node;
    const listening = await listen("client port", addresses, port, backlog, (socket) => this.#accept(socket));
    if (!listening.ok) return { error: listening.error };
    this.#servers = listening.servers;
    return { port: listening.port };
  }

  /** No more clients; those connected stay. */
  stopListening(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
  }

  /** Everybody out, what is pending is flushed first. */
  endAll(): void {
    for (const connection of this.#connections) connection.end();
  }

  gone(connection: TcpClientConnection): void {
    this.#connections.delete(connection);
  }

  #accept(socket: Socket): void {
    const node = this.#node;
    if (node === undefined) return void socket.destroy();
    if (this.#connections.size >= this.limit) return this.#refuse(socket);
    this.acceptedCount++;
    const connection = new TcpClientConnection(this.acceptedCount, socket, this);
    this.#connections.add(connection);
    connection.start(node.clientConnected(connection), this.keepAliveSeconds);
  }

  #refuse(socket: Socket): void {
    this.rejectedCount++;
    socket.on("error", () => {});
    if (this.#refusals >= REFUSALS_MAX) return void socket.destroy();
    this.#refusals++;
    const timer = setTimeout(() => socket.destroy(), REFUSAL_LINGER_MS);
    socket.on("close", () => {
      clearTimeout(timer);
      this.#refusals--;
    });
    // Read on, or closing would throw the refusal away together with what the client has sent.
    socket.end(REFUSAL);
    socket.resume();
  }
}
