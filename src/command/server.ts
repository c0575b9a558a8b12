// INFO, TIME, ROLE, WAIT, WAITAOF, LASTSAVE, MONITOR, SHUTDOWN, and the commands about files that do not exist here.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { integerArgument, timeoutArgument, wordArgument } from "./local-arguments.ts";
import type { LocalContext, RaftView, ShutdownOptions } from "./local-context.ts";
import { localError } from "./local-errors.ts";
import { type CommandRow, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
export const serverCommands = [
  { name: "info", arity: -1, route: "local", flags: ["loading", "stale"], keys: noKeys, run: info },
  { name: "time", arity: 1, route: "local", flags: ["loading", "stale", "fast"], keys: noKeys, run: time },
  { name: "role", arity: 1, route: "local", flags: ["noscript", "loading", "stale", "fast"], keys: noKeys, run: role },
  { name: "wait", arity: 3, route: "local", flags: ["noscript"], keys: noKeys, run: wait },
  { name: "waitaof", arity: 4, route: "local", flags: ["blocking"], keys: noKeys, run: waitAof },
  { name: "lastsave", arity: 1, route: "local", flags: ["loading", "stale", "fast"], keys: noKeys, run: lastSave },
  { name: "save", arity: 1, route: "local", flags: ["admin", "noscript", "no_async_loading", "no_multi"], keys: noKeys, run: save },
  { name: "bgsave", arity: -1, route: "local", flags: ["admin", "noscript", "no_async_loading"], keys: noKeys, run: save },
  { name: "bgrewriteaof", arity: 1, route: "local", flags: ["admin", "noscript", "no_async_loading"], keys: noKeys, run: save },
  { name: "monitor", arity: 1, route: "local", flags: ["admin", "noscript", "loading", "stale"], keys: noKeys, run: monitor },
  { name: "shutdown", arity: -1, route: "local", flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"], keys: noKeys, run: shutdown },
] as const satisfies readonly CommandRow[];

const MICROSECONDS_PER_SECOND = 1_000_000;

function info({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const sections: string[] = [];
  for (let i = 1; i < args.count; i++) sections.push(wordArgument(args, i));
  reply.verbatim("txt", server.info(sections.length === 0 ? ["default"] : sections));
}

function time({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  const microseconds = server.nowMicroseconds();
  reply.array(2);
  reply.bulkLatin1(String(Math.floor(microseconds / MICROSECONDS_PER_SECOND)));
  reply.bulkLatin1(String(Math.floor(microseconds % MICROSECONDS_PER_SECOND)));
}

/** The leader is the master; whoever is not the leader is its replica. Offsets are log indexes. */
function role({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  const raft = server.raft();
  if (raft.role === "leader") {
    const online = raft.peers.filter((peer) => peer.connected);
    reply.array(3);
    reply.bulkLatin1("master");
    reply.integer(raft.lastIndex);
    reply.array(online.length);
    for (const peer of online) {
      reply.array(3);
      reply.bulkLatin1(peer.host);
      reply.bulkLatin1(String(peer.port));
      reply.bulkLatin1(String(peer.matchIndex));
    }
    return;
  }
  reply.array(5);
  reply.bulkLatin1("slave");
  reply.bulkLatin1(raft.leader?.host ?? "");
  reply.integer(raft.leader?.port ?? 0);
  reply.bulkLatin1(raft.leader === undefined ? "connect" : "connected");
  reply.integer(raft.appliedIndex);
}

/**
 * How many other members hold the client's last write. A majority always does, or the write would not have
 * been acknowledged; WAIT is for clients that want more than that. Belongs on the leader, which alone knows.
 */
function wait({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const wanted = integerArgument(args, 1);
  if (wanted === undefined) return reply.error(replyError.notInteger);
  const timeoutMs = timeoutArgument(args, 2, reply);
  if (timeoutMs === undefined) return;
  const index = client.lastWriteIndex;
  const holding = (): number => membersHolding(server.raft(), index);
  if (holding() >= wanted || client.inTransaction) return reply.integer(holding());
  client.park({
    deadlineMs: timeoutMs === 0 ? Number.POSITIVE_INFINITY : server.monotonicMs() + timeoutMs,
    ready: () => holding() >= wanted,
    finish: (later) => later.integer(holding()),
  });
}

/** There is no append-only file, here or on any other member: as with Redis servers that have none. */
function waitAof({ client, server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const local = integerArgument(args, 1);
  if (local === undefined) return reply.error(replyError.notInteger);
  if (local < 0 || local > 1) return reply.error(localError.numlocalOutOfRange);
  const wanted = integerArgument(args, 2);
  if (wanted === undefined || wanted < 0) return reply.error(replyError.notPositive);
  const timeoutMs = timeoutArgument(args, 3, reply);
  if (timeoutMs === undefined) return;
  if (local > 0) return reply.error(localError.noAppendOnlyFile);
  const finish = (later: ReplyWriter): void => {
    later.array(2);
    later.integer(0);
    later.integer(0);
  };
  if (wanted === 0 || client.inTransaction) return finish(reply);
  const deadlineMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : server.monotonicMs() + timeoutMs;
  client.park({ deadlineMs, ready: () => false, finish });
}

/** Members beside the leader that are known to have `index` on their log. */
function membersHolding(raft: RaftView, index: number): number {
  if (raft.role === "leader") return raft.peers.filter((peer) => peer.matchIndex >= index).length;
  const voters = raft.memberCount - raft.peers.filter((peer) => peer.role === "learner").length;
  return Math.floor(voters / 2);
}

function lastSave({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(server.lastSaveSeconds);
}

/**
 * Data is safe in the memory of a majority and nowhere else. Whoever asks for a file, a backup script for
 * example, must learn that there is none, so this is an error and not an empty success.
 */
function save(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.error(localError.noDisk);
}

function monitor({ client, server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  if (client.inTransaction) return reply.error(localError.monitorInTransaction);
  if (client.monitor) return; // Redis does not answer a second MONITOR either
  client.monitor = true;
  server.monitors.add(client);
  reply.ok();
}

function shutdown({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const options = shutdownOptions(args);
  if (options === undefined) return reply.error(replyError.syntax);
  if (options === "abort") {
    if (server.abortShutdown()) reply.ok();
    else reply.error(localError.noShutdown);
    return;
  }
  // No reply when it works: the connection ends, which is what Redis's clients wait for.
  const problem = server.shutdown(options);
  if (problem !== undefined) reply.error(problem);
}

/** Undefined for a syntax error. */
function shutdownOptions(args: Args): ShutdownOptions | "abort" | undefined {
  let save: boolean | undefined;
  let now = false;
  let force = false;
  let abort = false;
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, "NOSAVE") && save !== true) save = false;
    else if (args.is(i, "SAVE") && save !== false) save = true;
    else if (args.is(i, "NOW")) now = true;
    else if (args.is(i, "FORCE")) force = true;
    else if (args.is(i, "ABORT")) abort = true;
    else return undefined;
  }
  if (!abort) return { save, now, force };
  return args.count === 2 ? "abort" : undefined;
}
