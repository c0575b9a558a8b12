// Clients of a follower that ask for much and read slowly (docs/adr/0026): the leader carries out no more than they take, and goes
// on when they do. Nothing is lost, and nothing is done twice.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { LINK_UNTAKEN_BYTES, REPLY_WINDOW_BYTES } from "../../src/base/limits.ts";
import { HeldSessions } from "../../src/node/held-sessions.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { Client, followerOf, type Host, started, type World } from "./world.ts";

/** What its kernel takes waits until it reads. */
class SlowReader extends Client {
  isReadingReplies = false;
  writtenBytes = 0;

  override write(buffer: Buffer, length: number): boolean {
    super.write(buffer, length);
    this.writtenBytes += length;
    if (this.isReadingReplies) return true;
    this.pendingBytes += length;
    return false;
  }

  /** All that has come so far. */
  read(): string {
    this.pendingBytes = 0;
    if (!this.isClosed) this.handler.writable();
    this.host.world.settle();
    return this.take();
  }

  /** All that comes until there are so many bytes. */
  readAll(length: number): string {
    let found = this.read();
    this.host.world.until("all replies", () => {
      found += this.read();
      return found.length >= length;
    });
    return found;
  }

  get outputBytes(): number {
    return this.host.node.server.clients.byId(this.id)?.outputBufferBytes ?? 0;
  }
}

const VALUE_BYTES = 100_000;
const value = "v".repeat(VALUE_BYTES);
const longReply = `$${VALUE_BYTES}\r\n${value}\r\n`;
const many = (count: number, ...command: string[]): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => encodeCommand(command)));

function withValue(): { world: World; leader: Host; follower: Host } {
  const world = started(3);
  const leader = world.leader()!;
  leader.connect().call("SET", "big", value);
  return { world, leader, follower: followerOf(world) };
}

const settled = (world: World): void => {
  for (let i = 0; i < 20; i++) world.step();
};

/** What the first reply of a turn may add to what waits already. */
const SLACK_BYTES = REPLY_WINDOW_BYTES + 2 * longReply.length;

describe("a client of a follower that does not read", () => {
  test.each([
    ["reads", many(400, "GET", "big")],
    ["reads behind a write", Buffer.concat([many(1, "SET", "x", "1"), many(400, "GET", "big")])],
    ["writes that answer with data", many(400, "GETEX", "big")],
    ["transactions", Buffer.concat(Array.from({ length: 100 }, () => transaction(4)))],
  ])("gets no more than a window of replies: %s", (_what, commands) => {
    const { world, leader, follower } = withValue();
    const client = new SlowReader(follower);
    client.sendRaw(commands);
    settled(world);
    assert.ok(
      client.outputBytes <= 2 * REPLY_WINDOW_BYTES + SLACK_BYTES + 64 * longReply.length,
      `${client.outputBytes} bytes`,
    );
    assert.equal(leader.connect().call("PING"), "+PONG\r\n");
    assert.equal(followerOf(world).connect().call("STRLEN", "big"), `:${VALUE_BYTES}\r\n`);
  });

  function transaction(reads: number): Buffer {
    return Buffer.concat([many(1, "MULTI"), many(reads, "GET", "big"), many(1, "EXEC")]);
  }

  test("gets all replies in order once it reads, and writes behind stalled reads keep their place", () => {
    const { world, follower } = withValue();
    const client = new SlowReader(follower);
    const rounds = 40;
    client.sendRaw(
      Buffer.concat(
        Array.from({ length: rounds }, () => Buffer.concat([many(2, "GET", "big"), many(1, "INCR", "n")])),
      ),
    );
    settled(world);
    const before = Number(/\$(?:\d+)\r\n(\d+)/.exec(follower.connect().call("GET", "n"))?.[1] ?? 0);
    assert.ok(before < rounds, "the leader waits for the client");
    const expected = Array.from({ length: rounds }, (_, i) => `${longReply}${longReply}:${i + 1}\r\n`).join(
      "",
    );
    const found = client.readAll(expected.length);
    assert.ok(found === expected, "every reply, in order");
  });

  test("is shown with all that waits for it, commands and replies, at its own node", () => {
    const { world, follower } = withValue();
    const client = new SlowReader(follower);
    const commands = many(400, "GET", "big");
    client.sendRaw(commands);
    settled(world);
    const line = follower.connect().call("CLIENT", "LIST", "ID", String(client.id));
    const [commandBytes, replyBytes, allBytes] = ["qbuf", "omem", "tot-mem"].map((name) =>
      Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]),
    );
    assert.ok(commandBytes! > commands.length / 2 && commandBytes! <= commands.length, line);
    assert.equal(replyBytes, client.outputBytes);
    assert.ok(allBytes! >= commandBytes! + replyBytes!, line);
  });

  test("gets one reply that is longer than the window", () => {
    const { world, leader, follower } = withValue();
    const huge = "h".repeat(5 * REPLY_WINDOW_BYTES);
    leader.connect().call("SET", "huge", huge);
    const client = new SlowReader(follower);
    client.sendRaw(Buffer.concat([many(3, "GET", "huge"), many(1, "PING")]));
    settled(world);
    const expected = `${`$${huge.length}\r\n${huge}\r\n`.repeat(3)}+PONG\r\n`;
    assert.ok(client.readAll(expected.length) === expected);
  });

  test("is gone: its commands go with it, and others are served", () => {
    const { world, leader, follower } = withValue();
    const client = new SlowReader(follower);
    client.sendRaw(Buffer.concat([many(400, "GET", "big"), many(1, "INCR", "n")]));
    settled(world);
    const other = follower.connect();
    assert.equal(other.call("CLIENT", "KILL", "ID", String(client.id)), ":1\r\n");
    settled(world);
    assert.equal(leader.node.virtualSessions.count, 1, "only the other is known");
    assert.equal(other.call("EXISTS", "n"), ":0\r\n");
    assert.equal(other.call("INCR", "n"), ":1\r\n");
  });

  test("has closed its side: all that it sent is answered", () => {
    const { world, follower } = withValue();
    const client = new SlowReader(follower);
    client.sendRaw(Buffer.concat([many(60, "GET", "big"), many(1, "INCR", "n")]));
    settled(world);
    client.endInput();
    const expected = `${longReply.repeat(60)}:1\r\n`;
    assert.ok(client.readAll(expected.length) === expected);
    world.until("it is closed", () => client.isClosed);
  });

  test("what has not begun goes to the next leader, and is done once", () => {
    const { world, leader, follower } = withValue();
    const client = new SlowReader(follower);
    const rounds = 60;
    client.sendRaw(
      Buffer.concat(
        Array.from({ length: rounds }, () => Buffer.concat([many(1, "GET", "big"), many(1, "INCR", "n")])),
      ),
    );
    settled(world);
    assert.equal(leader.node.replica.transferAway(), true);
    world.until("another leads", () => world.leader() !== undefined && world.leader() !== leader);
    settled(world);
    const expected = Array.from({ length: rounds }, (_, i) => `${longReply}:${i + 1}\r\n`).join("");
    assert.ok(client.readAll(expected.length) === expected);
    // And back: the first leader knows the client from before.
    client.sendRaw(Buffer.concat([many(60, "GET", "big"), many(1, "INCR", "n")]));
    const second = world.leader()!;
    assert.equal(second.node.replica.transferAway(), true);
    world.until("another leads", () => world.leader() !== undefined && world.leader() !== second);
    const rest = `${longReply.repeat(60)}:${rounds + 1}\r\n`;
    assert.ok(client.readAll(rest.length) === rest);
  });
});

test("many clients of one follower that do not read share a bound, and one that reads is served beside them", () => {
  const { world, follower } = withValue();
  const clients = Array.from({ length: 150 }, () => new SlowReader(follower));
  for (const client of clients) client.sendRaw(many(60, "GET", "big"));
  settled(world);
  const waiting = clients.reduce((sum, { outputBytes }) => sum + outputBytes, 0);
  const most =
    LINK_UNTAKEN_BYTES + clients.length * (64 * 1024 + 2 * longReply.length) + 32 * REPLY_WINDOW_BYTES;
  assert.ok(waiting <= most, `${waiting} bytes of at most ${most}`);
  const reader = new SlowReader(follower);
  reader.sendRaw(many(60, "GET", "big"));
  const expected = longReply.repeat(60);
  assert.ok(reader.readAll(expected.length) === expected);
  for (const client of clients.slice(0, 3)) assert.ok(client.readAll(expected.length) === expected);
});

test("a client of the leader that reads behind its own writes gets no more than it takes", () => {
  const { world, leader } = withValue();
  const client = new SlowReader(leader);
  client.sendRaw(
    Buffer.concat(
      Array.from({ length: 300 }, () => Buffer.concat([many(1, "INCR", "n"), many(1, "GET", "big")])),
    ),
  );
  settled(world);
  assert.ok(client.outputBytes <= 64 * longReply.length + SLACK_BYTES, `${client.outputBytes} bytes`);
  const expected = Array.from({ length: 300 }, (_, i) => `:${i + 1}\r\n${longReply}`).join("");
  assert.ok(client.readAll(expected.length) === expected);
});

test("held sessions that could not go on come before those that could, and hold again", () => {
  const held = new HeldSessions();
  const asked: string[] = [];
  let room = 0;
  const session = (name: string): void => {
    const made = {
      retry: (): boolean => {
        if (room === 0) return false;
        room--;
        asked.push(name);
        held.add(made);
        return false;
      },
    };
    held.add(made);
  };
  for (const name of ["a", "b", "c"]) session(name);
  for (let turn = 0; turn < 3; turn++) {
    room = 2;
    held.retry(0);
  }
  assert.deepEqual(asked, ["a", "b", "c", "a", "b", "c"]);
  assert.equal(held.count, 3);
});
