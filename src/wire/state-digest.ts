// A digest of a part of a member's state (docs/adr/0017). Value in, protobuf object out, and back, checked.

import { safeInteger } from "./decode.ts";
import type { seshat } from "./generated/seshat.js";

export interface StateDigest {
  /** Log index of the entry that ordered it. */
  readonly index: number;
  /** 16 hexadecimal digits. */
  readonly text: string;
  /** From the leader: yours is wrong. */
  readonly differs: boolean;
}

export const STATE_DIGEST_BYTES_MAX = 64;

export function stateDigestFromWire(wire: seshat.StateDigest.$Properties): StateDigest {
  return {
    index: safeInteger(wire.index, "index of a digest"),
    text: (wire.text ?? "").slice(0, 16),
    differs: wire.differs ?? false,
  };
}
