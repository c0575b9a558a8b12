// RAFT: what an operator sees and does. STATUS and RECOVER concern the node that is asked; the others are the
// leader's, and a follower passes them on. Changes of the members are answered when they are in force.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { helpReply, utf8Argument, wordArgument } from "./local-arguments.ts";
import type { LocalContext } from "./local-context.ts";
import type { MemberStatus, OperatorChange } from "./operator-context.ts";
import { type CommandRow, noKeys } from "./types.ts";

/** Two elections and a slow disk's worth of patience; a snapshot is not waited for by any of these. */
const CHANGE_MS_MAX = 10_000;

const anytime = ["admin", "noscript", "loading", "stale", "no_multi"] as const;
const change = ["admin", "noscript", "no_multi"] as const;

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "raft.member|add", arity: 4, route: "local", flags: change, keys: noKeys, run: add },
  { name: "raft.member|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: memberHelp },
  { name: "raft.member|list", arity: 2, route: "local", flags: change, keys: noKeys, run: list },
  { name: "raft.member|promote", arity: 3, route: "local", flags: change, keys: noKeys, run: promote },
  { name: "raft.member|remove", arity: 3, route: "local", flags: change, keys: noKeys, run: remove },
] as const satisfies readonly CommandRow[];

// biome-ignore format: a table reads best with one row per line
export const raftCommands = [
  { name: "raft.help", arity: 1, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "raft.member", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
  { name: "raft.recover", arity: -1, route: "local", flags: anytime, keys: noKeys, run: recover },
  { name: "raft.status", arity: 1, route: "local", flags: anytime, keys: noKeys, run: status },
  { name: "raft.transfer", arity: 2, route: "local", flags: change, keys: noKeys, run: transfer },
] as const satisfies readonly CommandRow[];

function status({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  const raft = server.raft();
  const { leader } = raft;
  const fields: readonly (readonly [name: string, value: string | number])[] = [
    ["node", raft.node],
    ["incarnation", raft.incarnation],
    ["role", raft.role],
    ["cluster", raft.clusterId],
    ["term", raft.term],
    ["leader", leader?.node ?? ""],
    ["leader-address", leader === undefined ? "" : `${leader.host}:${leader.port}`],
    ["lease", raft.lease],
    ["commit-index", raft.commitIndex],
    ["applied-index", raft.appliedIndex],
    ["first-index", raft.firstIndex],
    ["last-index", raft.lastIndex],
    ["problem", raft.problem],
  ];
  reply.map(fields.length + 1);
  for (const [name, value] of fields) field(reply, name, value);
  reply.bulkText("members");
  membersReply(server.operator.members(), reply);
}

function membersReply(members: readonly MemberStatus[], reply: ReplyWriter): void {
  reply.array(members.length);
  for (const member of members) {
    const fields: readonly (readonly [name: string, value: string | number])[] = [
      ["name", member.name],
      ["role", member.role],
      ["incarnation", member.incarnation],
      ["peer-address", member.peerAddress],
      ["client-address", member.clientAddress],
      ["connected", member.connected ? 1 : 0],
      ["state", member.state],
      ["match-index", member.matchIndex],
      ["lag", member.lag],
    ];
    reply.map(fields.length);
    for (const [name, value] of fields) field(reply, name, value);
  }
}

function field(reply: ReplyWriter, name: string, value: string | number): void {
  reply.bulkText(name);
  if (typeof value === "number") reply.integer(value);
  else reply.bulkText(value);
}

function list({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  membersReply(server.operator.members(), reply);
}

function add(context: LocalContext, args: Args, reply: ReplyWriter): void {
  carryOut(context, context.server.operator.add(utf8Argument(args, 2), utf8Argument(args, 3)), reply);
}

function remove(context: LocalContext, args: Args, reply: ReplyWriter): void {
  carryOut(context, context.server.operator.remove(utf8Argument(args, 2)), reply);
}

function promote(context: LocalContext, args: Args, reply: ReplyWriter): void {
  carryOut(context, context.server.operator.promote(utf8Argument(args, 2)), reply);
}

function transfer(context: LocalContext, args: Args, reply: ReplyWriter): void {
  carryOut(context, context.server.operator.transfer(utf8Argument(args, 1)), reply);
}

/** Answers at once, or when the change is in force, or when it has taken too long. */
function carryOut({ client, server }: LocalContext, operation: OperatorChange, reply: ReplyWriter): void {
  let outcome = operation.poll();
  if (outcome !== undefined) return answer(reply, outcome);
  client.park({
    deadlineMs: server.monotonicMs() + CHANGE_MS_MAX,
    ready: () => {
      outcome = operation.poll();
      return outcome !== undefined;
    },
    finish: (later) => answer(later, outcome ?? operation.late()),
  });
}

function answer(reply: ReplyWriter, problem: string): void {
  if (problem === "") reply.ok();
  else reply.error(problem);
}

function recover(context: LocalContext, args: Args, reply: ReplyWriter): void {
  const { server } = context;
  if (args.count === 1) return reply.verbatim("txt", server.operator.recoveryNotes());
  if (args.count > 2 || wordArgument(args, 1) !== "force") return reply.error(replyError.syntax);
  carryOut(context, server.operator.recover(), reply);
}

function memberHelp(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "RAFT.MEMBER", [
    "ADD <name> <host>:<peer port>",
    "    Let a process join under this name. Start it with a member line for itself and for one member that is there.",
    "LIST",
    "    The members, as the leader sees them.",
    "PROMOTE <name>",
    "    Make a learner a voter now, if it has caught up. It becomes one by itself.",
    "REMOVE <name>",
    "    Take a member out. The leader hands over first.",
  ]);
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  const lines = [
    "RAFT.STATUS",
    "    This node's view of the cluster and of each member.",
    "RAFT.MEMBER ADD <name> <host>:<peer port> | LIST | PROMOTE <name> | REMOVE <name>",
    "    Who belongs to the cluster.",
    "RAFT.TRANSFER <name>",
    "    Give leadership to this voter.",
    "RAFT.RECOVER [FORCE]",
    "    After a majority has lost its memory: what starting over from this node would mean; with FORCE, do it.",
  ];
  reply.array(lines.length);
  for (const line of lines) reply.simple(line);
}
