// How many entries a consumer group has read and has still to read, as far as that can be told: Redis's arithmetic over
// what a stream remembers of entries that are gone.

import type { Integer64, Stream } from "./stream.ts";
import { type StreamGroup, UNKNOWN } from "./stream-group.ts";
import { type StreamId, wrappingAdd } from "./stream-id.ts";

/** May an entry from `from` on have been deleted, with others alive before it? */
function hasGapsFrom(stream: Stream, from: StreamId): boolean {
  const { maxDeletedId } = stream;
  if (stream.length === 0 || maxDeletedId.isZero) return false;
  if (stream.firstId.compare(maxDeletedId) > 0) return false;
  return from.compare(maxDeletedId) <= 0;
}

/** Entries up to `id`, itself included, that ever were in the stream; UNKNOWN if that cannot be told. */
export function countUpTo(stream: Stream, id: StreamId): Integer64 {
  const { entriesAdded, firstId, lastId, maxDeletedId } = stream;
  if (entriesAdded === 0) return 0;
  const toLast = id.compare(lastId);
  if (stream.length === 0 && toLast < 1) return entriesAdded;
  if (toLast === 0) return entriesAdded;
  if (toLast > 0) return UNKNOWN;
  if (!maxDeletedId.isZero && maxDeletedId.compare(firstId) >= 0) return UNKNOWN;
  const toFirst = id.compare(firstId);
  if (toFirst < 0) return wrappingAdd(entriesAdded, -stream.length);
  return toFirst === 0 ? wrappingAdd(entriesAdded, 1 - stream.length) : UNKNOWN;
}

/** The group has been given the entry `id`, which is behind its last one. */
export function noteRead(stream: Stream, group: StreamGroup, id: StreamId): void {
  if (group.entriesRead !== UNKNOWN && !hasGapsFrom(stream, id)) {
    group.entriesRead = wrappingAdd(group.entriesRead, 1);
  } else if (stream.entriesAdded !== 0) {
    group.entriesRead = countUpTo(stream, id);
  }
  group.lastId.set(id);
}

/** Entries that the group has not been given; undefined if that cannot be told. */
export function lagOf(stream: Stream, group: StreamGroup): Integer64 | undefined {
  const { entriesAdded } = stream;
  if (entriesAdded === 0) return 0;
  const isKnown = group.entriesRead !== UNKNOWN && !hasGapsFrom(stream, group.lastId);
  const read = isKnown ? group.entriesRead : countUpTo(stream, group.lastId);
  if (!isKnown && read === UNKNOWN) return undefined;
  return wrappingAdd(entriesAdded, -read);
}
