// A large sorted set: members and scores in a MemberTable, their order in a RankedTree. Members are numbered as the table
// does it; ranks are places in the order, from 0.

import type { Collection, PieceWriter } from "./collection.ts";
import { nextPair, readScore } from "./compact-sorted-set.ts";
import { LISTPACK_HEADER_BYTES, ListpackEntry, nextEntry } from "./listpack.ts";
import { type HashSeed, MemberTable } from "./member-table.ts";
import { RankedTree } from "./ranked-tree.ts";

const SCORE_BYTES = 8;
/** What the tree takes for a member, in logical bytes: its place in a leaf three quarters full, and which leaf it is. */
const TREE_LOGICAL_BYTES = 10;

export class SortedSet implements Collection {
  frozen = false;
  accountedBytes = 0;
  readonly encoding = "skiplist";
  readonly table: MemberTable;
  readonly tree: RankedTree;

  constructor(seed: HashSeed, table = new MemberTable(seed, true), tree = new RankedTree(table)) {
    this.table = table;
    this.tree = tree;
  }

  get logicalBytes(): number {
    return this.table.logicalBytes + TREE_LOGICAL_BYTES * this.table.count;
  }

  /** Memory really held. Local. */
  get reservedBytes(): number {
    return this.table.reservedBytes + this.tree.reservedBytes;
  }

  clone(): SortedSet {
    return this.#over(this.table.clone());
  }

  copy(): SortedSet {
    return this.#over(this.table.copy());
  }

  #over(table: MemberTable): SortedSet {
    return new SortedSet(table.seed, table, this.tree.clone(table));
  }

  /** Adds a member that is not there. The bytes may not lie in this set. */
  add(score: number, bytes: Buffer, start: number, end: number): void {
    this.#place(this.table.add(bytes, start, end), score, bytes, start, end);
  }

  /** add() for the member that the table's last find() did not find. */
  addNotFound(score: number, bytes: Buffer, start: number, end: number): void {
    this.#place(this.table.addNotFound(bytes, start, end), score, bytes, start, end);
  }

  #place(member: number, score: number, bytes: Buffer, start: number, end: number): void {
    this.table.setScore(member, score);
    this.tree.insert(member, score, bytes, start, end);
  }

  /** Adds what a listpack of pairs holds. */
  addPairs(bytes: Buffer, start: number, end: number): void {
    const entry = new ListpackEntry();
    for (let at = start + LISTPACK_HEADER_BYTES; at < end - 1; at = nextPair(bytes, at)) {
      entry.read(bytes, at);
      this.add(readScore(bytes, nextEntry(bytes, at)), entry.bytes, entry.start, entry.end);
    }
  }

  /** Another score for a member. */
  setScore(member: number, score: number): void {
    const { table, tree } = this;
    if (tree.keepsPlace(member, score)) return table.setScore(member, score);
    tree.remove(member);
    table.setScore(member, score);
    table.locate(member);
    tree.insert(member, score, table.bytes, table.memberStart, table.memberEnd);
  }

  remove(member: number): void {
    this.tree.remove(member);
    const last = this.table.remove(member);
    if (last !== member) this.tree.renumber(last, member);
  }

  beginPieces(): number {
    return this.table.count;
  }

  /** A member in the order of numbers: its score, its bytes. */
  writePiece(index: number, into: PieceWriter): void {
    const { table } = this;
    into.f64(table.scoreOf(index));
    table.locate(index);
    into.copy(table.bytes, table.memberStart, table.memberEnd);
  }

  acceptPiece(bytes: Buffer, start: number, end: number): boolean {
    const memberStart = start + SCORE_BYTES;
    if (memberStart > end) return false;
    const score = bytes.readDoubleLE(start);
    if (Number.isNaN(score) || this.table.find(bytes, memberStart, end) >= 0) return false;
    this.addNotFound(score, bytes, memberStart, end);
    return true;
  }
}
