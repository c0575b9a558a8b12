// A member that knows the secret and says what none says that follows the protocol, at the moments when that could do
// harm: snapshots that end in the same turn, and the word that somebody is no member any more.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { SnapshotReceiver, SnapshotStreamIn } from "../../src/node/ports.ts";
import { makeMessage } from "../../src/raft/index.ts";
import { encodePeerFrame } from "../../src/wire/peer-frame.ts";
import { encodeSessionState } from "../../src/wire/session-state.ts";
import { encodeSnapshotHeader } from "../../src/wire/snapshot-header.ts";
import { followerOf, type Host, hostsOf, type SimLink, started, type World } from "./world.ts";

interface Three {
  readonly world: World;
  readonly leader: Host;
  readonly victim: Host;
  readonly other: Host;
}

function three(): Three {
  const world = started(3);
  const leader = world.leader()!;
  leader.connect().send("SET", "k", "v");
  for (let i = 0; i < 20; i++) world.step();
  const victim = followerOf(world);
  const other = hostsOf(world).find((host) => host !== leader && host !== victim)!;
  return { world, leader, victim, other };
}

interface Sent {
  readonly term: number;
  readonly index: number;
  readonly confTwice?: boolean;
  /** In whose name, and to whom; else it is what it seems. */
  readonly from?: number;
  readonly to?: number;
  readonly clusterId?: string;
  /** A command that waits in it. */
  readonly waiting?: string;
}

/** A state is offered to the victim by the other follower. Undefined: it is not wanted. */
function offer({ leader, victim, other }: Three, sent: Sent): SnapshotReceiver | undefined {
  const { machine, raft } = leader.node.replica;
  const { term, index, from = other.identity.incarnation, to = victim.identity.incarnation } = sent;
  const { confState } = raft!;
  const voters = sent.confTwice === true ? [...confState.voters, ...confState.voters] : confState.voters;
  const table = leader.node.cluster.membership.table();
  const header = encodeSnapshotHeader({
    raft: {
      ...makeMessage("snapshot", from, to, term),
      snapshot: { index, term, confState: { ...confState, voters } },
    },
    table: { ...table, clusterId: sent.clusterId ?? table.clusterId },
    timeMs: machine.timeMs,
    logicalBytes: 1,
    repair: false,
  });
  const stream: SnapshotStreamIn = { remote: other.identity, pause() {}, resume() {}, destroy() {} };
  return victim.node.snapshotOffered(stream, Buffer.from(header));
}

/** All of a state but its end. */
function arriving(all: Three, sent: Sent): SnapshotReceiver {
  const { machine } = all.leader.node.replica;
  const receiver = offer(all, sent);
  assert.ok(receiver !== undefined, "it is offered");
  const metadata =
    sent.waiting === undefined
      ? machine.sessions.encode()
      : encodeSessionState({
          watches: [],
          settings: [],
          waiters: [
            {
              owner: { incarnation: all.other.identity.incarnation, session: 1, serial: 1 },
              database: 0,
              keys: [Buffer.from("l")],
              type: 1,
              evenWithoutKey: false,
              command: Buffer.from(sent.waiting),
            },
          ],
        });
  const reader = machine.store.beginSnapshot(metadata);
  for (let chunk = reader.next(1 << 20); chunk !== undefined; chunk = reader.next(1 << 20))
    receiver.chunk(Buffer.from(chunk));
  return receiver;
}

describe("snapshots that end in one turn", () => {
  for (const [name, second, isTaken] of [
    ["one of an old term", { term: 1, index: 5000 }, true],
    ["one that ends before what is committed", { term: 0, index: 1 }, true],
    ["one with members named twice", { term: 0, index: 5000, confTwice: true }, false],
  ] as const) {
    test(`${name}, behind one that is restored: the state is the first one's, and the node goes on`, () => {
      const all = three();
      const { victim, world } = all;
      const { raft, machine } = victim.node.replica;
      const term = raft!.term + 1;
      const index = raft!.lastIndex + 100;
      const first = arriving(all, { term, index });
      const then = arriving(all, { ...second, term: second.term === 0 ? term : second.term });
      assert.equal(first.ended(), true);
      assert.equal(then.ended(), isTaken);
      victim.node.turn(world.nowMs, world.wallMs, 0);
      assert.equal(victim.halted, undefined);
      assert.equal(machine.appliedIndex, index);
      assert.equal(victim.errors.length, isTaken ? 0 : 1);
    });
  }
});

describe("a snapshot that no member sends", () => {
  const later = { term: 3, index: 5000 };
  for (const [name, sent] of [
    ["in the name of another", { ...later, from: 1 }],
    ["for another", { ...later, to: 1 }],
    ["of another cluster", { ...later, clusterId: "another" }],
  ] as const) {
    test(`${name} is not wanted`, () => assert.equal(offer(three(), sent), undefined));
  }

  test("with a command that cannot wait is not taken, and the state stays what it was", () => {
    const all = three();
    const { victim, world } = all;
    const { appliedIndex } = victim.node.replica.machine;
    assert.equal(arriving(all, { ...later, waiting: "*2\r\n$3\r\nGET" }).ended(), false);
    victim.node.turn(world.nowMs, world.wallMs, 0);
    assert.equal(victim.node.replica.machine.appliedIndex, appliedIndex);
    assert.match(JSON.stringify(victim.errors), /metadata: no command at byte 0/);
    assert.equal(
      arriving(all, { ...later, waiting: "*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$1\r\n0\r\n" }).ended(),
      true,
    );
  });
});

describe("the word that a member was removed", () => {
  const removed = encodePeerFrame({
    joinReplies: [{ accepted: false, text: "gone", leader: 0, table: undefined, removed: true, lost: [] }],
  });
  const linkTo = (host: Host, other: Host, outgoing: boolean): SimLink =>
    [...host.links].find((link) => link.outgoing === outgoing && link.peer?.owner === other)!;
  const hears = ({ world, victim }: Three, link: SimLink): boolean => {
    victim.node.peerFrame(link, removed);
    for (let i = 0; i < 20; i++) world.step();
    return victim.node.cluster.isRemoved;
  };

  test("counts for nothing on a connection that others made, whoever they are", () => {
    const all = three();
    for (const sender of [all.other, all.leader])
      assert.equal(hears(all, linkTo(all.victim, sender, false)), false);
    const client = all.victim.connect();
    client.send("GET", "k");
    all.world.until("it serves", () => client.take().includes("v"));
  });

  test("counts from the leader it follows, and from no other member", () => {
    const all = three();
    assert.equal(hears(all, linkTo(all.victim, all.other, true)), false);
    assert.equal(hears(all, linkTo(all.victim, all.leader, true)), true);
  });
});
