// The patterns of SORT's BY and GET: "weight_*", "object_*->field" and "#". Elements in, what the pattern leads to out. Texts are
// latin1: one character a byte.

import { HashReader } from "../store/hash-reader.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { HASH, STRING } from "../store/types.ts";

const ARROW = "->";
const hash = new HashReader();

export class SortPattern {
  /** "#": the element itself. */
  readonly #isElement: boolean;
  /** Without a star there is nothing to be found. */
  readonly hasStar: boolean;
  readonly #prefix: string;
  readonly #postfix: string;
  /** Of a hash; undefined: the key holds the value itself. */
  readonly #field: Buffer | undefined;

  constructor(text: string) {
    this.#isElement = text === "#" || text.startsWith("#\0");
    // As in C: what is behind a NUL is not looked at, but it is there.
    const nul = text.indexOf("\0");
    const looked = nul < 0 ? text : text.slice(0, nul);
    const star = looked.indexOf("*");
    this.hasStar = star >= 0;
    const arrow = star < 0 ? -1 : looked.indexOf(ARROW, star + 1);
    const hasField = arrow >= 0 && arrow + ARROW.length < looked.length;
    this.#field = hasField ? Buffer.from(text.slice(arrow + ARROW.length), "latin1") : undefined;
    this.#prefix = text.slice(0, star);
    this.#postfix = text.slice(star + 1, hasField ? arrow : undefined);
  }

  /** What it leads to from an element; undefined: nothing. */
  lookUp(keys: Keyspace, element: string): string | undefined {
    if (this.#isElement) return element;
    if (!this.hasStar) return undefined;
    const key = Buffer.from(this.#prefix + element + this.#postfix, "latin1");
    const handle = keys.find(key, 0, key.length);
    if (handle === 0) return undefined;
    const field = this.#field;
    if (field === undefined) {
      if (keys.typeOf(handle) !== STRING) return undefined;
      return keys.valueBytes.toString("latin1", keys.valueStart, keys.valueEnd);
    }
    if (keys.typeOf(handle) !== HASH || !hash.open(keys, handle).find(field, 0, field.length))
      return undefined;
    return hash.valueBytes.toString("latin1", hash.valueStart, hash.valueEnd);
  }
}
