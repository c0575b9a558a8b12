// What the clients a, b and c send, one command after the other, for introspection.test.ts.

/** Several commands are sent in one piece. */
export type Step = readonly [client: "a" | "b" | "c", commands: readonly (readonly string[])[]];

export interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** "a: GET k" for each line; words are parted by blanks, commands by " ; "; `\x00` and the like are bytes, _ is a blank, '' an empty word. */
function script(name: string, text: string): Script {
  const lines = text.split("\n").map((line) => line.trim());
  return { name, steps: lines.filter((line) => line !== "").map(step) };
}

function step(line: string): Step {
  const [client, rest] = [line[0], line.slice(3)];
  if (client !== "a" && client !== "b" && client !== "c") throw new Error(`whose is ${line}?`);
  return [client, rest.split(" ; ").map(wordsOf)];
}

function wordsOf(command: string): string[] {
  return [...command.matchAll(/\{[^}]*\}|\S+/g)].map(([word]) =>
    word
      .replace(/^''$/, "")
      .replace(/_/g, " ")
      .replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
  );
}

export const scripts: readonly Script[] = [
  script(
    "MONITOR shows what others send, in the database it ran in",
    String.raw`
    b: MONITOR
    a: SET k v
    a: GET k
    a: SELECT 2
    a: SET \x00\x0a\x22\x5c\x80_z ''
    c: OBJECT ENCODING k
    c: NOSUCH x
    c: GET
    c: INCR k x
    c: CLIENT LIST ID {id c}
    c: CLIENT ID
    c: CONFIG GET maxclients
    c: SLOWLOG LEN
    c: DBSIZE
    c: SUBSCRIBE ch
    a: PUBLISH ch hello
    c: UNSUBSCRIBE ch
    b: RESET
    a: GET k
    `,
  ),
  script(
    "MONITOR hides passwords",
    `
    b: MONITOR
    a: AUTH secret
    a: AUTH default secret
    a: HELLO {protocol} AUTH default secret
    a: HELLO {protocol} SETNAME x AUTH default secret
    a: HELLO {protocol} SETNAME auth
    a: CONFIG SET requirepass ''
    a: AUTH
    `,
  ),
  script(
    "MONITOR and transactions",
    `
    b: MONITOR
    a: MULTI ; SET k 1 ; LPUSH k x ; GET k ; EXEC
    a: MULTI ; SET k 1 ; DISCARD
    a: WATCH k
    c: SET k 2
    a: EXEC
    `,
  ),
  script(
    "a monitor and ordinary commands",
    `
    b: MONITOR
    b: PING
    b: GET k
    b: MONITOR
    b: SET k v
    b: CLIENT ID
    b: QUIT
    a: PING
    `,
  ),
  script(
    "SLOWLOG",
    `
    a: CONFIG SET slowlog-log-slower-than 0
    a: CLIENT SETNAME me
    a: SET k v
    a: AUTH secret
    a: MSET 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34
    a: SET long xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    a: MULTI ; INCR n ; LPUSH k x ; EXEC
    a: NOSUCH
    a: CONFIG SET slowlog-log-slower-than 1000000
    a: SLOWLOG GET 30
    a: SLOWLOG LEN
    b: SLOWLOG GET 2
    b: SLOWLOG GET 0
    b: SLOWLOG GET -1
    b: SLOWLOG GET -2
    b: SLOWLOG RESET
    b: SLOWLOG LEN
    b: SLOWLOG GET
    a: CONFIG SET slowlog-log-slower-than 10000
    a: DEBUG SLEEP 0.02
    a: CONFIG SET slowlog-log-slower-than 1000000
    a: SLOWLOG LEN
    a: CONFIG SET slowlog-log-slower-than -1
    a: DEBUG SLEEP 0.001
    a: SLOWLOG LEN
    a: CONFIG SET slowlog-max-len 2
    a: CONFIG SET slowlog-log-slower-than 0
    a: PING
    a: SLOWLOG LEN
    a: CONFIG SET slowlog-log-slower-than 10000 slowlog-max-len 128
    `,
  ),
  script(
    "LATENCY",
    `
    a: LATENCY LATEST
    a: LATENCY HISTORY command
    a: LATENCY GRAPH command
    a: CONFIG SET latency-monitor-threshold 20
    a: DEBUG SLEEP 0.001
    a: LATENCY HISTORY command
    a: CONFIG SET latency-monitor-threshold 0
    a: LATENCY RESET nosuch
    a: LATENCY RESET
    a: LATENCY HISTORY
    a: LATENCY HISTORY a b
    a: LATENCY HISTOGRAM nosuch
    `,
  ),
  script(
    "CLIENT LIST and INFO",
    `
    a: CLIENT SETNAME me
    a: SELECT 3
    a: CLIENT INFO
    b: SUBSCRIBE x y
    b: PSUBSCRIBE p*
    b: SSUBSCRIBE s
    a: CLIENT LIST ID {id b}
    a: CLIENT LIST ID {id a} {id b} 999999
    a: CLIENT LIST TYPE pubsub
    c: WATCH k
    a: SELECT 0
    a: SET k w
    a: CLIENT LIST ID {id c}
    a: MULTI ; SET k v ; EXEC
    a: CLIENT INFO
    c: MONITOR
    a: CLIENT LIST ID {id c}
    a: CLIENT NO-EVICT ON
    a: CLIENT INFO
    a: CLIENT NO-EVICT OFF
    a: CLIENT LIST TYPE master
    a: CLIENT LIST TYPE replica
    `,
  ),
  script(
    "CLIENT KILL, one filter after the other",
    `
    a: CLIENT KILL ID {id b}
    a: CLIENT KILL ID {id b}
    a: CLIENT KILL ADDR {address c} ID {id a}
    a: CLIENT KILL ADDR {address c}
    a: CLIENT KILL ID {id a}
    a: CLIENT KILL USER default ID {id a} SKIPME yes
    a: CLIENT KILL USER default ID {id a} SKIPME no
    `,
  ),
  script(
    "CLIENT KILL by type, by address in the old form, by no filter at all",
    `
    b: SUBSCRIBE x
    a: CLIENT KILL TYPE pubsub
    a: CLIENT KILL 1.2.3.4:5
    a: CLIENT KILL {address c}
    a: CLIENT KILL LADDR 9.9.9.9:9
    a: CLIENT KILL {address a}
    `,
  ),
  script(
    "names and libraries",
    `
    a: CLIENT GETNAME
    a: CLIENT SETNAME x
    a: CLIENT GETNAME
    a: CLIENT SETNAME ''
    a: CLIENT GETNAME
    a: CLIENT SETNAME a_b
    a: HELLO {protocol} SETNAME fine
    a: CLIENT GETNAME
    a: RESET ; HELLO {protocol}
    a: CLIENT GETNAME
    `,
  ),
  script(
    "tracking is off",
    `
    a: CLIENT TRACKINGINFO
    a: CLIENT GETREDIR
    a: CLIENT CACHING YES
    a: CLIENT CACHING NO
    a: CLIENT CACHING maybe
    `,
  ),
  script(
    "OBJECT",
    `
    a: SET k v
    a: SET n 12
    a: SET raw xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    a: OBJECT ENCODING k
    a: OBJECT ENCODING n
    a: OBJECT ENCODING raw
    a: OBJECT ENCODING nosuch
    a: OBJECT REFCOUNT k
    a: OBJECT REFCOUNT n
    a: OBJECT REFCOUNT nosuch
    a: OBJECT IDLETIME k
    a: OBJECT IDLETIME nosuch
    a: OBJECT FREQ k
    a: OBJECT FREQ nosuch
    a: OBJECT FREQ
    a: OBJECT HELP
    a: OBJECT
    `,
  ),
  script(
    "MEMORY",
    `
    a: SET k v
    a: MEMORY USAGE k
    a: MEMORY USAGE nosuch
    a: MEMORY USAGE k SAMPLES 0
    a: MEMORY USAGE k SAMPLES 5
    a: MEMORY USAGE k SAMPLES -1
    a: MEMORY USAGE k SAMPLES x
    a: MEMORY USAGE k SAMPLES
    a: MEMORY USAGE k NOSUCH 1
    a: MEMORY USAGE
    a: MEMORY PURGE
    a: MEMORY NOSUCH
    `,
  ),
  script(
    "COMMAND GETKEYS and LIST",
    `
    a: COMMAND GETKEYS MSET a 1 b 2
    a: COMMAND GETKEYS ZUNIONSTORE d 2 a b
    a: COMMAND GETKEYS ZUNIONSTORE d 3 a b
    a: COMMAND GETKEYS LMPOP 2 a b LEFT
    a: COMMAND GETKEYS MEMORY USAGE k
    a: COMMAND GETKEYS BITOP AND d a b
    a: COMMAND GETKEYS PING PING
    a: COMMAND GETKEYS NOSUCH x
    a: COMMAND GETKEYS SET k
    a: COMMAND GETKEYSANDFLAGS SET k v
    a: COMMAND GETKEYSANDFLAGS SET k v GET
    a: COMMAND GETKEYSANDFLAGS COPY a b
    a: COMMAND GETKEYSANDFLAGS LMOVE a b LEFT LEFT
    a: COMMAND GETKEYSANDFLAGS BITFIELD k GET u4 0
    a: COMMAND LIST FILTERBY PATTERN SETE*
    a: COMMAND LIST FILTERBY PATTERN nosuch*
    a: COMMAND LIST FILTERBY MODULE nosuch
    a: COMMAND LIST FILTERBY ACLCAT nosuch
    a: COMMAND LIST FILTERBY NOSUCH x
    a: COMMAND INFO nosuch
    a: COMMAND DOCS nosuch
    `,
  ),
];
