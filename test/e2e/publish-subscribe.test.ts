// Publish and subscribe with the clients people use, publisher and subscriber on different nodes of three, through the
// death of the leader; and keyspace events on every node.

import assert from "node:assert/strict";
import { createClient } from "redis";
import { afterEach, test } from "vitest";
import { until } from "../until.ts";
import { connect, ProcessCluster, STEADY } from "./processes.ts";

let cluster: ProcessCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
});

async function three(flags: readonly string[] = []): Promise<ProcessCluster> {
  cluster = await ProcessCluster.start(3, [...STEADY, ...flags]);
  return cluster;
}

test("ioredis: channels and patterns on one node, published on another", async () => {
  const { nodes } = await three();
  for (const listening of nodes) {
    const subscriber = connect(listening.port);
    const received: string[] = [];
    // A node that lags gives a new subscriber what was published, and acknowledged, just before (ADR 9): the last
    // message of the round before. It is not counted.
    const note = (prefix: string, text: string): void => {
      if (text.startsWith(`to ${listening.name} `)) received.push(`${prefix} ${text}`);
    };
    subscriber.on("message", (channel: string, text: string) => note(channel, text));
    subscriber.on("pmessage", (pattern: string, channel: string, text: string) =>
      note(`${pattern} ${channel}`, text),
    );
    await subscriber.subscribe("news");
    await subscriber.psubscribe("ne*");
    for (const publishing of nodes) {
      const publisher = connect(publishing.port);
      await until("the subscriber is known", async () => {
        const [, count] = await publisher.pubsub("NUMSUB", "news");
        return count === 1 && Number(await publisher.pubsub("NUMPAT")) === 1;
      });
      assert.equal(await publisher.publish("news", `to ${listening.name} by ${publishing.name}`), 2);
      publisher.disconnect();
    }
    await until("all messages", () => received.length === 2 * nodes.length);
    const expected = nodes.flatMap(({ name }) => {
      const text = `to ${listening.name} by ${name}`;
      return [`news ${text}`, `ne* news ${text}`];
    });
    assert.deepEqual(received, expected);
    subscriber.disconnect();
    for (const { port } of nodes) {
      const asker = connect(port);
      await until("the subscriber is forgotten", async () => (await asker.pubsub("CHANNELS")).length === 0);
      asker.disconnect();
    }
  }
});

test("node-redis, RESP2 and RESP3: channels, patterns, shard channels", async () => {
  const { nodes } = await three();
  for (const protocol of [2, 3] as const) {
    const subscriber = createClient({ url: `redis://127.0.0.1:${nodes[1]!.port}`, RESP: protocol });
    const publisher = createClient({ url: `redis://127.0.0.1:${nodes[2]!.port}`, RESP: protocol });
    await subscriber.connect();
    await publisher.connect();
    const received: string[] = [];
    const note =
      (kind: string) =>
      (text: string, channel: string): void => {
        received.push(`${kind} ${channel} ${text}`);
      };
    await subscriber.subscribe("c", note("message"));
    await subscriber.pSubscribe("[cd]", note("pmessage"));
    await subscriber.sSubscribe("s", note("smessage"));
    await publisher.publish("c", "1");
    await publisher.sPublish("s", "2");
    await publisher.publish("d", "3");
    await publisher.publish("e", "4");
    await publisher.publish("c", "end");
    await until("all messages", () => received.includes("pmessage c end"));
    assert.deepEqual(received, [
      "message c 1",
      "pmessage c 1",
      "smessage s 2",
      "pmessage d 3",
      "message c end",
      "pmessage c end",
    ]);
    await subscriber.unsubscribe("c");
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe();
    // RESP3 or not, it is an ordinary client again. (node-redis goes on to give a former subscriber Buffers.)
    assert.equal(String(await subscriber.set("k", "v")), "OK");
    subscriber.destroy();
    publisher.destroy();
  }
});

test("the leader is killed: subscribers of the others go on, and get every message that was acknowledged", async () => {
  const running = await three();
  const leader = await running.leader();
  const [first, second] = running.nodes.filter((node) => node !== leader);
  const subscriber = connect(first!.port);
  const received: number[] = [];
  let ended = false;
  subscriber.on("message", (_channel: string, text: string) => received.push(Number(text)));
  subscriber.on("end", () => {
    ended = true;
  });
  await subscriber.subscribe("numbers");
  const publisher = connect(second!.port);
  const acknowledged: number[] = [];
  for (let i = 0; i < 400; i++) {
    if (i === 100) await leader.stop();
    try {
      await publisher.publish("numbers", String(i));
      acknowledged.push(i);
    } catch (error) {
      assert.match(String(error), /UNCERTAIN|TRYAGAIN|CLUSTERDOWN/);
    }
  }
  await until("the last message", () => received.at(-1) === acknowledged.at(-1));
  assert.ok(acknowledged.length > 390, `${acknowledged.length} of 400 were acknowledged`);
  assert.deepEqual(
    received.filter((number) => acknowledged.includes(number)),
    acknowledged,
  );
  assert.ok(!ended, "the subscriber was disconnected");
  subscriber.disconnect();
  publisher.disconnect();
});

test("keyspace events of keys that expire, on every node", async () => {
  const { nodes } = await three(["--notify-keyspace-events", "Ex"]);
  const received = nodes.map(() => [] as string[]);
  const subscribers = nodes.map(({ port }, i) => {
    const subscriber = connect(port);
    subscriber.on("message", (_channel: string, key: string) => received[i]!.push(key));
    return subscriber;
  });
  for (const subscriber of subscribers) await subscriber.subscribe("__keyevent@0__:expired");
  const writer = connect(nodes[0]!.port);
  await writer.pipeline().set("one", "1", "PX", 100).set("two", "1", "PX", 200).set("kept", "1").exec();
  await until("both are gone everywhere", () => received.every((keys) => keys.length >= 2));
  for (const keys of received) assert.deepEqual(keys, ["one", "two"]);
  for (const client of [...subscribers, writer]) client.disconnect();
});
