// Where two correct servers may answer differently, and why. Replies of all other commands must be equal byte
// for byte. Errors are always compared as they are.

import { replyError } from "../../src/command/errors.ts";
import { replyEnd } from "./tcp-executor.ts";

interface Rule {
  readonly command: RegExp;
  readonly reason: string;
  /** What remains to be compared as text. */
  readonly normalise?: (reply: string) => string;
  /** An error that ours may answer with where theirs succeeds. */
  readonly refusal?: string;
  /** Integers may differ by so much. */
  readonly tolerance?: number;
}

const rules: readonly Rule[] = [
  {
    command: /^LCS\b/,
    reason: "ours bounds the time, and so the size of the table",
    refusal: replyError.lcsTooLong,
  },
  {
    command: /^(KEYS\b|SCAN 0 COUNT 10000\b(?!.* COUNT ))/s,
    reason: "order follows each side's own hash; SCAN's single step still has to end with cursor 0",
    normalise: sorted,
  },
  {
    command: /^SCAN\b/,
    reason: "cursors are positions in each side's own hash space",
    normalise: () => "some keys",
  },
  {
    command: /^RANDOMKEY\b/,
    reason: "random",
    normalise: (reply) => (/^[$_]-?1?\r\n$/.test(reply) ? reply : "some key"),
  },
  {
    command: /^(PTTL|PEXPIRETIME)\b/,
    reason: "the sides read their clocks at other moments",
    tolerance: 5000,
  },
  { command: /^(TTL|EXPIRETIME)\b/, reason: "the same, in seconds", tolerance: 5 },
  {
    command: /^OBJECT IDLETIME\b/,
    reason: "Redis's shared small integers share one access clock",
    normalise: (reply) => reply.replace(/^:\d+/, ":seconds"),
  },
  {
    command: /^OBJECT ENCODING\b/,
    reason: "an integer made by INCRBYFLOAT is embstr in Redis; here int, for it is a function of the bytes",
    normalise: (reply) => reply.replace("$6\r\nembstr", "$3\r\nint"),
  },
  {
    command: /^OBJECT REFCOUNT\b/,
    reason: "COPY makes Redis forget that a small integer is shared",
    normalise: (reply) => reply.replace(":2147483647", ":1"),
  },
  {
    command: /^DEBUG OBJECT\b/,
    reason: "addresses, clocks, compression and allocation are each side's own",
    normalise: (reply) =>
      reply.replace(/^\+Value at:0x[\da-f]+ refcount:\d+ encoding:\w+ serializedlength:\d+ .*/, "+Value"),
  },
  { command: /^HELLO\b/, reason: "names the server and its version", normalise: () => "hello" },
];

/** Undefined when the replies agree; otherwise what to compare them by. */
export function disagreement(commandText: string, ours: Buffer, theirs: Buffer): string | undefined {
  if (ours.equals(theirs)) return undefined;
  const a = ours.toString("latin1");
  const b = theirs.toString("latin1");
  const matching = rules.find((each) => each.command.test(commandText));
  if (matching?.refusal !== undefined && a === `-${matching.refusal}\r\n`) return undefined;
  const rule = a[0] === "-" || b[0] === "-" ? undefined : matching;
  if (rule?.tolerance !== undefined && closeIntegers(a, b, rule.tolerance)) return undefined;
  const normalise = rule?.normalise;
  if (normalise !== undefined && normalise(a) === normalise(b)) return undefined;
  return rule === undefined ? "compared byte for byte" : `compared as: ${rule.reason}`;
}

/** Both must be times; the special values -1, -2 and 0 only equal themselves. */
function closeIntegers(a: string, b: string, tolerance: number): boolean {
  if (a[0] !== ":" || b[0] !== ":") return false;
  const x = Number(a.slice(1));
  const y = Number(b.slice(1));
  if (Math.abs(x - y) > Math.max(tolerance, x * 2e-16)) return false;
  return x >= 0 && y >= 0;
}

/** The items of an array, sorted; of SCAN's [cursor, array], those of the inner one. */
function sorted(reply: string): string {
  const bytes = Buffer.from(reply, "latin1");
  const items: string[] = [];
  let at = bytes.indexOf("\r\n") + 2;
  while (at < bytes.length) {
    const end = replyEnd(bytes, at);
    items.push(bytes.toString("latin1", at, end));
    at = end;
  }
  const inner = items.find((item) => item[0] === "*");
  if (inner === undefined) return items.sort().join("");
  return items.map((item) => (item === inner ? sorted(item) : item)).join("");
}
