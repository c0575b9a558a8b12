// Random commands, and how to give each one to the store and to the model.

import assert from "node:assert/strict";
import { fc } from "../property.ts";
import type { Model, TextStore } from "./model.ts";

export const DATABASES = 3;

const database = fc.nat({ max: DATABASES - 1 });
const key = fc.oneof(
  fc.nat({ max: 30 }).map((n) => `k${n}`),
  fc.nat({ max: 300 }).map((n) => `${n}`),
  fc.constantFrom("", "\0", "\0\0", "x".repeat(127), "x".repeat(128), "y".repeat(300), "z".repeat(40_000)),
);
const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 60 }) },
  { weight: 3, arbitrary: fc.nat({ max: 3000 }) },
  { weight: 1, arbitrary: fc.nat({ max: 100_000 }) },
);
const value = fc.tuple(length, fc.nat({ max: 25 })).map(([n, c]) => String.fromCharCode(97 + c).repeat(n));
const deadline = fc.integer({ min: 1, max: 60 });

export type Step =
  | { do: "set"; db: number; key: string; value: string; keep: boolean }
  | { do: "fill"; db: number; from: number; count: number }
  | { do: "empty"; db: number; from: number; count: number }
  | { do: "resize"; db: number; key: string; length: number }
  | { do: "members"; db: number; key: string; from: number; count: number; value: string | undefined }
  | { do: "remove"; db: number; key: string }
  | { do: "expire"; db: number; key: string; at: number }
  | { do: "persist"; db: number; key: string }
  | { do: "time"; by: number }
  | { do: "reclaim"; limit: number }
  | { do: "copy"; db: number; key: string; to: number; toKey: string }
  | { do: "rename"; db: number; key: string; toKey: string }
  | { do: "move"; db: number; key: string; to: number }
  | { do: "swap"; db: number; to: number }
  | { do: "clear"; db: number };

export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("set" as const), db: database, key, value, keep: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fill" as const),
      db: database,
      from: fc.nat({ max: 300 }),
      count: fc.nat({ max: 200 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("empty" as const),
      db: database,
      from: fc.nat({ max: 300 }),
      count: fc.nat({ max: 300 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("resize" as const), db: database, key, length }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("members" as const),
      db: database,
      key,
      from: fc.nat({ max: 400 }),
      count: fc.nat({ max: 300 }),
      value: fc.option(value, { nil: undefined, freq: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("remove" as const), db: database, key }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("expire" as const), db: database, key, at: deadline }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("persist" as const), db: database, key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("time" as const), by: fc.nat({ max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reclaim" as const), limit: fc.nat({ max: 10 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("copy" as const), db: database, key, to: database, toKey: key }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("rename" as const), db: database, key, toKey: key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), db: database, key, to: database }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("swap" as const), db: database, to: database }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const), db: database }) },
);

/** Does the same to both, and compares the answers. */
export function run(text: TextStore, model: Model, s: Step): void {
  const { store } = text;
  switch (s.do) {
    case "set":
      text.set(s.db, s.key, s.value, s.keep);
      return model.set(s.db, s.key, s.value, s.keep);
    case "fill":
      for (let i = s.from; i < s.from + s.count; i++) {
        text.set(s.db, `${i}`, `value ${i}`);
        model.set(s.db, `${i}`, `value ${i}`, false);
      }
      return;
    case "empty":
      for (let i = s.from; i < s.from + s.count; i++) {
        assert.equal(text.remove(s.db, `${i}`), model.remove(s.db, `${i}`));
      }
      return;
    case "members": {
      const length = s.value === undefined || s.value.length < 1000 ? s.count : Math.min(s.count, 5);
      const changes = Array.from({ length }, (_, i): [string, string | undefined] => [
        `m${s.from + i}`,
        s.value,
      ]);
      text.changeMembers(s.db, s.key, changes);
      return model.changeMembers(s.db, s.key, changes);
    }
    case "resize": {
      if (model.alive(s.db, s.key)?.members !== undefined) return;
      text.resize(s.db, s.key, s.length, "tail".slice(0, s.length));
      const record = model.resize(s.db, s.key, s.length);
      if (s.length >= 4) record.value = record.value.slice(0, -4) + "tail";
      else record.value = "tail".slice(0, s.length);
      return;
    }
    case "remove":
      return assert.equal(text.remove(s.db, s.key), model.remove(s.db, s.key));
    case "expire": {
      const record = model.alive(s.db, s.key);
      if (record !== undefined) record.deadlineMs = s.at;
      return assert.equal(text.expire(s.db, s.key, s.at), record !== undefined);
    }
    case "persist": {
      const record = model.alive(s.db, s.key);
      assert.equal(text.persist(s.db, s.key), record !== undefined && record.deadlineMs !== 0);
      if (record !== undefined) record.deadlineMs = 0;
      return;
    }
    case "time":
      model.nowMs += s.by;
      return store.setTime(model.nowMs, model.nowMs);
    case "reclaim": {
      const gone: number[] = [];
      store.onExpired = (db, bytes, start, end) => {
        const name = bytes.toString("latin1", start, end);
        gone.push(model.databases[db]!.get(name)!.deadlineMs);
        model.databases[db]!.delete(name);
      };
      const due = model.due();
      assert.equal(store.reclaimDue(s.limit), Math.min(due, s.limit));
      assert.equal(gone.length, Math.min(due, s.limit));
      assert.deepEqual(
        [...gone].sort((a, b) => a - b),
        gone,
        "earliest deadline first",
      );
      store.onExpired = undefined;
      return;
    }
    case "copy":
      return assert.equal(text.copy(s.db, s.key, s.to, s.toKey), model.copy(s.db, s.key, s.to, s.toKey));
    case "rename":
      return assert.equal(text.rename(s.db, s.key, s.toKey), model.rename(s.db, s.key, s.toKey));
    case "move":
      if (s.db !== s.to) assert.equal(text.move(s.db, s.key, s.to), model.move(s.db, s.key, s.to));
      return;
    case "swap": {
      store.swap(s.db, s.to);
      const kept = model.databases[s.db]!;
      model.databases[s.db] = model.databases[s.to]!;
      model.databases[s.to] = kept;
      return;
    }
    case "clear":
      text.keys(s.db).clear();
      model.databases[s.db]!.clear();
  }
}
