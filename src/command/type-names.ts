// Value types by the names TYPE and SCAN ... TYPE use.

import { assert } from "../base/assert.ts";
import { HASH, LIST, SET, STREAM, STRING, ZSET } from "../store/types.ts";

const names: (string | undefined)[] = [];
names[STRING] = "string";
names[LIST] = "list";
names[SET] = "set";
names[ZSET] = "zset";
names[HASH] = "hash";
names[STREAM] = "stream";

export function typeName(type: number): string {
  const name = names[type];
  assert(name !== undefined, `unknown value type ${type}`);
  return name;
}
