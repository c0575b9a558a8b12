// LATENCY: spikes of events and histograms of commands, as node/service recorded them.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { helpReply, nameArguments } from "./local-arguments.ts";
import type { CommandHistogram, LocalContext, Server } from "./local-context.ts";
import { noLatencySamples } from "./local-errors.ts";
import { type CommandRow, type Flag, noKeys } from "./types.ts";

const adminFlags: readonly Flag[] = ["admin", "noscript", "loading", "stale"];

// biome-ignore format: a table reads best with one row per line
const subcommands = [
  { name: "latency|doctor", arity: 2, route: "local", flags: adminFlags, keys: noKeys, run: doctor },
  { name: "latency|graph", arity: 3, route: "local", flags: adminFlags, keys: noKeys, run: graph },
  { name: "latency|help", arity: 2, route: "local", flags: ["loading", "stale"], keys: noKeys, run: help },
  { name: "latency|histogram", arity: -2, route: "local", flags: adminFlags, keys: noKeys, run: histogram },
  { name: "latency|history", arity: 3, route: "local", flags: adminFlags, keys: noKeys, run: history },
  { name: "latency|latest", arity: 2, route: "local", flags: adminFlags, keys: noKeys, run: latest },
  { name: "latency|reset", arity: -2, route: "local", flags: adminFlags, keys: noKeys, run: reset },
] as const satisfies readonly CommandRow[];

export const latencyCommands = [
  { name: "latency", arity: -2, route: "container", flags: [], keys: noKeys, subcommands },
] as const satisfies readonly CommandRow[];

function nowSeconds(server: Server): number {
  return Math.floor(server.nowMs() / 1000);
}

function doctor({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.verbatim("txt", server.latency.doctor(nowSeconds(server)));
}

function graph({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const picture = server.latency.graph(args.text(2), nowSeconds(server));
  if (picture === undefined) reply.error(noLatencySamples(args.text(2)));
  else reply.verbatim("txt", picture);
}

function history({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const samples = server.latency.history(args.text(2));
  reply.array(samples.length);
  for (const { timeSeconds, milliseconds } of samples) {
    reply.array(2);
    reply.integer(timeSeconds);
    reply.integer(milliseconds);
  }
}

function latest({ server }: LocalContext, _args: Args, reply: ReplyWriter): void {
  const events = server.latency.latest();
  reply.array(events.length);
  for (const { name, latest: sample, maxMs } of events) {
    reply.array(4);
    reply.bulkLatin1(name);
    reply.integer(sample.timeSeconds);
    reply.integer(sample.milliseconds);
    reply.integer(maxMs);
  }
}

function reset({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const names = nameArguments(args, 2, reply);
  if (names !== undefined) reply.integer(server.latency.reset(names.length === 0 ? undefined : names));
}

/** Without names: every command that was ever timed. A container's name stands for its subcommands. */
function histogram({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  const asked = nameArguments(args, 2, reply);
  if (asked === undefined) return;
  const names = asked.length === 0 ? server.commands.map((row) => row.name) : namesAsked(server, asked);
  const found: [string, CommandHistogram][] = [];
  for (const name of names) {
    const timed = server.commandStatistics.histogram(name);
    if (timed !== undefined) found.push([name, timed]);
  }
  reply.map(found.length);
  for (const [name, { calls, buckets }] of found) {
    reply.bulkLatin1(name);
    reply.map(2);
    reply.bulkLatin1("calls");
    reply.integer(calls);
    reply.bulkLatin1("histogram_usec");
    reply.map(buckets.length);
    for (const [microseconds, callsCumulative] of buckets) {
      reply.integer(microseconds);
      reply.integer(callsCumulative);
    }
  }
}

function namesAsked(server: Server, texts: readonly string[]): readonly string[] {
  const asked = new Set(texts.map((text) => text.toLowerCase()));
  return server.commands
    .map((row) => row.name)
    .filter((name) => asked.has(name) || asked.has(name.slice(0, Math.max(0, name.indexOf("|")))));
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "LATENCY", [
    "DOCTOR",
    "    What the recorded spikes may mean.",
    "GRAPH <event>",
    "    The spikes of an event as a picture.",
    "HISTOGRAM [<command> ...]",
    "    How long commands took: for each the calls up to a bound in microseconds.",
    "HISTORY <event>",
    "    The spikes of an event: Unix time and milliseconds.",
    "LATEST",
    "    The latest and the worst spike of each event.",
    "RESET [<event> ...]",
    "    Forget the spikes of these events (default: of all).",
  ]);
}
