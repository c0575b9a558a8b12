// What a turn costs in the core: an entry appended to the log, sent, acknowledged, and handed on to be applied.
// Run: node bench/micro/run.mjs raft; TURNS=n for another number than 300,000.

import { Xoshiro } from "../../src/base/prng.ts";
import {
  EMPTY_CONFIG,
  MemoryStorage,
  type Message,
  type RaftConfig,
  RaftCore,
} from "../../src/raft/index.ts";
import { nsEach } from "./measure.ts";

const TURNS = Number(process.env["TURNS"] ?? 300_000);
const PAYLOAD = new Uint8Array(256);
const TAIL_ENTRIES = 10_000;

interface Member {
  readonly core: RaftCore;
  readonly storage: MemoryStorage;
}

function member(id: number, voters: readonly number[]): Member {
  const storage = MemoryStorage.bootstrap({ ...EMPTY_CONFIG, voters });
  const config: RaftConfig = {
    id,
    electionTicks: 30,
    heartbeatTicks: 5,
    maxSizePerMessage: 1 << 20,
    maxInflightMessages: 256,
    maxInflightBytes: 16 << 20,
    maxUncommittedBytes: 0,
    maxCommittedBytesPerReady: 16 << 20,
    checkQuorum: true,
    preVote: true,
    readOnly: "leaseBased",
    disableProposalForwarding: true,
    disableConfChangeValidation: false,
    stepDownOnRemoval: true,
    prng: new Xoshiro(id),
    applied: 1,
    leaseDurationMs: 150,
    leaseDriftMarginMs: 10,
    batchAppends: true,
  };
  return { core: new RaftCore(config, storage), storage };
}

let applied = 0;

/** Ready after Ready until there is none; messages go to `out`. */
function drain(m: Member, out: Message[]): void {
  while (m.core.hasReady()) {
    const ready = m.core.ready();
    if (ready.fault !== undefined) throw new Error(ready.fault);
    if (ready.hardState !== undefined) m.storage.setHardState(ready.hardState);
    if (ready.entries.length > 0) m.storage.append(ready.entries);
    for (const message of ready.messages) out.push(message);
    applied += ready.committedEntries.length;
    m.core.advance();
  }
}

function compact(m: Member): void {
  const keep = m.core.applied - TAIL_ENTRIES;
  if (keep - m.storage.firstIndex() > 1000) m.storage.compact(keep);
}

function measure(name: string, turns: number, turn: (i: number) => void): void {
  for (let i = 0; i < turns / 5; i++) turn(i);
  applied = 0;
  const ns = nsEach(turns, () => {
    for (let i = 0; i < turns; i++) turn(i);
  });
  const perTurn = (applied / turns).toFixed(1);
  console.log(`${name.padEnd(64)} ${ns.toFixed(0).padStart(6)} ns per turn (${perTurn} applied per turn)`);
}

function single(): void {
  const one = member(1, [1]);
  const sink: Message[] = [];
  one.core.setNow(1);
  one.core.campaign();
  drain(one, sink);
  measure("1 member: setNow, propose, ready..advance until applied", TURNS, (i) => {
    one.core.setNow(i);
    one.core.propose(PAYLOAD);
    drain(one, sink);
    compact(one);
  });
}

function cluster(size: number): void {
  const ids = Array.from({ length: size }, (_, at) => at + 1);
  const members = ids.map((id) => member(id, ids));
  const inbox: Message[] = [];
  let now = 1;
  // Delivers until quiet, like a network without delay.
  const settle = (): void => {
    for (const m of members) drain(m, inbox);
    while (inbox.length > 0) {
      const batch = inbox.splice(0);
      for (const message of batch) members[message.to - 1]!.core.step(message);
      for (const m of members) drain(m, inbox);
    }
  };
  const leader = members[0]!.core;
  for (const m of members) m.core.setNow(now);
  leader.campaign();
  settle();
  measure(`${size} members, all in one thread: propose until applied everywhere`, TURNS / size, () => {
    now += 0.05;
    for (const m of members) m.core.setNow(now);
    leader.propose(PAYLOAD);
    settle();
    for (const m of members) compact(m);
  });
  // The leader alone: followers' answers are made up.
  const followers = ids.slice(1);
  const answer = (m: Message): Message => ({
    ...m,
    type: "appendResponse",
    from: m.to,
    to: m.from,
    logTerm: 0,
    index: m.index + m.entries.length,
    entries: [],
    commit: 0,
  });
  measure(
    `${size} members, leader only: propose, step ${followers.length} acks (of the turn before)`,
    TURNS,
    () => {
      now += 0.05;
      leader.setNow(now);
      for (const m of inbox.splice(0)) if (m.type === "append") leader.step(answer(m));
      leader.propose(PAYLOAD);
      drain(members[0]!, inbox);
      leader.leaseValid();
      compact(members[0]!);
    },
  );
}

single();
cluster(3);
cluster(5);
