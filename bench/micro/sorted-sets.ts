// ns of processor time per operation on a large sorted set, one thread: names of 20 bytes, random scores, or one score for all.
// Memory a member, and the longest single step, which is where arrays are copied.
// Run: node bench/micro/run.mjs sorted-sets; MEMBERS=n for another number than a million.

import { Xoshiro } from "../../src/base/prng.ts";
import { SortedSet } from "../../src/store/sorted-set.ts";
import { nsEach, showEach, shuffled } from "./measure.ts";

const COUNT = Number(process.env["MEMBERS"] ?? 1_000_000);
const NAME_BYTES = 20;
const RANGE_MEMBERS = 100;
const random = new Xoshiro(1);

const order = shuffled(COUNT, random);
const names = Buffer.alloc(NAME_BYTES * COUNT);
for (let i = 0; i < COUNT; i++) {
  names.write(`element:${String(order[i]).padStart(12, "0")}`, NAME_BYTES * i, "latin1");
}
const scores = new Float64Array(COUNT).map(() => random.below(2 ** 31));

const measure = (name: string, run: (i: number) => void, count = COUNT): void => showEach(name, count, run);

function put(set: SortedSet, i: number, score: number): void {
  const at = NAME_BYTES * i;
  const number = set.table.find(names, at, at + NAME_BYTES);
  if (number < 0) set.addNotFound(score, names, at, at + NAME_BYTES);
  else if (set.table.scoreOf(number) !== score) set.setScore(number, score);
}

for (const isEqual of [false, true, false, true]) {
  console.log(`${COUNT} members, ${isEqual ? "one score" : "random scores"}`);
  let set = new SortedSet([1, 2]);
  const scoreOf = (i: number): number => (isEqual ? 0 : scores[i]!);
  measure("add", (i) => put(set, i, scoreOf(i)));
  console.log(
    `${(set.reservedBytes / COUNT).toFixed(1)} bytes a member reserved, ${NAME_BYTES} of them its own`,
  );
  const numberOf = (i: number): number => set.table.find(names, NAME_BYTES * i, NAME_BYTES * (i + 1));
  measure("rank", (i) => set.tree.rankOf(numberOf(i)));
  measure("at a rank", (i) => set.tree.at(order[i]!));
  measure("rank of a score", (i) => set.tree.rankOfScore(scoreOf(i), false));
  let sum = 0;
  measure(
    `range of ${RANGE_MEMBERS}`,
    (i) => {
      let number = set.tree.at(order[i]! % (COUNT - RANGE_MEMBERS));
      for (let left = RANGE_MEMBERS; left > 0; left--, number = set.tree.next()) {
        set.table.locate(number);
        sum += set.table.memberEnd;
      }
    },
    COUNT / 10,
  );
  const ns = nsEach(1, () => {
    set = set.clone();
  });
  console.log(`clone: ${(ns / 1e6).toFixed(1)} ms (${sum})`);
  measure("the same score", (i) => put(set, i, scoreOf(i)));
  if (!isEqual) measure("another score", (i) => put(set, i, scores[COUNT - 1 - i]!));
  measure("pop the first", () => set.remove(set.tree.at(0)));
}
