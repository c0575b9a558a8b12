// The codec of what nodes say to each other: everything comes back as it went in, payloads are views into the
// frame, and no bytes at all make a decoder throw.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { InvariantError } from "../../src/base/assert.ts";
import type * as raft from "../../src/raft/types.ts";
import { FRAME_PREFIX_BYTES } from "../../src/wire/frame-writer.ts";
import { decodeHandshake, encodeHandshake, type Handshake } from "../../src/wire/handshake.ts";
import { decodePeerFrame, encodePeerFrame, type PeerFrame } from "../../src/wire/peer-frame.ts";
import type { RaftMessage } from "../../src/wire/raft-message.ts";
import { decodeSnapshotHeader, encodeSnapshotHeader } from "../../src/wire/snapshot-header.ts";
import { fc } from "../property.ts";

// The mirrored shapes may not drift apart: either direction that stops compiling is a forgotten field or name.
const toWireShape = (message: raft.Message): RaftMessage => message;
const toCoreShape = (message: RaftMessage): raft.Message => message;

/** Plain objects, as the codec makes them. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const u64 = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 1, 127, 128, 2 ** 32, 2 ** 53 - 1));
const u32 = fc.nat();
const buffer = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const words = fc.string({ maxLength: 100 });
const stampMs = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 });

const confChange = record({
  transition: fc.constantFrom("auto" as const, "implicit" as const, "explicit" as const),
  changes: fc.array(
    record({
      type: fc.constantFrom("addVoter" as const, "addLearner" as const, "remove" as const, "update" as const),
      id: u64,
    }),
    { maxLength: 4 },
  ),
  context: buffer,
});
const entry = record({
  term: u64,
  index: u64,
  type: fc.constantFrom("normal" as const, "confChange" as const, "confChangeV2" as const),
  data: buffer,
  confChange: fc.option(confChange, { nil: undefined }),
});
const snapshotMeta = record({
  index: u64,
  term: u64,
  confState: record({
    voters: fc.array(u64, { maxLength: 7 }),
    votersOutgoing: fc.array(u64, { maxLength: 7 }),
    learners: fc.array(u64, { maxLength: 7 }),
    learnersNext: fc.array(u64, { maxLength: 7 }),
    autoLeave: fc.boolean(),
  }),
});
const MESSAGE_TYPES = [
  "propose",
  "append",
  "appendResponse",
  "vote",
  "voteResponse",
  "preVote",
  "preVoteResponse",
  "snapshot",
  "heartbeat",
  "heartbeatResponse",
  "transferLeader",
  "timeoutNow",
  "readIndex",
  "readIndexResponse",
] as const;
const raftMessage: fc.Arbitrary<RaftMessage> = record({
  type: fc.constantFrom(...MESSAGE_TYPES),
  to: u64,
  from: u64,
  term: u64,
  logTerm: u64,
  index: u64,
  entries: fc.array(entry, { maxLength: 5 }),
  commit: u64,
  vote: u64,
  reject: fc.boolean(),
  rejectHint: u64,
  snapshot: fc.option(snapshotMeta, { nil: undefined }),
  context: buffer,
  readPosition: u64,
  transfer: fc.boolean(),
  stampMs,
  responses: fc.constant([]),
});
const knownOfMember = {
  name: words,
  address: words,
  clientAddress: words,
  clientHostname: words,
  incarnation: u64,
};
/** Field 15 of a later version, with its bytes. */
const unknownField = fc
  .uint8Array({ maxLength: 100 })
  .map((bytes) => Uint8Array.from([(15 << 3) | 2, bytes.length, ...bytes]));
const member = fc.oneof(
  record(knownOfMember),
  record({ ...knownOfMember, unknownFields: fc.array(unknownField, { minLength: 1, maxLength: 3 }) }),
);
const table = record({
  clusterId: words,
  index: u64,
  members: fc.array(member, { maxLength: 5 }),
  names: fc.array(record({ name: words, address: words }), { maxLength: 5 }),
  hashSeed: words,
  settings: fc.array(fc.tuple(words, words), { maxLength: 3 }),
});
/** As they are: printable ASCII, and short. */
const word = fc.string({ unit: fc.constantFrom(..."abcXYZ019.:[]|_"), maxLength: 32 });
const address = word;
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 2 });

const peerFrame: fc.Arbitrary<PeerFrame> = record({
  raft: some(raftMessage),
  proxyRequests: some(
    record({
      sessionId: u64,
      database: u32,
      protocol: fc.constantFrom(2, 3),
      commands: buffer,
      generation: u64,
      muted: fc.boolean(),
      closed: fc.boolean(),
      takenBytes: u64,
      client: fc.option(
        record({
          address,
          noTouch: fc.boolean(),
          lastWriteIndex: u64,
          timesAll: fc.boolean(),
          reportsTaken: fc.boolean(),
        }),
        { nil: null },
      ),
      waitEnd: fc.constantFrom(null, 1, 2),
    }),
  ),
  proxyReplies: some(
    record({
      sessionId: u64,
      generation: u64,
      replies: buffer,
      completed: u32,
      notLeader: fc.boolean(),
      close: fc.boolean(),
      lastWriteIndex: u64,
      times: some(record({ command: u32, inner: u32, microseconds: fc.nat({ max: 1e9 }) })),
      failures: some(record({ name: word, code: word, count: u32, rejected: fc.boolean() })),
    }),
  ),
  tables: some(table),
  joinRequests: some(record({ node: member, voter: fc.boolean() })),
  joinReplies: some(
    record({
      accepted: fc.boolean(),
      text: words,
      leader: u64,
      table: fc.option(table, { nil: undefined }),
      removed: fc.boolean(),
      lost: fc.array(words, { maxLength: 3 }),
    }),
  ),
  subscriptionCounts: some(
    record({
      counts: fc.array(
        record({ kind: fc.constantFrom("channel", "pattern", "shard"), name: buffer, count: u32 }),
        { maxLength: 5 },
      ),
    }),
  ),
  stateDigests: some(
    record({ index: u64, text: fc.string({ maxLength: 16, unit: "binary-ascii" }), differs: fc.boolean() }),
  ),
  stateRequests: some(fc.constant({})),
  freshQuestions: some(record({ round: u64 })),
  freshAnswers: some(record({ round: u64 })),
});

const message = (fields: Partial<RaftMessage>): RaftMessage => ({
  type: "append",
  to: 2,
  from: 1,
  term: 3,
  logTerm: 3,
  index: 10,
  entries: [],
  commit: 9,
  vote: 0,
  reject: false,
  rejectHint: 0,
  context: Buffer.alloc(0),
  readPosition: 0,
  transfer: false,
  stampMs: 0.5,
  responses: [],
  ...fields,
});

describe("peer frames", () => {
  test("come back as they went in", () => {
    fc.assert(
      fc.property(peerFrame, (frame) => {
        const encoded = encodePeerFrame(frame);
        assert.equal(encoded.readUInt32BE(0), encoded.length - FRAME_PREFIX_BYTES);
        const back = decodePeerFrame(encoded);
        assert.ok(back.ok, JSON.stringify(back));
        assert.deepEqual(back.value, frame);
        for (const part of back.value.raft) assert.equal(toWireShape(toCoreShape(part)), part);
      }),
      { numRuns: 300 },
    );
  });

  test("an empty frame has only its length", () => {
    assert.deepEqual(encodePeerFrame({}), Buffer.from([0, 0, 0, 0]));
  });

  test("the payload of an entry is a view into the frame", () => {
    const data = Buffer.alloc(1 << 20, 7);
    const frame = encodePeerFrame({
      raft: [message({ entries: [{ term: 3, index: 11, type: "normal", data }] })],
    });
    assert.ok(frame.length < data.length + 300, "one buffer, estimated closely");
    const back = decodePeerFrame(frame);
    assert.ok(back.ok);
    const received = back.value.raft[0]?.entries[0]?.data;
    assert.ok(received);
    assert.deepEqual(received, data);
    assert.equal(received.buffer, frame.buffer);
  });

  test("a local message is our bug", () => {
    assert.throws(() => encodePeerFrame({ raft: [message({ type: "storageApply" })] }), InvariantError);
  });

  test("every truncation and random bytes come back as codes", () => {
    const [sample] = fc.sample(peerFrame, { numRuns: 1, seed: 4 });
    const frame = encodePeerFrame(sample ?? {});
    for (let length = FRAME_PREFIX_BYTES; length < frame.length; length++)
      decodePeerFrame(frame.subarray(0, length));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodePeerFrame(Buffer.from(bytes));
        decodeHandshake(bytes);
        decodeSnapshotHeader(bytes);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.nat(255), (at, byte) => {
        const spoilt = Buffer.from(frame);
        spoilt[at] = byte;
        decodePeerFrame(spoilt);
      }),
      { numRuns: 2000 },
    );
  });

  const bad = [
    // raft { type: 2, term: 2^53 }
    { name: "term of 2^53", hex: "0a0b08022080808080808080" + "10", error: "outOfRange" },
    { name: "term of 2^64 - 1", hex: "0a0d080220ffffffffffffffffff01", error: "outOfRange" },
    { name: "message type 99", hex: "0a020863", error: "unknownKind" },
    { name: "no message type", hex: "0a022001", error: "unknownKind" },
    { name: "infinite stamp", hex: "0a0c08028101000000000000f07f", error: "outOfRange" },
    { name: "snapshot without members", hex: "0a04080862" + "00", error: "missing" },
    { name: "cut short", hex: "0a0508", error: "malformed" },
    { name: "length past the end", hex: "0affffffff0f", error: "malformed" },
  ];
  for (const { name, hex, error } of bad) {
    test(`${name} is ${error}`, () => {
      const body = Buffer.from(hex, "hex");
      const back = decodePeerFrame(Buffer.concat([Buffer.alloc(FRAME_PREFIX_BYTES), body]));
      assert.equal(back.ok ? "ok" : back.error, error);
    });
  }
});

describe("handshake and snapshot header", () => {
  const self = {
    clusterId: "abc",
    name: "n1",
    address: "127.0.0.1:1",
    clientAddress: "",
    clientHostname: "",
    incarnation: 2 ** 48 - 1,
    sharedSettings: "databases 16",
  };
  const bytes32 = Buffer.alloc(32, 9);
  const steps: Handshake[] = [
    { step: "challenge", nonce: bytes32 },
    { step: "hello", versions: { least: 1, most: 3 }, kind: "frames", nonce: bytes32 },
    { step: "hello", versions: { least: 2, most: 2 }, kind: "snapshot", nonce: Buffer.alloc(0) },
    { step: "welcome", version: 1, self },
    { step: "welcome", version: 1, self: { ...self, needsPassword: true } },
    { step: "introduction", self: { ...self, needsPassword: false }, expectedIncarnation: 5 },
    { step: "introduction", self, expectedIncarnation: 0 },
    { step: "proof", proof: bytes32 },
    { step: "accepted" },
    { step: "refused", text: "no" },
  ];
  for (const step of steps) {
    test(`${step.step} comes back`, () => {
      const back = decodeHandshake(encodeHandshake(step).subarray(FRAME_PREFIX_BYTES));
      assert.ok(back.ok, JSON.stringify(back));
      assert.deepEqual(back.value, step);
    });
  }

  test("a snapshot header comes back", () => {
    fc.assert(
      fc.property(
        raftMessage,
        table,
        stampMs,
        u64,
        fc.boolean(),
        (raft, table, timeMs, logicalBytes, repair) => {
          const header = { raft, table, timeMs, logicalBytes, repair };
          const back = decodeSnapshotHeader(encodeSnapshotHeader(header));
          assert.ok(back.ok);
          assert.deepEqual(back.value, header);
        },
      ),
      { numRuns: 100 },
    );
  });
});
