// notify-keyspace-events in letters to what it asks for: classes of events, and on which channels they are told.

import {
  EVENT_EVICTED,
  EVENT_EXPIRED,
  EVENT_GENERIC,
  EVENT_HASH,
  EVENT_LIST,
  EVENT_NEW,
  EVENT_SET,
  EVENT_SORTED_SET,
  EVENT_STREAM,
  EVENT_STRING,
} from "../../store/events.ts";

const CLASS_OF: Readonly<Record<string, number>> = {
  g: EVENT_GENERIC,
  $: EVENT_STRING,
  l: EVENT_LIST,
  s: EVENT_SET,
  h: EVENT_HASH,
  z: EVENT_SORTED_SET,
  x: EVENT_EXPIRED,
  e: EVENT_EVICTED,
  t: EVENT_STREAM,
  n: EVENT_NEW,
  // d: there are no modules. m: misses are reads, which do not reach the other nodes (ADR 9).
  A:
    EVENT_GENERIC |
    EVENT_STRING |
    EVENT_LIST |
    EVENT_SET |
    EVENT_HASH |
    EVENT_SORTED_SET |
    EVENT_EXPIRED |
    EVENT_EVICTED |
    EVENT_STREAM,
};

export interface EventsAsked {
  /** Bits of EVENT_*; 0 when nothing would be told. */
  readonly classes: number;
  /** On __keyspace@<db>__:<key>. */
  readonly byKey: boolean;
  /** On __keyevent@<db>__:<event>. */
  readonly byEvent: boolean;
}

/** @param letters as the setting has them */
export function eventsAsked(letters: string): EventsAsked {
  const byKey = letters.includes("K");
  const byEvent = letters.includes("E");
  let classes = 0;
  if (byKey || byEvent) for (const letter of letters) classes |= CLASS_OF[letter] ?? 0;
  return { classes, byKey, byEvent };
}
