// Members that know the secret and say what they like, on the peer ports of real processes: no process ends, what cannot be is
// a closed connection and a line in the log, terms and memory stay where they are, and all members hold the same. HOSTILE_SEED=n
// HOSTILE_CONNECTIONS=n repeat one run; `npm run explore -- --only "hostile members"` draws others.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { UNIT_PIECE, unitHead } from "../../src/io/lane-units.ts";
import { peerKey } from "../../src/io/peer-key.ts";
import type { PeerIdentity } from "../../src/node/ports.ts";
import { makeMessage } from "../../src/raft/index.ts";
import { encodePeerFrame } from "../../src/wire/peer-frame.ts";
import { drawsOf } from "../chance.ts";
import { until } from "../until.ts";
import { HostileConnection } from "./hostile-connection.ts";
import { HostileFrames, type Knowledge, payloadOf } from "./hostile-frames.ts";
import { connect, type NodeProcess, ProcessCluster } from "./processes.ts";

const SECRET = "a secret of the members of this test";
const KEY = peerKey(SECRET);
const FLAGS = ["--cluster-secret", SECRET, "--enable-debug-command", "yes"];
const MIB = 1024 * 1024;
/** Above what a process needs for a few frames of a MiB and for what its collector leaves for later. */
const MORE_MEMORY_MAX = 256 * MIB;
/** Far above what elections and the adopted terms of the fuzzer lead to, below what is never adopted. */
const TERM_BOUND = 2 ** 21;
const FRAMES_PER_CONNECTION = 6;

/** Of RAFT.STATUS: names and values in turn. */
function fieldsOf(reply: unknown): Map<string, unknown> {
  const list = reply as unknown[];
  return new Map(list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]] as const] : [])));
}

async function statusOf(node: NodeProcess): Promise<Map<string, unknown>> {
  const client = connect(node.port);
  try {
    return fieldsOf(await client.call("RAFT.STATUS"));
  } finally {
    client.disconnect();
  }
}

/** A process that calls itself a member of the cluster and is in no table. */
const stranger = (incarnation: number): PeerIdentity => ({
  clusterId: "",
  name: "stranger",
  address: "127.0.0.1:1",
  clientAddress: "127.0.0.1:1",
  clientHostname: "",
  incarnation,
});

function memoryBytes(node: NodeProcess, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${node.child.pid}/status`, "latin1");
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
}

class Scene {
  readonly cluster: ProcessCluster;
  readonly #before: number[];

  constructor(cluster: ProcessCluster) {
    this.cluster = cluster;
    this.#before = cluster.nodes.map((node) => memoryBytes(node, "VmRSS"));
  }

  peerPort(node: NodeProcess): number {
    const at = node.args.indexOf(node.name, node.args.indexOf("--member"));
    return Number(node.args[at + 1]!.split(":")[1]);
  }

  /** @param as a name: the hostile process says that it is this member */
  async knowledge(victim: NodeProcess, as?: string): Promise<Knowledge> {
    const status = await statusOf(victim);
    const rows = (status.get("members") as unknown[]).map(fieldsOf);
    const incarnationOf = (name: string): number =>
      Number(rows.find((row) => row.get("name") === name)?.get("incarnation"));
    return {
      clusterId: String(status.get("cluster")),
      term: Number(status.get("term")),
      lastIndex: Number(status.get("last-index")),
      members: rows.map((row) => Number(row.get("incarnation"))),
      victim: Number(status.get("incarnation")),
      self: { ...stranger(as === undefined ? 4711 : incarnationOf(as)), name: as ?? "stranger" },
      isMember: as !== undefined,
    };
  }

  open(
    victim: NodeProcess,
    self: PeerIdentity,
    kind: "frames" | "snapshot" | "pulse" = "frames",
  ): Promise<HostileConnection> {
    return HostileConnection.open(this.peerPort(victim), KEY, self, kind);
  }

  /** All is as it should be, whatever was said. */
  async isWell(value: string): Promise<void> {
    const { nodes } = this.cluster;
    for (const node of nodes) assert.ok(node.isRunning, `${node.name} has ended:\n${node.output}`);
    const clients = nodes.map(({ port }) => connect(port));
    try {
      for (const [i, client] of clients.entries()) {
        await until(`${nodes[i]!.name} writes`, async () => {
          return (await client.set(`of:${i}`, value).catch(() => "")) === "OK";
        });
      }
      for (const client of clients) {
        for (const i of nodes.keys())
          await until("read", async () => (await client.get(`of:${i}`).catch(() => "")) === value);
      }
      await until("all members hold the same", async () => {
        const digests = await Promise.all(
          clients.map((client) => client.call("DEBUG", "DIGEST").catch(String)),
        );
        return new Set(digests).size === 1 && !String(digests[0]).includes("ERR");
      });
    } finally {
      for (const client of clients) client.disconnect();
    }
    for (const [i, node] of nodes.entries()) {
      const term = Number((await statusOf(node)).get("term"));
      assert.ok(term < TERM_BOUND, `${node.name} is in term ${term}`);
      const more = memoryBytes(node, "VmHWM") - this.#before[i]!;
      assert.ok(more < MORE_MEMORY_MAX, `${node.name} took ${more} bytes more`);
    }
  }
}

const commitBehindTheEnd = ({ self, victim, term }: Knowledge): Buffer =>
  encodePeerFrame({
    raft: [{ ...makeMessage("heartbeat", self.incarnation, victim, term + 1), commit: 1_000_000 }],
  });

/** What a node must end the connection for, and the reason in its log. */
const REFUSED: readonly (readonly [name: string, bytes: (known: Knowledge) => Buffer, reason: RegExp])[] = [
  [
    "a term from which no elections are left",
    (known) => append(known, { term: 2 ** 53 - 1 }),
    /leaves too few/,
  ],
  [
    "a term that no elections lead to",
    (known) => append(known, { term: known.term + 2 ** 21 }),
    /too far above/,
  ],
  ["a commit index behind the end of the log", commitBehindTheEnd, /commit 1000000 is behind the end/],
  [
    "another leader of the term",
    ({ self, victim, term }) =>
      encodePeerFrame({ raft: [makeMessage("heartbeat", self.incarnation, victim, term)] }),
    /has another leader/,
  ],
  [
    "a message in the name of another",
    ({ members, victim }) =>
      encodePeerFrame({ raft: [makeMessage("heartbeat", members.find((id) => id !== victim)!, victim, 1)] }),
    /in the name of another node/,
  ],
  [
    "a setting without a value in an entry",
    (known) => append(known, { words: ["seshat.config", "maxmemory"] }),
    /seshat.config with 1 arguments has no place/,
  ],
  ["a unit of no kind", () => unitHead(3, 1), /a unit of kind 3/],
  ["a piece that is too long", () => unitHead(UNIT_PIECE, 2 ** 20), /a piece of 1048576 bytes/],
  ["bytes taken that were never sent", () => unitHead(2, 77), /took 77 bytes/],
  [
    "a frame that is too long",
    () => Buffer.concat([unitHead(UNIT_PIECE, 4), Buffer.alloc(4, 0xff)]),
    /4294967299/,
  ],
];

interface Forged {
  readonly term?: number;
  readonly words?: readonly string[];
}

function append({ self, victim, term }: Knowledge, { term: forged, words }: Forged): Buffer {
  const message = makeMessage("append", self.incarnation, victim, forged ?? term);
  const data = words === undefined ? Buffer.alloc(0) : payloadOf(words);
  const entry = { term: 1, index: 1, type: "normal" as const, data };
  return encodePeerFrame({ raft: [{ ...message, entries: [entry] }] });
}

describe("a member that knows the secret", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = new Scene(await ProcessCluster.start(3, FLAGS));
  });
  afterAll(() => scene.cluster.stop());

  for (const [name, bytes, reason] of REFUSED) {
    test(`${name}: the connection is closed, and the log says why`, async () => {
      for (const node of scene.cluster.nodes) {
        const known = await scene.knowledge(node);
        const hostile = await scene.open(node, known.self);
        hostile.write(bytes(known));
        await hostile.closed();
        // One line a second names the peer, so the same is said again until there is room for it.
        await until(`${node.name} says why`, async () => {
          if (reason.test(node.output)) return true;
          const again = await scene.open(node, known.self);
          again.write(bytes(await scene.knowledge(node)));
          await again.closed();
          return false;
        });
      }
      await scene.isWell(name);
    });
  }

  test("one that announces a gibibyte and sends little of it costs little, and so do many", async () => {
    const announced = Buffer.concat([unitHead(UNIT_PIECE, 4), Buffer.from([0x3f, 0xff, 0xff, 0xff])]);
    const part = Buffer.alloc(MIB, 1);
    const opened: HostileConnection[] = [];
    for (const node of scene.cluster.nodes) {
      for (let i = 0; i < 4; i++) {
        const hostile = await scene.open(node, stranger(9000 + i));
        hostile.write(announced);
        hostile.writePieces(part, 64 * 1024);
        opened.push(hostile);
      }
    }
    await scene.isWell("announced");
    for (const hostile of opened) hostile.drop();
    await scene.isWell("dropped");
  });
});

test("without the check of what members say, a node ends, and these tests see it", async () => {
  const hooks = fileURLToPath(new URL("./unchecked.mjs", import.meta.url));
  const scene = new Scene(await ProcessCluster.start(3, FLAGS, () => [], ["--import", hooks]));
  try {
    const [victim, other] = scene.cluster.nodes as [NodeProcess, NodeProcess];
    // As a member: a stranger that says it leads is not listened to while the leader lives.
    const known = await scene.knowledge(victim, other.name);
    const hostile = await scene.open(victim, known.self);
    hostile.write(commitBehindTheEnd(known));
    await hostile.closed();
    await until("it has ended", () => !victim.isRunning);
    await assert.rejects(scene.isWell("unchecked"), /n1 has ended/);
  } finally {
    await scene.cluster.stop();
  }
});

describe("drawn", () => {
  for (const { seed, count, text } of drawsOf("hostile members")) {
    test(`${text}: nobody ends, and the cluster serves and is equal`, async () => {
      const scene = new Scene(await ProcessCluster.start(3, FLAGS));
      try {
        await fuzz(scene, new Xoshiro(seed), count);
        await scene.isWell(`after ${seed}`);
      } finally {
        await scene.cluster.stop();
      }
    });
  }
});

/** Connections of all kinds, one after the other, each to one of the members. */
async function fuzz(scene: Scene, random: Xoshiro, connections: number): Promise<void> {
  const { nodes } = scene.cluster;
  for (let i = 0; i < connections; i++) {
    const victim = nodes[random.below(nodes.length)]!;
    const as = random.below(3) === 0 ? nodes.find((node) => node !== victim)!.name : undefined;
    const known = await scene.knowledge(victim, as);
    const frames = new HostileFrames(random, known);
    const kind = random.below(6);
    if (kind === 0) await sendSnapshot(await scene.open(victim, known.self, "snapshot"), frames, random);
    else if (kind === 1) {
      const hostile = await scene.open(victim, known.self, "pulse");
      for (let pulse = 0; pulse < FRAMES_PER_CONNECTION; pulse++) hostile.write(frames.pulse());
      await hostile.finish();
    } else {
      const hostile = await scene.open(victim, known.self);
      for (let frame = 0; frame < FRAMES_PER_CONNECTION && !hostile.isClosed; frame++) {
        const drawn = frames.frame();
        if (random.below(3) === 0) hostile.writePieces(drawn, 1 + random.below(2000));
        else hostile.write(drawn);
      }
      if (random.below(3) === 0) hostile.write(frames.units());
      if (random.below(4) === 0) hostile.drop();
      else await hostile.finish();
    }
    for (const node of nodes) assert.ok(node.isRunning, `${node.name} has ended:\n${node.output}`);
    if (i % 20 === 19) await scene.isWell(String(i));
  }
}

async function sendSnapshot(
  hostile: HostileConnection,
  frames: HostileFrames,
  random: Xoshiro,
): Promise<void> {
  const [HEADER, CHUNK, END] = [1, 2, 3];
  const { header, chunks } = frames.snapshot();
  hostile.writeSnapshotPart(random.below(10) === 0 ? random.below(6) : HEADER, header);
  for (const chunk of chunks) hostile.writeSnapshotPart(CHUNK, chunk);
  hostile.writeSnapshotPart(END, Buffer.alloc(0));
  await hostile.finish();
}
