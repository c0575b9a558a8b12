// MEMORY: what keys and the process take. USAGE is a read of the data; the rest is about this node.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { findUntouched } from "./keys.ts";
import { helpReply, integerArgument } from "./local-arguments.ts";
import type { LocalContext, MemoryFigures } from "./local-context.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "memory|doctor", arity: 2, route: "local", flags: [], keys: noKeys, run: doctor },
  { name: "memory|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "memory|malloc-stats", arity: 2, route: "local", flags: [], keys: noKeys, run: mallocStats },
  { name: "memory|purge", arity: 2, route: "local", flags: [], keys: noKeys, run: purge },
  { name: "memory|stats", arity: 2, route: "local", flags: [], keys: noKeys, run: stats },
  { name: "memory|usage", arity: -3, route: "read", flags: ["readonly"], keys: { first: 2, last: 2, step: 1 }, run: usage },
] as const satisfies readonly CommandRow[];

export const memoryCommands = [
  { name: "memory", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
] as const satisfies readonly CommandRow[];

/** Logical bytes of key and value, exact: SAMPLES is checked and otherwise has no meaning here. */
function usage(context: DataContext, args: Args, reply: ReplyWriter): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, "SAMPLES") || i + 1 >= args.count) return reply.error(replyError.syntax);
    const samples = integerArgument(args, i + 1);
    if (samples === undefined) return reply.error(replyError.notInteger);
    if (samples < 0) return reply.error(replyError.syntax);
  }
  const handle = findUntouched(context, args, 2);
  if (handle === 0) reply.nil();
  else reply.integer(context.keys.memoryOf(handle));
}

interface Figure {
  readonly name: string;
  readonly value: number | readonly Figure[];
  /** Replied as a floating point number. */
  readonly isRatio?: true;
}

/** Redis's names. What has no counterpart here (replication backlog, append-only file, Lua) is 0. */
function stats({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  writeFigures(memoryStatistics(server.memory()), reply);
}

function writeFigures(figures: readonly Figure[], reply: ReplyWriter): void {
  reply.map(figures.length);
  for (const { name, value, isRatio } of figures) {
    reply.bulkLatin1(name);
    if (typeof value !== "number") writeFigures(value, reply);
    else if (isRatio) reply.double(value);
    else reply.integer(value);
  }
}

function memoryStatistics(memory: MemoryFigures): readonly Figure[] {
  const used = memory.logicalBytes;
  const dataset = Math.max(0, used - memory.overheadBytes);
  const resident = memory.residentBytes;
  return [
    { name: "peak.allocated", value: memory.logicalBytesMax },
    { name: "total.allocated", value: used },
    { name: "startup.allocated", value: memory.startupBytes },
    { name: "replication.backlog", value: memory.raftLogBytes },
    { name: "clients.slaves", value: 0 },
    { name: "clients.normal", value: memory.clientsBytes },
    { name: "cluster.links", value: 0 },
    { name: "aof.buffer", value: 0 },
    { name: "lua.caches", value: 0 },
    { name: "functions.caches", value: 0 },
    ...memory.databases.map(({ database, tableBytes, deadlineBytes }) => ({
      name: `db.${database}`,
      value: [
        { name: "overhead.hashtable.main", value: tableBytes },
        { name: "overhead.hashtable.expires", value: deadlineBytes },
      ],
    })),
    { name: "overhead.total", value: memory.overheadBytes },
    { name: "keys.count", value: memory.keyCount },
    { name: "keys.bytes-per-key", value: Math.floor(used / Math.max(1, memory.keyCount)) },
    { name: "dataset.bytes", value: dataset },
    { name: "dataset.percentage", value: percentage(dataset, used), isRatio: true },
    { name: "peak.percentage", value: percentage(used, memory.logicalBytesMax), isRatio: true },
    { name: "allocator.allocated", value: memory.allocatedBytes },
    { name: "allocator.active", value: memory.allocatedBytes },
    { name: "allocator.resident", value: resident },
    { name: "allocator-fragmentation.ratio", value: 1, isRatio: true },
    { name: "allocator-fragmentation.bytes", value: 0 },
    { name: "allocator-rss.ratio", value: resident / Math.max(1, memory.allocatedBytes), isRatio: true },
    { name: "allocator-rss.bytes", value: resident - memory.allocatedBytes },
    { name: "rss-overhead.ratio", value: 1, isRatio: true },
    { name: "rss-overhead.bytes", value: 0 },
    { name: "fragmentation", value: resident / Math.max(1, memory.allocatedBytes), isRatio: true },
    { name: "fragmentation.bytes", value: resident - memory.allocatedBytes },
  ];
}

function percentage(part: number, whole: number): number {
  return (part * 100) / Math.max(1, whole);
}

const SMALL_BYTES = 5 * 1024 * 1024;
const HIGH_FRAGMENTATION = 1.4;
const HIGH_PEAK = 1.5;
const CLIENT_BYTES_HIGH = 200 * 1024;

function doctor({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.verbatim("txt", memoryReport(server.memory(), server.clients.count));
}

function memoryReport(memory: MemoryFigures, clientCount: number): string {
  if (memory.logicalBytes < SMALL_BYTES) return "Too little data is held to say anything about memory.\n";
  const found: string[] = [];
  if (memory.logicalBytesMax > HIGH_PEAK * memory.logicalBytes) {
    found.push("In the past more memory was used than now; the system may not have got all of it back.");
  }
  if (memory.residentBytes > HIGH_FRAGMENTATION * memory.allocatedBytes) {
    found.push("The process occupies much more memory than it has allocated: fragmentation, or a past peak.");
  }
  if (clientCount > 0 && memory.clientsBytes / clientCount > CLIENT_BYTES_HIGH) {
    found.push("Clients hold large buffers: look at omem and qbuf in CLIENT LIST.");
  }
  if (memory.maxmemoryBytes > 0 && memory.logicalBytes > 0.95 * memory.maxmemoryBytes) {
    found.push(`maxmemory is nearly reached; the policy is ${memory.maxmemoryPolicy}.`);
  }
  if (found.length === 0) return "No memory problem was found.\n";
  return `${found.map((text) => `* ${text}`).join("\n")}\n`;
}

function mallocStats(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.verbatim("txt", "Stats not supported for the current allocator");
}

/** What happens by itself anyway, at once. */
function purge(context: LocalContext, _args: Args, reply: ReplyWriter): void {
  context.server.purgeMemory();
  reply.ok();
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "MEMORY", [
    "DOCTOR",
    "    What the memory figures may mean.",
    "MALLOC-STATS",
    "    The allocator's own figures: there are none here.",
    "PURGE",
    "    Give back to the system what is not needed, at once.",
    "STATS",
    "    The memory figures of this node.",
    "USAGE <key> [SAMPLES <count>]",
    "    Bytes that a key and its value take. SAMPLES has no effect: the figure is exact.",
  ]);
}
