// Requests as bytes (latin1), and what a server must make of them. Also shown to a real Redis, see
// redis-differential.test.ts, so every row is Redis 7.0's own behaviour.

export interface Case {
  readonly name: string;
  readonly wire: string;
  readonly commands: readonly (readonly string[])[];
  /** The reason after "ERR Protocol error: ", for requests that are refused. */
  readonly refused?: string;
  readonly unauthenticated?: true;
}

const PING = "*1\r\n$4\r\nPING\r\n";
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `a${i}`);
const multibulk = (parts: readonly string[]): string =>
  `*${parts.length}\r\n` + parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("");

const wellFormed: readonly Case[] = [
  { name: "nothing", wire: "", commands: [] },
  { name: "one command", wire: multibulk(["ECHO", "k"]), commands: [["ECHO", "k"]] },
  { name: "two pipelined", wire: PING + PING, commands: [["PING"], ["PING"]] },
  { name: "empty argument", wire: multibulk(["ECHO", ""]), commands: [["ECHO", ""]] },
  { name: "only empty arguments", wire: multibulk(["", ""]), commands: [["", ""]] },
  {
    name: "line ends inside",
    wire: multibulk(["ECHO", "\r\n$1\r\n*1\r\n"]),
    commands: [["ECHO", "\r\n$1\r\n*1\r\n"]],
  },
  { name: "any bytes", wire: multibulk(["ECHO", "\x00\xff\x80\r"]), commands: [["ECHO", "\x00\xff\x80\r"]] },
  { name: "ten arguments", wire: multibulk(many(10)), commands: [many(10)] },
  { name: "a hundred and one arguments", wire: multibulk(many(101)), commands: [many(101)] },
  {
    name: "lengths of one, two and three digits",
    wire: multibulk(["ECHO", "x".repeat(100)]) + multibulk(["ECHO", "x".repeat(99)]),
    commands: [
      ["ECHO", "x".repeat(100)],
      ["ECHO", "x".repeat(99)],
    ],
  },
  { name: "no arguments are skipped", wire: "*0\r\n" + PING, commands: [["PING"]] },
  { name: "minus arguments are skipped", wire: "*-1\r\n*-10\r\n" + PING, commands: [["PING"]] },
  { name: "the least integer is skipped", wire: "*-9223372036854775808\r\n" + PING, commands: [["PING"]] },
  {
    name: "what follows an argument is not looked at",
    wire: "*2\r\n$4\r\nECHOab$1\r\nxcd" + PING,
    commands: [["ECHO", "x"], ["PING"]],
  },
  { name: "nor what follows a CR", wire: "*1\rx$4\ryPINGzz" + PING, commands: [["PING"], ["PING"]] },
  { name: "an unfinished count", wire: "*1", commands: [] },
  { name: "an unfinished length", wire: "*1\r\n$4", commands: [] },
  { name: "a length without LF yet", wire: "*1\r\n$4\r", commands: [] },
  { name: "not a number, but the LF is missing", wire: "*x\r", commands: [] },
  { name: "nothing announced, but the LF is missing", wire: "*0\r", commands: [] },
  { name: "not a length, but the LF is missing", wire: "*1\r\nx\r", commands: [] },
  { name: "an unfinished argument", wire: "*1\r\n$4\r\nPING\r", commands: [] },
  { name: "not a number, but not a line yet", wire: "*1x", commands: [] },
  { name: "a NUL hides the end of a count", wire: "*1\x00\r\n" + PING, commands: [] },
  { name: "a NUL hides the end of a length", wire: "*1\r\n$4\x00\r\nPING\r\n", commands: [] },
];

const inline: readonly Case[] = [
  { name: "inline", wire: "PING\r\n", commands: [["PING"]] },
  { name: "inline with LF only", wire: "PING\nPING\n", commands: [["PING"], ["PING"]] },
  { name: "inline without an end", wire: "PING", commands: [] },
  { name: "blank lines", wire: "\r\n\n  \r\n \t\r\nPING\r\n", commands: [["PING"]] },
  { name: "blanks around words", wire: "  ECHO \t  a  \r\n", commands: [["ECHO", "a"]] },
  {
    name: "inline then multibulk",
    wire: "PING\r\n" + PING + "\r\n" + PING,
    commands: [["PING"], ["PING"], ["PING"]],
  },
  { name: "a CR inside is a blank", wire: "ECHO\ra\r\n", commands: [["ECHO", "a"]] },
  {
    name: "a vertical tab inside a word is not",
    wire: "\x0bECHO \x0ca\x0bb\r\n",
    commands: [["ECHO", "a\x0bb"]],
  },
  { name: "double quotes", wire: 'ECHO "a b"\r\n', commands: [["ECHO", "a b"]] },
  { name: "single quotes", wire: "ECHO 'a b'\r\n", commands: [["ECHO", "a b"]] },
  {
    name: "empty quotes",
    wire: `ECHO ""\r\nECHO ''\r\n`,
    commands: [
      ["ECHO", ""],
      ["ECHO", ""],
    ],
  },
  { name: "escapes", wire: 'ECHO "\\n\\r\\t\\b\\a\\\\\\""\r\n', commands: [["ECHO", '\n\r\t\b\x07\\"']] },
  { name: "unknown escapes", wire: 'ECHO "\\q\\N\\0"\r\n', commands: [["ECHO", "qN0"]] },
  {
    name: "hexadecimal escapes",
    wire: 'ECHO "\\x00\\xff\\xAb\\x4"\r\n',
    commands: [["ECHO", "\x00\xff\xabx4"]],
  },
  { name: "half a hexadecimal escape", wire: 'ECHO "\\x4g\\xg4\\x"\r\n', commands: [["ECHO", "x4gxg4x"]] },
  {
    name: "no escapes in single quotes",
    wire: "ECHO '\\n\\x41\\\\ '\r\n",
    commands: [["ECHO", "\\n\\x41\\\\ "]],
  },
  { name: "a single quote in single quotes", wire: "ECHO 'a\\'b'\r\n", commands: [["ECHO", "a'b"]] },
  {
    name: "the other quote needs no escape",
    wire: `ECHO "'"\r\nECHO '"'\r\n`,
    commands: [
      ["ECHO", "'"],
      ["ECHO", '"'],
    ],
  },
  { name: "quotes inside a word", wire: `EC"HO" a'b c'\r\n`, commands: [["ECHO", "ab c"]] },
  { name: "a backslash outside quotes", wire: "ECHO \\n\\\r\n", commands: [["ECHO", "\\n\\"]] },
  {
    name: "a quoted LF cannot be: it ends the line",
    wire: 'ECHO "a\nb"\r\n',
    commands: [],
    refused: "unbalanced quotes in request",
  },
  { name: "high bytes", wire: "ECHO \xff\x80\r\n", commands: [["ECHO", "\xff\x80"]] },
  { name: "a NUL hides the end of the line", wire: "PING\x00\r\nPING\r\n", commands: [] },
  {
    name: "unbalanced double quotes",
    wire: 'PING\r\nECHO "a\r\n',
    commands: [["PING"]],
    refused: "unbalanced quotes in request",
  },
  {
    name: "unbalanced single quotes",
    wire: "ECHO 'a\r\n",
    commands: [],
    refused: "unbalanced quotes in request",
  },
  {
    name: "an escaped closing quote",
    wire: 'ECHO "a\\"\r\n',
    commands: [],
    refused: "unbalanced quotes in request",
  },
  {
    name: "an escaped single closing quote",
    wire: "ECHO 'a\\'\r\n",
    commands: [],
    refused: "unbalanced quotes in request",
  },
  {
    name: "a backslash at the end",
    wire: 'ECHO "a\\\r\n',
    commands: [],
    refused: "unbalanced quotes in request",
  },
  {
    name: "a word right after quotes",
    wire: 'ECHO "a"b\r\n',
    commands: [],
    refused: "unbalanced quotes in request",
  },
  {
    name: "a word right after single quotes",
    wire: "ECHO 'a'b\r\n",
    commands: [],
    refused: "unbalanced quotes in request",
  },
];

const count = "invalid multibulk length";
const length = "invalid bulk length";

const refused: readonly Case[] = [
  { name: "count: empty", wire: "*\r\n", commands: [], refused: count },
  { name: "count: not a number", wire: PING + "*x\r\n", commands: [["PING"]], refused: count },
  { name: "count: plus", wire: "*+1\r\n", commands: [], refused: count },
  { name: "count: leading zero", wire: "*01\r\n", commands: [], refused: count },
  { name: "count: minus zero", wire: "*-0\r\n", commands: [], refused: count },
  { name: "count: space", wire: "* 1\r\n", commands: [], refused: count },
  { name: "count: LF only", wire: "*1\n$4\r\nPING\r\n", commands: [], refused: count },
  { name: "count: fraction", wire: "*1.5\r\n", commands: [], refused: count },
  { name: "count: above 31 bits", wire: "*2147483648\r\n", commands: [], refused: count },
  { name: "count: above 64 bits", wire: "*9223372036854775808\r\n", commands: [], refused: count },
  { name: "count: below 64 bits", wire: "*-9223372036854775809\r\n", commands: [], refused: count },
  { name: "expected $, letter", wire: "*1\r\nfoo\r\n", commands: [], refused: "expected '$', got 'f'" },
  { name: "expected $, CR", wire: "*1\r\n\r\n", commands: [], refused: "expected '$', got ' '" },
  { name: "expected $, LF", wire: "*1\r\n\n\r\n", commands: [], refused: "expected '$', got ' '" },
  {
    name: "expected $, high byte",
    wire: "*1\r\n\xe9\r\n",
    commands: [],
    refused: "expected '$', got '\xe9'",
  },
  { name: "expected $, control", wire: "*1\r\n\x01\r\n", commands: [], refused: "expected '$', got '\x01'" },
  { name: "expected $, quote", wire: "*1\r\n'\r\n", commands: [], refused: "expected '$', got '''" },
  {
    name: "expected $, second argument",
    wire: "*2\r\n$1\r\na\r\n*1\r\n",
    commands: [],
    refused: "expected '$', got '*'",
  },
  {
    name: "expected $, late",
    wire: `*99\r\n${"$1\r\nx\r\n".repeat(50)}?\r\n`,
    commands: [],
    refused: "expected '$', got '?'",
  },
  { name: "length: empty", wire: "*1\r\n$\r\n", commands: [], refused: length },
  { name: "length: not a number", wire: "*1\r\n$x\r\n", commands: [], refused: length },
  { name: "length: number and garbage", wire: "*1\r\n$4x\r\n", commands: [], refused: length },
  { name: "length: two digits and garbage", wire: "*1\r\n$44x\r\n", commands: [], refused: length },
  { name: "length: minus", wire: "*1\r\n$-1\r\n", commands: [], refused: length },
  { name: "length: minus zero", wire: "*1\r\n$-0\r\n", commands: [], refused: length },
  { name: "length: leading zero", wire: "*1\r\n$04\r\nPING\r\n", commands: [], refused: length },
  { name: "length: plus", wire: "*1\r\n$+4\r\nPING\r\n", commands: [], refused: length },
  { name: "length: LF only", wire: "*1\r\n$4\nPING\r\n", commands: [], refused: length },
  { name: "length: above the limit", wire: "*1\r\n$1048577\r\n", commands: [], refused: length },
  { name: "length: above 64 bits", wire: "*1\r\n$99999999999999999999\r\n", commands: [], refused: length },
  {
    name: "unauthenticated count",
    wire: "*11\r\n",
    commands: [],
    refused: "unauthenticated multibulk length",
    unauthenticated: true,
  },
  {
    name: "unauthenticated count, too large anyhow",
    wire: "*2147483648\r\n",
    commands: [],
    refused: count,
    unauthenticated: true,
  },
  {
    name: "unauthenticated length",
    wire: "*2\r\n$4\r\nECHO\r\n$16385\r\n",
    commands: [],
    refused: "unauthenticated bulk length",
    unauthenticated: true,
  },
  {
    name: "unauthenticated length, too large anyhow",
    wire: "*1\r\n$1048577\r\n",
    commands: [],
    refused: length,
    unauthenticated: true,
  },
];

export const cases: readonly Case[] = [...wellFormed, ...inline, ...refused];

const LINE_MAX = 64 * 1024;

/** The same for lines around 64 KiB: too long to be cut at every byte. */
export const longCases: readonly Case[] = [
  { name: "longest unfinished count", wire: "*".padEnd(LINE_MAX, "1"), commands: [] },
  {
    name: "count too long",
    wire: "*".padEnd(LINE_MAX + 1, "1"),
    commands: [],
    refused: "too big mbulk count string",
  },
  { name: "long count line", wire: "*".padEnd(LINE_MAX, "1") + "\r\n", commands: [], refused: count },
  { name: "longest unfinished length", wire: "*1\r\n" + "$".padEnd(LINE_MAX, "1"), commands: [] },
  {
    name: "length too long",
    wire: "*1\r\n" + "$".padEnd(LINE_MAX + 1, "1"),
    commands: [],
    refused: "too big bulk count string",
  },
  {
    name: "anything too long",
    wire: "*1\r\n".padEnd(LINE_MAX + 5, "?"),
    commands: [],
    refused: "too big bulk count string",
  },
  { name: "longest unfinished inline", wire: "x".repeat(LINE_MAX), commands: [] },
  {
    name: "inline too long",
    wire: PING + "x".repeat(LINE_MAX + 1),
    commands: [["PING"]],
    refused: "too big inline request",
  },
  {
    name: "NUL and too long",
    wire: "x\x00\n" + "x".repeat(LINE_MAX),
    commands: [],
    refused: "too big inline request",
  },
  {
    name: "long inline",
    wire: `ECHO ${"x".repeat(LINE_MAX - 7)}\r\n`,
    commands: [["ECHO", "x".repeat(LINE_MAX - 7)]],
  },
];
