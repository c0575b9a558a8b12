// One message as a subscriber gets it, in RESP: the same bytes for both protocols but for the first, which the session
// sets. Bytes in, bytes out, in memory that the next message overwrites.

import { ReplyWriter } from "../resp/reply-writer.ts";
import type { Topic } from "./service/subscriptions.ts";

/** Memory of a longer message is given back. */
const BYTES_KEPT = 1 << 20;

const writer = new ReplyWriter();
const KIND_WORDS = { channel: "message", pattern: "pmessage", shard: "smessage" } as const;

/** To subscribers of `topic`: bytes[start, end) on the channel bytes[channelStart, channelEnd). */
export function encodeMessage(
  topic: Pick<Topic, "kind" | "bytes">,
  bytes: Buffer,
  channelStart: number,
  channelEnd: number,
  start: number,
  end: number,
): Buffer {
  if (writer.buffer.length > BYTES_KEPT) writer.buffer = Buffer.alloc(0);
  writer.position = 0;
  const isPattern = topic.kind === "pattern";
  writer.push(isPattern ? 4 : 3);
  writer.bulkLatin1(KIND_WORDS[topic.kind]);
  if (isPattern) writer.bulk(topic.bytes, 0, topic.bytes.length);
  writer.bulk(bytes, channelStart, channelEnd);
  writer.bulk(bytes, start, end);
  return writer.buffer.subarray(0, writer.position);
}
