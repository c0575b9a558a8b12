// Where this Node does not offer what the hot path uses, sockets are read and written the ordinary way, with the
// same behaviour.

import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, test, vi } from "vitest";
import { SizeClassPool } from "../../src/io/buffer-pool.ts";
import { until } from "../until.ts";
import { FakeHandler, FakeLog } from "./fakes.ts";

type Connection = import("../../src/io/client-connection.ts").TcpClientConnection;

let server: Server;
afterEach(() => {
  server.close();
  vi.unstubAllGlobals();
  vi.resetModules();
});

async function open(
  spoil: (accepted: Socket) => void,
): Promise<{ client: Socket; handler: FakeHandler; pool: SizeClassPool }> {
  vi.resetModules();
  const { TcpClientConnection } = await import("../../src/io/client-connection.ts");
  const pool = new SizeClassPool();
  let handler: FakeHandler | undefined;
  server = createServer({ pauseOnConnect: true }, (accepted) => {
    spoil(accepted);
    const connection: Connection = new TcpClientConnection(1, accepted, {
      buffers: pool,
      log: new FakeLog(),
      gone: () => {},
    });
    handler = new FakeHandler(connection);
    connection.start(handler, 60);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await until("accepted", () => handler !== undefined);
  assert.ok(handler);
  return { client, handler, pool };
}

const withoutHandle = (accepted: Socket): void => {
  const handle: unknown = Reflect.get(accepted, "_handle");
  assert.ok(typeof handle === "object" && handle !== null);
  Reflect.set(handle, "useUserBuffer", undefined);
};

const withoutBinding = (): void => {};

describe.each([
  { name: "no usable handle", spoil: withoutHandle, stubs: false },
  { name: "no binding", spoil: withoutBinding, stubs: true },
])("$name", ({ spoil, stubs }) => {
  test("bytes come in, replies go out, pressure and end work", async () => {
    const binding: unknown = Reflect.get(process, "binding");
    if (stubs) Reflect.set(process, "binding", undefined);
    try {
      const { client, handler, pool } = await open(spoil);
      const { connection } = handler;
      let bytes = 0;
      let text = "";
      let isClosed = false;
      client.on("data", (chunk) => {
        bytes += chunk.length;
        if (bytes < 100) text += String(chunk);
      });
      client.on("close", () => {
        isClosed = true;
      });
      client.write("PING\r\n");
      await until("received", () => handler.text === "PING\r\n");
      const buffer = pool.acquire();
      buffer.write("+PONG\r\n");
      if (connection.write(buffer, 7)) pool.release(buffer);
      await until("answered", () => text === "+PONG\r\n");

      client.pause();
      let sent = 7;
      for (let taken = true; taken; sent += 1 << 20) taken = connection.write(Buffer.alloc(1 << 20), 1 << 20);
      assert.ok(connection.pendingBytes > 0);
      connection.pauseReading();
      client.write("late");
      client.resume();
      await until("drained", () => bytes === sent && handler.writableCount > 0);
      assert.equal(connection.pendingBytes, 0);
      assert.ok(!handler.text.includes("late"));
      connection.resumeReading();
      await until("late", () => handler.text.endsWith("late"));
      const before = bytes;
      handler.onEnded = () => connection.write(Buffer.alloc(100_000), 100_000);
      client.end();
      await until("answered behind the end of file", () => bytes === before + 100_000);
      await until("closed", () => isClosed && handler.closedCount === 1);
    } finally {
      Reflect.set(process, "binding", binding);
    }
  });
});
