// Which watched keys a command touches, beside redis-server, over a table with all write commands: above
// all calls that change nothing. Each row is called by itself and within MULTI; replies and keyspace
// events are compared as well.

import assert from "node:assert/strict";
import { test } from "vitest";
import { rows } from "../../src/command/lookup.ts";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { World } from "../node/world.ts";
import { wordsOf } from "./answered-commands.ts";
import { PAYLOAD } from "./event-commands.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { Ours, partsOf, portOf, type Side, Theirs } from "./sides.ts";
import { touchRows } from "./touch-commands.ts";

const version = installedVersion();
/** Each is watched by a client of its own, in the database 0 but for the last. */
const WATCHED = ["a", "b", "c", "d", "1:a"];

const commandsOf = (text: string): string[][] =>
  wordsOf(text).map((words) => words.map((word) => (word === "PAYLOAD" ? PAYLOAD : word)));

interface Seen {
  readonly replies: readonly string[];
  readonly touched: readonly string[];
  readonly events: readonly string[];
}

/** All clients of one server. */
class Party {
  readonly #actor: Side;
  readonly #subscriber: Side;
  readonly #watchers: readonly Side[];

  constructor(connect: () => Side) {
    this.#actor = connect();
    this.#subscriber = connect();
    this.#watchers = WATCHED.map(connect);
  }

  async begin(): Promise<void> {
    await this.#call(this.#actor, ["config", "set", "notify-keyspace-events", "EA"]);
    await this.#call(this.#subscriber, ["psubscribe", "__keyevent@*"]);
    await this.#call(this.#watchers.at(-1)!, ["select", "1"]);
  }

  async see(row: string, inTransaction: boolean): Promise<Seen> {
    const [before = "", called = ""] = row.split(" | ");
    await this.#call(this.#actor, ["flushall"], ["select", "0"], ...commandsOf(before));
    for (const [i, watcher] of this.#watchers.entries())
      await this.#call(watcher, ["watch", WATCHED[i]!.replace("1:", "")]);
    await this.#subscriber.fenced();
    const commands = commandsOf(called);
    const replies = await this.#call(
      this.#actor,
      ...(inTransaction ? [["multi"], ...commands, ["exec"]] : commands),
    );
    // When a dead key is found is each side's own.
    const events = partsOf(await this.#subscriber.fenced())
      .map(eventOf)
      .filter((event) => !event.startsWith("expired "));
    const touched: string[] = [];
    for (const [i, watcher] of this.#watchers.entries()) {
      const [, , executed] = await this.#call(watcher, ["multi"], ["ping"], ["exec"]);
      if (executed === "*-1\r\n") touched.push(WATCHED[i]!);
    }
    return { replies, events, touched };
  }

  async #call(side: Side, ...commands: readonly string[][]): Promise<string[]> {
    side.send(
      Buffer.concat(commands.map((words) => encodeCommand(words.map((word) => Buffer.from(word, "latin1"))))),
    );
    return partsOf(await side.fenced());
  }
}

/** "set 0 a" of a message of __keyevent@0__:set. */
function eventOf(message: string): string {
  const [, database, event, key] = /__keyevent@(\d+)__:([^\r]+)\r\n\$\d+\r\n(.*)\r\n$/s.exec(message) ?? [];
  return `${event} ${database} ${key}`;
}

test("the table has every command with the flag write", () => {
  const called = new Set(
    touchRows
      .flatMap((row) => commandsOf(row.split(" | ")[1]!))
      .flatMap(([name, sub]) => [name, `${name}|${sub?.toLowerCase()}`]),
  );
  const missing = rows.filter(
    ({ name, flags }) => flags.some((flag) => flag === "write") && !called.has(name),
  );
  assert.deepEqual(
    missing.map(({ name }) => name).filter((name) => !name.startsWith("seshat.")),
    [],
  );
});

test.skipIf(version === undefined)(
  `what touches watched keys, as redis-server (${version ?? "skipped: no redis-server installed"})`,
  async () => {
    const server = await startRedisServer();
    const world = new World();
    world.start(1);
    world.until("a leader", () => world.leader() !== undefined);
    const port = await portOf(server);
    const sockets: Theirs[] = [];
    const theirs = new Party(() => {
      const client = new Theirs(port);
      sockets.push(client);
      return client;
    });
    const ours = new Party(() => new Ours(world.host("n1")));
    try {
      await theirs.begin();
      await ours.begin();
      const differences: string[] = [];
      for (const row of touchRows) {
        for (const inTransaction of [false, true]) {
          const wanted = JSON.stringify(await theirs.see(row, inTransaction));
          const got = JSON.stringify(await ours.see(row, inTransaction));
          if (got !== wanted)
            differences.push(`${inTransaction ? "MULTI: " : ""}${row}\n  ours   ${got}\n  theirs ${wanted}`);
        }
      }
      assert.equal(differences.join("\n"), "");
    } finally {
      for (const { socket } of sockets) socket.destroy();
      await server.stop();
    }
  },
);
