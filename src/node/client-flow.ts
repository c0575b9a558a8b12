// How much of one client may wait: bytes that are not parsed yet, and replies that are not read. In: what is there now, and
// once a second a look at the client. Out: reading stops and goes on, or the connection is closed. It never touches a byte.

import { UNREAD_OUTPUT_BYTES_MAX } from "./holds.ts";
import { hasTimedOut, Standstill } from "./idle-clients.ts";
import type { SeshatNode } from "./node.ts";
import { OutputLimiter } from "./output-limit.ts";
import type { Session } from "./session.ts";

/** A held client's further input is read up to here, then the kernel keeps it. */
const HELD_INPUT_BYTES_MAX = 1 << 20;

export class ClientFlow {
  readonly #node: SeshatNode;
  readonly #client: Session;
  #isPaused = false;
  readonly #outputLimiter = new OutputLimiter();
  readonly #standstill = new Standstill();

  constructor(node: SeshatNode, client: Session) {
    this.#node = node;
    this.#client = client;
  }

  /** A held client, or one in the middle of a huge command, may not make us keep more than the limit. */
  limitInput(bytes: number, isHeld: boolean): void {
    const { settings, ports, server } = this.#node;
    if (bytes > settings.clientQueryBufferBytesMax) {
      ports.log.warn({ client: this.#client.address, bytes }, "closed: query buffer limit reached");
      server.statistics.queryBufferDisconnections++;
      this.#client.close(false);
    } else if (isHeld && bytes > HELD_INPUT_BYTES_MAX) {
      this.#pause();
    }
  }

  /** Only while the kernel has not taken everything: writable() then says when the reading may go on. */
  limitOutput(): void {
    const client = this.#client;
    if (client.virtual) return; // what waits there is its node's, and limited there
    const bytes = client.outputBufferBytes;
    if (bytes > UNREAD_OUTPUT_BYTES_MAX) this.#pause();
    const { settings, replica, ports, server } = this.#node;
    if (!this.#outputLimiter.exceeded(bytes, settings.clientOutputLimits[client.kind], replica.monotonicMs))
      return;
    ports.log.warn({ client: client.address, bytes }, "closed: output buffer limit reached");
    server.statistics.outputBufferDisconnections++;
    client.close(false);
  }

  /** A client that has stopped reading gets no more turns of its own to be looked at. */
  everySecond(): void {
    const client = this.#client;
    const { pendingBytes } = client.connection;
    if (pendingBytes > 0) this.limitOutput();
    const { replica, settings } = this.#node;
    const isLeaving = client.inputEnded || client.closing;
    const isStuck = this.#standstill.lasts(client.commandCountTotal + client.outputBytesTotal - pendingBytes);
    if (pendingBytes > 0 && !this.#standstill.isNow) client.lastActiveMs = replica.wallMs; // it reads
    if ((isLeaving && isStuck) || hasTimedOut(client, replica.wallMs, settings.timeoutSeconds))
      client.close(false);
  }

  /** Harmless when reading has not stopped. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#client.connection.resumeReading();
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#client.connection.pauseReading();
  }
}
