// maxmemory where nothing, or too little, can be evicted: who is let in above the limit, and who gets -OOM.

import assert from "node:assert/strict";
import { test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Host, started } from "./world.ts";

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

const usedBy = (host: Host): number => host.node.replica.machine.store.logicalBytes;

for (const count of [1, 3]) {
  test(`${count} nodes: a key that may go lets in no more than it makes room for, when all of them are not enough`, () => {
    const world = started(count, { "maxmemory-policy": "volatile-lfu" });
    const leads = world.leader()!;
    const client = leads.connect();
    for (let i = 0; i < 90; i++) assert.equal(client.call("SET", `small${i}`, "x"), "+OK\r\n");
    assert.equal(client.call("SET", "large", "x".repeat(9000)), "+OK\r\n");
    assert.equal(client.call("CONFIG", "SET", "maxmemory", "3000"), "+OK\r\n");
    world.step();
    let used = usedBy(leads);
    for (let i = 0; i < 90; i++) {
      // Giving a deadline is never refused, and makes a key that can go.
      client.sendRaw(
        Buffer.concat([
          encodeCommand(["EXPIRE", `small${i}`, "100"]),
          encodeCommand(["SET", `other${i}`, "x".repeat(300)]),
          encodeCommand(["GET", "none"]),
        ]),
      );
      for (let ticks = 0; ticks < 5; ticks++) world.step();
      assert.equal(client.take(), `:1\r\n${OOM}$-1\r\n`, `${i} of 90`);
      assert.ok(usedBy(leads) < used, `${usedBy(leads)} of ${used}`);
      used = usedBy(leads);
    }
    // Enough of them: one is let in as soon as they have gone.
    client.sendRaw(
      Buffer.concat([encodeCommand(["EXPIRE", "large", "100"]), encodeCommand(["SET", "other", "x"])]),
    );
    for (let ticks = 0; ticks < 5; ticks++) world.step();
    assert.equal(client.take(), ":1\r\n+OK\r\n");
  });
}

test("one turn of one node: over the limit, -OOM, and below it again", () => {
  const world = started(1);
  const [filler, other] = [world.leader()!.connect(), world.leader()!.connect()];
  const value = "x".repeat(1000);
  for (const key of ["a", "b"]) assert.equal(filler.call("SET", key, value), "+OK\r\n");
  const limit = usedBy(world.leader()!) + 500;
  assert.equal(filler.call("CONFIG", "SET", "maxmemory", `${limit}`), "+OK\r\n");
  filler.send("SET", "c", value);
  other.sendRaw(
    Buffer.concat([
      encodeCommand(["SET", "d", value]),
      encodeCommand(["DEL", "a"]),
      encodeCommand(["SET", "d", "x"]),
    ]),
  );
  world.settle();
  assert.equal(filler.take(), "+OK\r\n");
  assert.equal(other.take(), `${OOM}:1\r\n+OK\r\n`);
});
