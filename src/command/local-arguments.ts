// Small readers of arguments shared by the connection and server commands, and their HELP replies.

import type { Args } from "../base/args.ts";
import { parseInteger64 } from "../base/integers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { localError } from "./local-errors.ts";

const INT32_MAX = 0x7fff_ffff;

/** A signed 64-bit integer argument; beyond 2^53 the nearest double, which no id or count here reaches. */
export function integerArgument(args: Args, index: number): number | undefined {
  const value = parseInteger64(args.bytes, args.start(index), args.end(index));
  return value === undefined ? undefined : Number(value);
}

/** A signed 32-bit integer argument; undefined when it is none, after the error was replied. */
export function int32Argument(args: Args, index: number, reply: ReplyWriter): number | undefined {
  const value = integerArgument(args, index);
  if (value !== undefined && value >= -INT32_MAX - 1 && value <= INT32_MAX) return value;
  reply.error(value === undefined ? replyError.notInteger : replyError.notIntegerInRange);
  return undefined;
}

/** A timeout in whole milliseconds, 0 included; undefined after the error was replied. */
export function timeoutArgument(args: Args, index: number, reply: ReplyWriter): number | undefined {
  const value = integerArgument(args, index);
  if (value === undefined) reply.error(localError.timeoutNotInteger);
  else if (value < 0) reply.error(localError.timeoutNegative);
  else return value;
  return undefined;
}

/** Argument `index` in lower case, latin1. */
export function wordArgument(args: Args, index: number): string {
  return args.text(index).toLowerCase();
}

/** Argument `index` as UTF-8, for configuration values. */
export function utf8Argument(args: Args, index: number): string {
  return args.bytes.toString("utf8", args.start(index), args.end(index));
}

/**
 * Names that one introspection command may ask for: each may cost much more to answer than to send, and none of
 * these commands is ever asked for more than there are commands or settings.
 */
export const NAMES_MAX = 4096;

/** The names from argument `from` on, latin1; undefined after the error was replied. */
export function nameArguments(args: Args, from: number, reply: ReplyWriter): readonly string[] | undefined {
  if (args.count - from <= NAMES_MAX) return textsFrom(args, from);
  reply.error(localError.tooManyNames);
  return undefined;
}

/** All arguments from `from` on, latin1. */
function textsFrom(args: Args, from: number): string[] {
  const texts: string[] = [];
  for (let i = from; i < args.count; i++) texts.push(args.text(i));
  return texts;
}

/** Redis's HELP: a head line, the lines given, and HELP itself. `container` in upper case. */
export function helpReply(reply: ReplyWriter, container: string, lines: readonly string[]): void {
  reply.array(lines.length + 3);
  reply.simple(`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
  for (const line of lines) reply.simple(line);
  reply.simple("HELP");
  reply.simple("    Prints this help.");
}
