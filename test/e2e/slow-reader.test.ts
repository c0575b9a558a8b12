// A client of a follower that asks for much more than it reads, on real sockets: nobody loses a place, memory stays in bounds, others
// are served, and the client gets everything once it reads.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { afterEach, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { until } from "../until.ts";
import { connect, type NodeProcess, ProcessCluster, STEADY } from "./processes.ts";

const MIB = 1024 * 1024;
const VALUE_BYTES = 1_000_000;
const COUNT = 300;
const REPLY_BYTES = `$${VALUE_BYTES}\r\n`.length + VALUE_BYTES + 2;

let cluster: ProcessCluster | undefined;
let socket: Socket | undefined;

afterEach(async () => {
  socket?.destroy();
  await cluster?.stop();
});

const field = async (node: NodeProcess, section: string, name: string): Promise<string> =>
  (await until(`INFO of ${node.name}`, () => node.info(section))).get(name) ?? "";

test("a client of a follower that does not read costs no leader its place, and no node its memory", async () => {
  cluster = await ProcessCluster.start(3, STEADY);
  const leader = await cluster.leader();
  const [follower, other] = cluster.nodes.filter((node) => node !== leader);
  assert.ok(follower && other);
  const writer = connect(other.port);
  await writer.set("big", "v".repeat(VALUE_BYTES));
  const term = await field(leader, "raft", "raft_term");
  socket = connectSocket(follower.port, "127.0.0.1");
  await once(socket, "connect");
  socket.pause();
  socket.write(
    Buffer.concat([
      ...Array.from({ length: COUNT }, () => encodeCommand(["GET", "big"])),
      encodeCommand(["INCR", "n"]),
    ]),
  );
  const watching = connect(follower.port);
  // What it does not read is shown where it is connected.
  const waiting = async (): Promise<number> => {
    const list = String(await watching.client("LIST"));
    const line = list.split("\n").find((it) => it.includes("cmd=incr") || it.includes("cmd=get")) ?? "";
    return Number(/ omem=(\d+)/.exec(line)?.[1] ?? 0);
  };
  await until("replies wait for the client", async () => ((await waiting()) > 0 ? true : undefined));
  for (let i = 0; i < 50; i++) assert.equal(await writer.set("w", i), "OK");
  assert.ok((await waiting()) <= 8 * VALUE_BYTES, "a few replies wait, not all of them");
  assert.equal(await writer.exists("n"), 0, "the leader has not come to the end");
  let received = 0;
  const expected = COUNT * REPLY_BYTES + ":1\r\n".length;
  await new Promise<void>((resolve, reject) => {
    socket!.on("data", (bytes) => {
      received += bytes.length;
      if (received === expected) resolve();
    });
    socket!.on("close", () => reject(new Error(`closed after ${received} of ${expected} bytes`)));
    socket!.resume();
  });
  assert.equal(await writer.get("n"), "1");
  assert.equal(await field(await cluster.leader(), "raft", "raft_term"), term);
  for (const node of cluster.nodes) {
    const residentBytes = Number(await field(node, "memory", "used_memory_rss"));
    assert.ok(residentBytes > 0 && residentBytes < 700 * MIB, `${node.name}: ${residentBytes} bytes`);
  }
});
