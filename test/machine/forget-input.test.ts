// What a replica has applied is not kept by whoever has read it: a value of 512 MiB that is gone must not wait for the next
// command of its kind.

import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "vitest";
import { Machine } from "../../src/machine/machine.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { Store } from "../../src/store/store.ts";
import { ENTRY_HEADER_BYTES, writeEntryHeader } from "../../src/wire/entry-codec.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Applies one entry and warms its keys; only the machine may refer to its bytes afterwards. */
function applied(
  machine: Machine,
  index: number,
  commands: readonly (readonly string[])[],
): WeakRef<ArrayBuffer> {
  const bytes = Buffer.concat(commands.map((command) => encodeCommand([...command])));
  const payload = Buffer.from(new ArrayBuffer(ENTRY_HEADER_BYTES + bytes.length));
  writeEntryHeader(payload, 0, 1, 1, bytes.length, 0, 0);
  bytes.copy(payload, ENTRY_HEADER_BYTES);
  assert.equal(machine.check.problem(payload), undefined);
  machine.warmer.warm(payload, ENTRY_HEADER_BYTES, payload.length, machine.store.databases[0]!);
  machine.apply(payload, index, 1);
  return new WeakRef(payload.buffer as ArrayBuffer);
}

test("the bytes of an entry are garbage once it is applied and its readers have forgotten it", async () => {
  const machine = new Machine(new Store({ databases: 1, hashSeed: [1, 2] }));
  const seen = applied(machine, 1, [
    ["SET", "a", "1"],
    ["SET", "b", "2"],
    ["MSET", "c", "3", "d", "4"],
  ]);
  machine.forgetInput();
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  assert.equal(seen.deref(), undefined);
});
