// The transcript formatters and the core's own log texts against the kit's 71 pairs of value and text.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import {
  APPEND_THREAD,
  APPLY_THREAD,
  type ConfChange,
  type ConfState,
  describeChange,
  describeConfig,
  describeProgress,
  type Entry,
  MESSAGE_NAME,
  type Message,
  type MessageType,
  makeMessage,
  type Role,
  type SnapshotMeta,
} from "../../src/raft/index.ts";
import {
  formatConfState,
  formatEntries,
  formatEntry,
  formatHardState,
  formatIndex,
  formatMessage,
  formatReady,
  formatSnapshot,
  quote,
} from "./harness/format.ts";

/** A JSON object of the vectors; fields are read by the accessors below, which check them. */
type Fields = Readonly<Record<string, unknown>>;

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const ROOT = process.env["RAFT_CONFORMANCE_DIR"] ?? resolve(REPOSITORY, "../shared/raft-conformance");
const PATH = join(ROOT, "format-vectors.json");

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

function object(value: unknown): Fields {
  assert.ok(isObject(value));
  return value;
}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const numberOf = (value: unknown): number => {
  assert.ok(typeof value === "number");
  return value;
};
const numbers = (value: unknown): number[] => list(value).map(numberOf);
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(String(value ?? ""));

function keyOf<K extends string>(table: Readonly<Record<K, string>>, name: unknown): K {
  for (const key in table) if (table[key] === name) return key;
  throw new Error(`unknown name ${String(name)}`);
}

const STEP = {
  addVoter: "ConfChangeAddNode",
  addLearner: "ConfChangeAddLearnerNode",
  remove: "ConfChangeRemoveNode",
  update: "ConfChangeUpdateNode",
} as const;
const TRANSITION = {
  auto: "ConfChangeTransitionAuto",
  implicit: "ConfChangeTransitionJointImplicit",
  explicit: "ConfChangeTransitionJointExplicit",
} as const;
const ENTRY = {
  normal: "EntryNormal",
  confChange: "EntryConfChange",
  confChangeV2: "EntryConfChangeV2",
} as const;
const ROLE: Readonly<Record<Role, string>> = {
  follower: "StateFollower",
  candidate: "StateCandidate",
  leader: "StateLeader",
  preCandidate: "StatePreCandidate",
};
const STATE = { probe: "StateProbe", replicate: "StateReplicate", snapshot: "StateSnapshot" } as const;

function changeOf(value: Fields): ConfChange {
  const transition = keyOf(TRANSITION, value["transition"] ?? TRANSITION.auto);
  const changes = list(value["changes"]).map((step) => {
    const fields = object(step);
    return { type: keyOf(STEP, fields["type"]), id: numberOf(fields["nodeId"]) };
  });
  return { transition, changes, context: bytes(value["context"]) };
}

function entryOf(value: unknown): Entry {
  const fields = object(value);
  const type = keyOf(ENTRY, fields["type"]);
  const confChange = type === "normal" ? undefined : changeOf(fields);
  return {
    term: numberOf(fields["term"]),
    index: numberOf(fields["index"]),
    type,
    data: bytes(fields["data"]),
    confChange,
  };
}

function confStateOf(value: unknown): ConfState {
  const fields = object(value);
  return {
    voters: numbers(fields["voters"]),
    votersOutgoing: numbers(fields["votersOutgoing"]),
    learners: numbers(fields["learners"]),
    learnersNext: numbers(fields["learnersNext"]),
    autoLeave: fields["autoLeave"] === true,
  };
}

function snapshotOf(value: unknown): SnapshotMeta | undefined {
  if (value === null || value === undefined) return undefined;
  const fields = object(value);
  const confState = confStateOf(fields["confState"]);
  return { index: numberOf(fields["index"]), term: numberOf(fields["term"]), confState };
}

function endpointOf(value: unknown): number {
  if (value === "AppendThread") return APPEND_THREAD;
  return value === "ApplyThread" ? APPLY_THREAD : numberOf(value);
}

function messageOf(value: unknown): Message {
  const fields = object(value);
  const type: MessageType = keyOf(MESSAGE_NAME, fields["type"]);
  const m = makeMessage(type, endpointOf(fields["from"]), endpointOf(fields["to"]), numberOf(fields["term"]));
  m.logTerm = numberOf(fields["logTerm"]);
  m.index = numberOf(fields["index"]);
  m.commit = numberOf(fields["commit"]);
  m.vote = numberOf(fields["vote"]);
  m.reject = fields["reject"] === true;
  m.rejectHint = numberOf(fields["rejectHint"]);
  m.snapshot = snapshotOf(fields["snapshot"]);
  m.responses = list(fields["responses"]).map(messageOf);
  m.entries = list(fields["entries"]).map(entryOf);
  const carried = m.entries[0];
  if (carried !== undefined && (type === "readIndex" || type === "readIndexResponse"))
    m.context = carried.data;
  return m;
}

function progressText(fields: Fields): string {
  const state = keyOf(STATE, fields["state"]);
  const inflightCount = numberOf(fields["inflightCount"]);
  return describeProgress({
    id: 1,
    match: numberOf(fields["match"]),
    next: numberOf(fields["next"]),
    state,
    pendingSnapshot: numberOf(fields["pendingSnapshot"]),
    recentActive: fields["recentActive"] === true,
    paused: fields["msgAppFlowPaused"] === true || state === "snapshot",
    isLearner: fields["isLearner"] === true,
    inflightCount,
    inflightBytes: 0,
    inflightFull: inflightCount === numberOf(fields["inflightSize"]),
  });
}

function readyText(fields: Fields): string {
  const soft = fields["softState"];
  const hard = fields["hardState"];
  return formatReady({
    softState: isObject(soft)
      ? { leader: numberOf(soft["lead"]), role: keyOf(ROLE, soft["state"]) }
      : undefined,
    hardState: isObject(hard) ? hardStateOf(hard) : undefined,
    readStates: list(fields["readStates"]).map((state) => {
      const read = object(state);
      return { index: numberOf(read["index"]), context: bytes(read["requestCtxUtf8"]) };
    }),
    entries: list(fields["entries"]).map(entryOf),
    snapshot: snapshotOf(fields["snapshot"]),
    committedEntries: list(fields["committedEntries"]).map(entryOf),
    messages: list(fields["messages"]).map(messageOf),
    mustSync: fields["mustSync"] === true,
  });
}

function hardStateOf(fields: Fields): { term: number; vote: number; commit: number } {
  return {
    term: numberOf(fields["term"]),
    vote: numberOf(fields["vote"]),
    commit: numberOf(fields["commit"]),
  };
}

const FORMATTERS: Readonly<Record<string, (value: unknown) => string>> = {
  entry: (value) => formatEntry(entryOf(value)),
  entries: (value) => formatEntries(list(value).map(entryOf)),
  confState: (value) => formatConfState(confStateOf(value)),
  snapshot: (value) => formatSnapshot(snapshotOf(value)!),
  hardState: (value) => formatHardState(hardStateOf(object(value))),
  message: (value) => formatMessage(messageOf(value)),
  ready: (value) => readyText(object(value)),
  confChange: (value) => describeChange(changeOf(object(value))),
  config: (value) => describeConfig(confStateOf(value)),
  progress: (value) => progressText(object(value)),
  quorumIndex: (value) => formatIndex(value === "max" ? Number.POSITIVE_INFINITY : numberOf(value)),
};

if (!existsSync(PATH)) {
  test.skip(`${PATH} is absent: set RAFT_CONFORMANCE_DIR to the conformance kit`, () => {});
} else {
  const vectors: unknown = JSON.parse(readFileSync(PATH, "utf8"));
  list(vectors).forEach((vector, at) => {
    const { kind, in: value, text } = object(vector);
    test(`format vector ${at}: ${String(kind)}`, () => {
      assert.equal(FORMATTERS[String(kind)]?.(value), text);
    });
  });
}

test("payloads are quoted as Go does", () => {
  assert.equal(
    quote(new Uint8Array([0xff, 0x41, 0x00, 0x7f, 0xc3, 0xa9, 0xe2, 0x82])),
    '"\\xffA\\x00\\x7fé\\xe2\\x82"',
  );
  assert.equal(quote(new TextEncoder().encode('a"b\\c\u2028')), '"a\\"b\\\\c\\u2028"');
});
