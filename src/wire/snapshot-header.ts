// What goes in front of a snapshot's chunks: which state it is and of which cluster. Value in, bytes out, and back.

import { type ClusterTable, tableFromWire, tableToWire } from "./cluster-messages.ts";
import { type Decoded, decoded, finite, keepingReader, present, safeInteger } from "./decode.ts";
import { seshat } from "./generated/seshat.js";
import { type RaftMessage, raftMessageFromWire, raftMessageToWire } from "./raft-message.ts";

export interface SnapshotHeader {
  /** The "snapshot" message that the receiver steps once it has the state. */
  readonly raft: RaftMessage;
  readonly table: ClusterTable;
  /** Cluster time at the snapshot's index. */
  readonly timeMs: number;
  /** For progress; 0 = unknown. */
  readonly logicalBytes: number;
  /** For a member whose state is wrong: the core is not told (docs/adr/0017). */
  readonly repair: boolean;
}

/** Without a length prefix: openSnapshot takes the bytes as they are. */
export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  return seshat.SnapshotHeader.encode({
    raft: raftMessageToWire(header.raft),
    table: tableToWire(header.table),
    timeMs: header.timeMs,
    logicalBytes: header.logicalBytes,
    repair: header.repair,
  }).finish();
}

export function decodeSnapshotHeader(encoded: Uint8Array): Decoded<SnapshotHeader> {
  return decoded(() => {
    const wire: seshat.SnapshotHeader.$Properties = seshat.SnapshotHeader.decode(keepingReader(encoded));
    return {
      raft: raftMessageFromWire(present(wire.raft, "raft")),
      table: tableFromWire(present(wire.table, "table")),
      timeMs: finite(wire.timeMs, "time"),
      logicalBytes: safeInteger(wire.logicalBytes, "logical bytes"),
      repair: wire.repair ?? false,
    };
  });
}
