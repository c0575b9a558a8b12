// An upgrade, as operators do it: one node after the other is told to stop and started again, under load. No command
// fails on the other nodes' connections; those of the node itself end cleanly behind their last reply.

import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { test } from "vitest";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { connect, type NodeProcess, ProcessCluster, STEADY } from "./processes.ts";
import { verifyAcknowledged, Writer } from "./writer.ts";

const INCREMENT = "*2\r\n$4\r\nINCR\r\n$7\r\ncounted\r\n";

/** So many commands under way at once on one connection, for as long as it lasts. */
class LastingClient {
  replies = 0;
  /** What came after the last whole reply. */
  rest = "";
  problem: string | undefined;
  readonly closed: Promise<unknown>;

  constructor(port: number, underWay: number) {
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
    socket.write(INCREMENT.repeat(underWay));
  }
}

/** Reads, transactions and commands that wait, one after the other; the first that fails is its last. */
class MixedClient {
  rounds = 0;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(port: number, key: string) {
    this.#done = this.#run(port, key);
    // What failed is told by stop().
    this.#done.catch(() => {});
  }

  async #run(port: number, key: string): Promise<void> {
    const client = connect(port);
    for (; !this.#isStopped; this.rounds++) {
      const value = String(this.rounds);
      const done = await client.multi().set(key, value).lpush(`${key}:queue`, value).exec();
      assert.deepEqual(done, [
        [null, "OK"],
        [null, 1],
      ]);
      assert.equal(await client.get(key), value);
      assert.deepEqual(await client.blpop(`${key}:queue`, 0), [`${key}:queue`, value]);
    }
    client.disconnect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }
}

test("each node in turn: SIGTERM and a new process, under load", async () => {
  const httpPorts = await freePorts(3);
  const cluster = await ProcessCluster.start(3, STEADY, (i) => ["--http-port", String(httpPorts[i])]);
  /** All that an operator waits for before it is the next one's turn. */
  const isReady = async (node: NodeProcess): Promise<true | undefined> => {
    const url = `http://127.0.0.1:${httpPorts[cluster.nodes.indexOf(node)]}/ready`;
    return (await fetch(url).catch(() => undefined))?.ok === true ? true : undefined;
  };
  const writers: Writer[] = [];
  try {
    let counted = 0;
    let underWay = 0;
    // The last one leads for certain when its turn comes.
    const leader = await cluster.leader();
    const order = [...cluster.nodes].sort((a, b) => Number(a === leader) - Number(b === leader));
    for (const node of order) {
      const others = cluster.nodes.filter((other) => other !== node);
      const around = others.map(({ port }) => new Writer(port, `${node.name}>${port}:`));
      const mixed = others.map(({ port }) => new MixedClient(port, `${node.name}>${port}`));
      writers.push(...around);
      const inside = [1, 16].map((count) => {
        underWay += count;
        return new LastingClient(node.port, count);
      });
      await until("all write", () =>
        inside.every(({ replies }) => replies > 20) &&
        mixed.every(({ rounds }) => rounds > 10) &&
        around.every(({ acknowledged }) => acknowledged.length > 50)
          ? true
          : undefined,
      );
      await node.stop("SIGTERM");
      assert.equal(node.child.exitCode, 0, node.output);
      for (const client of inside) {
        await client.closed;
        assert.equal(client.problem, undefined);
        assert.equal(client.rest, "", "a whole reply before the end");
        counted += client.replies;
      }
      const back = cluster.restart(node);
      await until("it is ready", () => isReady(back));
      for (const writer of around) {
        await writer.stop();
        assert.equal(writer.acknowledged.length, writer.next, "no write failed");
      }
      for (const client of mixed) await client.stop();
    }
    for (const node of cluster.nodes)
      for (const writer of writers) await verifyAcknowledged(node.port, writer);
    const client = connect(cluster.nodes[0]!.port);
    const total = Number(await client.get("counted"));
    client.disconnect();
    // What was under way on a connection may have been done and its reply lost with the connection.
    assert.ok(counted <= total && total <= counted + underWay, `${counted} answered, ${total} done`);
  } finally {
    for (const writer of writers) await writer.stop();
    await cluster.stop();
  }
});
