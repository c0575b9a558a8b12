// The nodes of a RankedTree: fixed numbers of u32 slots in a few growing arrays, found by node number. Keeps what it is
// given; that it makes a tree is ranked-tree.ts's business.

/** Slots of a node. */
export const WIDTH = 64;
export const NO_NODE = 0xffff_ffff;
const NODES_LEAST = 4;

/** What leaves and inner nodes have in common. */
class NodePool {
  /** Of a leaf its members' numbers, of an inner node its children: node * WIDTH + slot. */
  items = new Uint32Array(NODES_LEAST * WIDTH);
  sizes = new Uint8Array(NODES_LEAST);
  parents = new Uint32Array(NODES_LEAST);
  protected used = 0;
  protected free: number[] = [];

  get reservedBytes(): number {
    return this.items.byteLength + this.sizes.byteLength + this.parents.byteLength;
  }

  /** An empty node without a parent. */
  allocate(): number {
    const node = this.free.pop() ?? this.used++;
    if (node === this.sizes.length) this.grow(2 * node);
    this.sizes[node] = 0;
    this.parents[node] = NO_NODE;
    return node;
  }

  release(node: number): void {
    this.free.push(node);
  }

  /** The slot of an item that is there. */
  slotOf(node: number, item: number): number {
    const { items } = this;
    let at = node * WIDTH;
    while (items[at] !== item) at++;
    return at - node * WIDTH;
  }

  protected grow(nodes: number): void {
    this.items = enlarged(this.items, nodes * WIDTH);
    this.parents = enlarged(this.parents, nodes);
    const sizes = new Uint8Array(nodes);
    sizes.set(this.sizes);
    this.sizes = sizes;
  }

  protected copyTo(copy: NodePool): void {
    copy.items = this.items.slice();
    copy.sizes = this.sizes.slice();
    copy.parents = this.parents.slice();
    copy.used = this.used;
    copy.free = [...this.free];
  }
}

export class LeafPool extends NodePool {
  /** Neighbours in order, across parents. */
  before = new Uint32Array(NODES_LEAST);
  after = new Uint32Array(NODES_LEAST);

  override get reservedBytes(): number {
    return super.reservedBytes + this.before.byteLength + this.after.byteLength;
  }

  override allocate(): number {
    const node = super.allocate();
    this.before[node] = NO_NODE;
    this.after[node] = NO_NODE;
    return node;
  }

  protected override grow(nodes: number): void {
    super.grow(nodes);
    this.before = enlarged(this.before, nodes);
    this.after = enlarged(this.after, nodes);
  }

  clone(): LeafPool {
    const copy = new LeafPool();
    this.copyTo(copy);
    copy.before = this.before.slice();
    copy.after = this.after.slice();
    return copy;
  }
}

export class InnerPool extends NodePool {
  /** By child: how many members are below it, and the first of them. */
  counts = new Uint32Array(NODES_LEAST * WIDTH);
  firsts = new Uint32Array(NODES_LEAST * WIDTH);

  override get reservedBytes(): number {
    return super.reservedBytes + this.counts.byteLength + this.firsts.byteLength;
  }

  protected override grow(nodes: number): void {
    super.grow(nodes);
    this.counts = enlarged(this.counts, nodes * WIDTH);
    this.firsts = enlarged(this.firsts, nodes * WIDTH);
  }

  clone(): InnerPool {
    const copy = new InnerPool();
    this.copyTo(copy);
    copy.counts = this.counts.slice();
    copy.firsts = this.firsts.slice();
    return copy;
  }

  /** Members below the node. */
  total(node: number): number {
    let sum = 0;
    const end = node * WIDTH + this.sizes[node]!;
    for (let at = node * WIDTH; at < end; at++) sum += this.counts[at]!;
    return sum;
  }

  /** Puts a child in at `slot`. There is room. */
  insert(node: number, slot: number, child: number, count: number, first: number): void {
    const { items, counts, firsts } = this;
    const at = node * WIDTH + slot;
    for (let to = node * WIDTH + this.sizes[node]!; to > at; to--) {
      items[to] = items[to - 1]!;
      counts[to] = counts[to - 1]!;
      firsts[to] = firsts[to - 1]!;
    }
    items[at] = child;
    counts[at] = count;
    firsts[at] = first;
    this.sizes[node]!++;
  }

  remove(node: number, slot: number): void {
    const { items, counts, firsts } = this;
    const end = node * WIDTH + this.sizes[node]! - 1;
    for (let to = node * WIDTH + slot; to < end; to++) {
      items[to] = items[to + 1]!;
      counts[to] = counts[to + 1]!;
      firsts[to] = firsts[to + 1]!;
    }
    this.sizes[node]!--;
  }

  /** Appends the children of `from` from `slot` on to those of `to`. Their parents are the caller's business. */
  move(from: number, slot: number, to: number): void {
    const start = from * WIDTH + slot;
    const end = from * WIDTH + this.sizes[from]!;
    const target = to * WIDTH + this.sizes[to]!;
    this.items.copyWithin(target, start, end);
    this.counts.copyWithin(target, start, end);
    this.firsts.copyWithin(target, start, end);
    this.sizes[to]! += end - start;
    this.sizes[from] = slot;
  }
}

export function enlarged(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}
