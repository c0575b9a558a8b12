// Keyspace events out of handlers: called where Redis calls notifyKeyspaceEvent, with its name of the event, after the
// change and never without one. Costs one comparison while nobody on this node listens.

import type { Args } from "../base/args.ts";
import type { DataContext } from "./types.ts";

export {
  EVENT_EXPIRED,
  EVENT_GENERIC,
  EVENT_HASH,
  EVENT_LIST,
  EVENT_NEW,
  EVENT_SET,
  EVENT_SORTED_SET,
  EVENT_STREAM,
  EVENT_STRING,
} from "../store/events.ts";

/**
 * Something happened to the key that is argument `index`, in the selected database. For a key that is no argument,
 * or in another database, there is Keyspace.notify(). The store itself says `new`, `expired` and `evicted`.
 * @param eventClass one of EVENT_*
 */
export function notifyKey(
  context: DataContext,
  args: Args,
  index: number,
  eventClass: number,
  event: string,
): void {
  context.keys.notify(eventClass, event, args.bytes, args.start(index), args.end(index));
}
