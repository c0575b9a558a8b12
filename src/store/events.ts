// Keyspace events: the classes that notify-keyspace-events names by letters, as bits, and who is told. An event
// says that something happened to a key; it is made while applying, so every replica makes the same ones.

/** One bit a class; the letter of notify-keyspace-events beside it. */
export const EVENT_GENERIC = 1 << 0; // g
export const EVENT_STRING = 1 << 1; // $
export const EVENT_LIST = 1 << 2; // l
export const EVENT_SET = 1 << 3; // s
export const EVENT_HASH = 1 << 4; // h
export const EVENT_SORTED_SET = 1 << 5; // z
export const EVENT_EXPIRED = 1 << 6; // x
export const EVENT_EVICTED = 1 << 7; // e
export const EVENT_STREAM = 1 << 8; // t
/** A key that was not there before. Not among those that the letter A stands for. */
export const EVENT_NEW = 1 << 9; // n

/**
 * Told of an event: the database's index, Redis's name of the event, the key bytes[start, end), good during the call
 * only. It may not touch the store.
 */
export type EventHook = (database: number, event: string, bytes: Buffer, start: number, end: number) => void;
