// How two nodes find out whether they belong together. Bodies of handshake frames in, frames to send and a verdict
// out; no socket, no timer.
//
//   dialler                                       acceptor
//          <── challenge: a nonce
//   hello: versions, what for, a nonce ──>
//   proof "dialler" ──>
//          <── welcome: who I am
//          <── proof "acceptor"
//   introduction: who I am, whom I want ──>
//   proof "introduction" ──>
//          <── accepted; from here on frames, both ways
//
// Either may answer "refused" with a reason instead. A proof is an HMAC over its label and all messages so far, byte by
// byte; without a secret proofs are empty. Before the dialler's proof the acceptor says nothing of itself. Why so, and
// why no proof can be used elsewhere: docs/adr/0024. What follows the handshake is not encrypted: that is TLS's or the network's business.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { memberProblem, printable } from "../node/peer-checks.ts";
import type { PeerIdentity } from "../node/ports.ts";
import { FRAME_PREFIX_BYTES } from "../wire/frame-writer.ts";
import {
  type ConnectionKind,
  decodeHandshake,
  encodeHandshake,
  type HandshakeIdentity,
  type Hello,
  type Introduction,
  type VersionRange,
  type Welcome,
} from "../wire/handshake.ts";

/** Of the peer protocol: what this node speaks (docs/adr/0018). */
export const VERSIONS: VersionRange = { least: 1, most: 1 };
const NONCE_BYTES = 32;

/** What is the same for all connections of a node. */
export interface PeerTerms {
  readonly self: PeerIdentity;
  readonly versions: VersionRange;
  /** Made from the cluster secret (io/peer-key); undefined = there is none. */
  readonly key: Buffer | undefined;
  /** Settings that must be equal on all nodes. */
  readonly sharedSettings: string;
  /** Names of those in which another node's text differs; some matter only between nodes that may found a cluster. */
  sharedDifferences(theirs: string, founding: boolean): readonly string[];
}

export type Verdict =
  | { readonly kind: "continue"; readonly send: readonly Buffer[] }
  | {
      readonly kind: "done";
      readonly send: readonly Buffer[];
      readonly remote: PeerIdentity;
      /** The version of the peer protocol that both speak from here on: for what depends on it, once there are two. */
      readonly version: number;
    }
  /** `send` tells the other side; empty when it was the one that refused. */
  | { readonly kind: "refused"; readonly send: readonly Buffer[]; readonly text: string };

const bodyOf = (frame: Buffer): Buffer => frame.subarray(FRAME_PREFIX_BYTES);

const refuse = (text: string): Verdict => ({
  kind: "refused",
  text,
  send: [encodeHandshake({ step: "refused", text })],
});

const refusedByThem = (text: string): Verdict => ({
  kind: "refused",
  text: `it says: ${printable(text)}`,
  send: [],
});

function identityOf(terms: PeerTerms): HandshakeIdentity {
  return { ...terms.self, sharedSettings: terms.sharedSettings };
}

type ProofLabel = "dialler" | "acceptor" | "introduction";

/** Over the bodies of the messages so far, proofs left out. */
function proofOf(key: Buffer | undefined, label: ProofLabel, messages: readonly Buffer[]): Buffer {
  if (key === undefined) return Buffer.alloc(0);
  const hmac = createHmac("sha256", key).update(label);
  const length = Buffer.alloc(4);
  for (const message of messages) {
    length.writeUInt32BE(message.length);
    hmac.update(length).update(message);
  }
  return hmac.digest();
}

function proofProblem(expected: Buffer, proof: Uint8Array): string | undefined {
  if (expected.length === 0 && proof.length === 0) return undefined;
  if (expected.length === 0) return "it has a cluster-secret, this node has none";
  if (proof.length === 0) return "it has no cluster-secret";
  const isEqual = proof.length === expected.length && timingSafeEqual(expected, proof);
  return isEqual ? undefined : "its cluster-secret is another one";
}

/** Why the two may not talk, from the point of view of `terms.self`; undefined if they may. */
export function mismatch(
  terms: Omit<PeerTerms, "key" | "versions">,
  theirs: HandshakeIdentity,
): string | undefined {
  const { self } = terms;
  const problem = memberProblem(theirs);
  if (problem !== undefined) return problem;
  if (theirs.incarnation === self.incarnation) return "it is this node itself";
  if (theirs.clusterId !== "" && self.clusterId !== "" && theirs.clusterId !== self.clusterId) {
    return (
      `it belongs to cluster ${printable(theirs.clusterId)}, this node to ${self.clusterId}: after a recovery, ` +
      "restart the nodes that should join the recovered one"
    );
  }
  if (theirs.sharedSettings === terms.sharedSettings) return undefined;
  const founding = theirs.clusterId === "" && self.clusterId === "";
  const names = terms.sharedDifferences(theirs.sharedSettings, founding);
  if (names.length === 0) return undefined;
  return `settings that must be the same on all nodes differ: ${printable(names.join(", "))}`;
}

function remoteOf(theirs: HandshakeIdentity): PeerIdentity {
  const { sharedSettings: _, ...remote } = theirs;
  return remote;
}

/** The side that connected. It waits to be challenged. */
export class DiallerHandshake {
  readonly first = undefined;
  readonly #terms: PeerTerms;
  readonly #kind: ConnectionKind;
  readonly #expectedIncarnation: number;
  /** Bodies of both sides' messages, proofs left out. */
  readonly #messages: Buffer[] = [];
  #welcome: Welcome | undefined;
  #remote: PeerIdentity | undefined;
  #version = 0;

  constructor(terms: PeerTerms, kind: ConnectionKind, expectedIncarnation: number) {
    this.#terms = terms;
    this.#kind = kind;
    this.#expectedIncarnation = expectedIncarnation;
  }

  receive(frame: Buffer): Verdict {
    const body = bodyOf(frame);
    const message = decodeHandshake(body);
    if (!message.ok) return refuse(`not a handshake: ${message.text}`);
    const { value } = message;
    if (value.step === "refused") return refusedByThem(value.text);
    if (value.step === "challenge" && this.#messages.length === 0) return this.#greet(value.nonce, body);
    if (value.step === "welcome" && this.#messages.length > 0 && this.#welcome === undefined) {
      this.#welcome = value;
      this.#messages.push(body);
      return { kind: "continue", send: [] };
    }
    if (value.step === "proof" && this.#welcome !== undefined && this.#remote === undefined) {
      return this.#check(this.#welcome, value.proof);
    }
    if (value.step === "accepted" && this.#remote !== undefined) {
      return { kind: "done", send: [], remote: this.#remote, version: this.#version };
    }
    return refuse(`${value.step} is out of order`);
  }

  #greet(nonce: Uint8Array, challenge: Buffer): Verdict {
    if (nonce.length !== NONCE_BYTES) return refuse("its nonce has the wrong length");
    this.#messages.push(challenge);
    const { versions } = this.#terms;
    const hello = { step: "hello", versions, kind: this.#kind, nonce: randomBytes(NONCE_BYTES) } as const;
    return { kind: "continue", send: this.#withProof(encodeHandshake(hello), "dialler") };
  }

  #check(welcome: Welcome, proof: Uint8Array): Verdict {
    const problem =
      proofProblem(proofOf(this.#terms.key, "acceptor", this.#messages), proof) ??
      this.#versionProblem(welcome.version) ??
      this.#incarnationProblem(welcome.self.incarnation) ??
      mismatch(this.#terms, welcome.self);
    if (problem !== undefined) return refuse(problem);
    this.#remote = remoteOf(welcome.self);
    this.#version = welcome.version;
    const introduction = encodeHandshake({
      step: "introduction",
      self: identityOf(this.#terms),
      expectedIncarnation: this.#expectedIncarnation,
    });
    return { kind: "continue", send: this.#withProof(introduction, "introduction") };
  }

  #withProof(message: Buffer, label: ProofLabel): Buffer[] {
    this.#messages.push(bodyOf(message));
    const proof = proofOf(this.#terms.key, label, this.#messages);
    return [message, encodeHandshake({ step: "proof", proof })];
  }

  #versionProblem(version: number): string | undefined {
    const { least, most } = this.#terms.versions;
    return version >= least && version <= most
      ? undefined
      : tooFar({ least: version, most: version }, this.#terms.versions);
  }

  #incarnationProblem(incarnation: number): string | undefined {
    const expected = this.#expectedIncarnation;
    if (expected === 0 || expected === incarnation) return undefined;
    return `incarnation ${expected} was expected there, ${incarnation} answered: it has been restarted`;
  }
}

/** The latest version that both speak; undefined if there is none. */
function commonVersion(a: VersionRange, b: VersionRange): number | undefined {
  const version = Math.min(a.most, b.most);
  return version >= Math.max(a.least, b.least) ? version : undefined;
}

const rangeText = ({ least, most }: VersionRange): string =>
  least === most ? `version ${most}` : `versions ${least} to ${most}`;

const tooFar = (theirs: VersionRange, ours: VersionRange): string =>
  `it speaks ${rangeText(theirs)} of the peer protocol, this node ${rangeText(ours)}: upgrade through a release that speaks both`;

/** The side that was connected to. */
export class AcceptorHandshake {
  /** The challenge, to be sent as soon as somebody is connected. */
  readonly first: Buffer;
  /** What the connection is for; known when the verdict is "done". */
  kind: ConnectionKind = "frames";
  readonly #terms: PeerTerms;
  /** Bodies of both sides' messages, proofs left out. */
  readonly #messages: Buffer[];
  #hello: Hello | undefined;
  #introduction: Introduction | undefined;
  /** 0 until the dialler has proved that it knows the secret. */
  #version = 0;

  constructor(terms: PeerTerms) {
    this.#terms = terms;
    this.first = encodeHandshake({ step: "challenge", nonce: randomBytes(NONCE_BYTES) });
    this.#messages = [bodyOf(this.first)];
  }

  receive(frame: Buffer): Verdict {
    const body = bodyOf(frame);
    const message = decodeHandshake(body);
    if (!message.ok) return refuse(`not a handshake: ${message.text}`);
    const { value } = message;
    if (value.step === "refused") return refusedByThem(value.text);
    if (value.step === "hello" && this.#hello === undefined) {
      if (value.nonce.length !== NONCE_BYTES) return refuse("its nonce has the wrong length");
      this.#hello = value;
      this.#messages.push(body);
      return { kind: "continue", send: [] };
    }
    if (value.step === "introduction" && this.#version > 0 && this.#introduction === undefined) {
      this.#introduction = value;
      this.#messages.push(body);
      return { kind: "continue", send: [] };
    }
    if (value.step === "proof" && this.#introduction !== undefined) {
      return this.#admit(this.#introduction, value.proof);
    }
    if (value.step === "proof" && this.#hello !== undefined && this.#version === 0) {
      return this.#welcome(this.#hello, value.proof);
    }
    return refuse(`${value.step} is out of order`);
  }

  /** The dialler knows the secret: from here on it may be told who this node is. */
  #welcome(hello: Hello, proof: Uint8Array): Verdict {
    const { key, versions } = this.#terms;
    const problem = proofProblem(proofOf(key, "dialler", this.#messages), proof);
    if (problem !== undefined) return refuse(problem);
    // Too old or too new: what follows may mean something else.
    const version = commonVersion(hello.versions, versions);
    if (version === undefined) return refuse(tooFar(hello.versions, versions));
    this.#version = version;
    const welcome = encodeHandshake({ step: "welcome", version, self: identityOf(this.#terms) });
    this.#messages.push(bodyOf(welcome));
    const mine = proofOf(key, "acceptor", this.#messages);
    return { kind: "continue", send: [welcome, encodeHandshake({ step: "proof", proof: mine })] };
  }

  #admit({ self: theirs, expectedIncarnation }: Introduction, proof: Uint8Array): Verdict {
    const { self, key } = this.#terms;
    const problem =
      proofProblem(proofOf(key, "introduction", this.#messages), proof) ??
      (expectedIncarnation === 0 || expectedIncarnation === self.incarnation
        ? undefined
        : `it wants incarnation ${expectedIncarnation}, this is ${self.incarnation}: this node has been restarted`) ??
      mismatch(this.#terms, theirs);
    if (problem !== undefined) return refuse(problem);
    this.kind = this.#hello?.kind ?? this.kind;
    return {
      kind: "done",
      send: [encodeHandshake({ step: "accepted" })],
      remote: remoteOf(theirs),
      version: this.#version,
    };
  }
}
