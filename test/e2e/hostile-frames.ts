// What a hostile member says, drawn from a seed: frames of every kind with numbers that nobody is prepared for, snapshots that
// are damaged, pulses, and units that do not fit together. Only things that a node can see to be wrong, or that do
// no harm: a member that lies within the rules can do as it likes (docs/adr/0024).

import type { Xoshiro } from "../../src/base/prng.ts";
import { UNIT_PIECE, UNIT_TAKEN, unitHead } from "../../src/io/lane-units.ts";
import { EntryCheck } from "../../src/machine/entry-check.ts";
import { raftProblem } from "../../src/node/peer-checks.ts";
import type { PeerIdentity } from "../../src/node/ports.ts";
import { type Message, type MessageType, makeMessage } from "../../src/raft/index.ts";
import { encodeCommand, redisLimits } from "../../src/resp/request-parser.ts";
import { Store } from "../../src/store/store.ts";
import { ENTRY_HEADER_BYTES, writeEntryHeader } from "../../src/wire/entry-codec.ts";
import { decodePeerFrame, encodePeerFrame, type PeerFrame } from "../../src/wire/peer-frame.ts";
import { encodePulse } from "../../src/wire/pulse.ts";
import type { RaftMessage } from "../../src/wire/raft-message.ts";
import { encodeSessionState } from "../../src/wire/session-state.ts";
import { encodeSnapshotHeader } from "../../src/wire/snapshot-header.ts";
import { mutateFrame } from "../node/mutate-frame.ts";

/** What a hostile member knows of the cluster. */
export interface Knowledge {
  readonly clusterId: string;
  readonly term: number;
  readonly lastIndex: number;
  /** Incarnations. */
  readonly members: readonly number[];
  readonly victim: number;
  readonly self: PeerIdentity;
  /** Whom the others take for a member: its answers count. */
  readonly isMember: boolean;
}

const DATABASES = 16;
/** Beyond what a member can be ahead of another, and below what a forged commit could be. */
const FAR_INDEX = 1_000_000;
const HUGE = [2 ** 31, 2 ** 32, 2 ** 40, 2 ** 52, 2 ** 53 - 1] as const;
const TYPES: readonly MessageType[] = [
  "heartbeat",
  "vote",
  "preVote",
  "timeoutNow",
  "append",
  "readIndex",
  "propose",
  "appendResponse",
  "heartbeatResponse",
  "transferLeader",
  "snapshot",
];
const check = new EntryCheck(redisLimits, DATABASES);

const pick = <T>(random: Xoshiro, list: readonly T[]): T => list[random.below(list.length)]!;

export class HostileFrames {
  readonly #random: Xoshiro;
  readonly #known: Knowledge;

  constructor(random: Xoshiro, known: Knowledge) {
    this.#random = random;
    this.#known = known;
  }

  /** A frame of a connection between members. */
  frame(): Buffer {
    for (;;) {
      const frame = encodePeerFrame(this.#parts());
      const drawn = this.#random.below(3) === 0 ? mutateFrame(frame, this.#random) : frame;
      if (!liesWithinTheRules(drawn, this.#known)) return drawn;
    }
  }

  /** Bytes of units that do not fit: what is left behind is no beginning of a unit. */
  units(): Buffer {
    const piece = (bytes: number, text: Buffer): Buffer => Buffer.concat([unitHead(UNIT_PIECE, bytes), text]);
    const length = Buffer.alloc(4);
    switch (this.#random.below(6)) {
      case 0:
        return unitHead(3, this.#random.below(1000));
      case 1:
        return unitHead(UNIT_TAKEN, 1 + this.#random.below(2 ** 29));
      case 2:
        return unitHead(UNIT_PIECE, 256 * 1024 + 1 + this.#random.below(1000));
      case 3:
        return unitHead(0, 256 * 1024 + this.#random.below(1000));
      case 4:
        length.writeUInt32BE(0xffff_ffff);
        return piece(4, length);
      default:
        // A frame of a gibibyte is announced, and a little of it comes.
        length.writeUInt32BE(2 ** 30);
        return Buffer.concat([piece(4, length), piece(65_536, Buffer.alloc(65_536, 7))]);
    }
  }

  pulse(): Buffer {
    const { members } = this.#known;
    const pulse = encodePulse({ term: this.#number(this.#known.term), leader: pick(this.#random, members) });
    return this.#random.below(2) === 0 ? pulse : mutateFrame(pulse, this.#random);
  }

  /** Header and chunks of a snapshot in which something is wrong. */
  snapshot(): { readonly header: Uint8Array; readonly chunks: readonly Buffer[] } {
    const { self, victim, members, clusterId, term } = this.#known;
    const random = this.#random;
    const store = new Store({ databases: DATABASES, hashSeed: [1, 2] });
    const metadata = encodeSessionState({
      watches: [],
      waiters: [],
      settings: [
        ["maxmemory", "no number"],
        ["no-such-setting", "1"],
      ],
    });
    const reader = store.beginSnapshot(metadata);
    const chunks: Buffer[] = [];
    for (let chunk = reader.next(1 << 20); chunk !== undefined; chunk = reader.next(1 << 20))
      chunks.push(Buffer.from(chunk));
    const isStale = random.below(2) === 0;
    if (!isStale) {
      // The state is damaged: a chunk is missing, comes twice, or has a byte changed.
      const at = random.below(chunks.length);
      const kind = random.below(3);
      if (kind === 0) chunks.splice(at, 1);
      else if (kind === 1) chunks.push(chunks[at]!);
      else chunks[at]![random.below(chunks[at]!.length)]! ^= 1 + random.below(255);
    }
    const confState = { voters: [...members], votersOutgoing: [], learners: [], learnersNext: [] };
    const index = isStale ? 1 : this.#number(this.#known.lastIndex);
    const header = encodeSnapshotHeader({
      raft: {
        ...makeMessage("snapshot", self.incarnation, victim, isStale ? term : this.#number(term)),
        snapshot: {
          index,
          term: isStale ? 1 : this.#number(term),
          confState: { ...confState, autoLeave: false },
        },
      },
      table: { clusterId, index: 1, members: [], names: [], hashSeed: "", settings: [] },
      timeMs: 1,
      logicalBytes: this.#number(1),
      repair: random.below(8) === 0,
    });
    const isTorn = random.below(6) === 0;
    return { header: isTorn ? header.subarray(0, random.below(header.length)) : header, chunks };
  }

  /** Near to `own`, or out of all proportion. */
  #number(own: number): number {
    const random = this.#random;
    if (random.below(2) === 0) return Math.max(0, own + random.below(7) - 3);
    return pick(random, [0, 1, FAR_INDEX, ...HUGE]);
  }

  /** Terms that elections lead to are few at a time, so that they cannot be told from one that ran away. */
  #term(): number {
    const { term } = this.#known;
    return pick(this.#random, [0, 1, term - 1, term, term, term + 1, ...HUGE]);
  }

  #parts(): Partial<PeerFrame> {
    const random = this.#random;
    const parts = [
      () => ({ raft: Array.from({ length: 1 + random.below(3) }, () => this.#message()) }),
      () => ({ raft: [this.#message()] }),
      () => ({ raft: [this.#append()] }),
      () => ({ raft: [this.#append()] }),
      () => this.#proxied(),
      () => this.#answers(),
      () => this.#tables(),
      () => this.#gossip(),
    ];
    return pick(random, parts)();
  }

  #message(): RaftMessage {
    const random = this.#random;
    const { self, victim, members, lastIndex, isMember } = this.#known;
    const type = pick(random, TYPES);
    const isAnswer = type === "appendResponse" || type === "heartbeatResponse";
    const far = pick(random, [FAR_INDEX, ...HUGE]);
    const index = isAnswer && isMember ? pick(random, [0, far]) : this.#number(lastIndex);
    const message: Message = {
      ...makeMessage(type, self.incarnation, victim, this.#term()),
      index,
      logTerm: this.#number(1),
      commit: pick(random, [0, far]),
      reject: random.below(2) === 0,
      rejectHint: this.#number(lastIndex),
      readPosition: this.#number(0),
      stampMs: pick(random, [0, 1, 1e300, Number.MAX_VALUE]),
      transfer: random.below(2) === 0,
      vote: pick(random, members),
    };
    return random.below(10) === 0
      ? { ...message, from: pick(random, members), to: pick(random, members) }
      : message;
  }

  /** Entries that no replica can apply, settings among them, or that do not follow each other. */
  #append(): RaftMessage {
    const random = this.#random;
    const { self, victim, term, lastIndex } = this.#known;
    const at = Math.max(0, lastIndex - random.below(3));
    const words = pick(random, [
      ["seshat.config", "maxmemory"],
      ["seshat.config"],
      ["seshat.settings", "x"],
      ["CONFIG", "SET", "maxmemory", "1"],
      ["EXEC", "1:2:3", "0", "1", "0", "x"],
      ["WATCH", "nobody", "1", "k"],
      ["seshat.digest", "99", "0", "1", "0"],
      ["seshat.try", "1:2:3", "0", "0", "x"],
      ["SHUTDOWN"],
      ["SELECT", "99"],
      ["SET", "forged"],
    ]);
    const data = payloadOf(words, pick(random, [1, Number.NaN, 1e300]));
    const isChange = random.below(4) === 0;
    const changes = Array.from({ length: 1000 }, (_, i) => ({ type: "remove" as const, id: i + 1 }));
    const confChange = { transition: "auto" as const, changes, context: Buffer.alloc(0) };
    const entry = isChange
      ? { term, index: at + 1, type: "confChangeV2" as const, data: Buffer.alloc(0), confChange }
      : { term, index: at + 1, type: "normal" as const, data };
    const message = makeMessage("append", self.incarnation, victim, this.#term());
    return { ...message, index: at, logTerm: 1, commit: this.#number(lastIndex), entries: [entry] };
  }

  #proxied(): Partial<PeerFrame> {
    const random = this.#random;
    const words = pick(random, [
      ["SHUTDOWN", "NOSAVE"],
      ["DEBUG", "SEGFAULT"],
      ["SET", "hostile", "1"],
      ["CONFIG", "SET", "maxmemory", "no"],
      // A member may change a setting: this one does no harm to those who write afterwards.
      ["seshat.config", "hash-max-listpack-entries", "1"],
      ["MONITOR"],
      ["SUBSCRIBE", "c"],
      ["MULTI"],
      ["EXEC", "1:2:3", "0", "1", "0", "x"],
      ["BLPOP", "none", "0"],
      ["QUIT"],
    ]);
    const commands = random.below(4) === 0 ? Buffer.from("*1\r\n$-9\r\n") : encodeCommand(words);
    return {
      proxyRequests: Array.from({ length: 1 + random.below(4) }, () => ({
        sessionId: this.#number(5),
        database: pick(random, [0, 0, 15, 16, 2 ** 32 - 1]),
        protocol: pick(random, [2, 3, 0, 9]),
        commands,
        generation: this.#number(1),
        muted: random.below(3) === 0,
        closed: random.below(3) === 0,
        takenBytes: this.#number(5),
        client:
          random.below(2) === 0
            ? null
            : {
                address: "x",
                noTouch: true,
                lastWriteIndex: this.#number(5),
                timesAll: true,
                reportsTaken: true,
              },
        waitEnd: random.below(4) || null,
      })),
    };
  }

  #answers(): Partial<PeerFrame> {
    const random = this.#random;
    return {
      proxyReplies: [
        {
          sessionId: this.#number(5),
          generation: this.#number(1),
          replies: Buffer.from(pick(random, ["+OK\r\n", "*9\r\n", ""])),
          completed: pick(random, [0, 1, 2 ** 32 - 1]),
          notLeader: random.below(2) === 0,
          close: random.below(2) === 0,
          lastWriteIndex: this.#number(5),
          times: [{ command: 9, inner: 9, microseconds: 1e300 }],
          failures: [{ name: "get", code: "ERR", count: 2 ** 32 - 1, rejected: true }],
        },
      ],
      freshAnswers: [{ round: this.#number(1) }],
      joinReplies: [
        {
          accepted: random.below(2) === 0,
          text: "\u0000".repeat(random.below(400)),
          leader: this.#number(1),
          table: undefined,
          removed: random.below(2) === 0,
          lost: pick(random, [[], ["n1", "n2"], ["\n"]]),
        },
      ],
    };
  }

  #tables(): Partial<PeerFrame> {
    const random = this.#random;
    const { clusterId, self } = this.#known;
    const address = pick(random, ["127.0.0.1:1", "", "[::1", "x:99999", "\n:1"]);
    const member = { ...self, name: pick(random, ["stranger", "", "a b"]), address };
    return {
      tables: [
        {
          clusterId: pick(random, [clusterId, "another", ""]),
          index: this.#number(1),
          members: Array.from({ length: pick(random, [0, 1, 2, 200]) }, () => member),
          names: [{ name: "stranger", address }],
          hashSeed: pick(random, ["", "zz", "0123456789abcdef"]),
          settings: [["maxmemory", "x".repeat(random.below(3000))]],
        },
      ],
      joinRequests: [{ node: member, voter: random.below(2) === 0 }],
    };
  }

  #gossip(): Partial<PeerFrame> {
    const random = this.#random;
    return {
      subscriptionCounts: [
        {
          counts: Array.from({ length: random.below(2000) }, (_, i) => ({
            kind: pick(random, ["channel", "pattern", "shard"] as const),
            name: Buffer.from(`c${i}`),
            count: pick(random, [0, 1, 2 ** 32 - 1]),
          })),
        },
      ],
      stateDigests: [{ index: this.#number(5), text: "0123456789abcdef", differs: random.below(2) === 0 }],
      stateRequests: [{}],
      freshQuestions: [{ round: this.#number(1) }],
    };
  }
}

/** An entry's payload with one command. */
export function payloadOf(words: readonly string[], timeMs = 1): Buffer {
  const command = encodeCommand(words);
  const payload = Buffer.concat([Buffer.alloc(ENTRY_HEADER_BYTES), command]);
  writeEntryHeader(payload, 0, timeMs, 0, command.length, 0, 0);
  return payload;
}

/** Whether a mutation made something of it that a node must take for true, and that would spoil the comparison of states. */
function liesWithinTheRules(frame: Buffer, { term, isMember }: Knowledge): boolean {
  const decoded = decodePeerFrame(frame);
  if (!decoded.ok) return false;
  return decoded.value.raft.some((message) => {
    const { type, commit, entries, index } = message;
    if (raftProblem(message, check) !== undefined || message.term < term) return false;
    const isAnswer = type === "appendResponse" || type === "voteResponse" || type === "preVoteResponse";
    if (isMember && isAnswer && index > 0 && index < FAR_INDEX) return true;
    if (isMember && (type === "voteResponse" || type === "preVoteResponse")) return true;
    if (type === "heartbeat") return commit > 0 && commit < FAR_INDEX;
    return type === "append" && (entries.length > 0 || (commit > 0 && index > 0 && index < FAR_INDEX));
  });
}
