// Ends of ranges of scores ("5", "(5", "-inf") and of texts ("[a", "(a", "-", "+"), and the ranks that they mean in a sorted set.
// Scores are read as C's strtod does, where Redis is less strict than elsewhere: blanks before, nothing at all, overflow.

import type { Args } from "../base/args.ts";
import { parseLenientDouble } from "../base/numbers.ts";
import type { SortedSetReader } from "../store/sorted-set-reader.ts";

const OPEN = 0x28; // (
const CLOSED = 0x5b; // [
const PLUS = 0x2b;
const MINUS = 0x2d;

/** "byRank": both ends are ranks, negative ones counted from the end. */
export type RangeKind = "byRank" | "byScore" | "byText";

/** One end. Which fields count depends on the kind. */
interface RangeEnd {
  /** A rank or a score. */
  value: number;
  isExclusive: boolean;
  /** Number of the argument with the text; its first byte says which end it is. */
  index: number;
}

/** A range of one kind. One object serves many commands. */
export class Range {
  kind: RangeKind = "byRank";
  readonly low: RangeEnd = { value: 0, isExclusive: false, index: 0 };
  readonly high: RangeEnd = { value: 0, isExclusive: false, index: 0 };
  /** After resolve(): the first rank, and how many members. */
  from = 0;
  count = 0;

  /** From arguments `low` and `high`. False: one of them makes no sense; ranks are read elsewhere. */
  parse(kind: "byScore" | "byText", args: Args, low: number, high: number): boolean {
    this.kind = kind;
    const parse = kind === "byScore" ? parseScoreEnd : parseTextEnd;
    return parse(args, low, this.low) && parse(args, high, this.high);
  }

  /** Both included, from the end where negative. */
  ofRanks(low: number, high: number): void {
    this.kind = "byRank";
    this.low.value = low;
    this.high.value = high;
  }

  /** Which ranks it is in this set; none: count is 0. */
  resolve(set: SortedSetReader, args: Args): void {
    const { low, high } = this;
    let until: number;
    if (this.kind === "byRank") {
      this.from = Math.max(0, low.value < 0 ? set.count + low.value : low.value);
      until = Math.min(set.count, (high.value < 0 ? set.count + high.value : high.value) + 1);
    } else if (this.kind === "byScore") {
      this.from = set.rankOfScore(low.value, low.isExclusive);
      until = set.rankOfScore(high.value, !high.isExclusive);
    } else {
      this.from = rankOfTextEnd(set, args, low, low.isExclusive);
      until = rankOfTextEnd(set, args, high, !high.isExclusive);
    }
    this.count = Math.max(0, until - this.from);
  }
}

function rankOfTextEnd(set: SortedSetReader, args: Args, end: RangeEnd, isBehind: boolean): number {
  const start = args.start(end.index);
  const first = args.bytes[start];
  if (first === MINUS) return 0;
  if (first === PLUS) return set.count;
  return set.rankOfText(args.bytes, start + 1, args.end(end.index), isBehind);
}

function parseScoreEnd(args: Args, index: number, into: RangeEnd): boolean {
  let start = args.start(index);
  into.isExclusive = args.bytes[start] === OPEN && start < args.end(index);
  if (into.isExclusive) start++;
  const value = parseLenientDouble(args.bytes, start, args.end(index));
  into.value = value;
  return !Number.isNaN(value);
}

function parseTextEnd(args: Args, index: number, into: RangeEnd): boolean {
  const length = args.length(index);
  if (length === 0) return false;
  const first = args.bytes[args.start(index)]!;
  into.index = index;
  into.isExclusive = first === OPEN;
  if (first === OPEN || first === CLOSED) return true;
  return (first === PLUS || first === MINUS) && (length === 1 || args.bytes[args.start(index) + 1] === 0);
}
