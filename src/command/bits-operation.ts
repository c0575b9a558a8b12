// BITOP: whole strings combined bit by bit. Shorter ones are taken as if zeros followed.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { FLAG_RAW, STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { EVENT_GENERIC, EVENT_STRING, notifyKey } from "./notify.ts";
import type { CommandRow, DataContext } from "./types.ts";

const keysFromSecond = { first: 2, last: -1, step: 1 } as const;

// biome-ignore format: one row a line
export const bitOperationCommands = [
  { name: "bitop", arity: -4, route: "write", flags: ["write", "denyoom"], keys: keysFromSecond, run: bitop },
] as const satisfies readonly CommandRow[];

const SOURCES_AT = 3;

type Operation = "AND" | "OR" | "XOR" | "NOT";
const OPERATIONS: readonly Operation[] = ["AND", "OR", "XOR", "NOT"];

function bitop(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const operation = OPERATIONS.find((each) => args.is(1, each));
  if (operation === undefined) return reply.error(replyError.syntax);
  if (operation === "NOT" && args.count !== SOURCES_AT + 1) return reply.error(replyError.bitopNot);

  // Views of the store's memory: nothing changes before they are read.
  const sources: Buffer[] = [];
  let length = 0;
  for (let i = SOURCES_AT; i < args.count; i++) {
    const handle = keys.find(args.bytes, args.start(i), args.end(i));
    if (handle === 0) {
      sources.push(NOTHING);
      continue;
    }
    if (keys.typeOf(handle) !== STRING) return reply.error(replyError.wrongType);
    const source = keys.valueBytes.subarray(keys.valueStart, keys.valueEnd);
    sources.push(source);
    length = Math.max(length, source.length);
  }

  const start = args.start(2);
  const end = args.end(2);
  if (length === 0) {
    if (keys.remove(args.bytes, start, end)) notifyKey(context, args, 2, EVENT_GENERIC, "del");
    return reply.integer(0);
  }
  const result = combine(operation, sources, length);
  keys.putRecord(args.bytes, start, end, STRING | FLAG_RAW, result, 0, length, false);
  notifyKey(context, args, 2, EVENT_STRING, "set");
  reply.integer(length);
}

const NOTHING = Buffer.alloc(0);

function combine(operation: Operation, sources: readonly Buffer[], length: number): Buffer {
  const result = Buffer.alloc(length);
  const [first = NOTHING, ...others] = sources;
  first.copy(result);
  if (operation === "NOT") for (let i = 0; i < length; i++) result[i] = ~result[i]!;
  for (const other of others) {
    const end = other.length;
    if (operation === "OR") for (let i = 0; i < end; i++) result[i] = result[i]! | other[i]!;
    else if (operation === "XOR") for (let i = 0; i < end; i++) result[i] = result[i]! ^ other[i]!;
    else if (operation === "AND") {
      for (let i = 0; i < end; i++) result[i] = result[i]! & other[i]!;
      result.fill(0, end);
    }
  }
  return result;
}
