// Keyspace events of our handlers and of a real redis-server, over a table of commands: the same events, in the same
// order, for every setting of notify-keyspace-events that asks for one class alone, and for all of them at once.

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "vitest";
import { eventsAsked } from "../../src/node/service/event-classes.ts";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { wordsOf } from "./answered-commands.ts";
import { eventSteps } from "./event-commands.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { installedVersion, type RedisServer, startRedisServer } from "./redis-server.ts";
import { replyEnd } from "./tcp-executor.ts";

const version = installedVersion();
const FLAGS = ["EAn", "Kg", "E$", "El", "Es", "Eh", "Ez", "Ex", "Et", "En"];
const MARK = "__keyend";

/** Events as "db event key"; a Redis channel by key or by event says the same. */
function described(channel: string, message: string): string {
  const [, how, database, rest] = /^__key(space|event)@(\d+)__:(.*)$/.exec(channel)!;
  return how === "space" ? `${database} ${message} ${rest}` : `${database} ${rest} ${message}`;
}

class Subscriber {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port });
    this.#socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.#socket.write(encodeCommand(["PSUBSCRIBE", "__key*"]));
  }

  /** Events since the last mark, once the next mark has come. */
  async untilMark(): Promise<string[]> {
    const events: string[] = [];
    for (;;) {
      const end = replyEnd(this.#received, 0);
      if (end < 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const [, , kind, , , , channel, , payload] = this.#received.toString("latin1", 0, end).split("\r\n");
      this.#received = this.#received.subarray(end);
      if (kind !== "pmessage") continue;
      if (channel === MARK) return events;
      events.push(described(channel!, payload!));
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function ofRedis(server: RedisServer, port: number, flags: string): Promise<string[][]> {
  const send = async (words: string[]): Promise<string> => {
    const [reply] = await server.executor.run([words.map((word) => Buffer.from(word))]);
    return reply!.toString("latin1");
  };
  const subscriber = new Subscriber(port);
  while (!(await send(["PUBLISH", MARK, ""])).startsWith(":1"));
  await subscriber.untilMark();
  const found: string[][] = [];
  for (const step of eventSteps) {
    await send(["CONFIG", "SET", "notify-keyspace-events", ""]);
    await send(["FLUSHALL"]);
    await send(["CONFIG", "SET", "notify-keyspace-events", flags]);
    for (const command of wordsOf(step)) await send(command);
    await send(["PUBLISH", MARK, ""]);
    found.push(await subscriber.untilMark());
  }
  subscriber.close();
  return found;
}

function ofOurs(flags: string): string[][] {
  return eventSteps.map((step) => {
    const executor = new MemoryExecutor();
    const events: string[] = [];
    executor.store.eventClasses = eventsAsked(flags).classes;
    executor.store.onEvent = (database, event, bytes, start, end) =>
      events.push(`${database} ${event} ${bytes.toString("latin1", start, end)}`);
    for (const command of wordsOf(step)) executor.runOne(command);
    return events;
  });
}

test.skipIf(version === undefined)(
  `keyspace events as redis-server's (${version ?? "skipped: no redis-server installed"})`,
  async () => {
    const server = await startRedisServer();
    try {
      const [info] = await server.executor.run([[Buffer.from("INFO"), Buffer.from("server")]]);
      const port = Number(/tcp_port:(\d+)/.exec(info!.toString())![1]);
      await server.executor.run([["DEBUG", "SET-ACTIVE-EXPIRE", "0"].map((word) => Buffer.from(word))]);
      for (const flags of FLAGS) {
        const theirs = await ofRedis(server, port, flags);
        const ours = ofOurs(flags);
        assert.ok(flags !== "EAn" || theirs.flat().length > eventSteps.length, "events were seen");
        for (const [i, step] of eventSteps.entries()) {
          assert.deepEqual(ours[i], theirs[i], `${flags}: ${step}`);
        }
      }
    } finally {
      await server.stop();
    }
  },
);
