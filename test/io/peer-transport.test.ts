// Links between real sockets: up, down and why, redialling, limits, snapshots beside them.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, describe, test, vi } from "vitest";
import { TcpPeerTransport } from "../../src/io/peer-transport.ts";
import type { LinkDown, PeerIdentity, SnapshotReceiver, SnapshotStreamIn } from "../../src/node/ports.ts";
import { encodePeerFrame } from "../../src/wire/peer-frame.ts";
import { freePort } from "../ports.ts";
import { until } from "../until.ts";
import { FakeLog, FakeNode } from "./fakes.ts";

interface Member {
  readonly node: FakeNode;
  readonly log: FakeLog;
  readonly transport: TcpPeerTransport;
  readonly address: string;
}

const members: Member[] = [];

interface Options {
  readonly port?: number;
  readonly incarnation?: number;
  readonly secret?: string;
  readonly clusterId?: string;
  readonly listens?: boolean;
  /** As its settings have it, which CONFIG SET may change. */
  needsPassword?: boolean;
}

async function start(options: Options = {}): Promise<Member> {
  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${port}`;
  const self: PeerIdentity = {
    clusterId: options.clusterId ?? "",
    name: `n${port}`,
    address,
    clientAddress: "",
    clientHostname: "",
    incarnation: options.incarnation ?? port,
  };
  const log = new FakeLog();
  const node = new FakeNode();
  const settings = {
    secret: options.secret ?? "",
    sharedSettings: "",
    needsPassword: () => options.needsPassword ?? false,
    sharedDifferences: () => [],
    snapshotWindowBytes: 1 << 20,
    busyLimitMs: 5000,
  };
  const transport = new TcpPeerTransport(self, settings, log);
  transport.attach(node);
  if (options.listens !== false) assert.deepEqual(await transport.listen(["127.0.0.1"], port), { port });
  const member = { node, log, transport, address };
  members.push(member);
  return member;
}

afterEach(() => {
  for (const { transport } of members.splice(0)) transport.close();
});

const frameOf = (text: string): Buffer =>
  encodePeerFrame({
    proxyReplies: [
      {
        sessionId: 1,
        generation: 1,
        replies: Buffer.from(text),
        completed: 1,
        notLeader: false,
        close: false,
        lastWriteIndex: 0,
        times: [],
        failures: [],
      },
    ],
  });

describe("links", () => {
  test("both ends come up, frames go both ways in order, close is told to both", async () => {
    const [a, b] = [await start(), await start({ needsPassword: true })];
    const link = a.transport.open(b.address, b.transport.self.incarnation);
    assert.deepEqual(a.node.linkNews, [], "no news from inside open()");
    assert.equal(link.send([frameOf("too early")]), false);
    await until("up", () => a.node.upLinks.length === 1 && b.node.upLinks.length === 1);
    assert.deepEqual(link.remote, { ...b.transport.self, needsPassword: true });
    const back = b.node.upLinks[0]!;
    assert.equal(back.outgoing, false);
    assert.deepEqual(back.remote, { ...a.transport.self, needsPassword: false });
    const frames = Array.from({ length: 50 }, (_, i) => frameOf(`${i}`.repeat(i * 500)));
    for (const frame of frames) {
      assert.equal(link.send([frame]), true);
      assert.equal(back.send([frame]), true);
    }
    await until("frames", () => a.node.frames.length === 50 && b.node.frames.length === 50);
    assert.deepEqual(
      b.node.frames.map(({ frame }) => frame),
      frames,
    );
    assert.deepEqual(
      a.node.frames.map(({ frame }) => frame),
      frames,
    );
    link.close();
    assert.equal(a.node.linkNews.length, 1, "no news from inside close()");
    await until("down", () => a.node.linkNews.length === 2 && b.node.linkNews.length === 2);
    assert.deepEqual(a.node.linkNews[1], `down ${link.id} local`);
    assert.match(b.node.linkNews[1] ?? "", /down \d+ (closed|reset)/);
  });

  test("a process that goes is reported at once, and dialled until it is back", async () => {
    const port = await freePort();
    const [a, b] = [await start(), await start({ port })];
    const link = a.transport.open(b.address, 0);
    await until("up", () => a.node.upLinks.length === 1);
    b.transport.close();
    await until("down", () => /^down \d+ (closed|reset)$/.test(a.node.linkNews[1] ?? ""));
    await until("refused", () => (a.node.linkNews[2] ?? "").includes("unreachable ECONNREFUSED"));
    const again = await start({ port, incarnation: 99 });
    await until("up again", () => link.isUp);
    assert.equal(link.remote?.incarnation, 99);
    assert.equal(again.node.upLinks.length, 1);
    assert.equal(a.node.linkNews.filter((news) => news.startsWith("refused")).length, 1, "told once");
    assert.ok(link.send([frameOf("x")]));
    await until("heard", () => again.node.frames.length === 1);
  });

  test("a restarted node is refused under its old incarnation", async () => {
    const [a, b] = [await start(), await start({ incarnation: 7 })];
    a.transport.open(b.address, 6);
    await until("refused", () => a.node.linkNews.length === 1);
    assert.match(a.node.linkNews[0] ?? "", /refused 1 refused incarnation 6 was expected there, 7 answered/);
    await until("logged there", () => b.log.lines.some((line) => line.includes("it says")));
    assert.deepEqual(b.node.linkNews, []);
  });

  const strangers: { name: string; a: Options; b: Options; why: RegExp }[] = [
    { name: "wrong cluster", a: { clusterId: "x" }, b: { clusterId: "y" }, why: /belongs to cluster y/ },
    { name: "wrong secret", a: { secret: "x" }, b: { secret: "y" }, why: /secret is another/ },
    { name: "missing secret", a: {}, b: { secret: "y" }, why: /it says: it has no cluster-secret/ },
  ];
  for (const { name, a, b, why } of strangers) {
    test(`${name}: refused on both sides with a reason`, async () => {
      const [one, other] = [await start(a), await start(b)];
      one.transport.open(other.address, 0);
      await until("refused", () => one.node.linkNews.length === 1);
      assert.match(one.node.linkNews[0] ?? "", why);
      await until("logged", () =>
        other.log.lines.some((line) => line.startsWith("a peer connection was refused")),
      );
      assert.deepEqual(other.node.linkNews, []);
    });
  }

  test("the right secret is let in", async () => {
    const [a, b] = [await start({ secret: "s" }), await start({ secret: "s" })];
    const link = a.transport.open(b.address, b.transport.self.incarnation);
    await until("up", () => link.isUp);
  });

  test("whoever calls is called back without waiting for the backoff", async () => {
    const a = await start();
    const port = await freePort();
    const b = await start({ port, listens: false });
    const link = a.transport.open(b.address, 0);
    await until("refused", () => a.node.linkNews.length === 1);
    assert.deepEqual(await b.transport.listen(["127.0.0.1"], port), { port });
    b.transport.open(a.address, 0);
    await until("both directions", () => link.isUp && b.node.upLinks.length === 2);
  });

  test("a link that is lost as soon as it is there is made ever more slowly", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const timers = vi.spyOn(globalThis, "setTimeout");
    const [a, b] = [await start(), await start()];
    b.node.onLinkUp = (link) => link.reject("no member says that");
    a.transport.open(b.address, 0);
    await until("five times", () => a.node.linkNews.filter((line) => line.startsWith("down")).length === 5);
    const delaysMs = timers.mock.calls.flatMap(([, ms]) => (ms !== undefined && ms >= 10 ? [ms] : []));
    vi.restoreAllMocks();
    assert.deepEqual(delaysMs.slice(0, 5), [10, 20, 40, 80, 160]);
  });

  test("a new incarnation resets every link", async () => {
    const [a, b] = [await start(), await start()];
    const link = a.transport.open(b.address, 0);
    await until("up", () => link.isUp && b.node.upLinks.length === 1);
    a.transport.update({ ...a.transport.self, clusterId: "c" });
    assert.equal(link.isUp, true);
    a.transport.update({ ...a.transport.self, incarnation: 1234 });
    await until("up again", () => b.node.upLinks.length === 2);
    assert.equal(b.node.upLinks[1]?.remote?.incarnation, 1234);
    assert.equal(b.node.upLinks[1]?.remote?.clusterId, "c");
  });

  test("garbage costs the sender its connection, and nobody else's", async () => {
    const [a, b] = [await start(), await start()];
    const link = a.transport.open(b.address, 0);
    await until("up", () => link.isUp);
    const garbage = ["GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x03abc", "\x00\x00\xff\xff", "\xff\xff\xff\xff"];
    for (const bytes of garbage) {
      const socket = connect(Number(b.address.split(":")[1]), "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      let isClosed = false;
      socket.on("close", () => {
        isClosed = true;
      });
      socket.write(bytes, "latin1");
      await until(`closed after ${JSON.stringify(bytes)}`, () => isClosed);
    }
    assert.equal(link.isUp, true);
    assert.deepEqual(b.node.linkNews.length, 1);
  });

  test("an urgent frame passes a long one, which comes whole, and is taken bit by bit", async () => {
    const [a, b] = [await start(), await start()];
    const link = a.transport.open(b.address, 0);
    await until("up", () => link.isUp && b.node.upLinks.length === 1);
    const long = frameOf("x".repeat(32 << 20));
    const behind = frameOf("behind it");
    const urgent = frameOf("urgent");
    assert.ok(link.send([long.subarray(0, 1000), long.subarray(1000)]));
    assert.ok(link.send([behind]));
    assert.ok(link.sendUrgent(urgent));
    assert.ok(link.queuedBytes > 24 << 20);
    await until("all are there", () => b.node.frames.length === 3);
    const [first, second, third] = b.node.frames.map(({ frame }) => frame);
    assert.deepEqual(first, urgent);
    assert.ok(second?.equals(long));
    assert.deepEqual(third, behind);
    await until("nearly all is said to be taken", () => link.takenBytes > 31 << 20);
    assert.equal(link.queuedBytes, 0);
  });

  test("a peer that does not read is cut off when the queue is full", async () => {
    const [a, b] = [await start(), await start()];
    const link = a.transport.open(b.address, 0);
    await until("up", () => link.isUp);
    // All in one iteration: nothing can be read meanwhile.
    const frame = frameOf("x".repeat(16 << 20));
    let sent = 0;
    while (link.send([frame])) sent++;
    assert.ok(sent >= 15 && sent <= 20, `${sent} frames were queued`);
    await until("overflow", () => a.node.linkNews.includes(`down ${link.id} overflow`));
    await until("up again", () => link.isUp);
  });
});

describe("snapshots", () => {
  const receive = (
    member: Member,
    accept: (stream: SnapshotStreamIn) => SnapshotReceiver | undefined,
  ): Buffer[] => {
    const headers: Buffer[] = [];
    member.node.onSnapshot = (stream, header) => {
      headers.push(Buffer.from(header));
      return accept(stream);
    };
    return headers;
  };

  interface Sent {
    news: string[];
    maxQueued: number;
  }
  const send = (from: Member, to: Member, chunks: readonly Buffer[]): Sent => {
    const sent: Sent = { news: [], maxQueued: 0 };
    let next = 0;
    const stream = from.transport.openSnapshot(to.address, 0, Buffer.from("header"), {
      drained() {
        while (next < chunks.length) if (!stream.write(chunks[next++]!)) return;
        stream.end();
      },
      finished: () => sent.news.push("finished"),
      failed: (how: LinkDown) => sent.news.push(`failed ${how}`),
    });
    return sent;
  };
  const chunks = Array.from({ length: 100 }, (_, i) => Buffer.alloc(200_000, i));

  test("chunks arrive in order and are confirmed; heartbeats do not wait behind them", async () => {
    const [a, b] = [await start(), await start()];
    const link = a.transport.open(b.address, 0);
    await until("up", () => link.isUp);
    const got: Buffer[] = [];
    let isPaused = false;
    const headers = receive(b, (stream) => ({
      chunk(bytes) {
        got.push(Buffer.from(bytes));
        if (got.length !== 3) return;
        isPaused = true;
        stream.pause();
        link.send([frameOf("heartbeat")]);
        void until("the frame overtakes", () => b.node.frames.length === 1).then(() => {
          isPaused = false;
          stream.resume();
        });
      },
      ended: () => true,
      failed: (how) => assert.fail(how),
    }));
    const sent = send(a, b, chunks);
    await until("finished", () => sent.news.length === 1);
    assert.deepEqual(sent.news, ["finished"]);
    assert.equal(isPaused, false);
    assert.deepEqual(headers, [Buffer.from("header")]);
    assert.equal(Buffer.compare(Buffer.concat(got), Buffer.concat(chunks)), 0);
    assert.equal(got.length, chunks.length);
  });

  test("refused by the node, or not confirmed: the sender hears of it", async () => {
    const [a, b] = [await start(), await start()];
    receive(b, () => undefined);
    const first = send(a, b, chunks);
    await until("failed", () => first.news.length === 1);
    assert.match(first.news[0] ?? "", /^failed (closed|reset)$/);
    receive(b, () => ({
      chunk() {},
      ended: () => false,
      failed: () => assert.fail("ended was the last call"),
    }));
    const second = send(a, b, chunks);
    await until("failed", () => second.news.length === 1);
    assert.match(second.news[0] ?? "", /^failed (closed|reset)$/);
  });

  test("a sender that dies in the middle is reported to the receiver", async () => {
    const [a, b] = [await start(), await start()];
    const news: string[] = [];
    receive(b, () => ({
      chunk() {
        if (news.length === 0) a.transport.close();
        news.push("chunk");
      },
      ended: () => true,
      failed: (how) => news.push(`failed ${how}`),
    }));
    send(a, b, chunks);
    await until("failed", () => /^failed (closed|reset)$/.test(news.at(-1) ?? ""));
  });

  test("nobody there: failed", async () => {
    const a = await start();
    const sent = send(a, { ...a, address: `127.0.0.1:${await freePort()}` }, chunks);
    await until("failed", () => sent.news.length === 1);
    assert.deepEqual(sent.news, ["failed unreachable"]);
  });
});

describe("listening", () => {
  test("without a secret the peer port is for loopback only", async () => {
    const a = await start({ listens: false });
    const port = await freePort();
    assert.deepEqual(await a.transport.listen(["*"], port), {
      error: `peer port *:${port}: without a cluster-secret it is open to loopback only`,
    });
  });

  test("a taken port is one line", async () => {
    const a = await start();
    const b = await start({ listens: false });
    const outcome = await b.transport.listen(["127.0.0.1"], Number(a.address.split(":")[1]));
    assert.match("error" in outcome ? outcome.error : "", /^peer port 127\.0\.0\.1:\d+: the port is taken/);
  });
});
