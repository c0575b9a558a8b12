// Framing at every cut, and who may talk to whom.

import assert from "node:assert/strict";
import { createHmac, scryptSync } from "node:crypto";
import { describe, test } from "vitest";
import { connectionBackoffMs } from "../../src/io/backoff.ts";
import { FrameReader } from "../../src/io/frame-reader.ts";
import {
  AcceptorHandshake,
  DiallerHandshake,
  type PeerTerms,
  VERSIONS,
  type Verdict,
} from "../../src/io/peer-handshake.ts";
import { peerKey } from "../../src/io/peer-key.ts";
import { decodeHandshake, encodeHandshake } from "../../src/wire/handshake.ts";

const frameOf = (body: string): Buffer => {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length, 0);
  frame.write(body, 4, "latin1");
  return frame;
};

describe("frame reader", () => {
  const frames = [frameOf("a"), frameOf("hello"), frameOf("x".repeat(300)), frameOf("end")];
  const stream = Buffer.concat([
    frames[0]!,
    Buffer.alloc(4),
    frames[1]!,
    frames[2]!,
    Buffer.alloc(4),
    frames[3]!,
  ]);

  const read = (chunks: Buffer[]): Buffer[] => {
    const got: Buffer[] = [];
    const reader = new FrameReader(1000, (frame) => got.push(frame));
    for (const chunk of chunks) assert.equal(reader.push(chunk, 0, chunk.length), undefined);
    return got;
  };

  test("whole, byte by byte, and at every cut", () => {
    assert.deepEqual(read([stream]), frames);
    assert.deepEqual(read([...stream].map((byte) => Buffer.from([byte]))), frames);
    for (let cut = 1; cut < stream.length; cut++) {
      assert.deepEqual(read([stream.subarray(0, cut), stream.subarray(cut)]), frames, `cut at ${cut}`);
    }
  });

  test("each frame has memory of its own", () => {
    const shared = Buffer.from(stream);
    const got: Buffer[] = [];
    new FrameReader(1000, (frame) => got.push(frame)).push(shared, 0, shared.length);
    shared.fill(0);
    assert.deepEqual(got, frames);
    for (const frame of got) assert.equal(frame.buffer.byteLength, frame.length);
  });

  test("the limit holds before anything is allocated", () => {
    const reader = new FrameReader(1000, () => assert.fail("no frame"));
    const prefix = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    assert.match(reader.push(prefix, 0, 4) ?? "", /4294967299 bytes, 1000 allowed/);
  });

  test("stopped, it delivers nothing of the chunk in hand", () => {
    const got: Buffer[] = [];
    const reader: FrameReader = new FrameReader(1000, (frame) => {
      got.push(frame);
      reader.stop();
    });
    reader.push(stream, 0, stream.length);
    assert.equal(got.length, 1);
  });
});

interface Terms extends Partial<PeerTerms> {
  readonly clusterId?: string;
  readonly secret?: string;
}

const terms = (incarnation: number, more: Terms = {}): PeerTerms => ({
  self: {
    clusterId: more.clusterId ?? "",
    name: `n${incarnation}`,
    address: `127.0.0.1:${incarnation}`,
    clientAddress: "",
    clientHostname: "",
    incarnation,
  },
  versions: more.versions ?? VERSIONS,
  // The slow derivation has a test of its own.
  key: more.secret === undefined ? undefined : Buffer.from(more.secret),
  sharedSettings: more.sharedSettings ?? "databases 16",
  sharedDifferences: () => ["databases"],
});

interface Outcome {
  readonly dialler: Verdict | undefined;
  readonly acceptor: Verdict | undefined;
}

/** Lets the two talk until nobody has anything to say. `tamper` sees each frame on its way. */
function talk(
  diallerTerms: PeerTerms,
  acceptorTerms: PeerTerms,
  expected = 0,
  tamper: (frame: Buffer, toAcceptor: boolean) => Buffer = (frame) => frame,
): Outcome {
  const dialler = new DiallerHandshake(diallerTerms, "frames", expected);
  const acceptor = new AcceptorHandshake(acceptorTerms);
  let outcome: Outcome = { dialler: undefined, acceptor: undefined };
  const queue: { frame: Buffer; toAcceptor: boolean }[] = [{ frame: acceptor.first, toAcceptor: false }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { toAcceptor } = next;
    const side = toAcceptor ? "acceptor" : "dialler";
    if (outcome[side]?.kind === "refused") continue;
    const frame = tamper(next.frame, toAcceptor);
    const verdict = toAcceptor ? acceptor.receive(frame) : dialler.receive(frame);
    if (verdict.kind !== "continue") outcome = { ...outcome, [side]: verdict };
    for (const answer of verdict.send) queue.push({ frame: answer, toAcceptor: !toAcceptor });
  }
  return outcome;
}

describe("handshake", () => {
  const good = [
    { name: "without a secret", a: terms(1), b: terms(2), expected: 0 },
    { name: "with the same secret", a: terms(1, { secret: "s" }), b: terms(2, { secret: "s" }), expected: 2 },
    { name: "a fresh node and a member", a: terms(1), b: terms(2, { clusterId: "c" }), expected: 2 },
    { name: "two members", a: terms(1, { clusterId: "c" }), b: terms(2, { clusterId: "c" }), expected: 2 },
  ];
  for (const { name, a, b, expected } of good) {
    test(`${name}: both know the other`, () => {
      const { dialler, acceptor } = talk(a, b, expected);
      assert.ok(dialler?.kind === "done" && acceptor?.kind === "done");
      assert.deepEqual(dialler.remote, b.self);
      assert.deepEqual(acceptor.remote, a.self);
    });
  }

  const c1 = { clusterId: "c1" };
  const c2 = { clusterId: "c2" };
  const bad = [
    { name: "another cluster", a: terms(1, c1), b: terms(2, c2), expected: 0, why: /cluster c2/ },
    { name: "another incarnation", a: terms(1), b: terms(2), expected: 3, why: /incarnation 3 was expected/ },
    { name: "itself", a: terms(1), b: terms(1), expected: 0, why: /this node itself/ },
    { name: "no incarnation", a: terms(1), b: terms(0), expected: 0, why: /no incarnation/ },
    {
      name: "other settings",
      a: terms(1),
      b: terms(2, { sharedSettings: "databases 17" }),
      expected: 0,
      why: /differ: databases/,
    },
  ];
  for (const { name, a, b, expected, why } of bad) {
    test(`${name}: refused, and both know why`, () => {
      const { dialler, acceptor } = talk(a, b, expected);
      assert.ok(dialler?.kind === "refused", JSON.stringify(dialler));
      assert.match(dialler.text, why);
      assert.ok(acceptor?.kind === "refused");
      assert.match(acceptor.text, /it says: /);
    });
  }

  // Here the acceptor finds out, and says so in one sentence: only it has heard a proof.
  const badSecrets = [
    {
      name: "another secret",
      a: { secret: "a" },
      b: { secret: "b" },
      why: "its cluster-secret is another one",
    },
    { name: "none here", a: {}, b: { secret: "b" }, why: "it has no cluster-secret" },
    { name: "none there", a: { secret: "a" }, b: {}, why: "it has a cluster-secret, this node has none" },
  ];
  for (const { name, a, b, why } of badSecrets) {
    test(`${name}: refused, and both know why`, () => {
      const { dialler, acceptor } = talk(terms(1, a), terms(2, b));
      assert.ok(dialler?.kind === "refused" && acceptor?.kind === "refused");
      assert.deepEqual([acceptor.text, dialler.text], [why, `it says: ${why}`]);
    });
  }

  test("a dialler that skips its own checks is refused by the acceptor", () => {
    for (const { a, b, expected } of bad.slice(0, 2)) {
      // The dialler sees a welcome that suits it; without secrets nothing binds it to what was sent.
      const welcome = encodeHandshake({
        step: "welcome",
        version: 1,
        self: { ...a.self, incarnation: expected || 9, sharedSettings: a.sharedSettings },
      });
      const { acceptor } = talk(a, b, expected, (frame, toAcceptor) =>
        !toAcceptor && frame[4] === welcome[4] ? welcome : frame,
      );
      assert.ok(acceptor?.kind === "refused", JSON.stringify(acceptor));
    }
  });

  test("with a secret, any byte changed on the way is noticed", () => {
    const a = terms(1, { secret: "s" });
    const b = terms(2, { secret: "s" });
    for (let message = 0; message < 7; message++) {
      let length = 0;
      for (let at = 4; length === 0 || at < length; at++) {
        let count = 0;
        const outcome = talk(a, b, 2, (frame) => {
          if (count++ !== message) return frame;
          length = frame.length;
          const spoilt = Buffer.from(frame);
          spoilt[at] = (spoilt[at] ?? 0) ^ 1;
          return spoilt;
        });
        const isDone = outcome.dialler?.kind === "done" && outcome.acceptor?.kind === "done";
        assert.equal(isDone, false, `message ${message}, byte ${at}`);
      }
    }
  });

  test("before the dialler's proof the acceptor says nothing of itself, and proves nothing", () => {
    const b = terms(2, { secret: "s", clusterId: "the-cluster" });
    const heard: Buffer[] = [];
    talk(terms(1, { secret: "guess" }), b, 0, (frame, toAcceptor) => {
      if (!toAcceptor) heard.push(frame);
      return frame;
    });
    const steps = heard.map((frame) => {
      const message = decodeHandshake(frame.subarray(4));
      return message.ok && message.value.step === "refused"
        ? message.value.text
        : message.ok && message.value.step;
    });
    assert.deepEqual(steps, ["challenge", "its cluster-secret is another one"]);
    assert.equal(heard[0]?.length, 4 + 6 + 2 + 32, "a nonce and its framing");
    for (const word of ["the-cluster", "n2", "127.0.0.1"]) {
      assert.equal(Buffer.concat(heard).includes(word), false, word);
    }
  });

  test("before the acceptor's proof the dialler says nothing of itself", () => {
    const a = terms(1, { secret: "s", clusterId: "the-cluster" });
    const said: Buffer[] = [];
    const welcome = encodeHandshake({ step: "welcome", version: 1, self: { ...a.self, sharedSettings: "" } });
    const { dialler } = talk(a, terms(2), 7, (frame, toAcceptor) => {
      if (toAcceptor) said.push(frame);
      // Nobody who lacks the secret gets further; this one says welcome anyway.
      return !toAcceptor && frame[4] === 0x2a ? welcome : frame;
    });
    const acceptorProof = encodeHandshake({ step: "proof", proof: Buffer.alloc(32) });
    const alone = new DiallerHandshake(a, "frames", 7);
    const challenge = encodeHandshake({ step: "challenge", nonce: Buffer.alloc(32) });
    said.push(...alone.receive(challenge).send);
    said.push(...alone.receive(welcome).send);
    const verdict = alone.receive(acceptorProof);
    assert.ok(verdict.kind === "refused");
    assert.equal(verdict.text, "its cluster-secret is another one");
    said.push(...verdict.send);
    assert.equal(dialler, undefined, "it waits for a proof");
    for (const word of ["the-cluster", "n1", "127.0.0.1"]) {
      assert.equal(Buffer.concat(said).includes(word), false, word);
    }
  });

  test("a dialler's proof is worth nothing on another connection, of another kind, or in another role", () => {
    const b = terms(2, { secret: "s" });
    const member = new DiallerHandshake(terms(1, { secret: "s" }), "frames", 0);
    const first = new AcceptorHandshake(b);
    const [hello, proof] = member.receive(first.first).send;
    assert.ok(hello !== undefined && proof !== undefined);
    const refusal = (acceptor: AcceptorHandshake, hello: Buffer): string => {
      assert.equal(acceptor.receive(hello).kind, "continue");
      const verdict = acceptor.receive(proof);
      return verdict.kind === "refused" ? verdict.text : verdict.kind;
    };
    assert.equal(refusal(new AcceptorHandshake(b), hello), "its cluster-secret is another one", "replayed");
    const message = decodeHandshake(hello.subarray(4));
    assert.ok(message.ok && message.value.step === "hello");
    const snapshot = encodeHandshake({ ...message.value, kind: "snapshot" });
    assert.equal(refusal(first, snapshot), "its cluster-secret is another one", "of another kind");
    // Back to the member that made it, as though it were an acceptor's.
    const welcome = encodeHandshake({
      step: "welcome",
      version: 1,
      self: { ...b.self, sharedSettings: b.sharedSettings },
    });
    assert.equal(member.receive(welcome).kind, "continue");
    const reflected = member.receive(proof);
    assert.equal(reflected.kind === "refused" && reflected.text, "its cluster-secret is another one");
  });

  test("a proof is of its role, and of all that was said, each behind its length", () => {
    const a = terms(1, { secret: "s" });
    const acceptor = new AcceptorHandshake(a);
    const [hello, proof] = new DiallerHandshake(a, "pulse", 0).receive(acceptor.first).send;
    assert.ok(hello !== undefined && proof !== undefined);
    // A frame is a length and a body.
    const said = Buffer.concat([acceptor.first, hello]);
    const expected = createHmac("sha256", a.key!).update("dialler").update(said).digest();
    const message = decodeHandshake(proof.subarray(4));
    assert.deepEqual(message.ok && message.value, { step: "proof", proof: expected });
  });

  test("every connection has nonces of its own", () => {
    const nonces = new Set<string>();
    const a = terms(1, { secret: "s" });
    for (let i = 0; i < 10; i++) {
      const acceptor = new AcceptorHandshake(a);
      nonces.add(acceptor.first.toString("hex"));
      for (const frame of new DiallerHandshake(a, "frames", 0).receive(acceptor.first).send) {
        nonces.add(frame.toString("hex"));
      }
    }
    assert.equal(nonces.size, 30);
  });

  test("garbage and wrong order are refused", () => {
    const proof = encodeHandshake({ step: "proof", proof: Buffer.alloc(0) });
    const accepted = encodeHandshake({ step: "accepted" });
    for (const frame of [proof, accepted, frameOf("garbage"), frameOf("\x0a\xff")]) {
      assert.equal(new AcceptorHandshake(terms(2)).receive(frame).kind, "refused");
      assert.equal(new DiallerHandshake(terms(2), "frames", 0).receive(frame).kind, "refused");
    }
  });

  // Least and most that the dialler speaks, and the acceptor; the one they agree on.
  const negotiations = [
    [1, 1, 1, 1, 1],
    [1, 2, 1, 1, 1],
    [1, 1, 1, 2, 1],
    [1, 3, 2, 4, 3],
    [2, 4, 1, 3, 3],
    [2, 3, 3, 4, 3],
  ] as const;
  for (const [leastA, mostA, leastB, mostB, version] of negotiations) {
    test(`${leastA} to ${mostA} and ${leastB} to ${mostB} speak version ${version}`, () => {
      const a = terms(1, { secret: "s", versions: { least: leastA, most: mostA } });
      const b = terms(2, { secret: "s", versions: { least: leastB, most: mostB } });
      const { dialler, acceptor } = talk(a, b);
      assert.ok(dialler?.kind === "done" && acceptor?.kind === "done", JSON.stringify(dialler));
      assert.deepEqual([dialler.version, acceptor.version], [version, version]);
    });
  }

  test("too far apart: refused before anything else, both ways, with what to do", () => {
    const older = terms(1, { versions: { least: 1, most: 1 } });
    const newer = terms(2, { versions: { least: 2, most: 3 } });
    for (const [a, b] of [
      [older, newer],
      [newer, older],
    ] as const) {
      const { dialler, acceptor } = talk(a, b);
      assert.ok(dialler?.kind === "refused" && acceptor?.kind === "refused");
      const [theirs, ours] =
        a === older ? ["version 1", "versions 2 to 3"] : ["versions 2 to 3", "version 1"];
      const text = `it speaks ${theirs} of the peer protocol, this node ${ours}: upgrade through a release that speaks both`;
      assert.equal(acceptor.text, text);
      assert.equal(dialler.text, `it says: ${text}`);
    }
  });

  test("a version that was not offered is refused by the dialler", () => {
    const a = terms(1);
    const self = { ...terms(2).self, sharedSettings: a.sharedSettings };
    const welcome = encodeHandshake({ step: "welcome", version: 2, self });
    const { dialler } = talk(a, terms(2), 0, (frame, toAcceptor) =>
      !toAcceptor && frame[4] === welcome[4] ? welcome : frame,
    );
    assert.ok(dialler?.kind === "refused");
    assert.match(dialler.text, /^it speaks version 2 of the peer protocol, this node version 1/);
  });
});

test("the key of a secret is made the same way everywhere, and there is none without one", () => {
  assert.equal(peerKey(""), undefined);
  const expected = scryptSync("caf\u00e9", "seshat peer protocol", 32, {
    N: 32768,
    r: 8,
    p: 1,
    maxmem: 1 << 26,
  });
  assert.deepEqual(peerKey("caf\u00e9"), expected);
});

test("backoff starts short, doubles, is bounded and spread", () => {
  assert.equal(connectionBackoffMs(0, 0), 10);
  assert.equal(connectionBackoffMs(0, 0.999_999_999).toFixed(1), "20.0");
  assert.equal(connectionBackoffMs(3, 0), 80);
  assert.equal(connectionBackoffMs(1000, 0), 500);
});
