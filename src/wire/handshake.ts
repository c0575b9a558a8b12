// The messages that start a connection between two nodes. What they mean is io/peer-handshake's business; here they
// are only written and read. The exact bytes matter: proofs are made over them.

import { bytes, type Decoded, decoded, present, safeInteger } from "./decode.ts";
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
}

export interface VersionRange {
  readonly least: number;
  readonly most: number;
}

export interface Hello {
  readonly step: "hello";
  /** The versions of the peer protocol that it speaks. */
  readonly versions: VersionRange;
  readonly kind: "frames" | "snapshot";
  readonly self: HandshakeIdentity;
  /** 0 = whoever answers. */
  readonly expectedIncarnation: number;
  readonly challenge: Uint8Array;
}

export interface Welcome {
  readonly step: "welcome";
  /** The one that both will speak. */
  readonly version: number;
  readonly self: HandshakeIdentity;
  readonly challenge: Uint8Array;
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

export type Handshake = Hello | Welcome | Proof | Accepted | Refused;

/** A frame, length prefix included. */
export function encodeHandshake(message: Handshake): Buffer {
  const writer = new FrameWriter(1024);
  seshat.Handshake.encode(toWire(message), writer);
  return writer.frame();
}

function toWire(message: Handshake): seshat.Handshake.$Properties {
  switch (message.step) {
    case "hello": {
      const { versions, self, expectedIncarnation, challenge } = message;
      const kind = message.kind === "snapshot" ? 1 : 0;
      return {
        hello: {
          version: versions.most,
          versionLeast: versions.least,
          kind,
          self: { ...self },
          expectedIncarnation,
          challenge,
        },
      };
    }
    case "welcome": {
      const { version, self, challenge } = message;
      return { welcome: { version, self: { ...self }, challenge } };
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
    if (wire.hello) {
      const most = wire.hello.version ?? 0;
      return {
        step: "hello",
        versions: { least: wire.hello.versionLeast || most, most },
        kind: wire.hello.kind === 1 ? "snapshot" : "frames",
        self: identityFromWire(wire.hello.self),
        expectedIncarnation: safeInteger(wire.hello.expectedIncarnation, "expected incarnation"),
        challenge: bytes(wire.hello.challenge),
      };
    }
    if (wire.welcome) {
      return {
        step: "welcome",
        version: wire.welcome.version ?? 0,
        self: identityFromWire(wire.welcome.self),
        challenge: bytes(wire.welcome.challenge),
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
  };
}
