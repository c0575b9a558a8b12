// A store as simple as can be: a Map of latin1 keys for each database, and the same commands. Tests compare with it.

import assert from "node:assert/strict";
import type { Keyspace } from "../../src/store/keyspace.ts";
import { MemberCollection } from "../../src/store/member-collection.ts";
import type { Store } from "../../src/store/store.ts";
import { FLAG_OBJECT, FLAG_RAW, HASH, KIND_MASK } from "../../src/store/types.ts";

export interface ModelRecord {
  value: string;
  deadlineMs: number;
  raw: boolean;
  /** Of a large hash: members and their values, in the order of their numbers. */
  members?: [string, string][];
}

/** Sets a member's value, or removes it as MemberTable does: the last one takes its place. */
export function changeMember(members: [string, string][], name: string, value: string | undefined): void {
  const at = members.findIndex(([it]) => it === name);
  if (value !== undefined) {
    if (at >= 0) members[at] = [name, value];
    else members.push([name, value]);
  } else if (at >= 0) {
    const last = members.pop()!;
    if (at < members.length) members[at] = last;
  }
}

export class Model {
  databases: Map<string, ModelRecord>[] = [];
  nowMs = 0;

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.databases.push(new Map());
  }

  /** The record if the key is alive. */
  alive(database: number, key: string): ModelRecord | undefined {
    const record = this.databases[database]!.get(key);
    return record !== undefined && (record.deadlineMs === 0 || record.deadlineMs > this.nowMs)
      ? record
      : undefined;
  }

  /** As a write does: a dead record goes. */
  meet(database: number, key: string): ModelRecord | undefined {
    const record = this.alive(database, key);
    if (record === undefined) this.databases[database]!.delete(key);
    return record;
  }

  set(database: number, key: string, value: string, keepDeadline: boolean): void {
    const before = this.meet(database, key);
    const deadlineMs = keepDeadline && before !== undefined ? before.deadlineMs : 0;
    this.databases[database]!.set(key, { value, deadlineMs, raw: false });
  }

  resize(database: number, key: string, length: number): ModelRecord {
    const before = this.meet(database, key);
    const value = (before?.value ?? "").slice(0, length).padEnd(length, "\0");
    const record = { value, deadlineMs: before?.deadlineMs ?? 0, raw: true };
    this.databases[database]!.set(key, record);
    return record;
  }

  /** Changes members of the large hash at the key, which is made if there is none. */
  changeMembers(database: number, key: string, changes: readonly [string, string | undefined][]): void {
    let record = this.meet(database, key);
    if (record?.members === undefined) record = { value: "", deadlineMs: 0, raw: false, members: [] };
    this.databases[database]!.set(key, record);
    for (const [name, value] of changes) changeMember(record.members!, name, value);
  }

  remove(database: number, key: string): boolean {
    const was = this.meet(database, key) !== undefined;
    this.databases[database]!.delete(key);
    return was;
  }

  copy(from: number, key: string, to: number, toKey: string): boolean {
    const record = this.alive(from, key);
    if (record === undefined) return false;
    this.databases[to]!.set(toKey, cloneRecord(record));
    return true;
  }

  rename(database: number, key: string, toKey: string): boolean {
    if (!this.copy(database, key, database, toKey)) return false;
    if (key !== toKey) this.databases[database]!.delete(key);
    return true;
  }

  move(from: number, key: string, to: number): boolean {
    if (this.meet(to, key) !== undefined || !this.copy(from, key, to, key)) return false;
    this.databases[from]!.delete(key);
    return true;
  }

  /** The due keys of one reclaim, as a set: their order within a database is by hash, which the model has not. */
  due(): number {
    let count = 0;
    for (const records of this.databases) {
      for (const record of records.values())
        if (record.deadlineMs !== 0 && record.deadlineMs <= this.nowMs) count++;
    }
    return count;
  }

  clone(): Model {
    const copy = new Model(0);
    copy.nowMs = this.nowMs;
    copy.databases = this.databases.map(
      (records) => new Map([...records].map(([k, r]) => [k, cloneRecord(r)])),
    );
    return copy;
  }
}

const cloneRecord = (record: ModelRecord): ModelRecord =>
  record.members === undefined ? { ...record } : { ...record, members: [...record.members] };

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Text arguments instead of byte ranges; every buffer has other bytes around, so that ranges are really used. */
export class TextStore {
  readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  #padded(text: string): [Buffer, number, number] {
    const bytes = latin1(`<${text}>`);
    return [bytes, 1, bytes.length - 1];
  }

  keys(database: number): Keyspace {
    return this.store.databases[database]!;
  }

  find(database: number, key: string): number {
    return this.keys(database).find(...this.#padded(key));
  }

  get(database: number, key: string): string | undefined {
    const keys = this.keys(database);
    const handle = this.find(database, key);
    if (handle === 0) return undefined;
    if ((keys.kindOf(handle) & FLAG_OBJECT) !== 0) return "";
    keys.valueOf(handle);
    return keys.valueBytes.toString("latin1", keys.valueStart, keys.valueEnd);
  }

  set(database: number, key: string, value: string, keepDeadline = false): void {
    this.keys(database).setString(...this.#padded(key), ...this.#padded(value), keepDeadline);
  }

  /** Resizes, and fills the last `fill.length` bytes. */
  resize(database: number, key: string, length: number, fill = ""): void {
    const keys = this.keys(database);
    keys.resizeString(...this.#padded(key), length);
    if (fill.length > 0) keys.valueBytes.write(fill, keys.valueEnd - fill.length, "latin1");
  }

  expire(database: number, key: string, deadlineMs: number): boolean {
    const handle = this.find(database, key);
    if (handle === 0) return false;
    this.keys(database).setDeadline(handle, deadlineMs);
    return true;
  }

  persist(database: number, key: string): boolean {
    const handle = this.find(database, key);
    return handle !== 0 && this.keys(database).clearDeadline(handle);
  }

  changeMembers(database: number, key: string, changes: readonly [string, string | undefined][]): void {
    const keys = this.keys(database);
    let handle = this.find(database, key);
    if (handle === 0 || (keys.kindOf(handle) & FLAG_OBJECT) === 0) {
      const made = new MemberCollection([1, 2]);
      handle = keys.putCollection(...this.#padded(key), HASH, made, false);
    }
    const collection = keys.collectionForWrite(handle);
    assert.ok(collection instanceof MemberCollection);
    const { table } = collection;
    for (const [name, value] of changes) {
      const number = table.find(...this.#padded(name));
      if (value === undefined) {
        if (number >= 0) table.remove(number);
      } else if (number >= 0) table.setValue(number, ...this.#padded(value));
      else table.add(...this.#padded(name), ...this.#padded(value));
    }
    keys.settle(collection);
  }

  /** Of the located record's collection. */
  #members(keys: Keyspace, ref: number): [string, string][] {
    const collection = keys.collectionOf(ref);
    assert.ok(collection instanceof MemberCollection);
    const { table } = collection;
    return Array.from({ length: table.count }, (_, number) => {
      table.locate(number);
      const text = (start: number, end: number): string => table.bytes.toString("latin1", start, end);
      const name = text(table.memberStart, table.memberEnd);
      const value = text(table.valueStart, table.valueEnd);
      assert.equal(table.find(...this.#padded(name)), number);
      return [name, value];
    });
  }

  remove(database: number, key: string): boolean {
    return this.keys(database).remove(...this.#padded(key));
  }

  copy(from: number, key: string, to: number, toKey: string): boolean {
    return this.keys(from).copyKey(...this.#padded(key), this.keys(to), ...this.#padded(toKey));
  }

  rename(database: number, key: string, toKey: string): boolean {
    return this.keys(database).renameKey(...this.#padded(key), ...this.#padded(toKey));
  }

  move(from: number, key: string, to: number): boolean {
    return this.keys(from).moveKey(...this.#padded(key), this.keys(to));
  }

  /** All records in table order, dead ones included. */
  records(database: number): [string, ModelRecord][] {
    const keys = this.keys(database);
    const found: [string, ModelRecord][] = [];
    for (keys.index.walkFrom(0); keys.index.walkHash !== 0; keys.index.walkNext()) {
      const ref = keys.index.walkRef;
      keys.keyRange(ref);
      keys.valueOf(ref);
      keys.arena.locate(ref);
      const kind = keys.arena.words[keys.arena.at >>> 2]! & KIND_MASK;
      const key = keys.keyBytes.toString("latin1", keys.keyStart, keys.keyEnd);
      if ((kind & FLAG_OBJECT) !== 0) {
        const deadlineMs = keys.deadlineOf(ref);
        found.push([key, { value: "", deadlineMs, raw: false, members: this.#members(keys, ref) }]);
        continue;
      }
      found.push([
        key,
        {
          value: keys.valueBytes.toString("latin1", keys.valueStart, keys.valueEnd),
          deadlineMs: keys.deadlineOf(ref),
          raw: (kind & FLAG_RAW) !== 0,
        },
      ]);
    }
    return found;
  }
}

/** Everything observable of the store is what the model says. */
export function assertSame(text: TextStore, model: Model): void {
  for (let i = 0; i < model.databases.length; i++) {
    const records = model.databases[i]!;
    const found = text.records(i);
    assert.equal(text.keys(i).size, records.size, `size of database ${i}`);
    assert.deepEqual(new Map(found), records, `records of database ${i}`);
    assert.equal(found.length, records.size, "no record twice");
    let expiring = 0;
    for (const record of records.values()) if (record.deadlineMs !== 0) expiring++;
    assert.equal(text.keys(i).expiringCount, expiring, "expiring keys");
    let logical = 0;
    text.keys(i).index.walkFrom(0);
    for (const [key] of found) {
      const alive = model.alive(i, key) !== undefined;
      assert.equal(text.get(i, key), alive ? records.get(key)!.value : undefined);
    }
    const keys = text.keys(i);
    for (keys.index.walkFrom(0); keys.index.walkHash !== 0; keys.index.walkNext()) {
      logical += keys.memoryOf(keys.index.walkRef);
    }
    assert.equal(keys.logicalBytes, logical, "logical bytes are the sum over the records");
  }
}
