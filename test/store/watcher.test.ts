// Who watches keys is told of every change, and of nothing else.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Store } from "../../src/store/store.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

class Told {
  readonly store = new Store({ databases: 2, hashSeed: [1, 2] });
  readonly #told: string[] = [];

  constructor() {
    this.store.setTime(1000, 1000);
    this.set("old", "1");
    this.set("mortal", "1");
    this.expire("mortal", 2000);
    this.store.watcher = {
      touched: (database, hash, key, start, end) => {
        const name = key.toString("latin1", start, end);
        const own = this.keys.hash(bytes(name), 0, name.length);
        assert.equal(hash | 0, own | 0);
        this.#told.push(`${database}:${name}`);
      },
      reduced: (database, _hash, key, start, end) =>
        void this.#told.push(`less ${database}:${key.toString("latin1", start, end)}`),
      clearing: (database) => void this.#told.push(`clear ${database}`),
      swapping: (a, b) => void this.#told.push(`swap ${a} ${b}`),
    };
  }

  get keys() {
    return this.store.databases[0]!;
  }

  set(key: string, value: string): void {
    this.keys.setString(bytes(key), 0, key.length, bytes(value), 0, value.length, false);
  }

  handle(key: string): number {
    return this.keys.find(bytes(key), 0, key.length);
  }

  expire(key: string, atMs: number): void {
    this.keys.setDeadline(this.handle(key), atMs);
  }

  /** What was told since the last time, each once. */
  get told(): string[] {
    return [...new Set(this.#told.splice(0))];
  }
}

const cases: readonly (readonly [name: string, act: (t: Told) => void, want: readonly string[]])[] = [
  ["a new key", (t) => t.set("new", "1"), ["0:new"]],
  ["the same value again", (t) => t.set("old", "1"), ["0:old"]],
  ["another length", (t) => void t.keys.resizeString(bytes("old"), 0, 3, 500), ["0:old"]],
  ["a removed key", (t) => void t.keys.remove(bytes("old"), 0, 3), ["0:old"]],
  ["a key that is not there to remove", (t) => void t.keys.remove(bytes("none"), 0, 4), []],
  ["a deadline", (t) => t.expire("old", 5000), ["0:old"]],
  ["a deadline taken away", (t) => void t.keys.clearDeadline(t.handle("mortal")), ["0:mortal"]],
  ["no deadline to take away", (t) => void t.keys.clearDeadline(t.handle("old")), []],
  [
    "a rename",
    (t) => void t.keys.renameKey(bytes("old"), 0, 3, bytes("mortal"), 0, 6),
    ["0:mortal", "0:old"],
  ],
  ["a copy", (t) => void t.keys.copyKey(bytes("old"), 0, 3, t.keys, bytes("b"), 0, 1), ["0:b"]],
  ["a move", (t) => void t.keys.moveKey(bytes("old"), 0, 3, t.store.databases[1]!), ["1:old", "0:old"]],
  [
    "a move to where a key is",
    (t) => {
      t.keys.copyKey(bytes("old"), 0, 3, t.store.databases[1]!, bytes("old"), 0, 3);
      assert.deepEqual(t.told, ["1:old"]);
      t.keys.moveKey(bytes("old"), 0, 3, t.store.databases[1]!);
    },
    [],
  ],
  ["reading", (t) => void t.handle("old"), []],
  ["time passing", (t) => t.store.setTime(3000, 3000), []],
  [
    "a dead key that is reclaimed",
    (t) => {
      t.store.setTime(3000, 3000);
      t.store.reclaimDue(10);
    },
    ["0:mortal"],
  ],
  [
    "a dead key that is looked at",
    (t) => {
      assert.equal(t.keys.reclaimDead(bytes("mortal"), 0, 6), true);
      t.store.setTime(3000, 3000);
      assert.equal(t.keys.reclaimDead(bytes("mortal"), 0, 6), false);
    },
    ["0:mortal"],
  ],
  ["XGROUP DESTROY", (t) => t.keys.announceToWaiters(t.handle("old")), ["less 0:old"]],
  ["FLUSHDB", (t) => t.keys.clear(), ["clear 0"]],
  ["FLUSHALL", (t) => t.store.clear(), ["clear 0", "clear 1"]],
  ["SWAPDB", (t) => t.store.swap(0, 1), ["swap 0 1"]],
];

for (const [name, act, want] of cases) {
  test(`told of ${name}`, () => {
    const t = new Told();
    act(t);
    assert.deepEqual(t.told, want);
  });
}
