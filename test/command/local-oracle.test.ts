// Connection and server commands beside a real redis-server: the same bytes must come back. Each line is one
// connection. Skipped, visibly, where redis-server 7.0 is not installed.

import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { ReplyCheck } from "../compatibility/reply-check.ts";
import { isRedis70, RedisServer } from "../resp/redis-server.ts";
import { Fake } from "./local-fake.ts";

type Command = string | readonly string[];

const sessions: readonly (readonly Command[])[] = [
  ["ping", "ping hello", "ping a b", "echo x", "echo", "PiNg"],
  ["select abc", "select 99", "select -1", "select 15", "select 1 2", "select 9999999999", "select 01"],
  ["hello x", "hello 4", "hello 1", "hello 3 foo", ["hello", "3", "setname", "a b"], "hello 2 auth a b"],
  ["hello 99999999999999999999", "hello 2 auth a", "hello 2 setname", "hello -2"],
  ["auth x", "auth a b", "auth default b", "auth a b c", "auth"],
  ["client kill id 0", "client kill id x", "client kill type x", "client kill user nobody", "client kill"],
  [
    "client kill skipme x",
    "client kill addr",
    "client kill foo",
    "client kill 1.2.3.4:5",
    "client kill a b c",
  ],
  [
    "client kill addr 1.2.3.4:5 id",
    "client kill id 999999 addr 1.2.3.4:5",
    "client kill laddr 9.9.9.9:1 type pubsub",
  ],
  ["client kill type master", "client kill type replica", "client kill type slave skipme no"],
  [
    "client list foo",
    "client list type",
    "client list type x",
    "client list type normal x",
    "client list id",
  ],
  [
    "client list id x",
    "client list id 0",
    "client list id 999999",
    "client list type pubsub",
    "client list type master",
  ],
  ["client reply x", "client reply", "client no-evict x", "client no-evict on", "client no-evict off"],
  [
    ["client", "setname", "a b"],
    ["client", "setname", ""],
    "client getname",
    "client setname x",
    "client getname",
  ],
  ["client getredir", "client trackinginfo", "client caching yes", "client id x"],
  [
    "client unblock x",
    "client unblock 1 x",
    "client unblock 99999",
    "client unblock 99999 error",
    "client unblock 1 error x",
  ],
  [
    "client pause x",
    "client pause -1",
    "client pause 1 x",
    "client pause 1 ALL x",
    "client pause 999999999999999999999",
    "client unpause",
  ],
  ["client foo", "client", "CLIENT FoO", "client|id", ["client", "a\r\nb"]],
  ["client reply off", "ping", "client foo", "client reply skip", "client reply on", "ping"],
  [
    "client reply skip",
    "ping",
    "ping",
    "client reply skip",
    "client reply x",
    "ping x",
    "client reply skip",
    "client reply on",
    "ping",
  ],
  [
    "config get",
    "config get nosuch",
    "config get SLOWLOG-max-le?",
    "config set",
    "config set a",
    "config foo",
  ],
  [
    "config set foo bar",
    "config set maxmemory x",
    "config set maxmemory",
    "config set maxmemory 1 foo",
    "config",
  ],
  [
    "config set maxmemory 0 maxmemory 0",
    "config set databases 1 maxmemory 3",
    "config rewrite",
    "config resetstat",
    "config resetstat x",
  ],
  [
    "config set slowlog-max-len 64",
    "config get slowlog-max-len slowlog-max-len",
    "config set slowlog-max-len 128",
  ],
  [
    "slowlog get x",
    "slowlog get -2",
    "slowlog get 0",
    "slowlog len x",
    "slowlog reset",
    "slowlog get",
    "slowlog len",
    "slowlog foo",
    "slowlog",
  ],
  [
    "latency graph foo",
    "latency history",
    "latency history foo",
    "latency latest",
    "latency reset",
    "latency reset a b",
    "latency foo",
    "latency histogram nosuch",
  ],
  ["acl whoami", "acl users", "acl cat", "acl cat nosuch", "acl cat a b", "acl foo", "acl"],
  ["module list", "module list x", "module foo", "module"],
  ["memory foo", "memory purge", "memory", "memory doctor x"],
  [
    "debug",
    "debug foo",
    "debug sleep",
    "debug sleep x",
    "debug set-active-expire x",
    "debug set-active-expire 1",
    "debug help x",
    "debug reload x",
    "debug object",
  ],
  [
    "debug protocol string",
    "debug protocol integer",
    "debug protocol double",
    "debug protocol bignum",
    "debug protocol null",
    "debug protocol attrib",
    "debug protocol push",
  ],
  [
    "debug protocol array",
    "debug protocol set",
    "debug protocol map",
    "debug protocol verbatim",
    "debug protocol true",
    "debug protocol false",
    "debug protocol x",
    ["debug", "error", "a b"],
  ],
  ["wait x 1", "wait 1 x", "wait -1 0", "wait 0 0", "wait 1 -1", "wait 1"],
  [
    "lastsave x",
    "role x",
    "time x",
    "shutdown foo",
    "shutdown abort",
    "shutdown save nosave",
    "shutdown abort now",
    "shutdown nosave save",
  ],
  ["reset x", "reset", "quit"],
  [
    "command count x",
    "command foo",
    "command getkeys",
    "command getkeys get",
    "command list x",
    "command list filterby foo foo",
  ],
  [
    "command getkeys foo bar",
    "command getkeys ping ping",
    "command getkeys get a b",
    "command getkeys mset a b c d",
    "command getkeys georadius k 1 1 1 km store",
    "command getkeys georadius k 1 1 1 km store to",
    "command getkeys xread count 1 streams",
    "command getkeys sort k store store to",
    "command getkeysandflags xread count 1 streams k 0",
    "command getkeys client foo x",
  ],
  [
    "command getkeys memory usage a",
    "command getkeysandflags get a",
    "command getkeysandflags set a b",
    "command getkeysandflags set a b get",
    "command getkeys object encoding k",
  ],
  [
    "command list filterby module x",
    "command list filterby aclcat nosuch",
    "command list filterby pattern GE?",
    "command docs nosuch",
    "command info nosuch get|x",
  ],
  ["command info get mget config|set client|list debug role wait shutdown time hello auth"],
  ["command info memory|usage slowlog|get latency|doctor monitor lastsave select ping echo quit reset"],
  [["hello", "3", "x"], "command info get"],
];

/** Everything again in RESP3, after a HELLO whose own reply differs (versions, ids). */
const helloLength = (bytes: string): number =>
  bytes.indexOf("modules\r\n*0\r\n") + "modules\r\n*0\r\n".length;

describe.skipIf(!isRedis70)("beside redis-server 7.0 (skipped where it is not installed)", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start("--enable-debug-command", "yes");
  });
  afterAll(() => redis.stop());

  const words = (command: Command): readonly string[] =>
    typeof command === "string" ? command.split(" ") : command;
  const shapes = new ReplyCheck();
  const shapeProblemOf = (command: Command, reply: string): string | undefined =>
    shapes.problem(
      words(command).map((word) => Buffer.from(word, "latin1")),
      Buffer.from(reply, "latin1"),
    );
  const encode = (command: Command): Buffer =>
    encodeCommand(words(command).map((word) => Buffer.from(word, "latin1")));

  for (const session of sessions) {
    test(`RESP2 ${session.map((command) => words(command).join(" ")).join("; ")}`.slice(0, 160), async () => {
      const theirs = await redis.exchange(Buffer.concat(session.map(encode)));
      const fake = leaderFake();
      const ours = session.map((command) => fake.run(command)).join("");
      assert.equal(ours, theirs.toString("latin1"));
    });
    test(`RESP3 ${session.map((command) => words(command).join(" ")).join("; ")}`.slice(0, 160), async () => {
      const commands = ["hello 3", ...session];
      const theirs = (await redis.exchange(Buffer.concat(commands.map(encode)))).toString("latin1");
      const fake = leaderFake();
      const replies = commands.map((command) => fake.run(command));
      const ours = replies.join("");
      commands.forEach((command, i) => {
        const reply = replies[i] ?? "";
        if (reply !== "") assert.equal(shapeProblemOf(command, reply), undefined, words(command).join(" "));
      });
      assert.equal(ours.slice(helloLength(ours)), theirs.slice(helloLength(theirs)));
    });
  }
});

/** A leader without followers, which is what a lone redis-server is. */
function leaderFake(): Fake {
  const fake = new Fake();
  fake.server.view = { ...fake.server.view, role: "leader", lastIndex: 0, peers: [], memberCount: 1 };
  return fake;
}
