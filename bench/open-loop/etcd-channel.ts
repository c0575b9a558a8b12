// One connection of the load generator to etcd: puts and gets of numbered keys over gRPC, as etcd's own clients speak it, each a stream
// of one HTTP/2 connection. Only what is needed of gRPC is here: one message out, one in, and the status.

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import protobuf from "protobufjs/minimal.js";
import { type Channel, keyOf, type Listener } from "./channel.ts";

const PUT = "/etcdserverpb.KV/Put";
const RANGE = "/etcdserverpb.KV/Range";
/** A flag (not compressed) and the length of the message. */
const PREFIX_BYTES = 5;
/** Tags of etcd's messages: field number and "length-delimited". */
const KEY_TAG = (1 << 3) | 2;
const PUT_VALUE_TAG = (2 << 3) | 2;
const RANGE_KVS_TAG = (2 << 3) | 2;
const KV_VALUE_TAG = (5 << 3) | 2;

export class EtcdChannel implements Channel {
  readonly #session: ClientHttp2Session;
  readonly #value: Uint8Array;
  readonly #listener: Listener;
  outstanding = 0;

  private constructor(session: ClientHttp2Session, valueBytes: number, listener: Listener) {
    this.#session = session;
    this.#value = Buffer.alloc(valueBytes, "x");
    this.#listener = listener;
  }

  static open(port: number, valueBytes: number, listener: Listener): Promise<EtcdChannel> {
    return new Promise((resolve, reject) => {
      const session = connect(`http://127.0.0.1:${port}`);
      session.once("error", reject);
      session.once("connect", () => resolve(new EtcdChannel(session, valueBytes, listener)));
    });
  }

  queue(key: number, isWrite: boolean, atUs: number): void {
    this.outstanding++;
    const stream = this.#session.request({
      ":method": "POST",
      ":path": isWrite ? PUT : RANGE,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    const noteStatus = (headers: IncomingHttpHeaders): void => {
      if (headers["grpc-status"] !== undefined) status = String(headers["grpc-status"]);
    };
    // An answer without a message has its status in the headers.
    stream.on("response", noteStatus);
    stream.on("trailers", noteStatus);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (error: Error) => {
      status = error.message;
    });
    stream.on("close", () => {
      this.outstanding--;
      this.#answered(isWrite, atUs, status, chunks);
    });
    stream.end(frameOf(key, isWrite ? this.#value : undefined));
  }

  /** A stream is sent when it is made. */
  flush(): void {}

  #answered(isWrite: boolean, atUs: number, status: string | undefined, chunks: readonly Buffer[]): void {
    const length = status === "0" && !isWrite ? lengthOfValue(Buffer.concat(chunks)) : undefined;
    const isRight = status === "0" && (isWrite || length === this.#value.length);
    const what = isRight ? "" : `${isWrite ? "put" : "get"}: status ${status}, ${length} bytes`;
    this.#listener.onReply(atUs, isRight, what);
    this.#listener.onBatch?.(this);
  }
}

/** PutRequest { key = 1, value = 2 } or RangeRequest { key = 1 }. */
function frameOf(key: number, value: Uint8Array | undefined): Buffer {
  const writer = protobuf.Writer.create().uint32(KEY_TAG).string(keyOf(key));
  if (value !== undefined) writer.uint32(PUT_VALUE_TAG).bytes(value);
  const message = writer.finish();
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** RangeResponse { header = 1, kvs = 2 { ..., value = 5 }, ... }: of the first of the kvs. */
export function lengthOfValue(frame: Buffer): number | undefined {
  const reader = protobuf.Reader.create(frame.subarray(PREFIX_BYTES));
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === RANGE_KVS_TAG) {
      const end = reader.uint32() + reader.pos;
      while (reader.pos < end) {
        const inner = reader.uint32();
        if (inner === KV_VALUE_TAG) return reader.uint32();
        reader.skipType(inner & 7);
      }
    } else reader.skipType(tag & 7);
  }
  return undefined;
}
