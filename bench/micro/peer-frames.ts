// ns of processor time for a frame between members, made and read: what a leader and a follower say to each other in a turn.
// Run: node bench/micro/run.mjs peer-frames

import type { ProxyRequest } from "../../src/wire/cluster-messages.ts";
import {
  decodePeerFrame,
  encodePeerFrame,
  encodePeerFrameParts,
  type PeerFrame,
} from "../../src/wire/peer-frame.ts";
import type { RaftEntry, RaftMessage } from "../../src/wire/raft-message.ts";
import { rounds, show } from "./measure.ts";

const ROUNDS = 5;
const BYTES_PER_ROUND = 400 << 20;
const FRAMES_MAX = 200_000;
const memory = Buffer.allocUnsafeSlow(2 << 20);
const none = Buffer.alloc(0);

const entry = (bytes: number): RaftEntry => ({
  term: 7,
  index: 1_000_000,
  type: "normal",
  data: Buffer.alloc(bytes, "e"),
});
const message = (type: RaftMessage["type"], entries: readonly RaftEntry[]): RaftMessage => ({
  type,
  to: 123_456_789_012_345,
  from: 234_567_890_123_456,
  term: 7,
  logTerm: 7,
  index: 999_999,
  entries,
  commit: 999_990,
  vote: 0,
  reject: false,
  rejectHint: 0,
  context: none,
  readPosition: 0,
  transfer: false,
  stampMs: 12_345_678.5,
  responses: [],
});
const proxied = (sessionId: number): ProxyRequest => ({
  sessionId,
  database: 0,
  protocol: 2,
  commands: Buffer.alloc(16 * 70, "c"),
  generation: 3,
  muted: false,
  closed: false,
  takenBytes: 0,
  client: null,
  waitEnd: null,
});

const frames: readonly (readonly [name: string, parts: Partial<PeerFrame>])[] = [
  ["append, no entry", { raft: [message("append", [])] }],
  ["append, entry of 100 bytes", { raft: [message("append", [entry(100)])] }],
  ["append, 800 commands (56 KB)", { raft: [message("append", [entry(800 * 70)])] }],
  ["append, 1 MiB", { raft: [message("append", [entry(1 << 20)])] }],
  ["acknowledgement", { raft: [message("appendResponse", [])] }],
  ["commands of 50 clients", { proxyRequests: Array.from({ length: 50 }, (_, i) => proxied(i + 1)) }],
];

for (const [name, parts] of frames) {
  // A received frame has memory of its own.
  const received = Buffer.from(encodePeerFrame(parts));
  const count = Math.min(FRAMES_MAX, Math.ceil(BYTES_PER_ROUND / received.length));
  const made = rounds(ROUNDS, count, () => {
    for (let i = 0; i < count; i++) encodePeerFrameParts(parts, memory);
  });
  show(`${name}: made`, made);
  const read = rounds(ROUNDS, count, () => {
    for (let i = 0; i < count; i++) if (!decodePeerFrame(received).ok) throw new Error(name);
  });
  show(`${name}: read`, read);
}
