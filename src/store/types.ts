// What a record is: value types, limits, and where each part of it lies in the arena. Constants only.

import { STRING_BYTES_MAX } from "../base/limits.ts";

/** Redis's own numbers (OBJ_STRING ... in its server.h). 5 is Redis's module type, which we do not have. */
export const STRING = 0;
export const LIST = 1;
export const SET = 2;
export const ZSET = 3;
export const HASH = 4;
export const STREAM = 6;

export type ValueType = typeof STRING | typeof LIST | typeof SET | typeof ZSET | typeof HASH | typeof STREAM;

/** The longest key and the longest value, as in Redis. */
export const KEY_BYTES_MAX = STRING_BYTES_MAX;
export const VALUE_BYTES_MAX = STRING_BYTES_MAX;

/** Up to here copying by a loop is faster than a call into C++. */
export const LOOP_COPY_BYTES_MAX = 128;

/**
 * A record in the arena, four u32 and then bytes, 16-byte aligned:
 *
 *   word 0  | access clock, 24 bits | flags, 4 bits | type, 4 bits |
 *   word 1  | key length                                           |
 *   word 2  | value length                                         |
 *   word 3  | position in the deadline heap + 1; 0 = no deadline   |
 *   key bytes, value bytes
 */
export const HEADER_BYTES = 16;
export const WORD_META = 0;
export const WORD_KEY_LENGTH = 1;
export const WORD_VALUE_LENGTH = 2;
export const WORD_DEADLINE = 3;

export const TYPE_MASK = 0x0f;
/** The string was changed in place (APPEND, SETRANGE, SETBIT): OBJECT ENCODING says "raw" whatever it holds. */
export const FLAG_RAW = 0x10;
/** The value bytes are a number (u32) in the database's CollectionTable: large lists, hashes, ... and all streams. */
export const FLAG_OBJECT = 0x20;
/** The set is an intset (intset.ts). Without this and FLAG_OBJECT, a collection's value bytes are a listpack. */
export const FLAG_INTSET = 0x40;
/** Bit 0x80 is free. */
export const FLAGS_MASK = 0xf0;
export const KIND_MASK = TYPE_MASK | FLAGS_MASK;
export const typeOfKind = (kind: number): ValueType => (kind & TYPE_MASK) as ValueType;

export const CLOCK_SHIFT = 8;
export const CLOCK_MASK = 0xff_ffff;

/** What the index costs one key, in the logical bytes that maxmemory counts: 11 to 13 measured, rounded up. */
export const SLOT_LOGICAL_BYTES = 16;
/** What a database costs that holds nothing, so that an empty store does not claim to take no memory. */
export const DATABASE_LOGICAL_BYTES = 64;
/** What a deadline costs: f64 deadline, u32 hash, u32 ref. */
export const DEADLINE_LOGICAL_BYTES = 16;

/** A record's handle: a u32, never 0. Good until the next change of its database. */
export const NO_RECORD = 0;
