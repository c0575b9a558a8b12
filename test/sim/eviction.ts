// A run whose memory is limited: by settings as people write them, with one of the eight policies, and in some runs by an
// operator who changes the limit, on one node, while all else goes on. Looks at every entry as each replica applies it: is what is in
// use within the limit that its leader had, does -OOM come only where it belongs? What keys may be gone is the model's business.

import { lookupName } from "../../src/command/lookup.ts";
import { MODE_LEADER } from "../../src/node/replica.ts";
import type { TurnBatch } from "../../src/node/turn-batch.ts";
import type { Store } from "../../src/store/store.ts";
import { type EvictionPolicy, evictableCount } from "../../src/store/victims.ts";
import { EntryHeader } from "../../src/wire/entry-codec.ts";
import { EvictionReader, type EvictionWriter } from "../../src/wire/eviction-codec.ts";
import { SimClient } from "./clients.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

const POLICIES: readonly EvictionPolicy[] = [
  "noeviction",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
];
/** Of these runs, those in which the limit changes. */
const CHANGING_SHARE = 0.6;
/** All keys of a run together have some kilobytes; a stream with its group has two alone. */
const LIMIT_BYTES_MIN = 3000;
const LIMIT_BYTES_MAX = 12_000;
/** One entry names so many keys for what is above the limit already (src/node/memory-limit.ts). */
const VICTIMS_PER_ENTRY = 128;
const NAMED_SHARE_MAX = 0.7;
/** What makes more of what is there than it brings: ADR 16 does not foresee it, the entry after brings it back. */
const UNFORESEEN = /\r\n(APPEND|PFMERGE|PFADD|SMOVE|XREADGROUP)\r\n/;
/** What may add something and is not refused. */
const NOT_REFUSED = /\r\n(PEXPIRE|SMOVE|RENAME|XREADGROUP)\r\n/;
/** Where nothing can go, one command steps over the limit: a stream with its group. */
const STEP_BYTES_MAX = 2500;
const TRY_AGAIN_MS = 200;

interface Victim {
  readonly database: number;
  readonly key: Buffer;
  readonly bytes: number;
}

/** What the leader that proposed an entry had been told, what it had applied when it did, and what it named. */
interface Proposed {
  readonly batch: TurnBatch;
  readonly limitBytes: number;
  /** The largest since the entry before it: its commands were let in meanwhile. */
  readonly limitBytesMax: number;
  readonly appliedIndex: number;
  /** Keys that it had then. */
  readonly keyCount: number;
  readonly victims: readonly Victim[];
}

interface Applied {
  readonly index: number;
  readonly term: number;
  readonly usedBytes: number;
  readonly keyCount: number;
}

interface Seen {
  /** The largest since it proposed last. */
  limitBytesMax: number;
  isAbove: boolean;
  /** Above after some entry of this step, whatever came after that entry. */
  wasAbove: boolean;
  isLeading: boolean;
  usedBytes: number;
  /** What happened in this step. */
  readonly proposed: Proposed[];
  readonly applied: Applied[];
}

export class Eviction {
  readonly policy: EvictionPolicy;
  /** The operator's last word; processes start with it, and what is in force counts. */
  limitBytes: number;
  /** Entries whose limit was known, at each replica. */
  checkedCount = 0;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #isChanging: boolean;
  readonly #seen = new Map<SimProcess, Seen>();
  readonly #proposed = new Map<string, Proposed>();
  /** Entries with commands whose need is not foreseen, or that are not refused. */
  readonly #unforeseen = new Set<number>();
  readonly #notRefused = new Set<number>();
  /** Of each entry: how much less than it was named for was left of its victims when its commands had run. */
  readonly #missingBytes = new Map<number, number>();
  /** When somebody who led was last above the limit with nothing to evict. */
  #refusingMs = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(simulation: Simulation, random: Random) {
    this.#simulation = simulation;
    this.#random = random;
    this.policy = random.pick(POLICIES);
    this.limitBytes = this.#drawLimit();
    this.#isChanging = random.chance(CHANGING_SHARE);
  }

  get description(): string {
    return `${this.policy} ${this.#isChanging ? "from" : "at"} ${this.limitBytes} bytes`;
  }

  get evictedCount(): number {
    const counts = this.#simulation.living.map(({ node }) => node.replica.machine.counters.keysEvicted);
    return Math.max(0, ...counts);
  }

  begin(): void {
    if (!this.#isChanging) return;
    this.#simulation.timeline.after(this.#random.magnitude(200, 4000), () => {
      if (this.#isOver) return;
      this.#change();
      this.begin();
    });
  }

  /** A change that was refused, or got lost, is made again. */
  end(): void {
    this.#isOver = true;
    this.#settle();
  }

  /** Has everybody heard the last word, and is nobody above it who could do something about it? */
  get isSettled(): boolean {
    return this.#simulation.census.members.every(({ node }) => {
      const { store } = node.replica.machine;
      if (node.settings.maxmemoryBytes !== this.limitBytes) return false;
      const isWithin = this.limitBytes === 0 || store.logicalBytes <= this.limitBytes;
      return isWithin || evictableCount(store, this.policy) === 0;
    });
  }

  /** Of a process that becomes a member: looks at each entry it applies. */
  watch(process: SimProcess): void {
    const { machine, limit } = process.node.replica;
    const { settings } = process.node;
    const seen: Seen = {
      limitBytesMax: settings.maxmemoryBytes,
      isAbove: false,
      wasAbove: false,
      isLeading: false,
      usedBytes: machine.store.logicalBytes,
      proposed: [],
      applied: [],
    };
    this.#seen.set(process, seen);
    const { name } = limit;
    limit.name = (store, batch) => {
      name.call(limit, store, batch);
      seen.proposed.push({
        batch,
        limitBytes: settings.maxmemoryBytes,
        limitBytesMax: larger(seen.limitBytesMax, settings.maxmemoryBytes),
        appliedIndex: machine.appliedIndex,
        keyCount: keyCountOf(store),
        victims: victimsOf(limit.section, store),
      });
    };
    const { beginEntry, endEntry, replace } = machine;
    machine.beginEntry = (payload, index, term) => {
      const text = payload.toString("latin1");
      if (UNFORESEEN.test(text)) this.#unforeseen.add(index);
      if (NOT_REFUSED.test(text)) this.#notRefused.add(index);
      return beginEntry.call(machine, payload, index, term);
    };
    machine.endEntry = () => {
      const proposed = this.#proposed.get(`${machine.appliedIndex} ${machine.appliedTerm}`);
      if (proposed !== undefined)
        this.#missingBytes.set(machine.appliedIndex, missingFrom(machine.store, proposed.victims));
      endEntry.call(machine);
      const { store } = machine;
      seen.wasAbove ||= this.#isAbove(process);
      seen.applied.push({
        index: machine.appliedIndex,
        term: machine.appliedTerm,
        usedBytes: store.logicalBytes,
        keyCount: keyCountOf(store),
      });
    };
    machine.replace = (...args) => {
      replace.apply(machine, args);
      seen.usedBytes = machine.store.logicalBytes;
    };
  }

  /** After every step of a process. */
  stepped(process: SimProcess): void {
    const seen = this.#seen.get(process);
    const { raft, mode } = process.node.replica;
    if (seen === undefined || raft === undefined) return;
    const { maxmemoryBytes } = process.node.settings;
    for (const proposed of seen.proposed) {
      const { index, term } = proposed.batch;
      if (index > 0) this.#proposed.set(`${index} ${term}`, proposed);
    }
    if (seen.proposed.length > 0) seen.limitBytesMax = maxmemoryBytes;
    else seen.limitBytesMax = larger(seen.limitBytesMax, maxmemoryBytes);
    seen.proposed.length = 0;
    for (const applied of seen.applied) this.#check(process, seen, applied);
    seen.applied.length = 0;
    // The step may have begun above the limit, or with the lead, and ended without; or, where one node decides alone,
    // have applied an entry that steps over the limit and one that goes back.
    const isAbove = this.#isAbove(process);
    const isLeading = mode === MODE_LEADER;
    if ((isLeading || seen.isLeading) && (isAbove || seen.isAbove || seen.wasAbove))
      this.#refusingMs = this.#simulation.timeline.nowMs;
    seen.isAbove = isAbove;
    seen.wasAbove = false;
    seen.isLeading = isLeading;
  }

  /** Is it above its limit, with nothing to evict? */
  #isAbove({ node }: SimProcess): boolean {
    const { maxmemoryBytes } = node.settings;
    const { store } = node.replica.machine;
    return (
      maxmemoryBytes > 0 && store.logicalBytes > maxmemoryBytes && evictableCount(store, this.policy) === 0
    );
  }

  /** Why this command should not have got -OOM, if so. */
  refused(command: readonly string[], sentMs: number, isQueued: boolean): string | undefined {
    if (this.policy.startsWith("allkeys")) return "there was something to evict";
    if (this.#refusingMs < sentMs) return "nobody who led was above the limit";
    const needsMemory = isQueued || command[0] === "EXEC" || denies(command);
    return needsMemory ? undefined : "it needs no memory";
  }

  #check(process: SimProcess, seen: Seen, { index, term, usedBytes, keyCount }: Applied): void {
    const before = seen.usedBytes;
    seen.usedBytes = usedBytes;
    const proposed = this.#proposed.get(`${index} ${term}`);
    if (proposed === undefined) return;
    this.checkedCount++;
    const isAny = this.policy.startsWith("allkeys");
    const limitBytes = isAny ? proposed.limitBytes : proposed.limitBytesMax;
    if (limitBytes === 0 || usedBytes <= limitBytes) return;
    if (isAny) {
      // What is above the limit already goes in slices of so many keys; and of none that are left nobody can go.
      if (keyCount === 0 || keyCount > VICTIMS_PER_ENTRY) return;
      const excessBytes = this.#excessBytes(proposed, index, term);
      if (excessBytes === undefined || usedBytes <= limitBytes + excessBytes) return;
    } else {
      if (usedBytes <= before || this.#notRefused.has(index)) return;
      if (usedBytes <= limitBytes * 1.25 + STEP_BYTES_MAX) return;
    }
    this.#simulation.fail(
      "never above maxmemory",
      `${process.label} holds ${usedBytes} bytes after entry ${index}, ${before} before; its leader's limit was ${limitBytes}`,
    );
  }

  /** What the leader could not know when it proposed the entry; undefined when that has no bound. */
  #excessBytes(
    { appliedIndex, keyCount, limitBytes }: Proposed,
    index: number,
    term: number,
  ): number | undefined {
    const named = new Set<string>();
    let missingBytes = 0;
    for (let at = appliedIndex + 1; at <= index; at++) {
      if (this.#unforeseen.has(at)) return undefined;
      missingBytes += this.#missingBytes.get(at) ?? 0;
      const before = this.#proposed.get(`${at} ${term}`);
      // That one goes down to another limit.
      if (before !== undefined && before.limitBytes !== limitBytes) return undefined;
      for (const { database, key } of before?.victims ?? [])
        named.add(`${database} ${key.toString("latin1")}`);
    }
    // Nearly all that it knew were named already, and chance has to find another one.
    return named.size >= NAMED_SHARE_MAX * keyCount ? undefined : missingBytes;
  }

  #drawLimit(): number {
    return Math.floor(this.#random.magnitude(LIMIT_BYTES_MIN, LIMIT_BYTES_MAX));
  }

  #change(): void {
    this.limitBytes = this.#random.chance(0.1) ? 0 : this.#drawLimit();
    this.#simulation.trace.line(`operator: maxmemory ${this.limitBytes}`);
    this.#tell();
  }

  #settle(): void {
    const isInForce = this.#simulation.census.members.every(
      ({ node }) => node.settings.maxmemoryBytes === this.limitBytes,
    );
    if (!isInForce) this.#tell();
    this.#simulation.timeline.after(TRY_AGAIN_MS, () => this.#settle());
  }

  /** Any node will do. */
  #tell(): void {
    const { living } = this.#simulation;
    if (living.length === 0) return;
    const desk = new SimClient(
      "config",
      this.#simulation.worldOf(this.#random, () => []),
      0,
    );
    desk.connect(this.#random.pick(living));
    desk.ask({
      command: ["CONFIG", "SET", "maxmemory", String(this.limitBytes)],
      expected: /^(\+OK$|-(CLUSTERDOWN|TRYAGAIN|UNCERTAIN) )/,
      answered: () => desk.hangUp(),
    });
  }
}

/** 0 is no limit. */
const larger = (one: number, other: number): number => (one === 0 || other === 0 ? 0 : Math.max(one, other));

const keyCountOf = (store: Store): number => evictableCount(store, "allkeys-random");

function bytesOf(store: Store, database: number, key: Buffer): number {
  const keys = store.databases[database]!;
  // Not find(): to look is to use.
  const handle = keys.index.search(keys.hash(key, 0, key.length), key, 0, key.length);
  return handle === 0 ? 0 : keys.memoryOf(handle);
}

function victimsOf({ bytes, count }: EvictionWriter, store: Store): Victim[] {
  const header = Object.assign(new EntryHeader(), { commandsEnd: 0, evictionCount: count });
  const reader = new EvictionReader().open(bytes, header);
  const victims: Victim[] = [];
  while (reader.next()) {
    const { database, keyStart, keyEnd } = reader;
    const key = Buffer.from(bytes.subarray(keyStart, keyEnd));
    victims.push({ database, key, bytes: bytesOf(store, database, key) });
  }
  return victims;
}

const missingFrom = (store: Store, victims: readonly Victim[]): number =>
  victims.reduce(
    (sum, { database, key, bytes }) => sum + Math.max(0, bytes - bytesOf(store, database, key)),
    0,
  );

/** Has it Redis's flag denyoom? */
function denies([name = "", subcommand = ""]: readonly string[]): boolean {
  const row = lookupName(`${name}|${subcommand}`) ?? lookupName(name);
  return row?.flags.includes("denyoom") === true;
}
