// What one client sends and gets around MULTI, EXEC and WATCH, wherever it is connected: rows for transactions.test.ts.

export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
export const error = (text: string): string => `-${text}\r\n`;
export const OK = "+OK\r\n";
export const QUEUED = "+QUEUED\r\n";
export const NIL = "*-1\r\n";

export interface Case {
  readonly name: string;
  readonly run: readonly string[];
  readonly want: string;
}

export const cases: readonly Case[] = [
  {
    name: "commands run in order, errors among them are elements",
    run: ["MULTI", "SET a 1", "INCR a", "GET a", "INCR b", "SET c x", "INCR c", "GET c", "EXEC"],
    want:
      OK +
      QUEUED.repeat(7) +
      `*7\r\n${OK}:2\r\n${bulk("2")}:1\r\n${OK}${error("ERR value is not an integer or out of range")}${bulk("x")}`,
  },
  {
    name: "an unknown subcommand aborts it; one of DEBUG fails where it runs, as in Redis",
    run: [
      "MULTI",
      "OBJECT NOSUCH",
      "EXEC",
      "MULTI",
      "COMMAND NOSUCH",
      "EXEC",
      "MULTI",
      "DEBUG NOSUCH",
      "EXEC",
    ],
    want:
      OK +
      error("ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP.") +
      error("EXECABORT Transaction discarded because of previous errors.") +
      OK +
      error("ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP.") +
      error("EXECABORT Transaction discarded because of previous errors.") +
      OK +
      QUEUED +
      "*1\r\n" +
      error("ERR unknown subcommand or wrong number of arguments for 'NOSUCH'. Try DEBUG HELP."),
  },
  { name: "an empty one", run: ["MULTI", "EXEC"], want: `${OK}*0\r\n` },
  {
    name: "a command that does not exist, or is short of arguments, makes EXEC fail",
    run: ["MULTI", "NOSUCH x", "SET a 1", "EXEC", "GET a", "MULTI", "GET", "EXEC"],
    want:
      OK +
      error("ERR unknown command 'NOSUCH', with args beginning with: 'x' ") +
      QUEUED +
      error("EXECABORT Transaction discarded because of previous errors.") +
      "$-1\r\n" +
      OK +
      error("ERR wrong number of arguments for 'get' command") +
      error("EXECABORT Transaction discarded because of previous errors."),
  },
  {
    name: "MULTI and WATCH inside do not; EXEC and DISCARD outside are errors",
    run: ["EXEC", "DISCARD", "MULTI", "MULTI", "WATCH a", "SET a 1", "EXEC", "EXEC"],
    want:
      error("ERR EXEC without MULTI") +
      error("ERR DISCARD without MULTI") +
      OK +
      error("ERR MULTI calls can not be nested") +
      error("ERR WATCH inside MULTI is not allowed") +
      QUEUED +
      `*1\r\n${OK}` +
      error("ERR EXEC without MULTI"),
  },
  {
    name: "EXEC with arguments gives up the transaction",
    run: ["MULTI", "SET a 1", "EXEC x", "EXEC", "GET a"],
    want:
      OK +
      QUEUED +
      error("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command") +
      error("ERR EXEC without MULTI") +
      "$-1\r\n",
  },
  { name: "DISCARD", run: ["MULTI", "SET a 1", "DISCARD", "GET a"], want: `${OK}${QUEUED}${OK}$-1\r\n` },
  {
    name: "what may not be in one",
    run: ["MULTI", "SAVE", "EXEC"],
    want:
      OK +
      error("ERR Command not allowed inside a transaction") +
      error("EXECABORT Transaction discarded because of previous errors."),
  },
  {
    name: "SELECT inside counts for what follows, in the transaction and after it",
    run: [
      "MULTI",
      "SET k zero",
      "SELECT 99",
      "SELECT 1",
      "SET k one",
      "GET k",
      "EXEC",
      "GET k",
      "SELECT 0",
      "GET k",
    ],
    want:
      OK +
      QUEUED.repeat(5) +
      `*5\r\n${OK}${error("ERR DB index is out of range")}${OK}${OK}${bulk("one")}` +
      bulk("one") +
      OK +
      bulk("zero"),
  },
  {
    name: "commands of the node are answered in their places, if it runs at all",
    run: [
      "MULTI",
      "PING",
      "SET a 1",
      "ECHO hi",
      "GET a",
      "CLIENT SETNAME bob",
      "UNWATCH",
      "WAIT 0 0",
      "EXEC",
      "CLIENT GETNAME",
    ],
    want:
      OK +
      QUEUED.repeat(7) +
      `*7\r\n+PONG\r\n${OK}${bulk("hi")}${bulk("1")}${OK}${OK}:WAIT\r\n` +
      bulk("bob"),
  },
  {
    name: "only commands of the node",
    run: ["MULTI", "PING", "SELECT 2", "EXEC", "SET z 1", "SELECT 0", "GET z"],
    want: OK + QUEUED.repeat(2) + `*2\r\n+PONG\r\n${OK}${OK}${OK}$-1\r\n`,
  },
  {
    name: "MONITOR inside is refused",
    run: ["MULTI", "MONITOR", "EXEC"],
    want: `${OK}${QUEUED}*1\r\n${error("ERR MONITOR isn't allowed for DENY BLOCKING client")}`,
  },
  {
    name: "RESET leaves it",
    run: ["MULTI", "SET a 1", "RESET", "EXEC"],
    want: `${OK}${QUEUED}+RESET\r\n${error("ERR EXEC without MULTI")}`,
  },
  {
    name: "RESP3: a missing answer is null",
    run: ["HELLO 3 SETNAME x", "WATCH a", "SET a 1", "MULTI", "EXEC", "MULTI", "GET none", "EXEC"],
    want: "",
  },
  {
    name: "a watched key that is written makes EXEC answer nil",
    run: ["WATCH a b", "SET b 1", "MULTI", "SET a 1", "EXEC", "GET a"],
    want: `${OK}${OK}${OK}${QUEUED}${NIL}$-1\r\n`,
  },
  {
    name: "the same value again is a change",
    run: ["SET a 1", "WATCH a", "SET a 1", "MULTI", "EXEC"],
    want: `${OK}${OK}${OK}${OK}${NIL}`,
  },
  {
    name: "deleting what is not there is none",
    run: ["WATCH a", "DEL a", "MULTI", "PING", "EXEC"],
    want: `${OK}${OK.replace("+OK", ":0")}${OK}${QUEUED}*1\r\n+PONG\r\n`,
  },
  {
    name: "nobody touched it",
    run: ["SET a 1", "WATCH a", "GET a", "MULTI", "INCR a", "EXEC"],
    want: `${OK}${OK}${bulk("1")}${OK}${QUEUED}*1\r\n:2\r\n`,
  },
  {
    name: "EXEC ends the watch",
    run: ["WATCH a", "SET a 1", "MULTI", "EXEC", "MULTI", "INCR a", "EXEC"],
    want: `${OK}${OK}${OK}${NIL}${OK}${QUEUED}*1\r\n:2\r\n`,
  },
  {
    name: "UNWATCH and DISCARD end it",
    run: [
      "WATCH a",
      "SET a 1",
      "UNWATCH",
      "MULTI",
      "INCR a",
      "EXEC",
      "WATCH a",
      "SET a 5",
      "MULTI",
      "DISCARD",
      "MULTI",
      "INCR a",
      "EXEC",
    ],
    want: `${OK.repeat(4)}${QUEUED}*1\r\n:2\r\n${OK.repeat(5)}${QUEUED}*1\r\n:6\r\n`,
  },
  {
    name: "watched in another database",
    run: [
      "WATCH a",
      "SELECT 1",
      "SET a 1",
      "MULTI",
      "PING",
      "EXEC",
      "WATCH a",
      "SELECT 0",
      "SET a 1",
      "MULTI",
      "PING",
      "EXEC",
    ],
    want: `${OK.repeat(4)}${QUEUED}*1\r\n+PONG\r\n${OK.repeat(4)}${QUEUED}*1\r\n+PONG\r\n`,
  },
  {
    name: "FLUSHALL touches what is there, and nothing else",
    run: ["SET a 1", "WATCH a", "FLUSHALL", "MULTI", "EXEC", "WATCH a", "FLUSHALL", "MULTI", "EXEC"],
    want: `${OK.repeat(4)}${NIL}${OK.repeat(3)}*0\r\n`,
  },
  {
    name: "SWAPDB touches what is there on either side",
    run: [
      "SELECT 1",
      "SET a 1",
      "SELECT 0",
      "WATCH a",
      "SWAPDB 0 1",
      "MULTI",
      "EXEC",
      "WATCH none",
      "SWAPDB 0 1",
      "MULTI",
      "EXEC",
    ],
    want: `${OK.repeat(6)}${NIL}${OK.repeat(3)}*0\r\n`,
  },
  {
    name: "RENAME touches both",
    run: ["SET a 1", "WATCH b", "RENAME a b", "MULTI", "EXEC"],
    want: `${OK.repeat(4)}${NIL}`,
  },
  {
    name: "a deadline is a change",
    run: ["SET a 1", "WATCH a", "EXPIRE a 100", "MULTI", "EXEC"],
    want: `${OK}${OK}:1\r\n${OK}${NIL}`,
  },
  {
    name: "what counts as no change",
    run: [
      "SETBIT b 1 1",
      "PFADD p x",
      "WATCH b p",
      "SETBIT b 1 1",
      "PFADD p x",
      "BITFIELD b OVERFLOW FAIL INCRBY u2 0 9",
      "MULTI",
      "EXEC",
    ],
    want: `:0\r\n:1\r\n${OK}:1\r\n:0\r\n*1\r\n$-1\r\n${OK}*0\r\n`,
  },
  ...[
    ["XADD s 9-1 f v", "XDEL s 1-1", "XTRIM s MAXLEN 1"],
    ["XDEL s 7-7", "XTRIM s MAXLEN 5", "XSETID s 9-1", "XGROUP CREATE s h 0", "XGROUP SETID s g 0"],
    ["XGROUP DESTROY s g", "XREADGROUP GROUP g c STREAMS s >", "XACK s g 1-1", "XCLAIM s g d 0 1-1"],
  ].flatMap((changes, i) =>
    changes.map(
      (change): Case => ({
        name: `streams, ${i === 0 ? "a change" : "no change"}: ${change}`,
        run: [
          "CLIENT REPLY OFF",
          "XADD s 1-1 f v",
          "XADD s 2-1 f v",
          "XGROUP CREATE s g 0",
          "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
          "WATCH s",
          change,
          "CLIENT REPLY ON",
          "MULTI",
          "EXEC",
        ],
        want: `${OK}${OK}${i === 0 ? NIL : "*0\r\n"}`,
      }),
    ),
  ),
  ...["SETBIT b 1 0", "PFADD p y", "LMOVE l l LEFT RIGHT", "SET none x PXAT 1"].map(
    (change): Case => ({
      name: `what counts as one: ${change}`,
      run: [
        "CLIENT REPLY OFF",
        "SETBIT b 1 1",
        "PFADD p x",
        "RPUSH l x",
        "WATCH b p l none",
        change,
        "CLIENT REPLY ON",
        "MULTI",
        "EXEC",
      ],
      want: `${OK}${OK}${NIL}`,
    }),
  ),
  {
    name: "CLIENT REPLY OFF",
    run: ["CLIENT REPLY OFF", "MULTI", "SET a 1", "PING", "EXEC", "CLIENT REPLY ON", "GET a"],
    want: `${OK}${bulk("1")}`,
  },
  {
    name: "CLIENT REPLY SKIP for MULTI alone",
    run: ["CLIENT REPLY SKIP", "MULTI", "SET a 1", "EXEC"],
    want: `${QUEUED}*1\r\n${OK}`,
  },
  {
    name: "two transactions in one write",
    run: ["MULTI", "INCR a", "EXEC", "MULTI", "INCR a", "GET a", "EXEC"],
    want: `${OK}${QUEUED}*1\r\n:1\r\n${OK}${QUEUED.repeat(2)}*2\r\n:2\r\n${bulk("2")}`,
  },
  {
    name: "a transaction behind a write, a read behind it",
    run: ["SET a 5", "MULTI", "INCR a", "EXEC", "GET a"],
    want: `${OK}${OK}${QUEUED}*1\r\n:6\r\n${bulk("6")}`,
  },
];
