// Who is in the cluster, in the formats that cluster-aware clients read: CLUSTER SLOTS, SHARDS, NODES, REPLICAS. One
// group has all slots; its leader is the master, the others are its replicas. Facts in, replies out.

import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { ClusterNode, ClusterView, EndpointType } from "./cluster-context.ts";
import { SLOT_COUNT } from "./key-slot.ts";

const LAST_SLOT = SLOT_COUNT - 1;

export const masterOf = (nodes: readonly ClusterNode[]): ClusterNode | undefined =>
  nodes.find(({ isMaster }) => isMaster);

/** What clients connect to; with a hostname asked for and none known, Redis says "?". */
export function endpointOf(node: ClusterNode, type: EndpointType): string {
  if (type === "ip") return node.host;
  return type === "unknown-endpoint" ? "" : node.hostname || "?";
}

/** The master first, then the replicas that can be used. */
export function slotsReply(nodes: readonly ClusterNode[], view: ClusterView, reply: ReplyWriter): void {
  const master = masterOf(nodes);
  if (master === undefined) return reply.array(0);
  const replicas = nodes.filter((node) => node !== master && node.isConnected && !node.isLearner);
  reply.array(1);
  reply.array(3 + replicas.length);
  reply.integer(0);
  reply.integer(LAST_SLOT);
  for (const node of [master, ...replicas]) slotsNode(node, view.endpointType, reply);
}

function slotsNode(node: ClusterNode, type: EndpointType, reply: ReplyWriter): void {
  const more: (readonly [string, string])[] = [];
  if (type !== "ip") more.push(["ip", node.host]);
  if (type !== "hostname" && node.hostname !== "") more.push(["hostname", node.hostname]);
  reply.array(4);
  if (type === "unknown-endpoint") reply.nil();
  else reply.bulkText(endpointOf(node, type));
  reply.integer(node.port);
  reply.bulkText(node.id);
  reply.map(more.length);
  for (const [name, value] of more) field(reply, name, value);
}

export function shardsReply(nodes: readonly ClusterNode[], view: ClusterView, reply: ReplyWriter): void {
  const master = masterOf(nodes);
  reply.array(1);
  reply.map(2);
  reply.bulkText("slots");
  reply.array(master === undefined ? 0 : 2);
  if (master !== undefined) {
    reply.integer(0);
    reply.integer(LAST_SLOT);
  }
  reply.bulkText("nodes");
  reply.array(nodes.length);
  const others = nodes.filter((node) => node !== master);
  for (const node of master === undefined ? others : [master, ...others]) {
    shardsNode(node, view.endpointType, reply);
  }
}

function shardsNode(node: ClusterNode, type: EndpointType, reply: ReplyWriter): void {
  reply.map(node.hostname === "" ? 7 : 8);
  field(reply, "id", node.id);
  field(reply, "port", node.port);
  field(reply, "ip", node.host);
  field(reply, "endpoint", endpointOf(node, type));
  if (node.hostname !== "") field(reply, "hostname", node.hostname);
  field(reply, "role", node.isMaster ? "master" : "replica");
  field(reply, "replication-offset", node.replicationOffset);
  field(reply, "health", !node.isConnected ? "fail" : node.isLearner ? "loading" : "online");
}

export function field(reply: ReplyWriter, name: string, value: string | number): void {
  reply.bulkText(name);
  if (typeof value === "number") reply.integer(value);
  else reply.bulkText(value);
}

/** A line of CLUSTER NODES, without its end. */
export function nodeLine(node: ClusterNode, master: ClusterNode | undefined, epoch: number): string {
  const flags = [
    ...(node.isSelf ? ["myself"] : []),
    node.isMaster ? "master" : "slave",
    ...(node.isConnected ? [] : ["fail"]),
  ];
  const hostname = node.hostname === "" ? "" : `,${node.hostname}`;
  const words = [
    node.id,
    `${node.host}:${node.port}@${node.busPort}${hostname}`,
    flags.join(","),
    node.isMaster ? "-" : (master?.id ?? "-"),
    "0", // no ping is under way
    String(Math.floor(node.heardMs)),
    String(epoch),
    node.isConnected ? "connected" : "disconnected",
    ...(node.isMaster ? [`0-${LAST_SLOT}`] : []),
  ];
  return words.join(" ");
}
