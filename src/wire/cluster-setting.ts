// A setting that one node tells another: values in, protobuf objects out, and back with every number checked.

import { safeInteger } from "./decode.ts";
import type { seshat } from "./generated/seshat.js";

export interface ClusterSetting {
  readonly name: string;
  /** As CONFIG GET shows it. */
  readonly value: string;
  /** The later change has the higher one; of equal ones that of the higher origin counts. */
  readonly version: number;
  /** Incarnation of the node that CONFIG SET was sent to. */
  readonly origin: number;
}

/** Bytes of the encoded setting at most. */
export function clusterSettingBytesMax({ name, value }: ClusterSetting): number {
  return 48 + 3 * (name.length + value.length);
}

export function clusterSettingFromWire(wire: seshat.ClusterSetting.$Properties): ClusterSetting {
  return {
    name: wire.name ?? "",
    value: wire.value ?? "",
    version: safeInteger(wire.version, "setting's version"),
    origin: safeInteger(wire.origin, "setting's origin"),
  };
}
