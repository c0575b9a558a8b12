// A follower that has given commands up sends others under a later generation, perhaps before the leader has answered
// the first: the answers must not be taken for each other's.

import assert from "node:assert/strict";
import { test } from "vitest";
import { VirtualSessions } from "../../src/node/virtual-sessions.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import type { ProxyReply, ProxyRequest } from "../../src/wire/cluster-messages.ts";
import { World } from "./world.ts";

test("answers to commands that were given up are not counted as those of later ones", () => {
  const world = new World();
  world.start(1);
  world.until("it leads", () => world.leader() !== undefined);
  const replies: ProxyReply[] = [];
  const sessions = new VirtualSessions(world.leader()!.node, {
    proxyReply: (_member, reply) => replies.push(reply),
    queuedReplyBytes: () => 0,
  });
  const send = (generation: number, ...commands: string[][]): void => {
    const request: ProxyRequest = {
      sessionId: 1,
      database: 0,
      protocol: 2,
      commands: Buffer.concat(commands.map((command) => encodeCommand(command))),
      generation,
      muted: false,
      closed: false,
      waitEnd: null,
      takenBytes: 0,
      client: null,
    };
    sessions.request(9, request);
  };
  send(1, ["INCR", "k"], ["APPEND", "k", "0"]);
  send(2, ["INCR", "k"], ["GET", "k"]);
  send(1, ["INCR", "k"]);
  for (let i = 0; i < 5; i++) world.step();
  const answers = replies.filter(({ generation }) => generation === 2);
  assert.equal(answers.map((reply) => reply.replies.toString()).join(""), ":11\r\n$2\r\n11\r\n");
  assert.equal(
    answers.reduce((sum, { completed }) => sum + completed, 0),
    2,
  );
  assert.equal(replies.length, answers.length, "nobody waits for others");
});
