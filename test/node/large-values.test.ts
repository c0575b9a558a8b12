// Large values inside a node (docs/adr/0021): which lane what takes, memory that changes hands without a copy, and what waits for a
// link staying in the sessions.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { FRAME_PAYLOAD_BYTES, LINK_WAITING_BYTES } from "../../src/base/limits.ts";
import { inLanes } from "../../src/node/link-frames.ts";
import { PendingInput } from "../../src/node/pending-input.ts";
import { VirtualSessions } from "../../src/node/virtual-sessions.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import type { ProxyReply, ProxyRequest } from "../../src/wire/cluster-messages.ts";
import type { RaftMessage } from "../../src/wire/raft-message.ts";
import { World } from "./world.ts";

const NO_BYTES = Buffer.alloc(0);

const raft = (type: RaftMessage["type"], payloadBytes = 0): RaftMessage => ({
  type,
  to: 2,
  from: 1,
  term: 1,
  logTerm: 1,
  index: 1,
  entries:
    payloadBytes === 0 ? [] : [{ term: 1, index: 2, type: "normal", data: Buffer.alloc(payloadBytes) }],
  commit: 0,
  vote: 0,
  reject: false,
  rejectHint: 0,
  context: NO_BYTES,
  readPosition: 0,
  transfer: false,
  stampMs: 0,
  responses: [],
});

const request = (commands: Buffer, generation = 1, sessionId = 7): ProxyRequest => ({
  sessionId,
  database: 0,
  protocol: 2,
  commands,
  generation,
  muted: false,
  closed: false,
  waitEnd: null,
  takenBytes: 0,
  client: null,
});

describe("lanes", () => {
  test("all of Raft but appends is urgent, and so are tables; what must keep its order does", () => {
    const { urgent, ordered } = inLanes({
      raft: [raft("heartbeat"), raft("append", 10), raft("appendResponse"), raft("append")],
      proxyRequests: [request(Buffer.alloc(5)), request(Buffer.alloc(6))],
      freshQuestions: [{ round: 3 }],
      stateRequests: [{}],
    });
    assert.deepEqual(
      urgent?.raft?.map(({ type }) => type),
      ["heartbeat", "appendResponse"],
    );
    assert.deepEqual(urgent?.freshQuestions, [{ round: 3 }]);
    assert.equal(ordered.length, 1);
    assert.deepEqual(
      ordered[0]?.raft?.map(({ entries }) => entries.length),
      [1, 0],
    );
    assert.deepEqual(
      ordered[0]?.proxyRequests?.map(({ commands }) => commands.length),
      [5, 6],
    );
    assert.equal(ordered[0]?.stateRequests?.length, 1);
  });

  test("much to be said goes in several frames, whatever is longer alone in its own, none of them empty", () => {
    const sizes = [10, FRAME_PAYLOAD_BYTES, 3 * FRAME_PAYLOAD_BYTES, 20, 30];
    const { urgent, ordered } = inLanes({
      proxyRequests: sizes.map((bytes) => request(Buffer.alloc(bytes))),
    });
    assert.equal(urgent, undefined);
    assert.deepEqual(
      ordered.map(({ proxyRequests }) => proxyRequests?.map(({ commands }) => commands.length)),
      [[10], [FRAME_PAYLOAD_BYTES], [3 * FRAME_PAYLOAD_BYTES], [20, 30]],
    );
    assert.deepEqual(inLanes({ raft: [raft("vote")] }).ordered, []);
  });
});

describe("a client's pending input", () => {
  const bytes = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 31) & 0xff));

  test("gets the room that was announced when an eighth of it has come, and is never copied again", () => {
    const input = new PendingInput();
    const wanted = 8 * bytes.length;
    const memories = new Set<Buffer>();
    for (let i = 0; i < 8; i++) {
      input.append(bytes, 0, bytes.length, wanted);
      memories.add(input.bytes);
    }
    assert.equal(memories.size, 1);
    assert.equal(input.length, wanted);
    assert.ok(input.capacity < wanted + 2048);
    for (let i = 0; i < 8; i++) {
      const at = input.start + i * bytes.length;
      assert.ok(input.bytes.subarray(at, at + bytes.length).equals(bytes));
    }
  });

  test("of which little has come follows what has come", () => {
    const input = new PendingInput();
    input.append(bytes, 0, 1000, 512 << 20);
    assert.ok(input.capacity < 4096, `${input.capacity} bytes for 1000`);
  });

  test("does not change what it has given away, whatever comes later", () => {
    const input = new PendingInput();
    input.append(bytes, 0, 600_000);
    input.consume(500_000);
    const given = input.share(input.start + 10);
    const copy = Buffer.from(given);
    input.consume(50_000);
    for (let i = 0; i < 20; i++) input.append(bytes, 0, 100_000);
    assert.ok(given.equals(copy));
    const lent = input.lend(input.end);
    assert.ok(lent !== undefined);
    assert.equal(input.lend(input.end), undefined, "once only: what is in front of the second is the first");
  });
});

test("a long command is an entry of the log where it was received, and one behind it in the same bytes is whole", () => {
  const world = new World();
  world.start(1);
  world.until("it leads", () => world.leader() !== undefined);
  const client = world.leader()!.connect();
  const values = [1, 2, 3].map((salt) => String.fromCharCode(64 + salt).repeat(1_500_000 + salt));
  for (const database of ["0", "5"]) {
    assert.equal(client.call("SELECT", database), "+OK\r\n");
    const all = Buffer.concat(values.map((value, i) => encodeCommand(["SET", `k${i}`, value])));
    for (let at = 0; at < all.length; at += 250_000) client.sendRaw(all.subarray(at, at + 250_000));
    let answered = "";
    while (answered.length < 15) answered += client.reply();
    assert.equal(answered, "+OK\r\n".repeat(3));
    for (const [i, value] of values.entries()) {
      assert.equal(client.call("STRLEN", `k${i}`), `:${value.length}\r\n`);
      assert.ok(client.call("GET", `k${i}`).includes(value), `k${i} of database ${database}`);
    }
  }
});

test("replies wait in the leader's sessions while the link has enough to send, then come whole and in order", () => {
  const world = new World();
  world.start(1);
  world.until("it leads", () => world.leader() !== undefined);
  const { node } = world.leader()!;
  const replies: ProxyReply[] = [];
  let queued = 0;
  const sessions = new VirtualSessions(node, {
    proxyReply: (_member, reply) => {
      replies.push(reply);
      queued += reply.replies.length;
    },
    queuedReplyBytes: () => queued,
  });
  Object.assign(node, { virtualSessions: sessions });
  const value = "v".repeat(3 * FRAME_PAYLOAD_BYTES);
  world.leader()!.connect().call("SET", "k", value);
  const gets = Array.from({ length: 20 }, () => encodeCommand(["GET", "k"]));
  for (const session of [1, 2, 3]) sessions.request(9, request(Buffer.concat(gets), 1, session));
  let most = 0;
  for (let i = 0; i < 2000 && replies.reduce((sum, { completed }) => sum + completed, 0) < 60; i++) {
    world.step();
    most = Math.max(most, queued);
    if (i % 3 === 0) queued = Math.max(0, queued - FRAME_PAYLOAD_BYTES);
  }
  assert.equal(
    replies.reduce((sum, { completed }) => sum + completed, 0),
    60,
  );
  assert.ok(most < LINK_WAITING_BYTES + 4 * value.length, `${most} bytes waited for the link`);
  const expected = `$${value.length}\r\n${value}\r\n`;
  for (const session of [1, 2, 3]) {
    const text = replies
      .filter(({ sessionId }) => sessionId === session)
      .map((reply) => reply.replies.toString());
    assert.ok(text.join("") === expected.repeat(20), `session ${session}`);
  }
});
