// How two nodes find out whether they belong together. Bodies of handshake frames in, frames to send and a verdict
// out; no socket, no timer.
//
//   dialler                                   acceptor
//   hello: who I am, whom I want, a challenge ──>
//          <── welcome: who I am, a challenge
//          <── proof: HMAC over "acceptor", hello, welcome
//   proof: HMAC over "dialler", hello, welcome ──>
//          <── accepted; from here on frames, both ways
//
// Either may answer "refused" with a reason instead. Proofs cover both messages byte by byte, so neither identities
// nor challenges can be exchanged on the way; the label keeps a proof from being sent back to its maker. Without a
// secret proofs are empty. What follows the handshake is not encrypted: that is TLS's or the network's business.

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { PeerIdentity } from "../node/ports.ts";
import { FRAME_PREFIX_BYTES } from "../wire/frame-writer.ts";
import {
  decodeHandshake,
  encodeHandshake,
  type HandshakeIdentity,
  type Hello,
  type VersionRange,
  type Welcome,
} from "../wire/handshake.ts";

/** Of the peer protocol: what this node speaks (docs/adr/0018). */
export const VERSIONS: VersionRange = { least: 1, most: 1 };
const CHALLENGE_BYTES = 32;

/** What is the same for all connections of a node. */
export interface PeerTerms {
  readonly self: PeerIdentity;
  readonly versions: VersionRange;
  /** Cluster secret; "" = none. */
  readonly secret: string;
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

/** A stranger's text, fit for a log line. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]/g, "?");
}

function identityOf(terms: PeerTerms): HandshakeIdentity {
  return { ...terms.self, sharedSettings: terms.sharedSettings };
}

function proofOf(secret: string, label: "dialler" | "acceptor", hello: Buffer, welcome: Buffer): Buffer {
  if (secret === "") return Buffer.alloc(0);
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(hello.length, 0);
  lengths.writeUInt32BE(welcome.length, 4);
  return createHmac("sha256", secret).update(label).update(lengths).update(hello).update(welcome).digest();
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
  terms: Omit<PeerTerms, "secret" | "versions">,
  theirs: HandshakeIdentity,
): string | undefined {
  const { self } = terms;
  if (theirs.incarnation === 0) return "it has no incarnation";
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
  return `settings that must be the same on all nodes differ: ${names.join(", ")}`;
}

function remoteOf(theirs: HandshakeIdentity): PeerIdentity {
  const { clusterId, name, address, clientAddress, clientHostname, incarnation } = theirs;
  return { clusterId, name, address, clientAddress, clientHostname, incarnation };
}

/** The side that connected. */
export class DiallerHandshake {
  /** To be sent first. */
  readonly hello: Buffer;
  readonly #terms: PeerTerms;
  readonly #expectedIncarnation: number;
  #welcome: { readonly message: Welcome; readonly body: Buffer } | undefined;
  #remote: PeerIdentity | undefined;
  #version = 0;

  constructor(terms: PeerTerms, kind: Hello["kind"], expectedIncarnation: number) {
    this.#terms = terms;
    this.#expectedIncarnation = expectedIncarnation;
    const challenge = randomBytes(CHALLENGE_BYTES);
    const self = identityOf(terms);
    this.hello = encodeHandshake({
      step: "hello",
      versions: terms.versions,
      kind,
      self,
      expectedIncarnation,
      challenge,
    });
  }

  receive(frame: Buffer): Verdict {
    const body = bodyOf(frame);
    const message = decodeHandshake(body);
    if (!message.ok) return refuse(`not a handshake: ${message.text}`);
    const { value } = message;
    if (value.step === "refused") return refusedByThem(value.text);
    if (value.step === "welcome" && this.#welcome === undefined) {
      this.#welcome = { message: value, body };
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

  #check({ message, body }: { message: Welcome; body: Buffer }, proof: Uint8Array): Verdict {
    const { secret } = this.#terms;
    const hello = bodyOf(this.hello);
    const problem =
      proofProblem(proofOf(secret, "acceptor", hello, body), proof) ??
      this.#versionProblem(message.version) ??
      this.#incarnationProblem(message.self.incarnation) ??
      mismatch(this.#terms, message.self);
    if (problem !== undefined) return refuse(problem);
    this.#remote = remoteOf(message.self);
    this.#version = message.version;
    const mine = proofOf(secret, "dialler", hello, body);
    return { kind: "continue", send: [encodeHandshake({ step: "proof", proof: mine })] };
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
  /** What the connection is for; known when the verdict is "done". */
  kind: Hello["kind"] = "frames";
  readonly #terms: PeerTerms;
  #hello: { readonly message: Hello; readonly body: Buffer } | undefined;
  #welcome: Buffer | undefined;
  #version = 0;

  constructor(terms: PeerTerms) {
    this.#terms = terms;
  }

  receive(frame: Buffer): Verdict {
    const body = bodyOf(frame);
    const message = decodeHandshake(body);
    if (!message.ok) return refuse(`not a handshake: ${message.text}`);
    const { value } = message;
    if (value.step === "refused") return refusedByThem(value.text);
    if (value.step === "hello" && this.#hello === undefined) return this.#greet(value, body);
    if (value.step === "proof" && this.#hello !== undefined && this.#welcome !== undefined) {
      return this.#check(this.#hello.message, this.#hello.body, this.#welcome, value.proof);
    }
    return refuse(`${value.step} is out of order`);
  }

  #greet(message: Hello, body: Buffer): Verdict {
    // Too old or too new: what follows may mean something else.
    const version = commonVersion(message.versions, this.#terms.versions);
    if (version === undefined) return refuse(tooFar(message.versions, this.#terms.versions));
    this.#version = version;
    if (message.challenge.length !== CHALLENGE_BYTES) return refuse("its challenge has the wrong length");
    this.#hello = { message, body };
    const challenge = randomBytes(CHALLENGE_BYTES);
    const welcome = encodeHandshake({
      step: "welcome",
      version,
      self: identityOf(this.#terms),
      challenge,
    });
    this.#welcome = bodyOf(welcome);
    const proof = proofOf(this.#terms.secret, "acceptor", body, this.#welcome);
    return { kind: "continue", send: [welcome, encodeHandshake({ step: "proof", proof })] };
  }

  #check(hello: Hello, helloBody: Buffer, welcomeBody: Buffer, proof: Uint8Array): Verdict {
    const { self, secret } = this.#terms;
    const problem =
      proofProblem(proofOf(secret, "dialler", helloBody, welcomeBody), proof) ??
      (hello.expectedIncarnation === 0 || hello.expectedIncarnation === self.incarnation
        ? undefined
        : `it wants incarnation ${hello.expectedIncarnation}, this is ${self.incarnation}: this node has been restarted`) ??
      mismatch(this.#terms, hello.self);
    if (problem !== undefined) return refuse(problem);
    this.kind = hello.kind;
    return {
      kind: "done",
      send: [encodeHandshake({ step: "accepted" })],
      remote: remoteOf(hello.self),
      version: this.#version,
    };
  }
}
