// Dump payloads by hand, for tests: a body with its version and checksum, right or wrong, and back to the string in it.

import { CRC64_BYTES, writeCrc64 } from "../../src/base/crc64.ts";
import { DumpReader, DumpWriter } from "../../src/command/dump-format.ts";

/** All texts are latin1. */
export function payloadOf(body: string, version = 10): string {
  const bytes = Buffer.concat([Buffer.from(body, "latin1"), Buffer.alloc(2 + CRC64_BYTES)]);
  bytes.writeUInt16LE(version, bytes.length - 2 - CRC64_BYTES);
  writeCrc64(bytes, bytes.length - CRC64_BYTES, bytes, 0, bytes.length - CRC64_BYTES);
  return bytes.toString("latin1");
}

export function stringBody(text: string): string {
  const writer = new DumpWriter();
  const bytes = Buffer.from(text, "latin1");
  writer.byte(0);
  writer.string(bytes, 0, bytes.length);
  return writer.bytes.toString("latin1", 0, writer.length);
}

/** The string in a payload, whatever form it has; undefined if there is none. */
export function stringIn(payload: string): string | undefined {
  const bytes = Buffer.from(payload, "latin1");
  const reader = new DumpReader(bytes, 0, bytes.length - 2 - CRC64_BYTES);
  return reader.byte() === 0 ? reader.string()?.toString("latin1") : undefined;
}
