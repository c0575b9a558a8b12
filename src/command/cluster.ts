// CLUSTER and its kin: this group of nodes as clients of a Redis cluster see it, one shard with all slots. They look and
// change nothing: what operators of a Redis cluster do with CLUSTER, they do here with RAFT.* (operator commands). See ADR 15.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { ClusterNode, SlotQuestion } from "./cluster-context.ts";
import { clusterError, unknownNode, unsuitable } from "./cluster-errors.ts";
import { clusterHelpLines } from "./cluster-help.ts";
import { field, masterOf, nodeLine, shardsReply, slotsReply } from "./cluster-topology.ts";
import { replyError } from "./errors.ts";
import { SLOT_COUNT, slotOfKey } from "./key-slot.ts";
import { helpReply, integerArgument } from "./local-arguments.ts";
import type { LocalContext } from "./local-context.ts";
import { type CommandRow, type Flag, noKeys } from "./types.ts";

type Run = (context: LocalContext, args: Args, reply: ReplyWriter) => void;

/** Names listed by one GETKEYSINSLOT, at most. */
const KEY_NAMES_MAX = 1 << 20;

const admin: readonly Flag[] = ["admin", "stale"];
const change: readonly Flag[] = ["no_async_loading", "admin", "stale"];
const stale: readonly Flag[] = ["stale"];
const seen: readonly Flag[] = ["loading", "stale"];

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "cluster|addslots", arity: -3, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|addslotsrange", arity: -4, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|bumpepoch", arity: 2, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|count-failure-reports", arity: 3, route: "local", flags: admin, keys: noKeys, run: whereEnabled(countFailureReports) },
  { name: "cluster|countkeysinslot", arity: 3, route: "local", flags: stale, keys: noKeys, run: whereEnabled(countKeysInSlot) },
  { name: "cluster|delslots", arity: -3, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|delslotsrange", arity: -4, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|failover", arity: -2, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|flushslots", arity: 2, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|forget", arity: 3, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|getkeysinslot", arity: 4, route: "local", flags: stale, keys: noKeys, run: whereEnabled(getKeysInSlot) },
  { name: "cluster|help", arity: 2, route: "local", flags: seen, keys: noKeys, run: help },
  { name: "cluster|info", arity: 2, route: "local", flags: stale, keys: noKeys, run: whereEnabled(info) },
  { name: "cluster|keyslot", arity: 3, route: "local", flags: stale, keys: noKeys, run: whereEnabled(keySlot) },
  { name: "cluster|links", arity: 2, route: "local", flags: stale, keys: noKeys, run: whereEnabled(links) },
  { name: "cluster|meet", arity: -4, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|myid", arity: 2, route: "local", flags: stale, keys: noKeys, run: whereEnabled(myId) },
  { name: "cluster|myshardid", arity: 2, route: "local", flags: seen, keys: noKeys, run: whereEnabled(myShardId) },
  { name: "cluster|nodes", arity: 2, route: "local", flags: stale, keys: noKeys, run: whereEnabled(nodes) },
  { name: "cluster|replicas", arity: 3, route: "local", flags: admin, keys: noKeys, run: whereEnabled(replicas) },
  { name: "cluster|replicate", arity: 3, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|reset", arity: -2, route: "local", flags: ["admin", "stale", "noscript"], keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|saveconfig", arity: 2, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|set-config-epoch", arity: 3, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|setslot", arity: -4, route: "local", flags: change, keys: noKeys, run: whereEnabled(refuse) },
  { name: "cluster|shards", arity: 2, route: "local", flags: stale, keys: noKeys, run: whereEnabled(whenElected(shards)) },
  { name: "cluster|slaves", arity: 3, route: "local", flags: admin, keys: noKeys, run: whereEnabled(replicas) },
  { name: "cluster|slots", arity: 2, route: "local", flags: stale, keys: noKeys, run: whereEnabled(whenElected(slots)) },
] as const satisfies readonly CommandRow[];

// biome-ignore format: a table reads best with one row per line
export const clusterCommands = [
  { name: "cluster", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
  { name: "readonly", arity: 1, route: "local", flags: ["loading", "stale", "fast"], keys: noKeys, run: whereEnabled(readOnly) },
  { name: "readwrite", arity: 1, route: "local", flags: ["loading", "stale", "fast"], keys: noKeys, run: whereEnabled(readWrite) },
  { name: "asking", arity: 1, route: "local", flags: ["fast"], keys: noKeys, run: whereEnabled(asking) },
] as const satisfies readonly CommandRow[];

function whereEnabled(run: Run): Run {
  return (context, args, reply) => {
    if (context.server.cluster.isEnabled) run(context, args, reply);
    else reply.error(clusterError.disabled);
  };
}

/**
 * A client that asks where to go has often just lost the leader. In the middle of an election the answer would be that
 * one; it gets the next one's, or, when there is none for too long, the last one known.
 */
function whenElected(show: (context: LocalContext, reply: ReplyWriter) => void): Run {
  return (context, _args, reply) => {
    const { client, server } = context;
    if (!server.cluster.isElecting || client.inTransaction) return show(context, reply);
    client.park({
      deadlineMs: Number.POSITIVE_INFINITY,
      ready: () => !server.cluster.isElecting,
      finish: (later) => show(context, later),
    });
  };
}

/** What would change a Redis cluster. Arguments are not looked at: whatever they are, it is not done so here. */
function refuse(_context: LocalContext, args: Args, reply: ReplyWriter): void {
  reply.error(unsuitable(args.text(1)));
}

const nodesOf = ({ client, server }: LocalContext): readonly ClusterNode[] =>
  server.cluster.nodes(client.localAddress);

function slots(context: LocalContext, reply: ReplyWriter): void {
  slotsReply(nodesOf(context), context.server.cluster, reply);
}

function shards(context: LocalContext, reply: ReplyWriter): void {
  shardsReply(nodesOf(context), context.server.cluster, reply);
}

function nodes(context: LocalContext, _args: Args, reply: ReplyWriter): void {
  const all = nodesOf(context);
  const { epoch } = context.server.cluster;
  reply.verbatim("txt", all.map((node) => `${nodeLine(node, masterOf(all), epoch)}\n`).join(""));
}

function replicas(context: LocalContext, args: Args, reply: ReplyWriter): void {
  const all = nodesOf(context);
  const master = knownNode(all, args, reply);
  if (master === undefined) return;
  if (!master.isMaster) return reply.error(clusterError.notMaster);
  const lines = all
    .filter((node) => node !== master)
    .map((node) => nodeLine(node, master, context.server.cluster.epoch));
  reply.array(lines.length);
  for (const line of lines) reply.bulkText(line);
}

/** Undefined after the error was replied. */
function knownNode(all: readonly ClusterNode[], args: Args, reply: ReplyWriter): ClusterNode | undefined {
  const id = args.text(2);
  const found = all.find((node) => node.id === id);
  if (found === undefined) reply.error(unknownNode(id));
  return found;
}

/** Nodes do not tell each other whom they miss: what each of them sees is in its own CLUSTER NODES. */
function countFailureReports(context: LocalContext, args: Args, reply: ReplyWriter): void {
  if (knownNode(nodesOf(context), args, reply) !== undefined) reply.integer(0);
}

function info(context: LocalContext, _args: Args, reply: ReplyWriter): void {
  const { cluster } = context.server;
  const all = nodesOf(context);
  const assigned = masterOf(all) === undefined ? 0 : SLOT_COUNT;
  const ok = cluster.isServing ? assigned : 0;
  const fields: readonly (readonly [string, string | number])[] = [
    ["cluster_state", ok > 0 ? "ok" : "fail"],
    ["cluster_slots_assigned", assigned],
    ["cluster_slots_ok", ok],
    ["cluster_slots_pfail", 0],
    ["cluster_slots_fail", assigned - ok],
    ["cluster_known_nodes", all.length],
    ["cluster_size", assigned > 0 ? 1 : 0],
    ["cluster_current_epoch", cluster.epoch],
    ["cluster_my_epoch", cluster.epoch],
    // There is no bus of messages to count; INFO has the bytes between members.
    ["cluster_stats_messages_sent", 0],
    ["cluster_stats_messages_received", 0],
    ["total_cluster_links_buffer_limit_exceeded", 0],
  ];
  reply.verbatim("txt", fields.map(([name, value]) => `${name}:${value}\r\n`).join(""));
}

function links({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  const all = server.cluster.links();
  reply.array(all.length);
  for (const link of all) {
    reply.map(6);
    field(reply, "direction", link.direction);
    field(reply, "node", link.nodeId);
    field(reply, "create-time", Math.floor(link.createdMs));
    field(reply, "events", link.queuedBytes > 0 ? "rw" : "r");
    field(reply, "send-buffer-allocated", link.queuedBytes);
    field(reply, "send-buffer-used", link.queuedBytes);
  }
}

function myId(context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.bulkText(nodesOf(context).find(({ isSelf }) => isSelf)?.id ?? "");
}

function myShardId({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.bulkText(server.cluster.shardId);
}

function keySlot(_context: LocalContext, args: Args, reply: ReplyWriter): void {
  reply.integer(slotOfKey(args.bytes, args.start(2), args.end(2)));
}

function countKeysInSlot(context: LocalContext, args: Args, reply: ReplyWriter): void {
  const slot = integerArgument(args, 2);
  if (slot === undefined) return reply.error(replyError.notInteger);
  if (slot < 0 || slot >= SLOT_COUNT) return reply.error(clusterError.invalidSlot);
  answerLater(context, context.server.cluster.keysInSlot(slot, 0), reply, (later, { keyCount }) =>
    later.integer(keyCount),
  );
}

function getKeysInSlot(context: LocalContext, args: Args, reply: ReplyWriter): void {
  const slot = integerArgument(args, 2);
  const count = integerArgument(args, 3);
  if (slot === undefined || count === undefined) return reply.error(replyError.notInteger);
  if (slot < 0 || slot >= SLOT_COUNT || count < 0) return reply.error(clusterError.invalidSlotOrCount);
  const question = context.server.cluster.keysInSlot(slot, Math.min(count, KEY_NAMES_MAX));
  answerLater(context, question, reply, (later, { keys }) => {
    later.array(keys.length);
    for (const key of keys) later.bulk(key, 0, key.length);
  });
}

function answerLater(
  { client }: LocalContext,
  question: SlotQuestion,
  reply: ReplyWriter,
  answer: (reply: ReplyWriter, question: SlotQuestion) => void,
): void {
  if (question.isAnswered()) return answer(reply, question);
  // Nothing waits inside a transaction.
  if (client.inTransaction) return reply.error(clusterError.slotTooLarge);
  client.park({
    deadlineMs: Number.POSITIVE_INFINITY,
    ready: () => question.isAnswered(),
    finish: (later) => answer(later, question),
  });
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "CLUSTER", clusterHelpLines);
}

/** Reads are answered by this node, which asks the leader where it must: none of them is sent away. */
function readOnly({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  client.readOnly = true;
  reply.ok();
}

function readWrite({ client }: LocalContext, _args: Args, reply: ReplyWriter): void {
  client.readOnly = false;
  reply.ok();
}

/** No slot ever moves, so nobody is ever told to ask elsewhere. */
function asking(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.ok();
}
