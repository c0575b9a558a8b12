// Members of a MemberTable in the order of a sorted set, by score and then by bytes: a B+tree of their numbers that counts
// what is below each node. Places and numbers in, numbers and ranks out. It keeps no score and no byte: those are
// the table's, which must have a member before it is inserted here and still have it while it is removed.
//
//   inner:  child | members below it | the first of them           (tree-nodes.ts has the arrays)
//   leaf:   numbers, linked to the leaves beside it
//
// Each member's leaf is known, and each node's parent: ranks, removals and renumberings compare nothing.

import type { MemberTable } from "./member-table.ts";
import { enlarged, InnerPool, LeafPool, NO_NODE, WIDTH } from "./tree-nodes.ts";
import { LOOP_COPY_BYTES_MAX } from "./types.ts";

/** A node with fewer items is joined with one beside it, unless the two would be too full. */
const ITEMS_FEW = WIDTH / 4;
const JOINED_MAX = (WIDTH * 3) / 4;
const NO_BYTES = Buffer.alloc(0);
const LEAF_OF_LEAST = 16;

/** What a place is given by: a score, a member among equal scores, or both. */
const BY_SCORE = 0;
const BY_MEMBER = 1;
const BY_BOTH = 2;

export class RankedTree {
  count = 0;
  readonly #table: MemberTable;
  #leaves = new LeafPool();
  #inners = new InnerPool();
  #leafOf: Uint32Array = new Uint32Array(LEAF_OF_LEAST);
  /** A leaf while height is 0. */
  #root: number;
  #height = 0;

  // The place sought.
  #by = BY_SCORE;
  #score = 0;
  #bytes: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  #isBehind = false;
  /** Bytes that the member last compared has in common with what is sought, at least; 0 for another score. */
  #same = 0;

  // Where the last search or step ended; slot may be the leaf's size.
  #leaf: number;
  #slot = 0;

  constructor(table: MemberTable) {
    this.#table = table;
    this.#root = this.#leaves.allocate();
    this.#leaf = this.#root;
  }

  get reservedBytes(): number {
    return this.#leaves.reservedBytes + this.#inners.reservedBytes + this.#leafOf.byteLength;
  }

  /** The same tree over a copy of the table. */
  clone(table: MemberTable): RankedTree {
    const copy = new RankedTree(table);
    copy.count = this.count;
    copy.#leaves = this.#leaves.clone();
    copy.#inners = this.#inners.clone();
    copy.#leafOf = this.#leafOf.slice();
    copy.#root = this.#root;
    copy.#height = this.#height;
    return copy;
  }

  /** How many members have a lower score; with `isBehind`, a lower or the same. */
  rankOfScore(score: number, isBehind: boolean): number {
    this.#by = BY_SCORE;
    this.#score = score;
    this.#isBehind = isBehind;
    return this.#search();
  }

  /** How many members come before bytes[start, end), or are it with `isBehind`. Where all scores are equal only. */
  rankOfText(bytes: Buffer, start: number, end: number, isBehind: boolean): number {
    this.#by = BY_MEMBER;
    this.#seek(bytes, start, end);
    this.#isBehind = isBehind;
    return this.#search();
  }

  rankOf(member: number): number {
    const leaf = this.#leafOf[member]!;
    let rank = this.#leaves.slotOf(leaf, member);
    const { items, counts, parents } = this.#inners;
    let child = leaf;
    for (let node = this.#leaves.parents[leaf]!; node !== NO_NODE; node = parents[node]!) {
      for (let at = node * WIDTH; items[at] !== child; at++) rank += counts[at]!;
      child = node;
    }
    return rank;
  }

  /** The member at a rank, or -1. next() and previous() go on from it, until the next change or search. */
  at(rank: number): number {
    if (!(rank >= 0 && rank < this.count)) return -1;
    const { items, counts } = this.#inners;
    let node = this.#root;
    let rest = rank;
    for (let level = this.#height; level > 0; level--) {
      let at = node * WIDTH;
      while (rest >= counts[at]!) rest -= counts[at++]!;
      node = items[at]!;
    }
    this.#leaf = node;
    this.#slot = rest;
    return this.#leaves.items[node * WIDTH + rest]!;
  }

  /** The next member in order, or -1. */
  next(): number {
    const leaves = this.#leaves;
    if (++this.#slot >= leaves.sizes[this.#leaf]!) {
      const after = leaves.after[this.#leaf]!;
      if (after === NO_NODE) return -1;
      this.#leaf = after;
      this.#slot = 0;
    }
    return leaves.items[this.#leaf * WIDTH + this.#slot]!;
  }

  /** The member before, or -1. */
  previous(): number {
    const leaves = this.#leaves;
    if (--this.#slot < 0) {
      const before = leaves.before[this.#leaf]!;
      if (before === NO_NODE) return -1;
      this.#leaf = before;
      this.#slot = leaves.sizes[before]! - 1;
    }
    return leaves.items[this.#leaf * WIDTH + this.#slot]!;
  }

  /** Would the member stay where it is with this score? Says no where it is not obvious. */
  keepsPlace(member: number, score: number): boolean {
    const leaf = this.#leafOf[member]!;
    const slot = this.#leaves.slotOf(leaf, member);
    this.#leaf = leaf;
    this.#slot = slot;
    const after = this.next();
    if (after >= 0 && !(score < this.#table.scoreOf(after))) return false;
    this.#leaf = leaf;
    this.#slot = slot;
    const before = this.previous();
    return before < 0 || score > this.#table.scoreOf(before);
  }

  /** Inserts the table's member of this number, which has this score and these bytes. */
  insert(member: number, score: number, bytes: Buffer, start: number, end: number): void {
    this.#by = BY_BOTH;
    this.#score = score;
    this.#isBehind = false;
    this.#seek(bytes, start, end);
    this.#search();
    const leaves = this.#leaves;
    if (leaves.sizes[this.#leaf] === WIDTH) this.#splitLeaf();
    const leaf = this.#leaf;
    const slot = this.#slot;
    const { items } = leaves;
    const at = leaf * WIDTH + slot;
    for (let to = leaf * WIDTH + leaves.sizes[leaf]!; to > at; to--) items[to] = items[to - 1]!;
    items[at] = member;
    leaves.sizes[leaf]!++;
    if (member >= this.#leafOf.length) this.#leafOf = enlarged(this.#leafOf, 2 * member);
    this.#leafOf[member] = leaf;
    this.count++;
    this.#account(leaf, 1, slot === 0 ? member : -1);
  }

  remove(member: number): void {
    const leaves = this.#leaves;
    const leaf = this.#leafOf[member]!;
    const { items } = leaves;
    const size = leaves.sizes[leaf]! - 1;
    const slot = leaves.slotOf(leaf, member);
    const end = leaf * WIDTH + size;
    for (let to = leaf * WIDTH + slot; to < end; to++) items[to] = items[to + 1]!;
    leaves.sizes[leaf] = size;
    this.count--;
    this.#account(leaf, -1, slot === 0 && size > 0 ? items[leaf * WIDTH]! : -1);
    if (size < ITEMS_FEW && this.#height > 0) this.#shrink(0, leaf);
    if (this.#leafOf.length > LEAF_OF_LEAST && this.count * 4 < this.#leafOf.length) this.#shrinkLeafOf();
  }

  /** The member that was number `from` is number `to` now. */
  renumber(from: number, to: number): void {
    const leaf = this.#leafOf[from]!;
    const slot = this.#leaves.slotOf(leaf, from);
    this.#leaves.items[leaf * WIDTH + slot] = to;
    this.#leafOf[to] = leaf;
    if (slot === 0) this.#account(leaf, 0, to);
  }

  #seek(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** Is the member before the place sought? The first `skipped` bytes are known to be the same where scores are. */
  #isBefore(member: number, skipped: number): boolean {
    const table = this.#table;
    this.#same = 0;
    if (this.#by !== BY_MEMBER) {
      const score = table.scoreOf(member);
      if (score !== this.#score) return score < this.#score;
      if (this.#by === BY_SCORE) return this.#isBehind;
    }
    table.locate(member);
    const { bytes, memberStart, memberEnd } = table;
    const sought = this.#bytes;
    const start = this.#start;
    const length = memberEnd - memberStart;
    const lengthSought = this.#end - start;
    const common = Math.min(length, lengthSought);
    let at = skipped;
    if (common - skipped < LOOP_COPY_BYTES_MAX) {
      while (at < common && bytes[memberStart + at] === sought[start + at]) at++;
      this.#same = at;
      if (at < common) return bytes[memberStart + at]! < sought[start + at]!;
    } else {
      this.#same = skipped;
      const order = bytes.compare(sought, start + at, start + common, memberStart + at, memberStart + common);
      if (order !== 0) return order < 0;
    }
    return length < lengthSought || (length === lengthSought && this.#isBehind);
  }

  /** Finds the first member that is not before the place sought; returns how many are. */
  #search(): number {
    const { items, counts, firsts, sizes } = this.#inners;
    let node = this.#root;
    let rank = 0;
    // Bytes that the nearest members before and behind have in common with what is sought: so have all between them.
    let sameBefore = 0;
    let sameBehind = 0;
    for (let level = this.#height; level > 0; level--) {
      const base = node * WIDTH;
      let low = 1;
      let high = sizes[node]!;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (this.#isBefore(firsts[base + middle]!, Math.min(sameBefore, sameBehind))) {
          low = middle + 1;
          sameBefore = this.#same;
        } else {
          high = middle;
          sameBehind = this.#same;
        }
      }
      for (let at = base; at < base + low - 1; at++) rank += counts[at]!;
      node = items[base + low - 1]!;
    }
    const members = this.#leaves.items;
    const base = node * WIDTH;
    let low = 0;
    let high = this.#leaves.sizes[node]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(members[base + middle]!, Math.min(sameBefore, sameBehind))) {
        low = middle + 1;
        sameBefore = this.#same;
      } else {
        high = middle;
        sameBehind = this.#same;
      }
    }
    this.#leaf = node;
    this.#slot = low;
    return rank + low;
  }

  /** The leaf has `by` members more; its first is `first` now, unless that is -1. */
  #account(leaf: number, by: number, first: number): void {
    const inners = this.#inners;
    let child = leaf;
    for (let node = this.#leaves.parents[leaf]!; node !== NO_NODE; node = inners.parents[node]!) {
      const slot = inners.slotOf(node, child);
      inners.counts[node * WIDTH + slot]! += by;
      if (first >= 0) {
        inners.firsts[node * WIDTH + slot] = first;
        if (slot > 0) first = -1;
      }
      if (by === 0 && first < 0) return;
      child = node;
    }
  }

  /** Makes room where the search ended, which moves along. */
  #splitLeaf(): void {
    const leaves = this.#leaves;
    const leaf = this.#leaf;
    const added = leaves.allocate();
    const after = leaves.after[leaf]!;
    // What comes in ascending order leaves full leaves behind.
    const isAppend = this.#slot === WIDTH && after === NO_NODE;
    const kept = isAppend ? WIDTH : WIDTH / 2;
    leaves.before[added] = leaf;
    leaves.after[added] = after;
    leaves.after[leaf] = added;
    if (after !== NO_NODE) leaves.before[after] = added;
    this.#moveMembers(leaf, kept, added);
    const first = isAppend ? 0 : leaves.items[added * WIDTH]!;
    this.#addSibling(0, leaf, added, kept, WIDTH - kept, first);
    if (this.#slot > kept || isAppend) {
      this.#leaf = added;
      this.#slot -= kept;
    }
  }

  #moveMembers(from: number, slot: number, to: number): void {
    const { items, sizes } = this.#leaves;
    const end = from * WIDTH + sizes[from]!;
    let target = to * WIDTH + sizes[to]!;
    sizes[to]! += end - from * WIDTH - slot;
    for (let at = from * WIDTH + slot; at < end; at++) {
      const member = items[at]!;
      items[target++] = member;
      this.#leafOf[member] = to;
    }
    sizes[from] = slot;
  }

  #parents(level: number): Uint32Array {
    return level === 0 ? this.#leaves.parents : this.#inners.parents;
  }

  /** Gives `right` the place behind `left`, from which it was split at this level. */
  #addSibling(
    level: number,
    left: number,
    right: number,
    leftCount: number,
    rightCount: number,
    rightFirst: number,
  ): void {
    const inners = this.#inners;
    if (this.#parents(level)[left] === NO_NODE) {
      const root = inners.allocate();
      const first = level === 0 ? this.#leaves.items[left * WIDTH]! : inners.firsts[left * WIDTH]!;
      inners.insert(root, 0, left, leftCount, first);
      this.#parents(level)[left] = root;
      this.#root = root;
      this.#height = level + 1;
    } else if (inners.sizes[this.#parents(level)[left]!] === WIDTH) {
      this.#splitInner(level + 1, this.#parents(level)[left]!);
    }
    const parent = this.#parents(level)[left]!;
    const slot = inners.slotOf(parent, left);
    inners.counts[parent * WIDTH + slot] = leftCount;
    inners.insert(parent, slot + 1, right, rightCount, rightFirst);
    this.#parents(level)[right] = parent;
  }

  #splitInner(level: number, node: number): void {
    const inners = this.#inners;
    const added = inners.allocate();
    this.#moveChildren(level, node, WIDTH / 2, added);
    const first = inners.firsts[added * WIDTH]!;
    this.#addSibling(level, node, added, inners.total(node), inners.total(added), first);
  }

  #moveChildren(level: number, from: number, slot: number, to: number): void {
    const inners = this.#inners;
    let at = to * WIDTH + inners.sizes[to]!;
    inners.move(from, slot, to);
    const parents = this.#parents(level - 1);
    for (const end = to * WIDTH + inners.sizes[to]!; at < end; at++) parents[inners.items[at]!] = to;
  }

  /** The node has few items or none: it goes, or is joined with one beside it. */
  #shrink(level: number, node: number): void {
    const inners = this.#inners;
    const sizes = level === 0 ? this.#leaves.sizes : inners.sizes;
    const parent = this.#parents(level)[node]!;
    if (parent === NO_NODE) {
      if (level > 0 && sizes[node] === 1) this.#dropRoot(level, node);
      return;
    }
    const slot = inners.slotOf(parent, node);
    if (sizes[node] === 0) {
      inners.remove(parent, slot);
      this.#free(level, node);
      if (slot === 0 && inners.sizes[parent]! > 0) this.#firstChanged(parent);
    } else if (!this.#join(level, parent, slot) && !this.#join(level, parent, slot - 1)) return;
    if (inners.sizes[parent]! < ITEMS_FEW) this.#shrink(level + 1, parent);
  }

  /** Joins the children at `slot` and behind it, if both are there and it makes sense. */
  #join(level: number, parent: number, slot: number): boolean {
    const inners = this.#inners;
    if (slot < 0 || slot + 1 >= inners.sizes[parent]!) return false;
    const at = parent * WIDTH + slot;
    const left = inners.items[at]!;
    const right = inners.items[at + 1]!;
    const sizes = level === 0 ? this.#leaves.sizes : inners.sizes;
    if (sizes[left]! + sizes[right]! > JOINED_MAX) return false;
    if (level === 0) this.#moveMembers(right, 0, left);
    else this.#moveChildren(level, right, 0, left);
    inners.counts[at]! += inners.counts[at + 1]!;
    inners.remove(parent, slot + 1);
    this.#free(level, right);
    return true;
  }

  /** The node's first child is another one. */
  #firstChanged(node: number): void {
    const inners = this.#inners;
    const first = inners.firsts[node * WIDTH]!;
    let child = node;
    for (let above = inners.parents[child]!; above !== NO_NODE; above = inners.parents[child]!) {
      const slot = inners.slotOf(above, child);
      inners.firsts[above * WIDTH + slot] = first;
      if (slot > 0) return;
      child = above;
    }
  }

  #dropRoot(level: number, node: number): void {
    this.#root = this.#inners.items[node * WIDTH]!;
    this.#parents(level - 1)[this.#root] = NO_NODE;
    this.#inners.release(node);
    this.#height = level - 1;
    if (level > 1 && this.#inners.sizes[this.#root] === 1) this.#dropRoot(level - 1, this.#root);
  }

  #free(level: number, node: number): void {
    if (level > 0) return this.#inners.release(node);
    const { before, after } = this.#leaves;
    if (before[node] !== NO_NODE) after[before[node]!] = after[node]!;
    if (after[node] !== NO_NODE) before[after[node]!] = before[node]!;
    this.#leaves.release(node);
  }

  #shrinkLeafOf(): void {
    this.#leafOf = this.#leafOf.slice(0, this.#leafOf.length >>> 1);
  }
}
