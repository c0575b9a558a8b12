// Walking over the keys of a database: all at once, in steps, or one at random.

import type { Args } from "../base/args.ts";
import { globMatches } from "../base/glob.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";
import { typeName } from "./type-names.ts";
import { type CommandRow, type DataContext, noKeys } from "./types.ts";

// biome-ignore format: one row a line
export const keyScanCommands = [
  { name: "keys",      arity: 2,  route: "read", flags: ["readonly"], keys: noKeys, run: keysCommand },
  { name: "scan",      arity: -2, route: "read", flags: ["readonly"], keys: noKeys, run: scan },
  { name: "randomkey", arity: 1,  route: "read", flags: ["readonly"], keys: noKeys, run: randomkey },
] as const satisfies readonly CommandRow[];

const STAR = 0x2a;
const COUNT_DEFAULT = 10;
/** Largest C unsigned long; Redis refuses cursors beyond it. */
const CURSOR_MAX = 0xffff_ffff_ffff_ffffn;
/** Far more than any cursor has; the rest of a longer text is not looked at. */
const CURSOR_BYTES_MAX = 64;
const CURSOR = /^([+-]?)(\d+)$/;

function keysCommand(context: DataContext, args: Args, reply: ReplyWriter): void {
  const { bytes } = args;
  const start = args.start(1);
  const end = args.end(1);
  const all = isEverything(args, 1);
  const mark = reply.position;
  let count = 0;
  context.keys.forEach((keyBytes, keyStart, keyEnd) => {
    if (!all && !globMatches(bytes, start, end, keyBytes, keyStart, keyEnd)) return;
    reply.bulk(keyBytes, keyStart, keyEnd);
    count++;
  });
  reply.arrayAt(mark, count);
}

function scan(context: DataContext, args: Args, reply: ReplyWriter): void {
  const cursor = parseCursor(args, 1);
  if (cursor === undefined) return reply.error(replyError.cursorInvalid);
  let count = COUNT_DEFAULT;
  let patternIndex = 0;
  let type: string | undefined;
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) return reply.error(replyError.syntax);
    if (args.is(i, "COUNT")) {
      const value = integerAt(args, i + 1);
      if (value === undefined) return reply.error(replyError.notInteger);
      if (value < 1) return reply.error(replyError.syntax);
      count = Number(value);
    } else if (args.is(i, "MATCH")) patternIndex = i + 1;
    else if (args.is(i, "TYPE")) type = args.text(i + 1).toLowerCase();
    else return reply.error(replyError.syntax);
  }
  if (patternIndex !== 0 && isEverything(args, patternIndex)) patternIndex = 0;

  const { keys } = context;
  const mark = reply.position;
  let found = 0;
  const next = keys.scan(cursor, count, (keyBytes, keyStart, keyEnd, handle) => {
    if (patternIndex !== 0) {
      const start = args.start(patternIndex);
      const end = args.end(patternIndex);
      if (!globMatches(args.bytes, start, end, keyBytes, keyStart, keyEnd)) return;
    }
    if (type !== undefined && typeName(keys.typeOf(handle)) !== type) return;
    reply.bulk(keyBytes, keyStart, keyEnd);
    found++;
  });
  reply.arrayAt(mark, found);
  insertCursor(reply, mark, next);
}

/** Puts `*2` and the cursor before the keys, which had to come first to know both. */
function insertCursor(reply: ReplyWriter, mark: number, cursor: number): void {
  const end = reply.position;
  reply.array(2);
  reply.bulkLatin1(String(cursor));
  const headBytes = reply.position - end;
  const head = Buffer.from(reply.buffer.subarray(end, reply.position));
  reply.buffer.copyWithin(mark + headBytes, mark, end);
  head.copy(reply.buffer, mark);
}

/** As C's strtoul: ends at a NUL, may have a sign, nothing at all is 0. Undefined: no number, or too large. */
function parseCursor(args: Args, index: number): number | undefined {
  const start = args.start(index);
  const end = Math.min(args.end(index), start + CURSOR_BYTES_MAX);
  const [text] = args.bytes.toString("latin1", start, end).split("\0");
  if (text === undefined || text === "") return 0;
  const parts = CURSOR.exec(text);
  if (parts === null) return undefined;
  const value = BigInt(parts[2]!);
  if (value > CURSOR_MAX) return undefined;
  return Number(parts[1] === "-" ? BigInt.asUintN(64, -value) : value);
}

/** "*" is not matched but skipped over, so that it takes the empty key as well. */
function isEverything(args: Args, index: number): boolean {
  return args.length(index) === 1 && args.bytes[args.start(index)] === STAR;
}

function randomkey(context: DataContext, _args: Args, reply: ReplyWriter): void {
  const { keys } = context;
  const handle = keys.randomKey(context.random);
  if (handle === 0) return reply.nil();
  keys.keyRange(handle);
  reply.bulk(keys.keyBytes, keys.keyStart, keys.keyEnd);
}
