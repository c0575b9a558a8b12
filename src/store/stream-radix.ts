// How many nodes Redis's radix tree would have for a stream: XINFO STREAM tells it. Computed from the nodes' first ids,
// for there is no such tree here.

import type { Stream } from "./stream.ts";
import { ID_BYTES } from "./stream-id.ts";

/**
 * A tree of keys of one length in which chains of single children are one node: a leaf for each key, a node for each
 * place where keys part, and one for each chain of bytes above these. The empty tree is its root.
 */
export function radixNodeCount({ nodes }: Stream): number {
  if (nodes.length === 0) return 1;
  let count = nodes.length;
  /** Lengths of the prefixes where the branch that the last key is on parts. */
  const depths: number[] = [];
  /** A node that begins at this depth below a place where keys part; -1 is above the root. */
  const chain = (parent: number, depth: number): number => (depth - parent - 1 > 0 ? 1 : 0);
  for (let i = 1; i < nodes.length; i++) {
    const common = commonBytes(nodes[i - 1]!.bytes, nodes[i]!.bytes);
    let child = ID_BYTES;
    while (depths.length > 0 && depths[depths.length - 1]! > common) {
      const depth = depths.pop()!;
      count += chain(depth, child);
      child = depth;
    }
    if (depths[depths.length - 1] !== common) {
      depths.push(common);
      count++;
    }
    count += chain(common, child);
  }
  let child = ID_BYTES;
  for (let depth = depths.pop(); depth !== undefined; depth = depths.pop()) {
    count += chain(depth, child);
    child = depth;
  }
  return count + chain(-1, child);
}

function commonBytes(a: Buffer, b: Buffer): number {
  let common = 0;
  while (common < ID_BYTES && a[common] === b[common]) common++;
  return common;
}
