// ns of processor time per operation of a MemberTable, one thread: names of 20 bytes, values of 16. Memory a member, and the longest single
// step, which is where arrays are copied.
// Run: node bench/micro/run.mjs members; MEMBERS=n for another number than a million.

import { Xoshiro } from "../../src/base/prng.ts";
import { MemberTable } from "../../src/store/member-table.ts";
import { nsEach, showEach, shuffled } from "./measure.ts";

const COUNT = Number(process.env["MEMBERS"] ?? 1_000_000);
const NAME_BYTES = 20;
const VALUE_BYTES = 16;
const random = new Xoshiro(1);

const order = shuffled(COUNT, random);
const names = (of: (i: number) => number): Buffer => {
  const bytes = Buffer.alloc(NAME_BYTES * COUNT);
  for (let i = 0; i < COUNT; i++)
    bytes.write(`element:${String(of(i)).padStart(12, "0")}`, NAME_BYTES * i, "latin1");
  return bytes;
};
const inOrder = names((i) => i);
const inDisorder = names((i) => order[i]!);
const absent = names((i) => COUNT + order[i]!);
const value = Buffer.alloc(VALUE_BYTES, "v");
const longer = Buffer.alloc(VALUE_BYTES + 8, "w");

const measure = (name: string, run: (at: number) => void): void =>
  showEach(name, COUNT, (i) => run(NAME_BYTES * i));

for (let round = 0; round < 2; round++) {
  console.log(`round ${round + 1}: ${COUNT} members`);
  let table = new MemberTable([1, 2], false);
  measure("add", (at) => {
    if (table.find(inOrder, at, at + NAME_BYTES) < 0)
      table.add(inOrder, at, at + NAME_BYTES, value, 0, VALUE_BYTES);
  });
  console.log(
    `${(table.reservedBytes / COUNT).toFixed(1)} bytes a member reserved, ${NAME_BYTES + VALUE_BYTES} of them its own`,
  );
  measure("find, there", (at) => table.find(inDisorder, at, at + NAME_BYTES));
  measure("find, not there", (at) => table.find(absent, at, at + NAME_BYTES));
  measure("set value, same length", (at) =>
    table.setValue(table.find(inDisorder, at, at + NAME_BYTES), longer, 0, VALUE_BYTES),
  );
  measure("set value, longer", (at) =>
    table.setValue(table.find(inDisorder, at, at + NAME_BYTES), longer, 0, longer.length),
  );
  console.log(`${(table.reservedBytes / COUNT).toFixed(1)} bytes a member reserved`);
  const ns = nsEach(1, () => {
    table = table.clone();
  });
  console.log(`clone: ${(ns / 1e6).toFixed(1)} ms`);
  measure("remove and add", (at) => {
    table.remove(table.find(inDisorder, at, at + NAME_BYTES));
    table.add(absent, at, at + NAME_BYTES, value, 0, VALUE_BYTES);
  });
  measure("pop", () => {
    table.remove(random.below(table.count));
  });
}
