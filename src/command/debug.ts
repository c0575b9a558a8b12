// DEBUG: for tests and experiments, off unless enable-debug-command allows it. What reads the data
// (OBJECT, DIGEST, ...) is in keys-debug.ts; the session holds those rows to the same permission.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { unknownSubcommandOrArity, wrongArity } from "./errors.ts";
import { debugDataCommands } from "./keys-debug.ts";
import { helpReply } from "./local-arguments.ts";
import type { LocalContext } from "./local-context.ts";
import { localError } from "./local-errors.ts";
import { type CommandRow, type DataRow, type Flag, type LocalRow, noKeys } from "./types.ts";

const debugFlags: readonly Flag[] = ["admin", "noscript", "loading", "stale"];

// Arities are checked here and not by whoever calls the rows: DEBUG has one error text for a wrong number of
// arguments and for an unknown word, so the rows themselves take any number.

const row = (word: string, argumentsMin: number, argumentsMax: number, run: LocalRow["run"]): LocalRow => ({
  name: `debug|${word}`,
  arity: -2,
  route: "local",
  flags: debugFlags,
  keys: noKeys,
  run: (context, args, reply) => {
    const count = args.count - 2;
    if (!context.server.debugAllowed(context.client)) reply.error(localError.debugNotAllowed);
    else if (count < argumentsMin || count > argumentsMax) wrongCount(args, reply);
    else run(context, args, reply);
  },
});

const lenient = (dataRow: DataRow): DataRow => ({
  ...dataRow,
  arity: -2,
  run: (context, args, reply) => {
    const { arity, run } = dataRow;
    if (arity >= 0 ? args.count !== arity : args.count < -arity) wrongCount(args, reply);
    else run(context, args, reply);
  },
});

function wrongCount(args: Args, reply: ReplyWriter): void {
  reply.error(unknownSubcommandOrArity("DEBUG", args.text(1)));
}

export const debugCommands: readonly CommandRow[] = [
  {
    name: "debug",
    arity: -2,
    route: "container",
    flags: debugFlags,
    keys: noKeys,
    subcommands: [
      row("error", 1, 1, error),
      row("help", 0, 0, help),
      row("protocol", 1, 1, protocol),
      row("reload", 0, Number.POSITIVE_INFINITY, reload),
      row("set-active-expire", 1, 1, setActiveExpire),
      row("sleep", 1, 1, sleep),
      ...debugDataCommands.map(lenient),
    ],
    run: (_context, args, reply) =>
      args.count === 1 ? reply.error(wrongArity("debug")) : wrongCount(args, reply),
  },
];

/** As atof and atoi read it: what is no number is 0. */
function lenientNumber(text: string): number {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) ? value : 0;
}

function sleep({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  server.sleep(Math.max(0, lenientNumber(args.text(2)) * 1000));
  reply.ok();
}

/** What SET-ACTIVE-EXPIRE asks for; undefined when it is not well formed. */
export const wantsActiveExpire = (args: Args): boolean | undefined =>
  args.count === 3 ? Math.trunc(lenientNumber(args.text(2))) !== 0 : undefined;

/** The log has done it by now: it is a switch of the cluster (docs/adr/0023). */
function setActiveExpire(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  reply.ok();
}

/** There is no file, so only the full form makes sense: the store through a snapshot and back. */
function reload({ server }: LocalContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 2) {
    const isKnown = args.is(2, "MERGE") || args.is(2, "NOFLUSH") || args.is(2, "NOSAVE");
    return reply.error(isKnown ? localError.noDisk : localError.debugReloadOptions);
  }
  const problem = server.reload();
  if (problem === undefined) reply.ok();
  else reply.error(problem);
}

function error(_context: LocalContext, args: Args, reply: ReplyWriter): void {
  reply.error(args.text(2));
}

/** One reply of the kind asked for, so that client libraries can test their decoders. Redis's own values. */
function protocol(_context: LocalContext, args: Args, reply: ReplyWriter): void {
  const kind = args.text(2).toLowerCase();
  if (kind === "string") reply.bulkLatin1("Hello World");
  else if (kind === "integer") reply.integer(12345);
  else if (kind === "double") reply.doubleText("3.141");
  else if (kind === "null") reply.nil();
  else if (kind === "array") integers(() => reply.array(3), reply);
  else if (kind === "set") integers(() => reply.set(3), reply);
  else if (kind === "map") protocolMap(reply);
  else if (kind === "attrib") protocolAttribute(reply);
  else if (kind === "push") protocolPush(reply);
  else if (kind === "verbatim") reply.verbatim("txt", "This is a verbatim\nstring");
  else if (kind === "bignum") reply.bigNumber("1234567999999999999999999999999999999");
  else if (kind === "true") reply.boolean(true);
  else if (kind === "false") reply.boolean(false);
  else reply.error(localError.protocolTypeUnknown);
}

function integers(head: () => void, reply: ReplyWriter): void {
  head();
  for (let i = 0; i < 3; i++) reply.integer(i);
}

function protocolMap(reply: ReplyWriter): void {
  reply.map(3);
  for (let i = 0; i < 3; i++) {
    reply.integer(i);
    reply.boolean(i === 1);
  }
}

/** No other command has attributes, so the writer does not know them. */
const ATTRIBUTE = Buffer.from("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n");

function protocolAttribute(reply: ReplyWriter): void {
  if (reply.protocol === 3) reply.raw(ATTRIBUTE, 0, ATTRIBUTE.length);
  reply.bulkLatin1("Some real reply following the attribute");
}

function protocolPush(reply: ReplyWriter): void {
  if (reply.protocol === 2) return reply.error(localError.needsResp3);
  reply.push(2);
  reply.bulkLatin1("server-cpu-usage");
  reply.integer(42);
  reply.bulkLatin1("Some real reply following the push reply");
}

function help(_context: LocalContext, _args: Args, reply: ReplyWriter): void {
  helpReply(reply, "DEBUG", [
    "DIGEST",
    "    A hash over all data, equal on all replicas at the same log index.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    A hash for each key's value.",
    "ERROR <string>",
    "    Reply this error.",
    "OBJECT <key>",
    "    How a key's value is held.",
    "PROTOCOL <type>",
    "    Reply a value of this type: string, integer, double, bignum, null, array, set, map,",
    "    attrib, push, verbatim, true, false.",
    "RELOAD",
    "    Pass all data through a snapshot and back.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Switch the reclaiming of dead keys in the background off or on, in the whole cluster.",
    "SLEEP <seconds>",
    "    Stop this node for so long. Decimals allowed.",
    "STRINGMATCH-LEN <pattern> <string>",
    "    Whether a glob pattern matches a text.",
  ]);
}
