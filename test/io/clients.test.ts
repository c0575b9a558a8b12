// Client sockets: bytes in and out, slow readers, maxclients, taken ports, and who survives whose mistakes.

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, test } from "vitest";
import { InvariantError } from "../../src/base/assert.ts";
import { READ_BUFFER_BYTES } from "../../src/base/limits.ts";
import { SizeClassPool } from "../../src/io/buffer-pool.ts";
import { ClientListener } from "../../src/io/client-listener.ts";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { FakeLog, FakeNode } from "./fakes.ts";

const [PORT = 0, OTHER_PORT = 0] = await freePorts(2);

class Client {
  text = "";
  bytes = 0;
  isClosed = false;
  readonly socket: Socket;

  constructor(port = PORT, host = "127.0.0.1") {
    this.socket = connect(port, host);
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
    this.socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.text.length < 1 << 16) this.text += chunk.toString("latin1");
    });
  }
}

let node: FakeNode;
let log: FakeLog;
let pool: SizeClassPool;
let listener: ClientListener;
const clients: Client[] = [];

const open = (): Client => {
  const client = new Client();
  clients.push(client);
  return client;
};

beforeEach(async () => {
  node = new FakeNode();
  log = new FakeLog();
  pool = new SizeClassPool();
  listener = new ClientListener(pool, log, 100, 60);
  assert.deepEqual(await listener.listen(node, ["127.0.0.1"], PORT, 511), { port: PORT });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  listener.stopListening();
  await until("all gone", () => listener.count === 0);
});

describe("one client", () => {
  test("is announced, heard, answered, and reported closed once", async () => {
    const client = open();
    client.socket.write("PING\r\n");
    await until("received", () => node.clients[0]?.text === "PING\r\n");
    const handler = node.clients[0]!;
    assert.equal(handler.connection.id, 1);
    assert.equal(handler.connection.address, `127.0.0.1:${client.socket.localPort}`);
    assert.equal(handler.connection.localAddress, `127.0.0.1:${PORT}`);
    assert.equal(handler.connection.isLoopback, true);
    assert.ok(handler.connection.fileDescriptor > 2, "the number of a socket");
    const buffer = pool.acquire();
    buffer.write("+PONG\r\n");
    assert.equal(handler.connection.write(buffer, 7), true);
    assert.equal(handler.connection.write(buffer, 0), true);
    await until("answered", () => client.text === "+PONG\r\n");
    client.socket.end();
    await until("closed", () => handler.closedCount === 1);
    assert.equal(handler.connection.write(buffer, 7), true, "a closed connection takes nothing");
    assert.equal(handler.closedCount, 1);
  });

  test("an end of file is told, and replies still go out behind it", async () => {
    const client = open();
    const length = 3_000_000;
    node.onClient = (handler) => {
      handler.onEnded = () => {
        assert.equal(handler.text, "all");
        handler.connection.write(Buffer.alloc(length, "x"), length);
      };
    };
    client.socket.pause(); // the kernel does not take all of it at once
    client.socket.end("all");
    await until("told", () => node.clients[0]?.endedCount === 1);
    client.socket.resume();
    await until("answered and closed", () => client.isClosed && node.clients[0]?.closedCount === 1);
    assert.equal(client.bytes, length);
    assert.equal(node.clients[0]?.endedCount, 1);
  });

  test("small and large replies keep their order and their bytes", async () => {
    const client = open();
    const sizes = [1, 511, 512, 513, 70_000, 3, 16_384, 5, 1_000_000, 2];
    let expected = "";
    node.onClient = (handler) => {
      handler.onReceive = () => {
        sizes.forEach((size, i) => {
          const buffer = pool.acquire(size);
          const letter = 97 + i;
          buffer.fill(letter, 0, size);
          expected += String.fromCharCode(letter).repeat(size);
          if (handler.connection.write(buffer, size)) {
            buffer.fill(0x21, 0, size); // ours again: what was sent may not change
            pool.release(buffer);
          }
        });
      };
    };
    let all = "";
    client.socket.on("data", (chunk: Buffer) => {
      all += chunk.toString("latin1");
    });
    client.socket.write("go");
    await until("everything", () => all.length === sizes.reduce((sum, size) => sum + size, 0));
    assert.equal(all, expected);
  });

  test("end flushes what is pending, then closes", async () => {
    const client = open();
    client.socket.pause();
    client.socket.write("x");
    await until("connected", () => node.clients.length === 1);
    const { connection } = node.clients[0]!;
    const total = 12_000_000;
    const buffer = Buffer.alloc(total, 65);
    assert.equal(connection.write(buffer, total), false);
    connection.end();
    client.socket.write("ignored");
    client.socket.resume();
    await until("all read and closed", () => client.bytes === total && client.isClosed);
    await until("reported", () => node.clients[0]!.closedCount === 1);
    assert.ok(!node.clients[0]!.text.includes("ignored"));
  });

  test("paused reading holds the sender back; resumed, nothing is lost", async () => {
    const client = open();
    await until("connected", () => node.clients.length === 1);
    const handler = node.clients[0]!;
    handler.connection.pauseReading();
    handler.connection.pauseReading();
    const total = 16_000_000;
    client.socket.write(Buffer.alloc(total, 66));
    await until(
      "the kernel is full",
      () => client.socket.writableLength > 0 && client.socket.writableLength <= total,
    );
    assert.ok(handler.receivedBytes <= READ_BUFFER_BYTES, `${handler.receivedBytes} bytes read while paused`);
    handler.connection.resumeReading();
    await until("all arrived", () => handler.receivedBytes === total);
  });

  test("pausing from inside receive holds from the next read on", async () => {
    node.onClient = (handler) => {
      if (handler.connection.id === 1) handler.onReceive = () => handler.connection.pauseReading();
    };
    const client = open();
    client.socket.write(Buffer.alloc(4_000_000, 67));
    await until("first read", () => node.clients[0] !== undefined && node.clients[0].receivedBytes > 0);
    const handler = node.clients[0]!;
    const first = handler.receivedBytes;
    const other = open();
    other.socket.write("x");
    await until("the other was read", () => node.clients[1]?.receivedBytes === 1);
    assert.equal(handler.receivedBytes, first);
    handler.onReceive = undefined;
    handler.connection.resumeReading();
    await until("the rest", () => handler.receivedBytes === 4_000_000);
  });
});

describe("a client that does not read", () => {
  test("pins only what was handed over, slows nobody, and is told when it has drained", async () => {
    const slow = open();
    slow.socket.pause();
    const quick = open();
    await until("both", () => node.clients.length === 2);
    const [first, second] = node.clients;
    assert.ok(first && second);
    const slowHandler = first.connection.address.endsWith(`:${slow.socket.localPort}`) ? first : second;
    const quickHandler = slowHandler === first ? second : first;
    let written = 0;
    for (;;) {
      const buffer = pool.acquire(1 << 20);
      written += 1 << 20;
      if (!slowHandler.connection.write(buffer, 1 << 20)) break;
      pool.release(buffer);
    }
    assert.ok(slowHandler.connection.pendingBytes > 0);
    const buffer = pool.acquire();
    buffer.write("+OK\r\n");
    assert.equal(quickHandler.connection.write(buffer, 5), true);
    await until("the quick one is served", () => quick.text === "+OK\r\n");
    assert.equal(slowHandler.writableCount, 0);
    // Small replies behind the pinned one: their bytes may not be overwritten by others' replies.
    buffer.write("LAST");
    assert.equal(slowHandler.connection.write(pool.acquire().fill("LAST", 0, 4), 4), false);
    for (let i = 0; i < 10; i++) quickHandler.connection.write(Buffer.from("+OK\r\n"), 5);
    let tail = "";
    slow.socket.on("data", (chunk: Buffer) => {
      tail = chunk.subarray(-4).toString("latin1");
    });
    slow.socket.resume();
    await until("drained", () => slow.bytes === written + 4);
    await until("told", () => slowHandler.writableCount === 1);
    assert.equal(slowHandler.connection.pendingBytes, 0);
    assert.equal(tail, "LAST");
  });

  test("is closed by destroy with everything pending dropped", async () => {
    const slow = open();
    slow.socket.pause();
    await until("connected", () => node.clients.length === 1);
    const handler = node.clients[0]!;
    while (handler.connection.write(Buffer.alloc(1 << 20), 1 << 20));
    handler.connection.destroy();
    assert.equal(handler.closedCount, 0, "never from inside the call");
    await until("closed", () => handler.closedCount === 1);
    await until("nothing is pending", () => handler.connection.pendingBytes === 0);
    assert.equal(handler.writableCount, 0);
  });
});

describe("many clients", () => {
  test("over maxclients they are told so, and there is room again when one leaves", async () => {
    listener.limit = 2;
    const [a, b] = [open(), open()];
    await until("two", () => listener.count === 2);
    const third = open();
    third.socket.write("PING\r\n");
    await until("refused", () => third.text === "-ERR max number of clients reached\r\n" && third.isClosed);
    assert.equal(listener.rejectedCount, 1);
    assert.equal(node.clients.length, 2);
    a.socket.destroy();
    await until("one left", () => listener.count === 1);
    open();
    await until("two again", () => listener.count === 2);
    assert.equal(b.isClosed, false);
    assert.equal(listener.acceptedCount, 3);
  });

  test("an unexpected error in a handler costs that client only", async () => {
    node.onClient = (handler) => {
      handler.onReceive = (text) => {
        if (text.startsWith("bad")) throw new TypeError("oops");
      };
    };
    const [bad, good] = [open(), open()];
    bad.socket.write("bad");
    await until("bad is out", () => bad.isClosed);
    good.socket.write("good");
    await until("good is heard", () => node.clients.some(({ text }) => text === "good"));
    assert.ok(log.lines.some((line) => line.includes("oops")));
  });

  test("a broken invariant in a handler is not swallowed", async () => {
    const client = open();
    await until("connected", () => node.clients.length === 1);
    const handler = node.clients[0]!;
    handler.onReceive = () => {
      throw new InvariantError("match 5 > last 3");
    };
    const { TcpClientConnection } = await import("../../src/io/client-connection.ts");
    assert.ok(handler.connection instanceof TcpClientConnection);
    const { connection } = handler;
    assert.throws(() => connection.received(Buffer.from("x"), 1), InvariantError);
    handler.onReceive = undefined;
    client.socket.destroy();
  });

  test("a reset is a close", async () => {
    const client = open();
    await until("connected", () => node.clients.length === 1);
    client.socket.resetAndDestroy();
    await until("closed", () => node.clients[0]!.closedCount === 1);
  });
});

describe("listening", () => {
  const listenOn = async (addresses: string[], port: number) => {
    const second = new ClientListener(pool, log, 10, 0);
    const outcome = await second.listen(node, addresses, port, 16);
    return { second, outcome };
  };

  test("a taken port is one line", async () => {
    const { outcome } = await listenOn(["127.0.0.1"], PORT);
    assert.deepEqual(outcome, {
      error: `client port 127.0.0.1:${PORT}: the port is taken; stop what uses it or choose another port`,
    });
  });

  test("an address this machine does not have is an error, or skipped with a dash", async () => {
    const { outcome } = await listenOn(["192.0.2.1"], OTHER_PORT);
    assert.deepEqual(outcome, {
      error: `client port 192.0.2.1:${OTHER_PORT}: this machine has no such address`,
    });
    const { second, outcome: skipped } = await listenOn(["127.0.0.1", "-192.0.2.1"], OTHER_PORT);
    assert.deepEqual(skipped, { port: OTHER_PORT });
    second.stopListening();
  });

  test("several addresses are served, port 0 is one port for all", async () => {
    const { second, outcome } = await listenOn(["127.0.0.1", "127.0.0.2"], 0);
    assert.ok("port" in outcome);
    const [a, b] = [new Client(outcome.port), new Client(outcome.port, "127.0.0.2")];
    clients.push(a, b);
    await until("both", () => second.count === 2);
    a.socket.destroy();
    b.socket.destroy();
    second.stopListening();
    await until("gone", () => second.count === 0);
  });
});
