// maxmemory-clients: whoever takes most is closed until all clients together take less than the limit.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type Client, started } from "./world.ts";

const MIB = 1 << 20;

/** Half of a command of 64 MiB. */
function begin(client: Client, bytes: number): void {
  const head = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${64 * MIB}\r\n`;
  client.sendRaw(Buffer.from(head + "x".repeat(bytes)));
}

for (const nodes of [1, 3]) {
  test(`half commands of many clients of ${nodes} nodes: the largest goes, and no more than have to; NO-EVICT stays`, () => {
    const world = started(nodes);
    for (const host of world.hosts.values()) {
      const small = host.connect();
      const clients = [4, 6, 8, 9].map((mib) => ({ mib, client: host.connect() }));
      assert.equal(clients[3]!.client.call("CLIENT", "NO-EVICT", "ON"), "+OK\r\n");
      for (const { mib, client } of clients) begin(client, mib * MIB);
      for (let i = 0; i < 20; i++) world.step();
      const isClosed = (): boolean[] => clients.map(({ client }) => client.isClosed);
      assert.deepEqual(isClosed(), [false, false, false, false], "there is no limit at first");
      assert.equal(small.call("CONFIG", "SET", "maxmemory-clients", "20mb"), "+OK\r\n");
      world.until("there is room", () => host.node.server.statistics.evictedClients > 0);
      for (let i = 0; i < 20; i++) world.step();
      assert.deepEqual(isClosed(), [false, false, true, false]);
      assert.match(small.call("INFO", "stats"), /\r\nevicted_clients:1\r\n/);
    }
  });
}
