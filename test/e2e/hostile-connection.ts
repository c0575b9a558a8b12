// A connection to a member's peer port by somebody who knows the secret and then says what he likes: shakes hands as any
// member does, writes any bytes, and sees when the connection ends. Judges nothing.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { UNIT_PIECE, unitHead } from "../../src/io/lane-units.ts";
import { DiallerHandshake, type PeerTerms, VERSIONS } from "../../src/io/peer-handshake.ts";
import type { PeerIdentity } from "../../src/node/ports.ts";
import { FRAME_PREFIX_BYTES } from "../../src/wire/frame-writer.ts";
import { type ConnectionKind, decodeHandshake } from "../../src/wire/handshake.ts";

/** No unit and no frame of any connection begins like this. */
const NONSENSE = Buffer.alloc(16, 0xff);
const HOST = "127.0.0.1";

export class HostileConnection {
  isClosed = false;
  readonly #socket: Socket;
  readonly #ended: Promise<unknown>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#ended = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** With a good handshake; cluster and settings are those of the member. */
  static async open(
    port: number,
    key: Buffer | undefined,
    self: PeerIdentity,
    kind: ConnectionKind,
  ): Promise<HostileConnection> {
    const socket = connect(port, HOST);
    const connection = new HostileConnection(socket);
    const terms = {
      self: { ...self },
      versions: VERSIONS,
      key,
      sharedSettings: "",
      sharedDifferences: (): readonly string[] => [],
    };
    await connection.#shakeHands(terms, kind);
    socket.resume();
    return connection;
  }

  async #shakeHands(
    terms: { -readonly [K in keyof PeerTerms]: PeerTerms[K] },
    kind: ConnectionKind,
  ): Promise<void> {
    const handshake = new DiallerHandshake(terms, kind, 0);
    let read: Buffer = Buffer.alloc(0);
    for (;;) {
      while (read.length < FRAME_PREFIX_BYTES || read.length < FRAME_PREFIX_BYTES + read.readUInt32BE(0)) {
        const [chunk] = (await Promise.race([once(this.#socket, "data"), this.#ended])) as [Buffer?];
        if (chunk === undefined || typeof chunk === "boolean")
          throw new Error("the handshake was broken off");
        read = Buffer.concat([read, chunk]);
      }
      const end = FRAME_PREFIX_BYTES + read.readUInt32BE(0);
      const frame = read.subarray(0, end);
      read = read.subarray(end);
      const message = decodeHandshake(frame.subarray(FRAME_PREFIX_BYTES));
      if (message.ok && message.value.step === "welcome") {
        const { clusterId, sharedSettings } = message.value.self;
        terms.self = { ...terms.self, clusterId };
        terms.sharedSettings = sharedSettings;
      }
      const verdict = handshake.receive(frame);
      for (const answer of verdict.send) this.#socket.write(answer);
      if (verdict.kind === "refused") throw new Error(`refused: ${verdict.text}`);
      if (verdict.kind === "done") return this.#socket.unshift(read);
    }
  }

  write(bytes: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  /** The frame in pieces of the ordered lane. */
  writePieces(frame: Buffer, pieceBytes: number): void {
    for (let at = 0; at < frame.length; at += pieceBytes) {
      const piece = frame.subarray(at, at + pieceBytes);
      this.write(Buffer.concat([unitHead(UNIT_PIECE, piece.length), piece]));
    }
  }

  /** A frame of a connection that carries a snapshot. */
  writeSnapshotPart(kind: number, payload: Uint8Array): void {
    const head = Buffer.alloc(FRAME_PREFIX_BYTES + 1);
    head.writeUInt32BE(1 + payload.length);
    head[FRAME_PREFIX_BYTES] = kind;
    this.write(head);
    this.write(payload);
  }

  /** The other side has ended it. */
  async closed(): Promise<void> {
    await this.#ended;
  }

  /** Everything that was written has been read and done with. */
  async finish(): Promise<void> {
    this.write(NONSENSE);
    await this.#ended;
  }

  /** Without a word. */
  drop(): void {
    this.#socket.destroy();
  }
}
