// Deliveries (docs/adr/0021): a leader to whom everybody answers, and to whom nothing gets through, gives way; one whose
// large append arrives bit by bit stays, and does not send it again.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { Message } from "../../src/raft/index.ts";
import { Network } from "./harness/network.ts";

const STALL_TICKS = 50;
const LARGE = new Uint8Array(512 * 1024);

function cluster(changes: object = {}): Network {
  const network = Network.of(3, {
    config: { checkQuorum: true, preVote: true, stallTicks: STALL_TICKS, ...changes },
  });
  network.setNow(1000);
  network.campaign(1);
  return network;
}

/** Appends with entries do not arrive; everything else does. Returns those that were sent. */
function cutBulk(network: Network): Message[] {
  const held: Message[] = [];
  network.hold = (m) => m.type === "append" && m.entries.length > 0 && held.push(m) > 0;
  return held;
}

describe("a leader with something to agree on", () => {
  test("steps down when nobody gets anything of it, although all answer", () => {
    const network = cluster();
    const { core } = network.at(1);
    cutBulk(network);
    core.propose(LARGE);
    for (let i = 0; i < STALL_TICKS - 1; i++) network.tick(1);
    assert.equal(core.role, "leader");
    for (let i = 0; i < 2; i++) network.tick(1);
    assert.equal(core.role, "follower");
  });

  test("stays while one of two receives bytes", () => {
    const network = cluster();
    const { core } = network.at(1);
    const held = cutBulk(network);
    core.propose(LARGE);
    for (let i = 0; i < 5 * STALL_TICKS; i++) {
      if (i % (STALL_TICKS - 5) === 0) core.reportDelivery(2);
      network.tick(1);
    }
    assert.equal(core.role, "leader");
    network.recover();
    network.settle(...held);
    assert.equal(core.commit, core.lastIndex);
  });

  test("steps down when the one that received bytes has stopped", () => {
    const network = cluster();
    const { core } = network.at(1);
    cutBulk(network);
    core.propose(LARGE);
    for (let i = 0; i < 2 * STALL_TICKS; i++) {
      core.reportDelivery(2);
      network.tick(1);
    }
    assert.equal(core.role, "leader");
    for (let i = 0; i <= STALL_TICKS; i++) network.tick(1);
    assert.equal(core.role, "follower");
  });

  test("stays while it has nothing to agree on, however long, and with one member that is lost", () => {
    const network = cluster();
    const { core } = network.at(1);
    network.isolate(3);
    for (let i = 0; i < 5 * STALL_TICKS; i++) {
      if (i % 7 === 0) core.propose(new Uint8Array(10));
      network.tick(1);
    }
    for (let i = 0; i < 5 * STALL_TICKS; i++) network.tick(1);
    assert.equal(core.role, "leader");
    assert.equal(core.commit, core.lastIndex);
  });
});

describe("a large append that probes", () => {
  /** A probing member whose probe carries the payload, held on its way. */
  function probing(payload: Uint8Array): { network: Network; held: Message[] } {
    const network = cluster({ stallTicks: 0 });
    const { core } = network.at(1);
    const held = cutBulk(network);
    core.reportUnreachable(2);
    core.reportUnreachable(3);
    core.propose(payload);
    network.settle();
    return { network, held };
  }
  const sentTo = (held: readonly Message[], member: number): number =>
    held.filter(({ to }) => to === member).length;

  test("is sent once while it arrives, and again when its delivery has stopped", () => {
    const { network, held } = probing(LARGE);
    const { core } = network.at(1);
    assert.equal(sentTo(held, 2), 1);
    for (let i = 0; i < 40; i++) {
      core.reportDelivery(2);
      network.tick(1);
    }
    assert.equal(sentTo(held, 2), 1);
    for (let i = 0; i < 40; i++) network.tick(1);
    assert.ok(sentTo(held, 2) >= 2, `${sentTo(held, 2)} times`);
  });

  test("a small one is sent with each answer to a heartbeat", () => {
    const { network, held } = probing(new Uint8Array(10));
    for (let i = 0; i < 5; i++) network.tick(1);
    assert.ok(sentTo(held, 2) >= 4, `${sentTo(held, 2)} times`);
  });
});
