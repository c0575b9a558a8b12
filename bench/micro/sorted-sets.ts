// ns of processor time per operation on a large sorted set, one thread: names of 20 bytes, random scores, or one score for all.
// Memory a member, and the longest single step, which is where arrays are copied.
// Run: node bench/micro/run.mjs sorted-sets; MEMBERS=n for another number than a million.

import { Xoshiro } from "../../src/base/prng.ts";
import { SortedSet } from "../../src/store/sorted-set.ts";

const COUNT = Number(process.env["MEMBERS"] ?? 1_000_000);
const NAME_BYTES = 20;
const RANGE_MEMBERS = 100;
const random = new Xoshiro(1);

const order = new Uint32Array(COUNT).map((_, i) => i);
for (let i = COUNT - 1; i > 0; i--) {
  const j = random.below(i + 1);
  const swapped = order[i]!;
  order[i] = order[j]!;
  order[j] = swapped;
}
const shuffled = Buffer.alloc(NAME_BYTES * COUNT);
for (let i = 0; i < COUNT; i++) {
  shuffled.write(`element:${String(order[i]).padStart(12, "0")}`, NAME_BYTES * i, "latin1");
}
const scores = new Float64Array(COUNT).map(() => random.below(2 ** 31));

function measure(name: string, run: (i: number) => void, count = COUNT): void {
  const cpu = process.cpuUsage();
  let longestMs = 0;
  let before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    run(i);
    if ((i & 63) !== 63) continue;
    const now = process.cpuUsage();
    longestMs = Math.max(longestMs, (now.user + now.system - before.user - before.system) / 1000);
    before = now;
  }
  const used = process.cpuUsage(cpu);
  const ns = (1000 * (used.user + used.system)) / count;
  console.log(
    `${name.padEnd(28)} ${ns.toFixed(0).padStart(6)} ns, longest 64 ${longestMs.toFixed(2).padStart(7)} ms`,
  );
}

function put(set: SortedSet, i: number, score: number): void {
  const at = NAME_BYTES * i;
  const number = set.table.find(shuffled, at, at + NAME_BYTES);
  if (number < 0) set.addNotFound(score, shuffled, at, at + NAME_BYTES);
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
  const numberOf = (i: number): number => set.table.find(shuffled, NAME_BYTES * i, NAME_BYTES * (i + 1));
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
  const start = process.hrtime.bigint();
  set = set.clone();
  console.log(`clone: ${(Number(process.hrtime.bigint() - start) / 1e6).toFixed(1)} ms (${sum})`);
  measure("the same score", (i) => put(set, i, scoreOf(i)));
  if (!isEqual) measure("another score", (i) => put(set, i, scores[COUNT - 1 - i]!));
  measure("pop the first", () => set.remove(set.tree.at(0)));
}
