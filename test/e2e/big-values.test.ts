// Values of tens of MiB through real processes with default settings: stored, whole on every node, and who leads goes on leading.
// bench/big-values.ts does the same up to 512 MiB.

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { type NodeProcess, ProcessCluster } from "./processes.ts";

const MIB = 1024 * 1024;
let cluster: ProcessCluster | undefined;
const clients: Redis[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await cluster?.stop();
});

/** Without a limit of time: the test's own is the bound. */
function connect(node: NodeProcess, options: object = {}): Redis {
  const client = new Redis({ port: node.port, host: "127.0.0.1", retryStrategy: () => null, ...options });
  client.on("error", () => {});
  clients.push(client);
  return client;
}

/** No two parts of it are equal. */
function valueNamed(bytes: number, salt: number): Buffer {
  const value = Buffer.alloc(bytes, salt);
  for (let at = 0; at + 8 <= bytes; at += 1024) value.writeDoubleLE(at * 7919 + salt, at);
  return value;
}

const isSame = (got: Buffer | null | undefined, value: Buffer): boolean =>
  got !== null && got !== undefined && value.equals(got);

const termOf = async (node: NodeProcess): Promise<string | undefined> =>
  (await until("INFO answers", () => node.info("raft"))).get("raft_term");

test("three nodes: through the leader and a follower, alone, several, in a transaction, growing; and a follower that starts again", async () => {
  cluster = await ProcessCluster.start(3);
  const leader = await cluster.leader();
  const [follower] = cluster.nodes.filter((node) => node !== leader);
  assert.ok(follower);
  const term = await termOf(leader);
  const everywhere = async (key: string, value: Buffer): Promise<void> => {
    for (const node of cluster!.nodes) {
      const got = await connect(node).getBuffer(key);
      assert.ok(isSame(got, value), `${key} at ${node.name}: ${got?.length} of ${value.length} bytes`);
    }
  };
  for (const [i, node] of [leader, follower].entries()) {
    const client = connect(node);
    const value = valueNamed(32 * MIB, i + 1);
    assert.equal(await client.set(`value${i}`, value), "OK");
    await everywhere(`value${i}`, value);
    const parts = [3, 4, 5].map((salt) => valueNamed(2 * MIB + salt, salt));
    assert.equal(await client.mset("a", parts[0]!, "b", parts[1]!, "c", parts[2]!), "OK");
    assert.ok(isSame(await connect(follower).getBuffer("b"), parts[1]!));
    const outcome = await client.multi().set("a", parts[2]!).rpush("list", parts[0]!, parts[1]!).exec();
    assert.deepEqual(
      outcome?.map(([error]) => error),
      [null, null],
    );
    assert.ok(isSame(await connect(leader).getBuffer("a"), parts[2]!));
    assert.ok(isSame(await connect(follower).lindexBuffer("list", 1), parts[1]!));
    const grown = Buffer.concat([parts[0]!, parts[1]!]);
    assert.equal(await client.set("grown", parts[0]!), "OK");
    assert.equal(await client.append("grown", parts[1]!), grown.length);
    await everywhere("grown", grown);
    assert.equal(await client.del("list"), 1);
  }
  await hears(follower, leader);
  assert.equal(await termOf(leader), term, "who led goes on leading");
  await follower.stop();
  const again = cluster.restart(follower);
  await cluster.votes(again);
  for (const i of [0, 1])
    assert.ok(isSame(await connect(again).getBuffer(`value${i}`), valueNamed(32 * MIB, i + 1)));
});

/** A subscriber at one node hears what is published at another. */
async function hears(subscriber: NodeProcess, publisher: NodeProcess): Promise<void> {
  const message = valueNamed(4 * MIB, 9);
  const listening = connect(subscriber);
  let heard: Buffer | undefined;
  listening.on("messageBuffer", (_channel: Buffer, bytes: Buffer) => {
    heard = bytes;
  });
  await listening.subscribe("channel");
  await until("the subscription counts", async () => {
    const [, count] = (await connect(publisher).pubsub("NUMSUB", "channel")) as [string, number];
    return count === 1;
  });
  assert.equal(await connect(publisher).publish("channel", message), 1);
  await until("the message", () => heard !== undefined);
  assert.ok(isSame(heard, message));
}

test("one node: a value of 64 MiB, read in ranges, written in the middle", async () => {
  cluster = await ProcessCluster.start(1);
  const client = connect(cluster.nodes[0]!);
  const value = valueNamed(64 * MIB, 1);
  assert.equal(await client.set("k", value), "OK");
  assert.ok(isSame(await client.getBuffer("k"), value));
  assert.equal(await client.setrange("k", 10 * MIB, "middle"), value.length);
  value.write("middle", 10 * MIB);
  assert.ok(
    isSame(await client.getrangeBuffer("k", 5 * MIB, 20 * MIB), value.subarray(5 * MIB, 20 * MIB + 1)),
  );
});
