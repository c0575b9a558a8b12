// Publish and subscribe on one node and on three, on simulated ports: who gets which message, in what shape, in what
// order, and what the counts say.

import assert from "node:assert/strict";
import { test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, World } from "./world.ts";

const pipeline = (...commands: string[]): Buffer =>
  Buffer.concat(commands.map((command) => encodeCommand(command.split(" "))));
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const message = (...parts: string[]): string => `*${parts.length}\r\n${parts.map(bulk).join("")}`;
const pushed = (...parts: string[]): string => `>${parts.length}\r\n${parts.map(bulk).join("")}`;
const confirmation = (word: string, name: string, count: number): string =>
  `*3\r\n${bulk(word)}${bulk(name)}:${count}\r\n`;

function world(nodes: number, flags: Readonly<Record<string, string>> = {}): World {
  const world = new World();
  world.start(nodes, flags);
  world.until("a leader", () => world.leader() !== undefined);
  for (let i = 0; i < 20; i++) world.step();
  return world;
}

function call(client: Client, command: string): string {
  return client.call(...command.split(" "));
}

function steps(world: World, count = 30): void {
  for (let i = 0; i < count; i++) world.step();
}

test("messages reach subscribers on every node, in the order of the log, and the publisher hears how many", () => {
  const three = world(3);
  const subscribers = [...three.hosts.values()].map((host) => host.connect());
  for (const subscriber of subscribers) {
    assert.equal(call(subscriber, "SUBSCRIBE news"), confirmation("subscribe", "news", 1));
    assert.equal(call(subscriber, "PSUBSCRIBE n*"), confirmation("psubscribe", "n*", 2));
  }
  steps(three);
  let expected = "";
  for (const [i, host] of [...three.hosts.values()].entries()) {
    const publisher = host.connect();
    assert.equal(call(publisher, `PUBLISH news hello${i}`), ":6\r\n");
    assert.equal(call(publisher, `PUBLISH nothing hello${i}`), ":3\r\n");
    assert.equal(call(publisher, `PUBLISH else hello${i}`), ":0\r\n");
    assert.equal(
      call(publisher, "PUBSUB NUMSUB news nothing"),
      `*4\r\n${bulk("news")}:3\r\n${bulk("nothing")}:0\r\n`,
    );
    assert.equal(call(publisher, "PUBSUB CHANNELS"), `*1\r\n${bulk("news")}`);
    assert.equal(call(publisher, "PUBSUB NUMPAT"), ":1\r\n");
    expected += message("message", "news", `hello${i}`) + message("pmessage", "n*", "news", `hello${i}`);
    expected += message("pmessage", "n*", "nothing", `hello${i}`);
  }
  steps(three);
  for (const subscriber of subscribers) assert.equal(subscriber.take(), expected);
});

test("shard channels are apart from channels", () => {
  const three = world(3);
  const subscriber = followerOf(three).connect();
  assert.equal(call(subscriber, "SSUBSCRIBE c"), confirmation("ssubscribe", "c", 1));
  assert.equal(call(subscriber, "SUBSCRIBE c"), confirmation("subscribe", "c", 1));
  steps(three);
  const publisher = three.leader()!.connect();
  assert.equal(call(publisher, "SPUBLISH c one"), ":1\r\n");
  assert.equal(call(publisher, "PUBLISH c two"), ":1\r\n");
  assert.equal(call(publisher, "PUBSUB SHARDCHANNELS"), `*1\r\n${bulk("c")}`);
  assert.equal(call(publisher, "PUBSUB SHARDNUMSUB c d"), `*4\r\n${bulk("c")}:1\r\n${bulk("d")}:0\r\n`);
  steps(three);
  assert.equal(subscriber.take(), message("smessage", "c", "one") + message("message", "c", "two"));
});

test("a subscriber of RESP2 may send nothing else; one of RESP3 may, and its messages are pushes", () => {
  const one = world(1);
  const two = one.leader()!.connect();
  call(two, "SUBSCRIBE c");
  const only = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
  assert.equal(call(two, "GET k"), `-ERR Can't execute 'get': ${only}\r\n`);
  assert.equal(call(two, "CLIENT LIST"), `-ERR Can't execute 'client|list': ${only}\r\n`);
  assert.equal(call(two, "PING"), message("pong", ""));
  assert.equal(call(two, "PING x"), message("pong", "x"));
  const three = one.leader()!.connect();
  call(three, "HELLO 3");
  assert.equal(call(three, "SUBSCRIBE c"), `>3\r\n${bulk("subscribe")}${bulk("c")}:1\r\n`);
  assert.equal(call(three, "SET k v"), "+OK\r\n");
  assert.match(
    call(three, "CLIENT LIST TYPE pubsub"),
    /flags=P db=0 sub=1 psub=0 ssub=0 .*cmd=ping.*\n.*flags=P/,
  );
  // Its own message comes behind the replies of the entry that published it.
  three.sendRaw(pipeline("PUBLISH c hi", "GET k"));
  assert.equal(three.reply(), `:2\r\n${bulk("v")}${pushed("message", "c", "hi")}`);
  assert.equal(two.take(), message("message", "c", "hi"));
  assert.equal(call(two, "RESET"), "+RESET\r\n");
  assert.equal(call(two, "PING"), "+PONG\r\n");
  assert.equal(call(three, "PUBSUB NUMSUB c"), `*2\r\n${bulk("c")}:1\r\n`);
});

test("unsubscribing: one, all, from nothing; in one pipeline with what is allowed only then", () => {
  const client = world(1).leader()!.connect();
  client.sendRaw(
    pipeline("SUBSCRIBE a b", "PSUBSCRIBE p", "UNSUBSCRIBE a nosuch", "UNSUBSCRIBE", "PUNSUBSCRIBE", "GET k"),
  );
  assert.equal(
    client.reply(),
    confirmation("subscribe", "a", 1) +
      confirmation("subscribe", "b", 2) +
      confirmation("psubscribe", "p", 3) +
      confirmation("unsubscribe", "a", 2) +
      confirmation("unsubscribe", "nosuch", 2) +
      confirmation("unsubscribe", "b", 1) +
      confirmation("punsubscribe", "p", 0) +
      "$-1\r\n",
  );
  assert.equal(call(client, "UNSUBSCRIBE"), `*3\r\n${bulk("unsubscribe")}$-1\r\n:0\r\n`);
});

test("CLIENT REPLY OFF silences replies, not messages", () => {
  const one = world(1);
  const client = one.leader()!.connect();
  client.send("CLIENT", "REPLY", "OFF");
  assert.equal(call(client, "SUBSCRIBE c"), confirmation("subscribe", "c", 1));
  assert.equal(call(one.leader()!.connect(), "PUBLISH c x"), ":1\r\n");
  assert.equal(client.take(), message("message", "c", "x"));
});

test("counts follow clients that leave, nodes that die and nodes that come back", () => {
  const three = world(3);
  const follower = followerOf(three);
  const kept = follower.connect();
  const leaving = follower.connect();
  call(kept, "SUBSCRIBE c d");
  call(leaving, "SUBSCRIBE c");
  steps(three);
  const asker = three.leader()!.connect();
  assert.equal(call(asker, "PUBSUB NUMSUB c d"), `*4\r\n${bulk("c")}:2\r\n${bulk("d")}:1\r\n`);
  leaving.destroy();
  steps(three);
  assert.equal(call(asker, "PUBSUB NUMSUB c d"), `*4\r\n${bulk("c")}:1\r\n${bulk("d")}:1\r\n`);
  // The links break and come back: the whole table is told again.
  for (const link of [...follower.links]) {
    link.peer?.drop("reset");
    link.drop("reset");
  }
  assert.equal(call(asker, "PUBSUB NUMSUB c"), `*2\r\n${bulk("c")}:0\r\n`);
  steps(three);
  assert.equal(call(asker, "PUBSUB NUMSUB c"), `*2\r\n${bulk("c")}:1\r\n`);
  three.kill(follower.name);
  assert.equal(call(asker, "PUBSUB CHANNELS"), "*0\r\n");
});

test("who is no member has no subscribers: those of a removed node are closed, and whom it gets after that counts for nothing", () => {
  const three = world(3);
  const removed = followerOf(three);
  const before = removed.connect();
  call(before, "SUBSCRIBE c");
  steps(three);
  const asker = three.leader()!.connect();
  assert.equal(call(asker, "RAFT.MEMBER REMOVE ".concat(removed.name)), "+OK\r\n");
  three.until("closed", () => before.isClosed);
  call(removed.connect(), "SUBSCRIBE c");
  steps(three);
  assert.equal(call(asker, "PUBLISH c x"), ":0\r\n");
  assert.equal(call(asker, "PUBSUB CHANNELS"), "*0\r\n");
});

test("a subscriber lives through the death of the leader, and misses nothing that was acknowledged", () => {
  const three = world(3);
  const dead = three.leader()!;
  const [first, second] = [...three.hosts.values()].filter((host) => host !== dead);
  const subscriber = first!.connect();
  const publisher = second!.connect();
  call(subscriber, "SUBSCRIBE c");
  let expected = "";
  for (let i = 0; i < 50; i++) {
    if (i === 25) three.kill(dead.name);
    const reply = call(publisher, `PUBLISH c ${i}`);
    assert.match(reply, /^:[01]\r\n$/);
    expected += message("message", "c", String(i));
  }
  steps(three);
  assert.equal(subscriber.take(), expected);
});

test("a subscriber that does not read is disconnected at the hard limit of its class", () => {
  const one = world(1, { "client-output-buffer-limit": "pubsub 100000 0 0" });
  const host = one.leader()!;
  const slow = host.connect();
  const good = host.connect();
  call(slow, "SUBSCRIBE c");
  call(good, "SUBSCRIBE c");
  slow.pendingBytes = 1;
  const publisher = host.connect();
  for (let i = 0; i < 200 && !slow.isClosed; i++) call(publisher, `PUBLISH c ${"x".repeat(1000)}`);
  assert.ok(slow.isClosed && !good.isClosed);
  steps(one);
  assert.equal(call(publisher, "PUBSUB NUMSUB c"), `*2\r\n${bulk("c")}:1\r\n`);
  // One entry may hold more than the limit: nobody keeps all of it for a client first.
  publisher.sendRaw(pipeline(...Array.from({ length: 200 }, () => `PUBLISH c ${"y".repeat(1000)}`)));
  publisher.reply();
  assert.ok(good.isClosed);
});

test("a node that gets its state by snapshot closes its subscribers: they must know that they missed messages", () => {
  const three = world(3, { "log-max-bytes": "1mb", "log-tail-bytes": "0", "log-tail-entries": "0" });
  const follower = followerOf(three);
  const subscriber = follower.connect();
  const idle = follower.connect();
  call(subscriber, "SUBSCRIBE c");
  for (const host of three.hosts.values()) {
    three.cut.add(`${host.name}>${follower.name}`);
    three.cut.add(`${follower.name}>${host.name}`);
  }
  const writer = three.leader()!.connect();
  for (let i = 0; i < 60; i++) call(writer, `SET k${i} ${"x".repeat(100_000)}`);
  assert.ok(!subscriber.isClosed);
  three.cut.clear();
  three.until("a snapshot", () => subscriber.isClosed);
  assert.ok(!idle.isClosed);
});

test("keyspace events: each once, on every node that asks for them, with what expires", () => {
  const three = world(3, { "notify-keyspace-events": "KEA" });
  const subscribers = [...three.hosts.values()].map((host) => host.connect());
  for (const subscriber of subscribers) call(subscriber, "PSUBSCRIBE __key*__:*");
  const writer = followerOf(three).connect();
  call(writer, "SELECT 3");
  assert.equal(call(writer, "SET k v PX 1000"), "+OK\r\n");
  steps(three, 200);
  const event = (name: string): string =>
    message("pmessage", "__key*__:*", "__keyspace@3__:k", name) +
    message("pmessage", "__key*__:*", `__keyevent@3__:${name}`, "k");
  for (const subscriber of subscribers)
    assert.equal(subscriber.take(), event("set") + event("expire") + event("expired"));
});

test("keyspace events: CONFIG SET switches them; on a key or an event alone; not made when nobody can hear them", () => {
  const one = world(1);
  const { store } = one.leader()!.node.replica.machine;
  const admin = one.leader()!.connect();
  const subscriber = one.leader()!.connect();
  assert.equal(call(admin, "CONFIG SET notify-keyspace-events K$"), "+OK\r\n");
  assert.equal(store.eventClasses, 0);
  call(subscriber, "SUBSCRIBE __keyspace@0__:k __keyevent@0__:set");
  assert.notEqual(store.eventClasses, 0);
  call(admin, "SET k v");
  call(admin, "SET other v");
  call(admin, "DEL k");
  assert.equal(subscriber.take(), message("message", "__keyspace@0__:k", "set"));
  call(admin, "CONFIG SET notify-keyspace-events Eg$");
  call(admin, "SET k v");
  assert.equal(subscriber.take(), message("message", "__keyevent@0__:set", "k"));
  call(admin, "CONFIG SET notify-keyspace-events KA");
  call(admin, "DEL k");
  assert.equal(subscriber.take(), message("message", "__keyspace@0__:k", "del"));
  call(subscriber, "UNSUBSCRIBE");
  assert.equal(store.eventClasses, 0);
});

test("CONFIG SET of a setting of the whole cluster reaches all nodes, those that come later too; the latest wins", () => {
  const three = world(3);
  const name = "notify-keyspace-events";
  const settingOf = (host: Host): string => host.node.settings.notifyKeyspaceEvents;
  const hosts = [...three.hosts.values()];
  const follower = followerOf(three);
  assert.equal(call(follower.connect(), `CONFIG SET ${name} KEA`), "+OK\r\n");
  steps(three);
  assert.deepEqual(hosts.map(settingOf), ["AKE", "AKE", "AKE"]);
  // Its clock is behind; its change is later all the same.
  three.wallMs -= 60_000;
  assert.equal(call(three.leader()!.connect(), `CONFIG SET ${name} Ex timeout 7`), "+OK\r\n");
  steps(three);
  assert.deepEqual(hosts.map(settingOf), ["xE", "xE", "xE"]);
  assert.deepEqual(hosts.map((host) => host.node.settings.timeoutSeconds).sort(), [0, 0, 7]);
  three.kill(follower.name);
  three.startNode(follower.name, ["n1", "n2", "n3"], {});
  three.until("the new one knows", () => settingOf(three.host(follower.name)) === "xE");
});
