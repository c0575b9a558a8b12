// HyperLogLog: PFADD, PFCOUNT, PFMERGE on strings in Redis's own format, so that GET and SET carry them both ways.
// PFCOUNT is a plain read: unlike Redis it leaves the count it found to nobody, and does not change the string.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { STRING } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { estimateCount } from "./hyperloglog-estimate.ts";
import {
  cachedCount,
  DENSE,
  EMPTY_SKETCH,
  ENCODING_AT,
  isSketch,
  markOutOfDate,
  mergeRegisters,
  REGISTERS,
} from "./hyperloglog-format.ts";
import { CHANGED, CORRUPT, Sketch } from "./hyperloglog-sketch.ts";
import { EVENT_STRING, notifyKey } from "./notify.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const everyKey = { first: 1, last: -1, step: 1 } as const;

// biome-ignore format: one row a line
export const hyperLogLogCommands = [
  { name: "pfadd",   arity: -2, route: "write", flags: ["write", "denyoom", "fast"],   keys: oneKey,   run: pfadd },
  { name: "pfcount", arity: -2, route: "read",  flags: ["readonly"],                   keys: everyKey, run: pfcount },
  { name: "pfmerge", arity: -2, route: "write", flags: ["write", "denyoom"],           keys: everyKey, run: pfmerge },
] as const satisfies readonly CommandRow[];

const sketch = new Sketch();
/** The greatest of each register over several sketches. */
const merged = new Uint8Array(REGISTERS);

function pfadd(context: DataContext, args: Args, reply: ReplyWriter): void {
  const handle = findSketch(context, args, 1, reply);
  if (handle === undefined) return;
  if (!openSketch(context, args, handle)) return reply.error(replyError.sketchCorrupt);
  const { hllSparseBytesMax } = context.store.thresholds;
  let changed = handle === 0;
  let corrupt = false;
  for (let i = 2; i < args.count && !corrupt; i++) {
    const outcome = sketch.addElement(args.bytes, args.start(i), args.end(i), hllSparseBytesMax);
    if (outcome === CHANGED) changed = true;
    corrupt = outcome === CORRUPT;
  }
  if (changed) markOutOfDate(sketch.bytes, sketch.start);
  const stored = storeSketch(context, args);
  if (changed) context.keys.announce(stored);
  if (corrupt) return reply.error(replyError.sketchCorrupt);
  if (changed) notifyKey(context, args, 1, EVENT_STRING, "pfadd");
  reply.integer(changed ? 1 : 0);
}

function pfcount(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  if (args.count === 2) {
    const handle = findSketch(context, args, 1, reply);
    if (handle === undefined) return;
    if (handle === 0) return reply.integer(0);
    const cached = cachedCount(keys.valueBytes, keys.valueStart);
    if (cached !== undefined) return reply.integerBig(cached);
  }
  if (mergeKeys(context, args, reply) === undefined) return;
  const count = estimateCount(merged);
  if (typeof count === "number") reply.integer(count);
  else reply.integerBig(count);
}

function pfmerge(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const found = mergeKeys(context, args, reply);
  if (found === undefined) return;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  // Neither can be corrupt: the target was among those that have just been merged.
  if (!openSketch(context, args, handle)) return reply.error(replyError.sketchCorrupt);
  if (found.anyDense && !sketch.makeDense()) return reply.error(replyError.sketchCorrupt);
  const { hllSparseBytesMax } = context.store.thresholds;
  for (let i = 0; i < REGISTERS; i++) {
    if (merged[i] !== 0) sketch.raise(i, merged[i]!, hllSparseBytesMax);
  }
  markOutOfDate(sketch.bytes, sketch.start);
  keys.announce(storeSketch(context, args));
  notifyKey(context, args, 1, EVENT_STRING, "pfadd");
  reply.ok();
}

/** Merges the sketches at all keys into `merged`. Undefined after an error was replied. */
function mergeKeys(
  context: DataContext,
  args: Args,
  reply: ReplyWriter,
): { readonly anyDense: boolean } | undefined {
  const { keys } = context;
  merged.fill(0);
  let anyDense = false;
  for (let i = 1; i < args.count; i++) {
    const handle = findSketch(context, args, i, reply);
    if (handle === undefined) return undefined;
    if (handle === 0) continue;
    if (keys.valueBytes[keys.valueStart + ENCODING_AT] === DENSE) anyDense = true;
    if (!mergeRegisters(merged, keys.valueBytes, keys.valueStart, keys.valueEnd)) {
      reply.error(replyError.sketchCorrupt);
      return undefined;
    }
  }
  return { anyDense };
}

/** The handle of the key, 0 if it is absent; undefined after an error was replied. */
function findSketch(context: DataContext, args: Args, index: number, reply: ReplyWriter): number | undefined {
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(index), args.end(index));
  if (handle === 0) return 0;
  if (keys.typeOf(handle) !== STRING) reply.error(replyError.wrongType);
  else if (!isSketch(keys.valueBytes, keys.valueStart, keys.valueEnd)) reply.error(replyError.notSketch);
  else return handle;
  return undefined;
}

/** Opens the value just found at the first key for changes, or a new one. False if it is too long to be one. */
function openSketch(context: DataContext, args: Args, handle: number): boolean {
  const { keys } = context;
  if (handle === 0) return sketch.loadSparse(EMPTY_SKETCH, 0, EMPTY_SKETCH.length);
  if (keys.valueBytes[keys.valueStart + ENCODING_AT] !== DENSE) {
    return sketch.loadSparse(keys.valueBytes, keys.valueStart, keys.valueEnd);
  }
  const length = keys.valueEnd - keys.valueStart;
  keys.resizeString(args.bytes, args.start(1), args.end(1), length, true);
  sketch.useDense(keys.valueBytes, keys.valueStart);
  return true;
}

/** Writes the sketch to the first key, of which nobody is told; one that was dense already is there. The handle. */
function storeSketch(context: DataContext, args: Args): number {
  const { keys } = context;
  const start = args.start(1);
  const end = args.end(1);
  if (sketch.bytes === keys.valueBytes) return keys.find(args.bytes, start, end);
  const handle = keys.resizeString(args.bytes, start, end, sketch.length, true);
  sketch.bytes.copy(keys.valueBytes, keys.valueStart, sketch.start, sketch.start + sketch.length);
  return handle;
}
