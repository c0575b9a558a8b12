// The messages that start a connection between two nodes. What they mean is io/peer-handshake's business; here they
// are only written and read. The exact bytes matter: proofs are made over them.

import { bytes, type Decoded, decoded, kind, namesByNumber, present, safeInteger } from "./decode.ts";
import { FrameWriter } from "./frame-writer.ts";
import { seshat } from "./generated/seshat.js";

export interface HandshakeIdentity {
  readonly clusterId: string;
  readonly name: string;
  readonly address: string;
  readonly clientAddress: string;
  readonly clientHostname: string;
  readonly incarnation: number;
  /** Settings that must be equal on all nodes, as text. */
  readonly sharedSettings: string;
  /** Whether its clients must give a password; absent = it does not say. */
  readonly needsPassword?: boolean;
}

export interface VersionRange {
  readonly least: number;
  readonly most: number;
}

/** What a connection is for. */
export type ConnectionKind = keyof typeof KIND_NUMBER;
const KIND_NUMBER = { frames: 0, snapshot: 1, pulse: 2 } as const;
const KIND_NAMES = namesByNumber(KIND_NUMBER);

export interface Challenge {
  readonly step: "challenge";
  readonly nonce: Uint8Array;
}

export interface Hello {
  readonly step: "hello";
  /** The versions of the peer protocol that it speaks. */
  readonly versions: VersionRange;
  readonly kind: ConnectionKind;
  readonly nonce: Uint8Array;
}

export interface Welcome {
  readonly step: "welcome";
  /** The one that both will speak. */
  readonly version: number;
  readonly self: HandshakeIdentity;
}

export interface Introduction {
  readonly step: "introduction";
  readonly self: HandshakeIdentity;
  /** 0 = whoever answers. */
  readonly expectedIncarnation: number;
}

export interface Proof {
  readonly step: "proof";
  readonly proof: Uint8Array;
}

export interface Accepted {
  readonly step: "accepted";
}

export interface Refused {
  readonly step: "refused";
  readonly text: string;
}

export type Handshake = Challenge | Hello | Welcome | Introduction | Proof | Accepted | Refused;

/** A frame, length prefix included. */
export function encodeHandshake(message: Handshake): Buffer {
  const writer = new FrameWriter(1024);
  seshat.Handshake.encode(toWire(message), writer);
  return writer.frame();
}

function toWire(message: Handshake): seshat.Handshake.$Properties {
  switch (message.step) {
    case "challenge":
      return { challenge: { nonce: message.nonce } };
    case "hello": {
      const { versions, nonce } = message;
      const { least, most } = versions;
      return { hello: { version: most, versionLeast: least, kind: KIND_NUMBER[message.kind], nonce } };
    }
    case "welcome":
      return { welcome: { version: message.version, self: { ...message.self } } };
    case "introduction": {
      const { self, expectedIncarnation } = message;
      return { introduction: { self: { ...self }, expectedIncarnation } };
    }
    case "proof":
      return { proof: { proof: message.proof } };
    case "accepted":
      return { accepted: {} };
    case "refused":
      return { refused: { text: message.text } };
  }
}

/** @param body of a frame, without the length prefix */
export function decodeHandshake(body: Uint8Array): Decoded<Handshake> {
  return decoded(() => {
    const wire: seshat.Handshake.$Properties = seshat.Handshake.decode(body);
    if (wire.challenge) return { step: "challenge", nonce: bytes(wire.challenge.nonce) };
    if (wire.hello) {
      const most = wire.hello.version ?? 0;
      return {
        step: "hello",
        versions: { least: wire.hello.versionLeast || most, most },
        kind: kind(KIND_NAMES, wire.hello.kind, "kind of connection"),
        nonce: bytes(wire.hello.nonce),
      };
    }
    if (wire.welcome) {
      return {
        step: "welcome",
        version: wire.welcome.version ?? 0,
        self: identityFromWire(wire.welcome.self),
      };
    }
    if (wire.introduction) {
      return {
        step: "introduction",
        self: identityFromWire(wire.introduction.self),
        expectedIncarnation: safeInteger(wire.introduction.expectedIncarnation, "expected incarnation"),
      };
    }
    if (wire.proof) return { step: "proof", proof: bytes(wire.proof.proof) };
    if (wire.accepted) return { step: "accepted" };
    return { step: "refused", text: present(wire.refused, "handshake step").text ?? "" };
  });
}

function identityFromWire(wire: seshat.Identity.$Properties | null | undefined): HandshakeIdentity {
  const self = present(wire, "identity");
  return {
    clusterId: self.clusterId ?? "",
    name: self.name ?? "",
    address: self.address ?? "",
    clientAddress: self.clientAddress ?? "",
    clientHostname: self.clientHostname ?? "",
    incarnation: safeInteger(self.incarnation, "incarnation"),
    sharedSettings: self.sharedSettings ?? "",
    ...(typeof self.needsPassword === "boolean" ? { needsPassword: self.needsPassword } : {}),
  };
}
