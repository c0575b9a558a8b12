// Lists against arrays: every change in every form, with snapshots taken in between that must keep what was.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Args } from "../../src/base/args.ts";
import type { Keyspace } from "../../src/store/keyspace.ts";
import {
  placeElement,
  pushElement,
  pushElements,
  removeElements,
  removeEqual,
} from "../../src/store/list-changes.ts";
import { ListCursor } from "../../src/store/list-cursor.ts";
import { SnapshotLoader } from "../../src/store/snapshot-loader.ts";
import type { SnapshotReader } from "../../src/store/snapshot-reader.ts";
import { Store } from "../../src/store/store.ts";
import { fc } from "../property.ts";

const key = { bytes: Buffer.from("<list>"), start: 1, end: 5 };
const cursor = new ListCursor();

const element = fc.oneof(
  fc.constantFrom("a", "b", "1", "-300", "70000", "9223372036854775807", "", "x".repeat(63), "y".repeat(64)),
  fc.nat({ max: 1000 }).map((n) => "z".repeat(n)),
  fc.constantFrom("w".repeat(5000), "v".repeat(9000)),
);
const change = fc.oneof(
  fc.record({
    do: fc.constant("push" as const),
    elements: fc.array(element, { maxLength: 40 }),
    atHead: fc.boolean(),
  }),
  fc.record({ do: fc.constant("remove" as const), at: fc.nat(), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    do: fc.constant("pop" as const),
    atHead: fc.boolean(),
    count: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({ do: fc.constant("place" as const), at: fc.nat(), isInsert: fc.boolean(), element }),
  fc.record({
    do: fc.constant("equal" as const),
    element,
    limit: fc.integer({ min: 1, max: 20 }),
    fromTail: fc.boolean(),
  }),
  fc.record({ do: fc.constant("snapshot" as const) }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function elementsOf(keys: Keyspace): string[] {
  const handle = keys.find(key.bytes, key.start, key.end);
  const found: string[] = [];
  if (handle === 0) return found;
  const { entry } = cursor;
  for (let more = cursor.seek(keys, handle, 0); more; more = cursor.next())
    found.push(entry.bytes.toString("latin1", entry.start, entry.end));
  const backwards: string[] = [];
  for (let more = cursor.seek(keys, handle, found.length - 1); more; more = cursor.previous())
    backwards.push(entry.bytes.toString("latin1", entry.start, entry.end));
  assert.deepEqual(backwards.reverse(), found, "the same backwards");
  return found;
}

function run(keys: Keyspace, model: string[], c: Change, size: number): void {
  const handle = keys.find(key.bytes, key.start, key.end);
  if (c.do === "push") {
    for (const text of c.elements) {
      if (c.atHead) model.unshift(text);
      else model.push(text);
    }
    if (c.elements.length === 1) {
      const [text] = c.elements as [string];
      pushElement(keys, key, handle, Buffer.from(`<${text}>`), 1, 1 + text.length, c.atHead, size);
    } else {
      const args = Args.of("key", ...c.elements);
      assert.equal(pushElements(keys, key, handle, args, 1, c.atHead, size), model.length);
    }
  } else if (handle === 0) return;
  else if (c.do === "remove" || c.do === "pop") {
    const count = Math.min(c.count, model.length);
    const last = model.length - count;
    const at = c.do === "remove" ? c.at % (last + 1) : c.atHead ? 0 : last;
    removeElements(keys, key, handle, at, count, size);
    model.splice(at, count);
  } else if (c.do === "place") {
    const at = c.at % model.length;
    placeElement(keys, key, handle, at, c.isInsert, Buffer.from(c.element), 0, c.element.length, size);
    model.splice(at, c.isInsert ? 0 : 1, c.element);
  } else if (c.do === "equal") {
    const bytes = Buffer.from(c.element);
    const removed = removeEqual(keys, key, handle, bytes, 0, bytes.length, c.limit, c.fromTail, size);
    let left = c.limit;
    if (c.fromTail) model.reverse();
    const kept = model.filter((text) => text !== c.element || left-- <= 0);
    assert.equal(removed, model.length - kept.length);
    model.splice(0, model.length, ...(c.fromTail ? kept.reverse() : kept));
  }
}

test("random changes do what they do to an array, and snapshots keep what was", () => {
  let larges = 0;
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 60, size: "max" }),
      fc.constantFrom(-2, -1, 4, 128),
      (changes, size) => {
        const store = new Store({ databases: 1, hashSeed: [1, 2] });
        const keys = store.databases[0]!;
        const model: string[] = [];
        let reader: SnapshotReader | undefined;
        let kept: string[] = [];
        let chunks: Buffer[] = [];
        for (const c of changes) {
          if (c.do !== "snapshot") run(keys, model, c, size);
          else if (reader === undefined) {
            reader = store.beginSnapshot();
            kept = [...model];
            chunks = [reader.next(65_536)!];
          } else {
            for (let chunk = reader.next(65_536); chunk !== undefined; chunk = reader.next(65_536))
              chunks.push(chunk);
            reader = undefined;
            const loader = new SnapshotLoader();
            for (const chunk of chunks) assert.equal(loader.accept(chunk), undefined);
            const loaded = loader.finish();
            assert.ok(loaded.ok);
            assert.deepEqual(elementsOf(loaded.store.databases[0]!), kept);
          }
          assert.deepEqual(elementsOf(keys), model);
          const handle = keys.find(key.bytes, key.start, key.end);
          assert.equal(keys.logicalBytes, handle === 0 ? 0 : keys.memoryOf(handle));
          if (handle !== 0 && keys.encodingOf(handle) === "quicklist") larges++;
        }
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(larges > 100, `${larges} large lists seen`);
});
