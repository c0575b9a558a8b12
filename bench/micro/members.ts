// ns of processor time per operation of a MemberTable, one thread: names of 20 bytes, values of 16. Memory a member, and the longest single
// step, which is where arrays are copied.
// Run: node bench/micro/run.mjs members; MEMBERS=n for another number than a million.

import { Xoshiro } from "../../src/base/prng.ts";
import { MemberTable } from "../../src/store/member-table.ts";

const COUNT = Number(process.env["MEMBERS"] ?? 1_000_000);
const NAME_BYTES = 20;
const VALUE_BYTES = 16;
const random = new Xoshiro(1);

const order = new Uint32Array(COUNT).map((_, i) => i);
for (let i = COUNT - 1; i > 0; i--) {
  const j = random.below(i + 1);
  const swapped = order[i]!;
  order[i] = order[j]!;
  order[j] = swapped;
}
const names = (of: (i: number) => number): Buffer => {
  const bytes = Buffer.alloc(NAME_BYTES * COUNT);
  for (let i = 0; i < COUNT; i++)
    bytes.write(`element:${String(of(i)).padStart(12, "0")}`, NAME_BYTES * i, "latin1");
  return bytes;
};
const inOrder = names((i) => i);
const shuffled = names((i) => order[i]!);
const absent = names((i) => COUNT + order[i]!);
const value = Buffer.alloc(VALUE_BYTES, "v");
const longer = Buffer.alloc(VALUE_BYTES + 8, "w");

function measure(name: string, run: (at: number, i: number) => void): void {
  const cpu = process.cpuUsage();
  let longestNs = 0;
  let before = process.hrtime.bigint();
  for (let i = 0; i < COUNT; i++) {
    run(NAME_BYTES * i, i);
    if ((i & 63) !== 63) continue;
    const now = process.hrtime.bigint();
    longestNs = Math.max(longestNs, Number(now - before));
    before = now;
  }
  const used = process.cpuUsage(cpu);
  const ns = (1000 * (used.user + used.system)) / COUNT;
  console.log(
    `${name.padEnd(28)} ${ns.toFixed(0).padStart(5)} ns, longest 64 ${(longestNs / 1e6).toFixed(2).padStart(7)} ms`,
  );
}

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
  measure("find, there", (at) => table.find(shuffled, at, at + NAME_BYTES));
  measure("find, not there", (at) => table.find(absent, at, at + NAME_BYTES));
  measure("set value, same length", (at) =>
    table.setValue(table.find(shuffled, at, at + NAME_BYTES), longer, 0, VALUE_BYTES),
  );
  measure("set value, longer", (at) =>
    table.setValue(table.find(shuffled, at, at + NAME_BYTES), longer, 0, longer.length),
  );
  console.log(`${(table.reservedBytes / COUNT).toFixed(1)} bytes a member reserved`);
  const start = process.hrtime.bigint();
  table = table.clone();
  console.log(`clone: ${(Number(process.hrtime.bigint() - start) / 1e6).toFixed(1)} ms`);
  measure("remove and add", (at) => {
    table.remove(table.find(shuffled, at, at + NAME_BYTES));
    table.add(absent, at, at + NAME_BYTES, value, 0, VALUE_BYTES);
  });
  measure("pop", () => {
    table.remove(random.below(table.count));
  });
}
