// A group's consumer, made when a command names one that is not there yet.

import type { Args } from "../base/args.ts";
import type { StreamConsumer, StreamGroup } from "../store/stream-group.ts";
import { EVENT_STREAM, notifyKey } from "./notify.ts";
import type { DataContext } from "./types.ts";

/**
 * The consumer that argument `index` names, seen now. The stream's key is argument `key`; the caller settles the group.
 */
export function consumerFor(
  context: DataContext,
  args: Args,
  key: number,
  group: StreamGroup,
  index: number,
): StreamConsumer {
  const found = group.consumer(args.bytes, args.start(index), args.end(index));
  if (found !== undefined) {
    found.seenMs = context.nowMs;
    return found;
  }
  const consumer = group.createConsumer(args.copy(index), context.nowMs);
  notifyKey(context, args, key, EVENT_STREAM, "xgroup-createconsumer");
  return consumer;
}
