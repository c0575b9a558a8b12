// A cluster in an operator's hands, as processes: grown to five and shrunk to three, leadership moved, a lost majority
// recovered from the survivor. Everything by the program's own commands and redis-cli, while clients write.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { test } from "vitest";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { connect, installed, MAIN, NodeProcess, ProcessCluster, STEADY } from "./processes.ts";
import { verifyAcknowledged, Writer } from "./writer.ts";

const run = promisify(execFile);

/** What `seshat <words> --port <port>` prints; fails when its exit code is not 0. */
async function seshat(node: NodeProcess, words: string): Promise<string> {
  const { stdout } = await run(process.execPath, [MAIN, ...words.split(" "), "--port", String(node.port)]);
  return stdout;
}

/** The same, of a command that is to fail. */
async function refusal(node: NodeProcess, words: string): Promise<string> {
  try {
    await seshat(node, words);
  } catch (error) {
    return (error as { stderr: string; stdout: string }).stderr || (error as { stdout: string }).stdout;
  }
  return assert.fail(`seshat ${words} succeeded`);
}

async function redisCli(node: NodeProcess, words: string): Promise<string> {
  const { stdout } = await run("redis-cli", ["-p", String(node.port), ...words.split(" ")]);
  return stdout.trim();
}

const peerPortOf = (node: NodeProcess): string => {
  const own = node.args.findIndex((word, i) => word === node.name && node.args[i - 1] === "--member");
  return node.args[own + 1] ?? assert.fail("no member line");
};

/** Adds a name at `at` and starts a process that knows itself and one member. */
async function grow(cluster: ProcessCluster, name: string, at: NodeProcess): Promise<NodeProcess> {
  const [port = 0, peerPort] = await freePorts(2);
  const address = `127.0.0.1:${peerPort}`;
  await seshat(at, `member add ${name} ${address}`);
  const known = ["--member", at.name, peerPortOf(at), "--member", name, address];
  const node = new NodeProcess(name, port, ["--node-name", name, ...known, ...STEADY]);
  cluster.nodes.push(node);
  await cluster.votes(node);
  return node;
}

test("three to five and back, leadership moved, under load: nothing acknowledged is lost, no write fails", async () => {
  const cluster = await ProcessCluster.start(3, STEADY);
  const [n1, n2, n3] = cluster.nodes as [NodeProcess, NodeProcess, NodeProcess];
  const writer = new Writer(n1.port, "grow:");
  try {
    await until("some writes", () => (writer.acknowledged.length > 100 ? true : undefined));
    const n4 = await grow(cluster, "n4", n2);
    const n5 = await grow(cluster, "n5", n4);
    assert.match(await seshat(n5, "status"), /n5, follower.*n1 .*n2 .*n3 .*n4 .*n5 /s);
    for (const name of ["n5", "n2", "n1"]) {
      await seshat(n3, `transfer ${name}`);
      assert.equal((await cluster.leader()).name, name);
    }
    for (const gone of [n2, n3]) {
      await seshat(n1, `member remove ${gone.name}`);
      const client = connect(gone.port);
      await assert.rejects(client.get("k"), /CLUSTERDOWN this node was removed/);
      client.disconnect();
      await gone.stop("SIGTERM");
    }
    assert.match(await refusal(n1, "member remove n9"), /no member is called n9: there are n1, n4, n5/);
    const before = writer.acknowledged.length;
    await until("writes go on", () => (writer.acknowledged.length > before + 100 ? true : undefined));
    await writer.stop();
    assert.equal(writer.acknowledged.length, writer.next, "every write was acknowledged");
    for (const node of [n1, n4, n5]) await verifyAcknowledged(node.port, writer);
    // Three are left, and they are a majority of three without one of them.
    await n1.stop();
    await cluster.leader();
    await verifyAcknowledged(n4.port, writer);
  } finally {
    await writer.stop();
    await cluster.stop();
  }
});

test("dead nodes are replaced under load: by one elsewhere of the same name, by one of another name", async () => {
  const cluster = await ProcessCluster.start(3, STEADY);
  const [n1, n2, n3] = cluster.nodes as [NodeProcess, NodeProcess, NodeProcess];
  const writer = new Writer(n1.port, "replace:");
  const more = async (): Promise<void> => {
    const before = writer.acknowledged.length;
    await until("writes go on", () => (writer.acknowledged.length > before + 50 ? true : undefined));
  };
  try {
    await more();
    await seshat(n1, "transfer n1");
    // Its machine is gone; another one takes its name, and nobody is told.
    await n2.stop("SIGKILL");
    await more();
    const [port = 0, peerPort] = await freePorts(2);
    const address = `127.0.0.1:${peerPort}`;
    const known = ["--member", "n2", address, "--member", "n3", peerPortOf(n3)];
    await cluster.votes(
      cluster.replace(n2, new NodeProcess("n2", port, ["--node-name", "n2", ...known, ...STEADY])),
    );
    assert.match(await seshat(n1, "status"), new RegExp(`n2 .*${address}`));
    await more();
    // Of another name: the dead one is removed, the new one added.
    await n3.stop("SIGKILL");
    await seshat(n1, "member remove n3");
    cluster.nodes.splice(cluster.nodes.indexOf(n3), 1);
    const n4 = await grow(cluster, "n4", n1);
    await more();
    assert.doesNotMatch(await seshat(n4, "member list"), /n3/);
    await writer.stop();
    assert.equal(writer.acknowledged.length, writer.next, "every write was acknowledged");
    // The two new ones have everything, without the one that was there from the beginning.
    await n1.stop();
    await cluster.leader();
    for (const node of cluster.nodes.slice(1)) await verifyAcknowledged(node.port, writer);
  } finally {
    await writer.stop();
    await cluster.stop();
    await n3.stop();
  }
});

test("two of three forget: the third says so and recovers by command, the others come back empty", async () => {
  const cluster = await ProcessCluster.start(3);
  const survivor = cluster.nodes[2] ?? assert.fail("no third node");
  const others = cluster.nodes.slice(0, 2);
  const writer = new Writer(survivor.port, "lost:");
  try {
    await until("some writes", () => (writer.acknowledged.length > 100 ? true : undefined));
    await writer.stop();
    await Promise.all(others.map((node) => node.stop()));
    for (const node of others) cluster.restart(node);
    const client = connect(survivor.port);
    await until("clients are told", async () => {
      const answer = await client.get("k").catch((error: Error) => error.message);
      return answer?.startsWith("CLUSTERDOWN a majority of the members has lost its memory")
        ? true
        : undefined;
    });
    client.disconnect();
    assert.match(await refusal(survivor, "recover"), /would start a new cluster.*Nothing was done/s);
    assert.match(await seshat(survivor, "recover --force"), /recovered/);
    for (const node of cluster.nodes) await cluster.votes(node);
    for (const node of cluster.nodes) await verifyAcknowledged(node.port, writer);
  } finally {
    await writer.stop();
    await cluster.stop();
  }
});

test.skipIf(!installed("redis-cli"))(
  "redis-cli does the same (skipped where it is not installed)",
  async () => {
    const cluster = await ProcessCluster.start(3);
    try {
      const [n1, n2] = cluster.nodes as [NodeProcess, NodeProcess];
      assert.match(await redisCli(n2, "raft.status"), /node\nn2\n.*members\nname\nn1\n/s);
      assert.equal(await redisCli(n2, "raft.member add n4 127.0.0.1:1"), "OK");
      assert.match(await redisCli(n1, "raft.member list"), /n4\nrole\nabsent\n/);
      assert.equal(await redisCli(n1, "raft.member remove n4"), "OK");
      assert.match(await redisCli(n1, "raft.member promote n2"), /ERR n2 is a voter already/);
      for (const name of ["n3", "n1"]) {
        assert.equal(await redisCli(n2, `raft.transfer ${name}`), "OK");
        assert.equal((await cluster.leader()).name, name);
      }
      assert.match(await redisCli(n1, "raft.recover force"), /n1 leads this cluster/);
      assert.match(await redisCli(n1, "raft.member help"), /ADD <name>/);
    } finally {
      await cluster.stop();
    }
  },
);
