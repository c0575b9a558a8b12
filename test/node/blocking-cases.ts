// What clients send and get around commands that wait: rows for blocking.test.ts. Each client is connected to another node, in
// turn; each step gives it time enough to be answered, if it is.

export interface Step {
  readonly client: string;
  /** Commands, " | " between pipelined ones. Empty: only look. */
  readonly send: string;
  readonly want: string;
}

export interface Case {
  readonly name: string;
  readonly run: readonly Step[];
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const array = (...items: string[]): string => `*${items.length}\r\n${items.map(bulk).join("")}`;
const error = (text: string): string => `-${text}\r\n`;
const OK = "+OK\r\n";
const QUEUED = "+QUEUED\r\n";
const NIL_ARRAY = "*-1\r\n";
const NIL = "$-1\r\n";
const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");

const a = (send: string, want = ""): Step => ({ client: "a", send, want });
const b = (send: string, want = ""): Step => ({ client: "b", send, want });
const c = (send: string, want = ""): Step => ({ client: "c", send, want });

export const cases: readonly Case[] = [
  {
    name: "what is there is taken at once",
    run: [
      a("RPUSH l 1 2 3 4 5 6", ":6\r\n"),
      a("BLPOP x l 0", array("l", "1")),
      b("BRPOP l 0", array("l", "6")),
      c("BLMOVE l m LEFT RIGHT 0", bulk("2")),
      a("BRPOPLPUSH l m 0", bulk("5")),
      b("LRANGE m 0 -1", array("5", "2")),
      c("BLMPOP 0 2 x l RIGHT COUNT 5", `*2\r\n${bulk("l")}${array("4", "3")}`),
    ],
  },
  {
    name: "what is not there is waited for",
    run: [
      a("BLPOP k l 0"),
      b("LPUSH l 1 2", ":2\r\n"),
      a("", array("l", "2")),
      a("BLMPOP 0 2 k m LEFT COUNT 2"),
      b("RPUSH m 1 2 3", ":3\r\n"),
      a("", `*2\r\n${bulk("m")}${array("1", "2")}`),
    ],
  },
  {
    name: "what follows waits for it, and replies keep their order",
    run: [
      a("SET x 1 | BLPOP k 0 | GET x | BLPOP k 0 | PING", OK),
      b("SET x 2", OK),
      b("RPUSH k 1", ":1\r\n"),
      a("", array("k", "1") + bulk("2")),
      b("RPUSH k 2", ":1\r\n"),
      a("", `${array("k", "2")}+PONG\r\n`),
    ],
  },
  {
    name: "a move into a list that others wait for goes on",
    run: [
      a("BLMOVE x y LEFT RIGHT 0"),
      b("BLMOVE y z LEFT RIGHT 0"),
      c("BLPOP z 0"),
      { client: "d", send: "RPUSH x 1", want: ":1\r\n" },
      a("", bulk("1")),
      b("", bulk("1")),
      c("", array("z", "1")),
      { client: "d", send: "EXISTS x y z", want: ":0\r\n" },
    ],
  },
  {
    name: "from a list to itself",
    run: [
      a("BLMOVE x x LEFT RIGHT 0"),
      b("BRPOP x 0"),
      c("RPUSH x 1 2", ":2\r\n"),
      a("", bulk("1")),
      b("", array("x", "1")),
    ],
  },
  {
    name: "nobody is served inside a transaction, and everybody after it",
    run: [
      a("BLPOP k 0"),
      b("BLPOP k 0"),
      c(
        "MULTI | RPUSH k 1 | RPUSH k 2 | LPOP k | RPUSH k 3 | EXEC",
        `${OK}${QUEUED.repeat(4)}*4\r\n:1\r\n:2\r\n${bulk("1")}:2\r\n`,
      ),
      a("", array("k", "2")),
      b("", array("k", "3")),
      a("BLPOP k 0"),
      c("MULTI | RPUSH k 1 | DEL k | EXEC", `${OK}${QUEUED.repeat(2)}*2\r\n:1\r\n:1\r\n`),
      a(""),
      c("RPUSH k 4", ":1\r\n"),
      a("", array("k", "4")),
    ],
  },
  {
    name: "in a transaction they do not wait",
    run: [
      a(
        "MULTI | BLPOP k 0 | BLMOVE k l LEFT LEFT 0 | BRPOPLPUSH k l 0 | BLMPOP 0 1 k LEFT | RPUSH k 1 | BRPOP k 0 | BLPOP k x | EXEC",
        `${OK}${QUEUED.repeat(7)}*7\r\n${NIL_ARRAY}${NIL}${NIL}${NIL_ARRAY}:1\r\n${array("k", "1")}` +
          error("ERR timeout is not a float or out of range"),
      ),
    ],
  },
  {
    name: "whatever brings a list",
    run: [
      b("RPUSH src 1", ":1\r\n"),
      a("BLPOP k 0"),
      b("RENAME src k", OK),
      a("", array("k", "1")),
      a("BLPOP k 0"),
      b("RPUSH src 2 | COPY src k", ":1\r\n:1\r\n"),
      a("", array("k", "2")),
      a("BLPOP k 0"),
      b("LMOVE src k LEFT LEFT", bulk("2")),
      a("", array("k", "2")),
      a("BLPOP src 0"),
      b("SELECT 1 | RPUSH src 3 | MOVE src 0", `${OK}:1\r\n:1\r\n`),
      a("", array("src", "3")),
      a("BLPOP k 0"),
      b("RPUSH k 4 | SWAPDB 0 1 | EXISTS k", `:1\r\n${OK}:0\r\n`),
      a("", array("k", "4")),
    ],
  },
  {
    name: "sorted sets",
    run: [
      a("ZADD z 1 a 2 b 3 c 4 d 5 e", ":5\r\n"),
      a("BZPOPMIN x z 0", array("z", "a", "1")),
      b("BZPOPMAX z 0", array("z", "e", "5")),
      c("BZMPOP 0 2 x z MAX COUNT 2", `*2\r\n${bulk("z")}*2\r\n${array("d", "4")}${array("c", "3")}`),
      a("BZPOPMAX z 0", array("z", "b", "2")),
      a("BZPOPMIN z 0"),
      b("BLPOP z 0"),
      c("BZMPOP 0 1 z MIN"),
      { client: "d", send: "ZADD z 1 a 2 b 3 c", want: ":3\r\n" },
      a("", array("z", "a", "1")),
      c("", `*2\r\n${bulk("z")}*1\r\n${array("b", "2")}`),
      { client: "d", send: "ZREM z c | RPUSH z 1", want: ":1\r\n:1\r\n" },
      b("", array("z", "1")),
      a(
        "BZPOPMIN z 0.01 | BZMPOP 0.01 1 z MIN | BZPOPMAX z x",
        NIL_ARRAY.repeat(2) + error("ERR timeout is not a float or out of range"),
      ),
      a("BZPOPMIN s 0"),
      b("ZADD t 1 m | ZUNIONSTORE s 1 t", ":1\r\n:1\r\n"),
      a("", array("s", "m", "1")),
      a(
        "MULTI | BZPOPMIN s 0 | BZMPOP 0 1 t MIN | BZPOPMAX t 0 | EXEC",
        `${OK}${QUEUED.repeat(3)}*3\r\n${NIL_ARRAY}*2\r\n${bulk("t")}*1\r\n${array("m", "1")}${NIL_ARRAY}`,
      ),
    ],
  },
  {
    name: "a key of another type: an error at once, nothing later",
    run: [
      b("SET s x", OK),
      a("BLPOP k s 0", WRONG_TYPE),
      a("BLMOVE s k LEFT LEFT 0", WRONG_TYPE),
      a("BLMPOP 0 2 k s LEFT", WRONG_TYPE),
      a("BLPOP k l 0"),
      b("SET k x", OK),
      a(""),
      b("RPUSH l 1", ":1\r\n"),
      a("", array("l", "1")),
      a("BLMOVE l s LEFT LEFT 0"),
      b("RPUSH l 1", ":1\r\n"),
      a("", WRONG_TYPE),
      b("LRANGE l 0 -1", array("1")),
    ],
  },
  {
    name: "timeouts, and what is no timeout",
    run: [
      a("BLPOP k 0.03", NIL_ARRAY),
      a("BLMOVE k l LEFT LEFT 0.01 | BRPOPLPUSH k l 0.01 | BLMPOP 0.001 1 k LEFT", NIL_ARRAY.repeat(3)),
      a(
        "BLPOP k 5e-324 | BRPOP k 1e-310 | BLMOVE k l LEFT LEFT 1e-400 | BRPOPLPUSH k l 1e-4931 | BLMPOP 1e-4000 1 k LEFT",
        NIL_ARRAY.repeat(5),
      ),
      a("BZPOPMIN k 5e-324 | BZPOPMAX k 1e-305 | BZMPOP 1e-306 1 k MIN", NIL_ARRAY.repeat(3)),
      a("BLPOP k 1e-5000", error("ERR timeout is not a float or out of range")),
      a("BLPOP k x", error("ERR timeout is not a float or out of range")),
      a("BLPOP k nan", error("ERR timeout is not a float or out of range")),
      a("BLPOP k -1", error("ERR timeout is negative")),
      a("BLPOP k -inf", error("ERR timeout is negative")),
      a("BLPOP k inf", error("ERR timeout is out of range")),
      a("BLPOP k 9223372036854776", error("ERR timeout is out of range")),
      a("BLMOVE k l UP LEFT x", error("ERR syntax error")),
      a("BLMOVE k l LEFT LEFT x", error("ERR timeout is not a float or out of range")),
      a("BLMPOP x 0 k LEFT", error("ERR numkeys should be greater than 0")),
      a("BLMPOP x 1 k LEFT", error("ERR timeout is not a float or out of range")),
      a("BLMPOP 1 1 k LEFT COUNT 0", error("ERR count should be greater than 0")),
    ],
  },
  {
    name: "of several keys that one transaction fills, the first of the command's",
    run: [
      a("BLPOP x y 0"),
      b("MULTI | RPUSH y 2 | RPUSH x 1 | EXEC", `${OK}${QUEUED.repeat(2)}*2\r\n:1\r\n:1\r\n`),
      a("", array("x", "1")),
      b("LRANGE y 0 -1", array("2")),
    ],
  },
  {
    name: "databases are told apart",
    run: [
      a("SELECT 1 | BLPOP k 0", OK),
      b("RPUSH k 1", ":1\r\n"),
      a(""),
      b("SELECT 1 | RPUSH k 2", `${OK}:1\r\n`),
      a("", array("k", "2")),
    ],
  },
  {
    name: "replies that are not wanted",
    run: [
      a("CLIENT REPLY OFF | BLPOP k 0"),
      b("RPUSH k 1 2", ":2\r\n"),
      a("CLIENT REPLY ON | LRANGE k 0 -1", OK + array("2")),
      a("CLIENT REPLY SKIP | BLPOP x 0 | PING"),
      b("RPUSH x 1", ":1\r\n"),
      a("", "+PONG\r\n"),
    ],
  },
];
