// SCAN over a change of the leader: the cursor means the same everywhere, so what was there all the time is returned.

import assert from "node:assert/strict";
import { test } from "vitest";
import { World } from "./world.ts";

const KEYS = 500;

/** Cursor and keys of a reply to SCAN. */
function parse(reply: string): { cursor: string; keys: string[] } {
  const [cursor = "", ...keys] = [...reply.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, text]) => text!);
  return { cursor, keys };
}

test("a scan that begins at one leader and goes on at the next misses nothing", () => {
  const world = new World();
  world.start(3);
  world.until("a leader", () => world.leader() !== undefined);
  const first = world.leader()!;
  const writer = first.connect();
  for (let i = 0; i < KEYS; i++) assert.equal(writer.call("SET", `key:${i}`, "v"), "+OK\r\n");
  const found = new Set<string>();
  let client = writer;
  let cursor = "0";
  do {
    const reply = parse(client.call("SCAN", cursor, "COUNT", "10"));
    cursor = reply.cursor;
    for (const key of reply.keys) found.add(key);
    if (client === writer && found.size > KEYS / 2) {
      world.kill(first.name);
      world.until("another leader", () => world.leader() !== undefined);
      client = world.leader()!.connect();
    }
  } while (cursor !== "0");
  assert.notEqual(client, writer);
  assert.equal(found.size, KEYS);
});
