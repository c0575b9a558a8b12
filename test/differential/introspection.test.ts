// What clients are told about the server and each other, on redis-server and on a node of ours (simulated ports): scripts
// of several clients, and after each command every client must have received the same. Clocks, addresses and ids are made
// comparable; which fields there are, and in which order, is not touched.

import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { ReplyCheck } from "../compatibility/reply-check.ts";
import { World } from "../node/world.ts";
import { type Step, scripts } from "./introspection-scripts.ts";
import { installedVersion, type RedisServer, startRedisServer } from "./redis-server.ts";
import { Ours, partsOf, portOf, type Side, Theirs } from "./sides.ts";

const version = installedVersion();
const NAMES = ["a", "b", "c"] as const;

/** Clients a, b, c of one server, and what they are called there. */
class Group {
  readonly clients: ReadonlyMap<string, Side>;
  readonly #ids = new Map<string, string>();
  readonly #addresses = new Map<string, string>();

  constructor(open: () => Side) {
    this.clients = new Map(NAMES.map((name) => [name, open()]));
  }

  async learn(): Promise<void> {
    for (const [name, client] of this.clients) {
      client.send(encodeCommand(["CLIENT", "INFO"]));
      const line = (await client.fenced()).toString("latin1");
      this.#ids.set(name, /id=(\d+)/.exec(line)![1]!);
      this.#addresses.set(name, / addr=(\S+)/.exec(line)![1]!);
    }
  }

  /** "{id b}" and "{address b}" are written for each server as it knows them. */
  encode(commands: readonly (readonly string[])[], protocol: string): Buffer {
    return Buffer.concat(commands.map((words) => this.#encodeOne(words, protocol)));
  }

  #encodeOne(words: readonly string[], protocol: string): Buffer {
    const known = words.map((word) =>
      word
        .replace("{protocol}", protocol)
        .replace(/\{id (\w)\}/g, (_, name: string) => this.#ids.get(name)!)
        .replace(/\{address (\w)\}/g, (_, name: string) => this.#addresses.get(name)!),
    );
    return encodeCommand(known.map((word) => Buffer.from(word, "latin1")));
  }

  async received(sender: string): Promise<Map<string, string[]>> {
    const order = [sender, ...NAMES.filter((name) => name !== sender)];
    const all = new Map<string, string[]>();
    for (const name of order) {
      const client = this.clients.get(name)!;
      const parts = partsOf(await client.fenced());
      all.set(name, client.isClosed ? [...parts, "closed"] : parts);
    }
    return all;
  }

  comparable(words: readonly string[], part: string): string {
    const name = words.slice(0, 2).join(" ");
    let text = part
      .replace(OF_EACH_SIDE.has(name) ? /^:\d+/ : /^$/, ":number")
      .replace(/\$\d\r\n7\.\d+\.\d+\r\n/, "version\r\n") // HELLO
      .replace(/(\$2\r\nid\r\n):\d+/, "$1:id")
      .replace(/^\+\d{10}\.\d{6} /, "+time ")
      .replace(/:\d+\r\n:\d{10}\r\n:\d+\r\n(?=\*)/g, ":id\r\n:time\r\n:us\r\n") // SLOWLOG GET
      .replace(/:\d{10}\r\n/g, ":time\r\n");
    for (const [name, address] of this.#addresses) text = text.replaceAll(address, `{address ${name}}`);
    for (const [name, id] of this.#ids) text = text.replaceAll(`id=${id} `, `id={id ${name}} `);
    const lengthsOff = text.replace(/[$=]\d+\r\n(?=(txt:)?[^\r]*\{address)/g, "$length\r\n");
    return lengthsOff.includes("tot-mem=") ? clientLines(lengthsOff) : lengthsOff;
  }
}

/** Each side counts by itself, idle seconds by its own clock. */
const OF_EACH_SIDE: ReadonlySet<string> = new Set(["CLIENT ID", "MEMORY USAGE", "OBJECT IDLETIME"]);

/** Sizes, ages and files are each side's own, and 7.2 has two fields more than 7.0. */
function clientLines(text: string): string {
  return text
    .replace(
      / (laddr|fd|age|idle|qbuf|qbuf-free|argv-mem|multi-mem|rbs|rbp|obl|oll|omem|tot-mem)=\S*/g,
      " $1=",
    )
    .replace(/ lib-name=\S* lib-ver=\S*/g, "")
    .replace(/^[$=]\d+/, "$length");
}

/** HELLO, names learnt, and nothing left of what went before. */
async function prepare(group: Group, protocol: string): Promise<void> {
  for (const client of group.clients.values()) {
    client.send(encodeCommand(["HELLO", protocol]));
    await client.fenced();
  }
  await group.learn();
  const first = group.clients.get("a")!;
  for (const command of ["FLUSHALL", "SLOWLOG RESET", "LATENCY RESET", "CONFIG RESETSTAT"]) {
    first.send(encodeCommand(command.split(" ")));
  }
  await first.fenced();
}

describe.skipIf(version === undefined)(
  `introspection as redis-server (${version ?? "skipped: no redis-server installed"})`,
  () => {
    let server: RedisServer;
    let port = 0;
    beforeAll(async () => {
      server = await startRedisServer(["--enable-debug-command", "yes"]);
      port = await portOf(server);
    });
    afterAll(() => server.stop());

    for (const { name, steps } of scripts) {
      for (const protocol of ["2", "3"])
        test(`${name}, RESP${protocol}`, () => compare(steps, protocol), 20_000);
    }

    async function compare(steps: readonly Step[], protocol: string): Promise<void> {
      const world = new World();
      world.start(1, { "enable-debug-command": "yes" });
      world.until("a leader", () => world.leader() !== undefined);
      const ours = new Group(() => new Ours(world.host("n1")));
      const theirs = new Group(() => new Theirs(port));
      try {
        await prepare(ours, protocol);
        await prepare(theirs, protocol);
        for (const step of steps) {
          const got = await outcome(ours, step, protocol);
          const wanted = await outcome(theirs, step, protocol);
          assert.deepEqual(got.comparable, wanted.comparable, JSON.stringify(step));
          if (protocol === "3") checkShape(step, got.parts);
        }
      } finally {
        for (const client of theirs.clients.values()) if (client instanceof Theirs) client.socket.destroy();
      }
    }
  },
);

interface Outcome {
  /** What the sender received. */
  readonly parts: readonly string[];
  /** What each client received. */
  readonly comparable: ReadonlyMap<string, readonly string[]>;
}

async function outcome(group: Group, [sender, commands]: Step, protocol: string): Promise<Outcome> {
  group.clients.get(sender)!.send(group.encode(commands, protocol));
  const received = await group.received(sender);
  const comparable = [...received].map(([client, parts]): [string, string[]] => [
    client,
    parts.map((part) => group.comparable(commands[0]!, part)),
  ]);
  return { parts: received.get(sender)!, comparable: new Map(comparable) };
}

const shapes = new ReplyCheck();

/** Of one command with one reply. */
function checkShape([, commands]: Step, parts: readonly string[]): void {
  const [reply, ...more] = parts;
  if (commands.length > 1 || reply === undefined || more.length > 0 || reply === "closed") return;
  const words = commands[0]!.map((word) => Buffer.from(word));
  assert.equal(shapes.problem(words, Buffer.from(reply, "latin1")), undefined, commands[0]!.join(" "));
}
