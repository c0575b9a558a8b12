// Three socket.io servers joined by @socket.io/redis-adapter, each through a node of its own: rooms, acknowledgements
// and questions between servers, over channels and over shard channels, with node-redis and with ioredis.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { Server, type ServerOptions } from "socket.io";
import { io, type Socket } from "socket.io-client";
import { describe, test } from "vitest";
import type { NodeProcess } from "../e2e/processes.ts";
import { until } from "../until.ts";
import { stage, urlOf } from "./stage.ts";

const nodes = stage();

type AdapterOption = NonNullable<ServerOptions["adapter"]>;

interface Bus {
  readonly adapter: AdapterOption;
  close(): Promise<unknown>;
}

async function nodeRedisBus(node: NodeProcess, sharded: boolean): Promise<Bus> {
  const pub = createClient({ url: urlOf(node) });
  const sub = pub.duplicate();
  for (const client of [pub, sub]) client.on("error", () => {});
  await Promise.all([pub.connect(), sub.connect()]);
  return {
    adapter: sharded ? createShardedAdapter(pub, sub) : createAdapter(pub, sub),
    // What is under way, unsubscribing for example, still gets its answers.
    close: () => Promise.all([pub.close(), sub.close()]),
  };
}

async function ioredisBus(node: NodeProcess, sharded: boolean): Promise<Bus> {
  const pub = new Redis(node.port, "127.0.0.1");
  const sub = pub.duplicate();
  for (const client of [pub, sub]) client.on("error", () => {});
  return {
    adapter: sharded ? createShardedAdapter(pub, sub) : createAdapter(pub, sub),
    close: () => Promise.all([pub.quit(), sub.quit()]),
  };
}

class Chat {
  readonly io: Server;
  readonly port: number;
  readonly #bus: Bus;

  private constructor(server: Server, port: number, bus: Bus) {
    this.io = server;
    this.port = port;
    this.#bus = bus;
    server.on("connection", (socket) => {
      socket.on("join", async (room: string, done: () => void) => {
        await socket.join(room);
        done();
      });
    });
  }

  static async open(bus: Bus): Promise<Chat> {
    const http = createServer();
    const server = new Server(http, { adapter: bus.adapter, transports: ["websocket"] });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const address = http.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    return new Chat(server, address.port, bus);
  }

  async guest(): Promise<Socket> {
    const socket = io(`http://127.0.0.1:${this.port}`, { transports: ["websocket"], reconnection: false });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    return socket;
  }

  async close(): Promise<void> {
    await this.io.close();
    await this.#bus.close();
  }
}

const join = (socket: Socket, room: string): Promise<unknown> =>
  socket.timeout(5000).emitWithAck("join", room);

/** Until all three servers answer each other: subscriptions take a moment to be known on other nodes. */
const acquainted = (chats: readonly Chat[], guests: number): Promise<boolean> =>
  until("all servers know of all guests", async () => {
    for (const { io: server } of chats) {
      const found = await server.fetchSockets().catch(() => []);
      if (found.length !== guests) return undefined;
    }
    return true;
  });

for (const [client, open] of [
  ["node-redis", nodeRedisBus],
  ["ioredis", ioredisBus],
] as const) {
  for (const sharded of [false, true]) {
    describe(`${client}, ${sharded ? "shard channels" : "channels"}`, () => {
      test("rooms, acknowledgements, questions, goodbyes across servers", async () => {
        const buses = await Promise.all(nodes.cluster.nodes.map((node) => open(node, sharded)));
        const chats = await Promise.all(buses.map((bus) => Chat.open(bus)));
        const guests = await Promise.all(chats.map((chat) => chat.guest()));
        await acquainted(chats, 3);

        // To everybody, from each server.
        for (const [i, { io: server }] of chats.entries()) {
          const heard = guests.map((guest) => once(guest as never, "hello"));
          server.emit("hello", i, Buffer.from([i]));
          for (const [number, bytes] of await Promise.all(heard)) {
            assert.equal(number, i);
            assert.deepEqual(Buffer.from(bytes), Buffer.from([i]));
          }
        }

        // To a room with guests of two servers: the third hears nothing of it, though all that came before and after.
        await Promise.all([join(guests[0]!, "tea"), join(guests[2]!, "tea")]);
        const notes: string[][] = guests.map(() => []);
        guests.forEach((guest, i) => {
          guest.on("note", (text: string) => notes[i]!.push(text));
        });
        await until("the room is known everywhere", async () =>
          (await chats[1]!.io.in("tea").fetchSockets()).length === 2 ? true : undefined,
        );
        chats[1]!.io.to("tea").emit("note", "kettle");
        chats[1]!.io.emit("note", "closing");
        await until("the last note", () => notes.every((list) => list.includes("closing")) || undefined);
        assert.deepEqual(notes, [["kettle", "closing"], ["closing"], ["kettle", "closing"]]);

        // Acknowledged by every guest, wherever it is.
        guests.forEach((guest, i) => {
          guest.on("count", (answer: (n: number) => void) => answer(i));
        });
        const counts: unknown[] = await chats[0]!.io.timeout(5000).emitWithAck("count");
        assert.deepEqual([...counts].sort(), [0, 1, 2]);

        // Servers ask each other, and one sends away a guest of another.
        chats.forEach(({ io: server }, i) => {
          server.on("load", (answer: (n: number) => void) => answer(10 * i));
        });
        const loads: unknown[] = await chats[2]!.io.serverSideEmitWithAck("load");
        assert.deepEqual([...loads].sort(), [0, 10]);
        const gone = once(guests[0]! as never, "disconnect");
        chats[2]!.io.in("tea").disconnectSockets();
        await gone;

        for (const guest of guests) guest.disconnect();
        for (const chat of chats) await chat.close();
      });
    });
  }
}
