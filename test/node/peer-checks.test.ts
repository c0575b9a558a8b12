// What another node says of itself, of the members and in Raft's messages, by itself: what no node sends is refused with a reason.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { CLUSTER_TIME_MS_MAX, MEMBERS_MAX } from "../../src/base/limits.ts";
import { EntryCheck } from "../../src/machine/entry-check.ts";
import {
  joinReplyProblem,
  memberProblem,
  nameProblem,
  printable,
  raftProblem,
  snapshotProblem,
  tableProblem,
} from "../../src/node/peer-checks.ts";
import { type Message, type MessageType, makeMessage } from "../../src/raft/index.ts";
import { redisLimits } from "../../src/resp/request-parser.ts";
import type { ClusterMember, ClusterTable, JoinReply } from "../../src/wire/cluster-messages.ts";
import type { SnapshotHeader } from "../../src/wire/snapshot-header.ts";

const check = new EntryCheck(redisLimits, 16);
const member: ClusterMember = {
  name: "n1",
  address: "127.0.0.1:16379",
  clientAddress: "127.0.0.1:6379",
  clientHostname: "cache.example",
  incarnation: 7,
};
const name = { name: "n1", address: "[::1]:16379" };
const table: ClusterTable = {
  clusterId: "0123456789abcdef",
  index: 1,
  members: [member],
  names: [name],
  hashSeed: "0123456789abcdef",
  settings: [],
};
const reply: JoinReply = { accepted: true, text: "", leader: 7, table, removed: false, lost: [] };
const header: SnapshotHeader = {
  raft: {
    ...makeMessage("snapshot", 1, 2, 3),
    snapshot: {
      index: 9,
      term: 3,
      confState: { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    },
  },
  table,
  timeMs: 1,
  logicalBytes: 1,
  repair: false,
};

const message = (type: MessageType, over: Partial<Message> = {}): Message => ({
  ...makeMessage(type, 1, 2, 3),
  ...over,
});
const changes = (count: number): Message["entries"] => [
  {
    term: 3,
    index: 4,
    type: "confChangeV2",
    data: Buffer.alloc(0),
    confChange: {
      transition: "auto",
      changes: Array.from({ length: count }, (_, i) => ({ type: "remove", id: i + 1 })),
      context: Buffer.alloc(0),
    },
  },
];
const entry = (data: Buffer): Message["entries"] => [{ term: 3, index: 4, type: "normal", data }];
const raft = (m: Message): string | undefined => raftProblem(m, check);
const snapshot = (over: Partial<SnapshotHeader>): string | undefined =>
  snapshotProblem({ ...header, ...over }, table.clusterId);
const times = <T>(count: number, of: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => of(i));

test("what nodes say passes", () => {
  const links: MessageType[] = [
    "append",
    "appendResponse",
    "vote",
    "voteResponse",
    "preVote",
    "preVoteResponse",
  ];
  for (const type of [...links, "heartbeat", "heartbeatResponse", "timeoutNow"] as const)
    assert.equal(raft(message(type)), undefined, type);
  const most = times(3 * MEMBERS_MAX, (i) => ({ ...member, name: `n${i}`, incarnation: 1 + i }));
  for (const problem of [
    memberProblem(member),
    memberProblem({ ...member, clientAddress: "", clientHostname: "" }),
    nameProblem(name),
    tableProblem(table),
    tableProblem({ ...table, index: 2, hashSeed: "", names: [], members: most }),
    joinReplyProblem(reply),
    joinReplyProblem({ ...reply, table: undefined, lost: ["n1", "n2"] }),
    raft(message("append", { entries: changes(6 * MEMBERS_MAX) })),
    raft(message("append", { entries: entry(Buffer.alloc(0)) })),
    snapshot({}),
  ])
    assert.equal(problem, undefined);
});

describe("what no node says", () => {
  const notOnLinks = ["propose", "snapshot", "readIndex", "readIndexResponse", "transferLeader"] as const;
  const cases: readonly (readonly [name: string, problem: string | undefined, why: RegExp])[] = [
    ...notOnLinks.map((type) => [`${type} on a link`, raft(message(type)), /a message of the kind/] as const),
    [
      "an entry of no command",
      raft(message("append", { entries: entry(Buffer.alloc(5)) })),
      /entry 4: .*header/,
    ],
    [
      "too large a change",
      raft(message("append", { entries: changes(999) })),
      /entry 4: a change of 999 members/,
    ],
    ["no incarnation", memberProblem({ ...member, incarnation: 0 }), /no incarnation/],
    ["a name of two words", memberProblem({ ...member, name: "a b" }), /'a b' is no name/],
    [
      "a name that writes into the log",
      nameProblem({ ...name, name: "a\n\u001b[2J" }),
      /'a\?\?\[2J' is no name/,
    ],
    ["no address", memberProblem({ ...member, address: "" }), /'' is no address/],
    ["a port that is none", nameProblem({ ...name, address: "h:99999" }), /'h:99999' is no address/],
    [
      "an address in two lines",
      memberProblem({ ...member, clientAddress: "h:1\r\nh:2" }),
      /clients cannot find/,
    ],
    ["too long a host", memberProblem({ ...member, clientHostname: "h".repeat(301) }), /clients cannot find/],
    ["a table of no cluster", tableProblem({ ...table, clusterId: "" }), /'' is no cluster's id/],
    ["one of a strange cluster", tableProblem({ ...table, clusterId: "a b" }), /'a b' is no cluster's id/],
    ["one of no index", tableProblem({ ...table, index: 0 }), /of no index/],
    ["one of a strange hash seed", tableProblem({ ...table, hashSeed: "xyz" }), /hash seed/],
    ["one with a member twice", tableProblem({ ...table, members: [member, member] }), /in it twice/],
    ["one with a strange member", tableProblem({ ...table, members: [{ ...member, name: "" }] }), /no name/],
    ["one with a strange name", tableProblem({ ...table, names: [{ ...name, address: "x" }] }), /no address/],
    ["one with too many names", tableProblem({ ...table, names: times(94, () => name) }), /94 names/],
    [
      "one with too many members",
      tableProblem({ ...table, members: times(94, (i) => ({ ...member, incarnation: 1 + i })) }),
      /a table of 94 members/,
    ],
    [
      "an answer with such a table",
      joinReplyProblem({ ...reply, table: { ...table, index: 0 } }),
      /of no index/,
    ],
    [
      "an answer that loses nobody's name",
      joinReplyProblem({ ...reply, lost: ["\n"] }),
      /names of no members/,
    ],
    [
      "one that loses too many",
      joinReplyProblem({ ...reply, lost: times(94, () => "n") }),
      /names of no members/,
    ],
    ["a snapshot with another message", snapshot({ raft: message("append") }), /of the kind append/],
    ["one without its place", snapshot({ raft: message("snapshot") }), /of the kind snapshot/],
    ["one of another time", snapshot({ timeMs: CLUSTER_TIME_MS_MAX + 1 }), /its time is/],
    ["one before all time", snapshot({ timeMs: -1 }), /its time is -1/],
    ["one of another cluster", snapshot({ table: { ...table, clusterId: "x" } }), /it is of cluster x/],
    ["one with a strange table", snapshot({ table: { ...table, index: 0 } }), /of no index/],
  ];
  for (const [what, problem, why] of cases) test(what, () => assert.match(problem ?? "", why));
});

test("a stranger's text fits a line", () => {
  assert.equal(printable("a\r\nb\u0000\u00e4"), "a??b??");
  assert.equal(printable("x".repeat(1000)).length, 300);
});
