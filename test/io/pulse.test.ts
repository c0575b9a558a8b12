// Pulses over real sockets: the thread's part and the event loop's, both in this process.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, describe, test } from "vitest";
import { type PeerTerms, VERSIONS } from "../../src/io/peer-handshake.ts";
import { peerKey } from "../../src/io/peer-key.ts";
import { TcpPeerTransport } from "../../src/io/peer-transport.ts";
import { PulseMemory } from "../../src/io/pulse-memory.ts";
import { PulseSender } from "../../src/io/pulse-sender.ts";
import { busyBeatsMax } from "../../src/io/pulse-thread.ts";
import type { PeerIdentity } from "../../src/node/ports.ts";
import { decodePulse, encodePulse } from "../../src/wire/pulse.ts";
import { freePort } from "../ports.ts";
import { until } from "../until.ts";
import { FakeLog, FakeNode } from "./fakes.ts";

const PORT = await freePort();
const LINK = 1;
const SILENT_BEATS_MAX = 8;

const identity = (incarnation: number): PeerIdentity => ({
  clusterId: "",
  name: `n${incarnation}`,
  address: `127.0.0.1:${PORT}`,
  clientAddress: "",
  clientHostname: "",
  incarnation,
});
const SELF = 7;
const SENDER = 8;
const target = { host: "127.0.0.1", port: PORT, incarnation: SELF };
const termsOf = (secret = "", incarnation = SENDER): PeerTerms => ({
  self: identity(incarnation),
  versions: VERSIONS,
  key: peerKey(secret),
  sharedSettings: "",
  sharedDifferences: () => [],
});

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function receiver(secret = ""): Promise<{ readonly node: FakeNode; readonly log: FakeLog }> {
  const [node, log] = [new FakeNode(), new FakeLog()];
  const settings = {
    secret,
    sharedSettings: "",
    needsPassword: () => false,
    sharedDifferences: () => [],
    snapshotWindowBytes: 1 << 20,
    busyLimitMs: 5000,
  };
  const transport = new TcpPeerTransport(identity(SELF), settings, log);
  transport.attach(node);
  assert.deepEqual(await transport.listen(["127.0.0.1"], PORT), { port: PORT });
  ends.push(() => transport.close());
  return { node, log };
}

/** Between two pulses of the sender under test. */
const INTERVAL_MS = 5;

function sender(terms = termsOf()): { readonly memory: PulseMemory; readonly pulses: PulseSender } {
  const memory = new PulseMemory();
  const pulses = new PulseSender(new PulseMemory(memory.shared), INTERVAL_MS, SILENT_BEATS_MAX);
  pulses.open(LINK, target, terms);
  ends.push(() => pulses.close(LINK));
  return { memory, pulses };
}

/** Looks again and again, as the thread does, until something has arrived. */
async function untilHeard(pulses: PulseSender, node: FakeNode, pulse: string): Promise<void> {
  await until(pulse, () => {
    pulses.look();
    return node.pulses.includes(pulse);
  });
}

describe("pulses", () => {
  test("come while no turn is taken, with what was known after the last one", async () => {
    const { node } = await receiver();
    const { memory, pulses } = sender();
    memory.turned(5, SENDER);
    await untilHeard(pulses, node, `n${SENDER} term 5 leader ${SENDER}`);
    memory.turned(2 ** 40, 2 ** 50);
    await untilHeard(pulses, node, `n${SENDER} term ${2 ** 40} leader ${2 ** 50}`);
    assert.deepEqual(node.upLinks, [], "they are no links");
  });

  test("none while turns are taken, and none without a leader", async () => {
    const { node } = await receiver();
    const { memory, pulses } = sender();
    memory.turned(1, SENDER);
    await untilHeard(pulses, node, `n${SENDER} term 1 leader ${SENDER}`);
    memory.turned(2, SENDER);
    memory.due(performance.now() + 60_000);
    for (let looks = 0; looks < 10; looks++) pulses.look();
    memory.turned(3, 0);
    memory.due(performance.now() - 60_000);
    for (let looks = 0; looks < 10; looks++) pulses.look();
    // What comes on a connection comes in order: of these twenty nothing was sent.
    memory.turned(4, SENDER);
    await untilHeard(pulses, node, `n${SENDER} term 4 leader ${SENDER}`);
    assert.deepEqual(
      node.pulses.filter((pulse) => / term [23] /.test(pulse)),
      [],
    );
  });

  test("whoever looks learns when to look again: an interval after the next turn is due", () => {
    const { memory, pulses } = sender();
    memory.due(performance.now() - 60_000);
    assert.equal(pulses.look(), INTERVAL_MS, "late: with the next pulse");
    memory.due(performance.now() + 60_000);
    const looksInMs = pulses.look();
    assert.ok(looksInMs > 50_000 && looksInMs <= 60_001 + INTERVAL_MS, String(looksInMs));
    memory.due(performance.now());
    assert.ok(pulses.look() >= INTERVAL_MS);
  });

  test("the end of their connection is told, and it is dialled again; one that was replaced says nothing", async () => {
    const { node } = await receiver();
    const { memory, pulses } = sender();
    memory.turned(1, SENDER);
    await untilHeard(pulses, node, `n${SENDER} term 1 leader ${SENDER}`);
    const second = sender();
    second.memory.turned(2, SENDER);
    await untilHeard(second.pulses, node, `n${SENDER} term 2 leader ${SENDER}`);
    // The first was replaced, and in its turn replaces the second: it did not know better than to dial again.
    memory.turned(3, SENDER);
    await untilHeard(pulses, node, `n${SENDER} term 3 leader ${SENDER}`);
    assert.ok(!node.pulses.some((pulse) => pulse.includes("lost")), node.pulses.join());
    second.pulses.close(LINK);
    pulses.close(LINK);
    await until("told", () => node.pulses.some((pulse) => /lost (closed|reset)/.test(pulse)));
  });

  test("whoever has not the secret is refused, as on any peer connection", async () => {
    const { node, log } = await receiver("the secret of the cluster");
    const { memory, pulses } = sender(termsOf("another"));
    memory.turned(1, SENDER);
    await until("refused", () => {
      pulses.look();
      return log.lines.some((line) => line.includes("its cluster-secret is another one"));
    });
    assert.deepEqual(node.pulses, []);
    pulses.close(LINK);
    const known = sender(termsOf("the secret of the cluster"));
    known.memory.turned(1, SENDER);
    await untilHeard(known.pulses, node, `n${SENDER} term 1 leader ${SENDER}`);
  });

  test("a stranger who says nothing, or nonsense, is none", async () => {
    const { node } = await receiver();
    const stranger = connect(PORT, "127.0.0.1");
    stranger.on("error", () => {});
    const gone = new Promise((resolve) => stranger.once("close", resolve));
    stranger.write(encodePulse({ term: 1, leader: 1 }));
    stranger.resume();
    await gone;
    assert.deepEqual(node.pulses, []);
  });

  test("a term that is no number closes the connection", () => {
    const frame = encodePulse({ term: 2 ** 53 - 1, leader: 1 });
    assert.deepEqual(decodePulse(frame), { ok: true, value: { term: 2 ** 53 - 1, leader: 1 } });
    // One more: the varint of the term ends with the bit above.
    const beyond = Buffer.from(frame);
    for (let at = 5; at < 12; at++) beyond[at] = 0xff;
    beyond[12] = 0x7f;
    assert.equal(decodePulse(beyond).ok, false);
  });

  test("a busy peer may be silent for busy-limit, and never less than any other", () => {
    assert.equal(busyBeatsMax(5000), 12);
    assert.equal(busyBeatsMax(0), SILENT_BEATS_MAX);
  });
});
