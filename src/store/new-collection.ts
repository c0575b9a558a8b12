// Which class a type's large values are of: for the snapshot loader, which makes them from their pieces.

import type { Collection } from "./collection.ts";
import { LargeList } from "./large-list.ts";
import { MemberCollection } from "./member-collection.ts";
import type { HashSeed } from "./member-table.ts";
import { SortedSet } from "./sorted-set.ts";
import { Stream } from "./stream.ts";
import { HASH, LIST, SET, STREAM, ZSET } from "./types.ts";

/** An empty one; undefined for a type that has none. */
export function newCollection(type: number, seed: HashSeed): Collection | undefined {
  switch (type) {
    case LIST:
      return new LargeList();
    case HASH:
    case SET:
      return new MemberCollection(seed);
    case ZSET:
      return new SortedSet(seed);
    case STREAM:
      return new Stream();
    default:
      return undefined;
  }
}
