// An upgrade, as operators do it: one node after the other is told to stop and started again, under load. No command
// fails on the other nodes' connections; those of the node itself end cleanly behind their last reply.

import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { test } from "vitest";
import { connect, ProcessCluster, until } from "./processes.ts";
import { verifyAcknowledged, Writer } from "./writer.ts";

const INCREMENT = "*2\r\n$4\r\nINCR\r\n$7\r\ncounted\r\n";

/** One command after the other on one connection, for as long as it lasts. */
class LastingClient {
  replies = 0;
  /** What came after the last whole reply. */
  rest = "";
  problem: string | undefined;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    const socket = connectSocket({ port, host: "127.0.0.1" });
    socket.on("error", (error) => {
      this.problem = error.message;
    });
    socket.on("data", (chunk) => {
      this.rest += chunk.toString("latin1");
      for (let end = this.rest.indexOf("\r\n"); end >= 0; end = this.rest.indexOf("\r\n")) {
        const reply = this.rest.slice(0, end);
        if (!/^:\d+$/.test(reply)) this.problem ??= reply;
        this.rest = this.rest.slice(end + 2);
        this.replies++;
        socket.write(INCREMENT);
      }
    });
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(INCREMENT);
  }
}

test("each node in turn: SIGTERM and a new process, under load", { timeout: 120_000 }, async () => {
  const cluster = await ProcessCluster.start(3);
  const writers: Writer[] = [];
  try {
    let counted = 0;
    // The last one leads for certain when its turn comes.
    const leader = await cluster.leader();
    const order = [...cluster.nodes].sort((a, b) => Number(a === leader) - Number(b === leader));
    for (const node of order) {
      const others = cluster.nodes.filter((other) => other !== node);
      const around = others.map(({ port }) => new Writer(port, `${node.name}>${port}:`));
      writers.push(...around);
      const inside = new LastingClient(node.port);
      await until("all write", () =>
        inside.replies > 20 && around.every(({ acknowledged }) => acknowledged.length > 50)
          ? true
          : undefined,
      );
      await node.stop("SIGTERM");
      assert.equal(node.child.exitCode, 0, node.output);
      await inside.closed;
      assert.equal(inside.problem, undefined);
      assert.equal(inside.rest, "", "a whole reply before the end");
      counted += inside.replies;
      const back = cluster.restart(node);
      await until(`${back.name} votes again`, async () => {
        const members = await (await cluster.leader()).info("raft");
        const info = await back.info("raft");
        const isBack = info?.get("raft_role") === "follower" || info?.get("raft_role") === "leader";
        return isBack && members?.get("raft_members") === "3" ? true : undefined;
      });
      for (const writer of around) {
        await writer.stop();
        assert.equal(writer.acknowledged.length, writer.next, "no write failed");
      }
    }
    for (const node of cluster.nodes)
      for (const writer of writers) await verifyAcknowledged(node.port, writer);
    const client = connect(cluster.nodes[0]!.port);
    const total = Number(await client.get("counted"));
    client.disconnect();
    // One command of each connection may have been done and its reply lost with the connection.
    assert.ok(counted <= total && total <= counted + order.length, `${counted} answered, ${total} done`);
  } finally {
    for (const writer of writers) await writer.stop();
    await cluster.stop();
  }
});
