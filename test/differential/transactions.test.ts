// Several clients with transactions, watched keys and the commands of all families, on a real redis-server and on processes of
// ours, through a node that leads and through one that follows. Replies are equal, those inside EXEC's one by one.
//
//   TRANSACTIONS_SEED=n   the sequence      TRANSACTIONS_COMMANDS=n   how many commands

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { replyEnd } from "../../src/resp/reply-end.ts";
import { type Draws, drawsOf } from "../chance.ts";
import { ProcessCluster, STEADY } from "../e2e/processes.ts";
import { TEST_MS_MAX } from "../until.ts";
import type { Command } from "./executor.ts";
import { disagreement } from "./normalise.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { SessionSide } from "./sessions.ts";
import { TransactionSteps } from "./transaction-steps.ts";

const version = installedVersion();
const CLIENTS = 3;
const HISTORY_SHOWN = 60;

interface Seen {
  commands: number;
  /** EXECs that ran, and those that did not because of a watched key. */
  executed: number;
  prevented: number;
}

describe.skipIf(version === undefined)("beside redis-server (skipped where it is not installed)", () => {
  for (const draws of drawsOf("transactions"))
    for (const where of ["alone", "through a follower of three"]) {
      test(`transactions ${where}: ${draws.text}`, { timeout: TEST_MS_MAX + 20 * draws.count }, async () => {
        const redis = await startRedisServer();
        const cluster = await ProcessCluster.start(where === "alone" ? 1 : 3, [
          ...STEADY,
          "--enable-debug-command",
          "yes",
        ]);
        const leader = await cluster.leader();
        const node = cluster.nodes.find((it) => it !== leader) ?? leader;
        const [info] = await redis.executor.run([[Buffer.from("INFO"), Buffer.from("server")]]);
        const port = Number(/tcp_port:(\d+)/.exec(info!.toString())![1]);
        const theirs = await SessionSide.connect("redis-server", [port], CLIENTS);
        const ours = await SessionSide.connect("ours", [node.port], CLIENTS);
        try {
          const seen = await compare(ours, theirs, draws);
          console.log(`transactions: ${JSON.stringify(seen)}`);
          assert.ok(seen.executed > 0 && seen.prevented > 0, JSON.stringify(seen));
        } finally {
          ours.close();
          theirs.close();
          await Promise.all([redis.stop(), cluster.stop()]);
        }
      });
    }
});

async function compare(ours: SessionSide, theirs: SessionSide, { seed, count }: Draws): Promise<Seen> {
  const steps = new TransactionSteps(seed, CLIENTS, Date.now());
  const seen: Seen = { commands: 0, executed: 0, prevented: 0 };
  const queues = ours.clients.map((): Command[] => []);
  const history: string[] = [];
  while (seen.commands < count) {
    const { client, commands } = steps.next();
    const sides = [ours, theirs];
    for (const side of sides) side.clients[client]!.send(commands);
    await Promise.all(sides.map((side) => side.settleAll(client)));
    const [a, b] = sides.map((side) => side.clients[client]!.takeAll());
    commands.forEach((command, i) => {
      history.push(
        `client ${client}: ${shown(command)} -> ${JSON.stringify(b![i]!.toString("latin1").slice(0, 60))}`,
      );
      const problem = difference(command, a![i]!, b![i]!, queues[client]!, seen);
      if (problem !== undefined)
        assert.fail(
          `seed ${seed}, after ${seen.commands} commands\n${history.slice(-HISTORY_SHOWN).join("\n")}\n${problem}`,
        );
    });
    seen.commands += commands.length;
  }
  return seen;
}

/** Undefined when the replies agree. `queue` follows the client's transaction. */
function difference(
  command: Command,
  ours: Buffer,
  theirs: Buffer,
  queue: Command[],
  seen: Seen,
): string | undefined {
  const name = command[0]!.toString("latin1").toUpperCase();
  const reply = theirs.toString("latin1");
  if (reply === "+QUEUED\r\n") queue.push(command);
  else if (name === "EXEC" && reply[0] === "*" && ours[0] === theirs[0] && reply !== "*-1\r\n") {
    seen.executed++;
    const problem = differenceInside(queue.splice(0), ours, theirs);
    if (problem !== undefined) return problem;
    return undefined;
  } else if (name === "DISCARD" || name === "EXEC") {
    if (reply === "*-1\r\n" || reply === "_\r\n") seen.prevented++;
    queue.length = 0;
  }
  return described(command, ours, theirs);
}

function differenceInside(queue: readonly Command[], ours: Buffer, theirs: Buffer): string | undefined {
  const a = itemsOf(ours);
  const b = itemsOf(theirs);
  if (a.length !== b.length || a.length !== queue.length)
    return `${queue.length} commands were queued, ours answered ${a.length}, theirs ${b.length}`;
  for (const [i, command] of queue.entries()) {
    const problem = described(command, a[i]!, b[i]!);
    if (problem !== undefined) return `inside EXEC, ${queue.map(shown).join(" | ")}: ${problem}`;
  }
  return undefined;
}

function described(command: Command, ours: Buffer, theirs: Buffer): string | undefined {
  const text = command.slice(0, 12).map((word) => word.toString("latin1").toUpperCase());
  const how = disagreement(text.join(" "), ours, theirs);
  if (how === undefined) return undefined;
  const [a, b] = [ours, theirs].map((reply) => JSON.stringify(reply.toString("latin1").slice(0, 300)));
  return `${shown(command)}: ${how}\n  ours   ${a}\n  theirs ${b}`;
}

function itemsOf(reply: Buffer): Buffer[] {
  const items: Buffer[] = [];
  for (let at = reply.indexOf("\r\n") + 2; at < reply.length; ) {
    const end = replyEnd(reply, at);
    items.push(reply.subarray(at, end));
    at = end;
  }
  return items;
}

const shown = (command: Command): string =>
  command
    .slice(0, 12)
    .map((word) => JSON.stringify(word.toString("latin1").slice(0, 40)))
    .join(" ");
