// Several clients who subscribe, publish and change protocol at random, on a real redis-server and on a node of ours
// (simulated ports): after each command every client has received the same.
//
//   PUBSUB_SEED=n   the sequence      PUBSUB_STEPS=n   how many commands
//
// What one command brings to one client is compared without order: Redis walks hash tables where we walk lists, and
// 7.0 sends a client's own message before the reply to PUBLISH, 7.2 and we behind it.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { encodeCommand } from "../../src/resp/encode-command.ts";
import { drawsOf } from "../chance.ts";
import { World } from "../node/world.ts";
import { TEST_MS_MAX } from "../until.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { Ours, partsOf, portOf, Theirs } from "./sides.ts";

const version = installedVersion();
const CLIENTS = 4;

const NAMES = ["a", "b", "news.x", "news.y", "", "[a]", "n*", "\u00ff\r\n"];
const PATTERNS = ["*", "news.*", "?", "[ab]", "news.[^x]", "nothing", ""];

interface Step {
  readonly client: number;
  readonly words: readonly string[];
}

class Steps {
  readonly #random: Xoshiro;
  readonly #planned: Step[] = [
    { client: 0, words: ["SUBSCRIBE", "a"] },
    { client: 1, words: ["PUBLISH", "a", "first"] },
  ];

  constructor(seed: number) {
    this.#random = new Xoshiro(seed);
  }

  next(): Step {
    // Whatever is drawn: one message that somebody hears.
    const planned = this.#planned.shift();
    if (planned !== undefined) return planned;
    return { client: this.#random.below(CLIENTS), words: this.#words() };
  }

  #one<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!;
  }

  #some(from: readonly string[], least: number): string[] {
    return Array.from({ length: least + this.#random.below(3) }, () => this.#one(from));
  }

  #words(): string[] {
    const message = `m${this.#random.below(100)}`;
    return this.#one([
      () => ["SUBSCRIBE", ...this.#some(NAMES, 1)],
      () => ["PSUBSCRIBE", ...this.#some(PATTERNS, 1)],
      () => ["SSUBSCRIBE", ...this.#some(NAMES, 1)],
      () => ["UNSUBSCRIBE", ...this.#some(NAMES, 0)],
      () => ["PUNSUBSCRIBE", ...this.#some(PATTERNS, 0)],
      () => ["SUNSUBSCRIBE", ...this.#some(NAMES, 0)],
      ...Array.from({ length: 8 }, () => () => ["PUBLISH", this.#one(NAMES), message]),
      () => ["SPUBLISH", this.#one(NAMES), message],
      () => ["PUBSUB", "CHANNELS", ...this.#some(PATTERNS, 0).slice(0, 2)],
      () => ["PUBSUB", "SHARDCHANNELS"],
      () => ["PUBSUB", "NUMSUB", ...this.#some(NAMES, 0)],
      () => ["PUBSUB", "SHARDNUMSUB", ...this.#some(NAMES, 0)],
      () => ["PUBSUB", this.#one(["NUMPAT", "NOSUCH"])],
      () => ["GET", "k"],
      () => ["SET", "k", "v", ...this.#some(["x"], 0)],
      () => ["PING", ...this.#some(["x"], 0)],
      () => ["CLIENT", "GETNAME"],
      () => (this.#random.below(4) === 0 ? ["RESET"] : ["PING"]),
      () => ["PROTOCOL", this.#one(["2", "3", "3"])],
      () => ["SUBSCRIBE"],
    ])();
  }
}

/** Lists of names and the server's own words are made comparable. */
const comparable = (received: Buffer): string[] => partsOf(received).sort();

/** PUBSUB CHANNELS has no order: its names are sorted. */
function withoutOrder(step: Step, parts: string[]): string[] {
  if (step.words[0] !== "PUBSUB" || !step.words[1]!.endsWith("CHANNELS")) return parts;
  return parts.map((part) =>
    part
      .split(/(?=\$\d)/)
      .sort()
      .join(""),
  );
}

/** UNSUBSCRIBE from everything counts down over names in any order: names and numbers are told apart. */
function withoutPairs(step: Step, parts: string[]): string[] {
  if (!/^[PS]?UNSUBSCRIBE$/.test(step.words[0]!) || step.words.length > 1) return parts;
  return parts.flatMap((part) => part.split(/(?=:)/)).sort();
}

for (const { seed, count: stepCount, text } of drawsOf("publish and subscribe")) {
  test.skipIf(version === undefined)(
    `publish and subscribe as redis-server (${version ?? "skipped: no redis-server installed"}): ${text}`,
    async () => {
      const server = await startRedisServer();
      const world = new World();
      world.start(1);
      world.until("a leader", () => world.leader() !== undefined);
      const port = await portOf(server);
      const theirs = Array.from({ length: CLIENTS }, () => new Theirs(port));
      const ours = Array.from({ length: CLIENTS }, () => new Ours(world.host("n1")));
      try {
        const steps = new Steps(seed);
        let messages = 0;
        for (let i = 0; i < stepCount; i++) {
          const step = steps.next();
          const changesProtocol = step.words[0] === "PROTOCOL";
          // HELLO's answer names the server; only what comes after it counts.
          const words = changesProtocol ? ["HELLO", step.words[1]!] : step.words;
          const bytes = encodeCommand(words.map((word) => Buffer.from(word, "latin1")));
          ours[step.client]!.send(bytes);
          theirs[step.client]!.send(bytes);
          // The sender first: its fence says that the command has been carried out.
          const order = [
            step.client,
            ...Array.from({ length: CLIENTS }, (_, c) => c).filter((c) => c !== step.client),
          ];
          for (const c of order) {
            const wanted = comparable(await theirs[c]!.fenced());
            const got = comparable(await ours[c]!.fenced());
            if (changesProtocol && c === step.client && !wanted[0]!.startsWith("-")) continue;
            messages += wanted.filter((part) => part.includes("message")).length;
            assert.deepEqual(
              withoutPairs(step, withoutOrder(step, got)),
              withoutPairs(step, withoutOrder(step, wanted)),
              `seed ${seed}, step ${i}: client ${step.client} sent ${JSON.stringify(words)}; client ${c} received`,
            );
          }
        }
        assert.ok(messages > 0, `no message in ${stepCount} steps`);
      } finally {
        for (const { socket } of theirs) socket.destroy();
        await server.stop();
      }
    },
    TEST_MS_MAX + 30 * stepCount,
  );
}
