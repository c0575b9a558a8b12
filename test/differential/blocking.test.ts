// Several clients that wait, push, unblock each other and leave, at random, on a real redis-server and on processes of ours: after
// each step every client has received the same bytes. So it is the same clients that are served, with the same.
//
//   BLOCKING_SEED=n   the sequence      BLOCKING_STEPS=n   how many steps

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { type Draws, drawsOf } from "../chance.ts";
import { ProcessCluster, STEADY } from "../e2e/processes.ts";
import { TEST_MS_MAX } from "../until.ts";
import { type BlockingStep, BlockingSteps } from "./blocking-steps.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { SessionSide } from "./sessions.ts";

const version = installedVersion();
const CLIENTS = 6;
const HISTORY_SHOWN = 25;

async function carryOut(
  side: SessionSide,
  step: BlockingStep,
  other: SessionSide | undefined,
): Promise<string> {
  const { client, kind, commands, target, endsSoon } = step;
  let answer = "";
  if (kind === "leave") {
    await side.replace(client);
  } else if (kind === "unblock") {
    const id = String(side.clients[target]!.id);
    answer = await side.controllerOf(target).call("CLIENT", "UNBLOCK", id, ...commands[0]!);
  } else {
    side.clients[client]!.send(commands.map((words) => words.map((word) => Buffer.from(word))));
  }
  if (other !== undefined) await side.settleLike(other);
  else if (endsSoon) await side.settleAll(client);
  else await side.settle();
  return answer;
}

describe.skipIf(version === undefined)("beside redis-server (skipped where it is not installed)", () => {
  for (const draws of drawsOf("blocking"))
    for (const nodes of [1, 3]) {
      test(`commands that wait, on ${nodes} of our nodes: ${draws.text}`, {
        timeout: TEST_MS_MAX + 200 * draws.count,
      }, async () => {
        const redis = await startRedisServer();
        const cluster = await ProcessCluster.start(nodes, STEADY);
        const [info] = await redis.executor.run([[Buffer.from("INFO"), Buffer.from("server")]]);
        const port = Number(/tcp_port:(\d+)/.exec(info!.toString())![1]);
        const theirs = await SessionSide.connect("redis-server", [port], CLIENTS);
        const ours = await SessionSide.connect(
          "ours",
          cluster.nodes.map((node) => node.port),
          CLIENTS,
        );
        try {
          const served = await compare(ours, theirs, nodes === 1, draws);
          assert.ok(served > 0, "no step served somebody who waited");
          console.log(`blocking: ${draws.count} steps equal, ${served} of them served or ended a wait`);
        } finally {
          ours.close();
          theirs.close();
          await Promise.all([redis.stop(), cluster.stop()]);
        }
      });
    }
});

/** Returns in how many steps somebody was answered who had been blocked before. */
async function compare(
  ours: SessionSide,
  theirs: SessionSide,
  isSingle: boolean,
  { seed, count }: Draws,
): Promise<number> {
  const steps = new BlockingSteps(seed, CLIENTS, isSingle);
  const history: string[] = [];
  let served = 0;
  for (let i = 0; i < count; i++) {
    const blocked = theirs.clients.map(({ owed }) => owed > 0);
    const step = steps.next(blocked);
    history.push(
      `${i}: client ${step.client} ${step.kind} ${step.commands.map((words) => words.join(" ")).join(" | ")}`,
    );
    const told = (): string => `seed ${seed}\n${history.slice(-HISTORY_SHOWN).join("\n")}\n`;
    try {
      const wanted = await carryOut(theirs, step, undefined);
      const got = await carryOut(ours, step, theirs);
      assert.equal(got, wanted);
    } catch (error) {
      throw new Error(`${told()}${error instanceof Error ? error.message : String(error)}`);
    }
    for (const [c, client] of theirs.clients.entries()) {
      if (blocked[c] === true && client.owed === 0) served++;
      assert.equal(goneAlike(ours.clients[c]!.take()), goneAlike(client.take()), `${told()}client ${c}`);
    }
  }
  return served;
}

/** 7.2 runs XREADGROUP again, which tells of a group or key that has gone as of one that never was; 7.0 has words for it. */
function goneAlike(replies: Buffer): string {
  return replies
    .toString("latin1")
    .replaceAll(
      /^-(NOGROUP No such key .* in XREADGROUP.*|NOGROUP the consumer group this.*|UNBLOCKED the stream key.*)\r$/gm,
      "-gone",
    );
}
