// What somebody may do at the peer port who has not shaken hands: so many at once, for so long, with so many bytes, and not again and
// again. Members get in all the same.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, test } from "vitest";
import { HANDSHAKE_FRAME_BYTES_MAX } from "../../src/base/limits.ts";
import { TcpPeerTransport } from "../../src/io/peer-transport.ts";
import { STRANGERS_MAX, Strangers } from "../../src/io/strangers.ts";
import { freePorts } from "../ports.ts";
import { until } from "../until.ts";
import { FakeLog, FakeNode } from "./fakes.ts";

const HOST = "127.0.0.1";
const SECRET = "a secret of the members of this test";

describe("failures from one address", () => {
  const failing = (strangers: Strangers, address: string, times: number, nowMs: number): number => {
    let count = 0;
    for (; count < times && strangers.isWelcome(address, nowMs); count++) strangers.failed(address, nowMs);
    return count;
  };

  test("64 at once, then 16 a second; other addresses are welcome", () => {
    const strangers = new Strangers();
    assert.equal(failing(strangers, "a", 1000, 0), 64);
    assert.equal(strangers.isWelcome("b", 0), true);
    assert.equal(failing(strangers, "a", 1000, 1000), 16);
    assert.equal(failing(strangers, "a", 1000, 1500), 8);
    assert.equal(failing(strangers, "a", 1000, 100_000), 64);
  });

  test("no more than 1,024 addresses are remembered", () => {
    const strangers = new Strangers();
    for (let i = 0; i < 1024; i++) failing(strangers, `a${i}`, 100, 0);
    assert.equal(strangers.isWelcome("a0", 0), false);
    strangers.failed("one more", 0);
    assert.equal(strangers.isWelcome("a0", 0), true);
  });
});

interface Door {
  readonly transport: TcpPeerTransport;
  readonly log: FakeLog;
  readonly node: FakeNode;
  readonly port: number;
}

class Stranger {
  isClosed = false;
  received = 0;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, HOST);
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => {
      this.received += chunk.length;
    });
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }
}

const doors: Door[] = [];
const strangers: Stranger[] = [];

afterEach(() => {
  for (const { socket } of strangers.splice(0)) socket.destroy();
  for (const { transport } of doors.splice(0)) transport.close();
});

async function open(port: number): Promise<Door> {
  const address = `${HOST}:${port}`;
  const self = { clusterId: "", name: `n${port}`, address, clientAddress: "", clientHostname: "" };
  const log = new FakeLog();
  const node = new FakeNode();
  const settings = {
    secret: SECRET,
    sharedSettings: "",
    needsPassword: () => false,
    sharedDifferences: () => [],
    snapshotWindowBytes: 1 << 20,
    busyLimitMs: 5000,
  };
  const transport = new TcpPeerTransport({ ...self, incarnation: port }, settings, log);
  transport.attach(node);
  assert.deepEqual(await transport.listen([HOST], port), { port });
  const door = { transport, log, node, port };
  doors.push(door);
  return door;
}

async function two(): Promise<[Door, Door]> {
  const [one = 0, other = 0] = await freePorts(2);
  return [await open(one), await open(other)];
}

/** Has been greeted, so that the door knows of it. */
async function knock(port: number): Promise<Stranger> {
  const stranger = new Stranger(port);
  strangers.push(stranger);
  await until("greeted, or turned away", () => stranger.received > 0 || stranger.isClosed);
  return stranger;
}

describe("who has not shaken hands", () => {
  test("one more than there may be ends the oldest, and a member gets in", async () => {
    const [door, member] = await two();
    const all: Stranger[] = [];
    for (let i = 0; i < STRANGERS_MAX; i++) all.push(await knock(door.port));
    assert.ok(all.every(({ isClosed }) => !isClosed));
    all.push(await knock(door.port));
    await until("the oldest is ended", () => all[0]!.isClosed);
    assert.equal(all[1]!.isClosed, false);
    const link = member.transport.open(`${HOST}:${door.port}`, 0);
    await until("a member is let in", () => link.isUp);
    await until("for it the next one went", () => all[1]!.isClosed);
    assert.equal(all[STRANGERS_MAX]!.isClosed, false);
  });

  for (const [name, says, isRepeated] of [
    ["says nothing", Buffer.alloc(0), false],
    ["says half of something", Buffer.from([0, 0, 1, 0, 7]), false],
    ["keeps sending empty frames", Buffer.alloc(4), true],
  ] as const) {
    test(`one that ${name} is ended in the end`, async () => {
      const [door] = await two();
      const stranger = await knock(door.port);
      if (says.length > 0) stranger.socket.write(says);
      await until("it is ended", () => {
        if (isRepeated && !stranger.isClosed) stranger.socket.write(says);
        return stranger.isClosed;
      });
      await until("the log says so", () => door.log.lines.some((line) => line.includes("no answer")));
    });
  }

  test("one that hangs up was not refused: a busy member does so too", async () => {
    const [door] = await two();
    (await knock(door.port)).socket.end();
    await until("the log says so", () =>
      door.log.lines.includes("a peer connection ended before its handshake: it closed the connection"),
    );
    assert.ok(!door.log.lines.some((line) => line.includes("refused")));
  });

  test("a frame that is too long is not waited for", async () => {
    const [door] = await two();
    const stranger = await knock(door.port);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(HANDSHAKE_FRAME_BYTES_MAX - 3);
    stranger.socket.write(length);
    await once(stranger.socket, "close");
    const why = `a frame of ${HANDSHAKE_FRAME_BYTES_MAX + 1} bytes, ${HANDSHAKE_FRAME_BYTES_MAX} allowed`;
    await until("the log says so", () => door.log.lines.some((line) => line.includes(why)));
  });

  test("one that fails again and again is not greeted any more, and a link that is there stays", async () => {
    const [door, member] = await two();
    const link = member.transport.open(`${HOST}:${door.port}`, 0);
    await until("a member is let in", () => link.isUp);
    await until("not greeted", async () => {
      const stranger = await knock(door.port);
      const isTurnedAway = stranger.isClosed && stranger.received === 0;
      stranger.socket.end(Buffer.alloc(8, 0xff));
      await until("ended", () => stranger.isClosed);
      return isTurnedAway;
    });
    assert.equal(link.isUp, true);
    // Whoever waits is let in again.
    await until("greeted", async () => (await knock(door.port)).received > 0);
  });
});
