// maxmemory on whole nodes: replicas that stay at or below it and equal while ten times as much is written, slices,
// -OOM as Redis gives it, and leaders that change meanwhile.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Xoshiro } from "../../src/base/prng.ts";
import { MODE_LEADER } from "../../src/node/replica.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, type Host, World } from "./world.ts";

const KIB = 1024;
const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

function started(count: number, flags: Readonly<Record<string, string>> = {}, seed = 1): World {
  const world = new World(seed);
  // Comparing replicas writes entries, and what is looked at here is when there are none.
  world.start(count, { "replica-digests": "no", ...flags });
  world.until("a leader", () => world.leader() !== undefined);
  world.step();
  return world;
}

const usedBy = (host: Host): number => host.node.replica.machine.store.logicalBytes;
const storeOf = (host: Host) => host.node.replica.machine.store;
const evictedBy = (host: Host): number => host.node.replica.machine.counters.keysEvicted;

/** Looks at every node after each entry it applies: at or below the limit, and as all others at that index. */
class Watch {
  readonly limitBytes: number;
  mostBytes = 0;
  compared = 0;
  readonly #digests = new Map<number, string>();
  readonly #everyEntries: number;

  constructor(world: World, limitBytes: number, everyEntries = 1) {
    this.limitBytes = limitBytes;
    this.#everyEntries = everyEntries;
    for (const host of world.hosts.values()) this.#follow(host);
  }

  #follow(host: Host): void {
    const { machine } = host.node.replica;
    const endEntry = machine.endEntry.bind(machine);
    machine.endEntry = () => {
      endEntry();
      const used = machine.store.logicalBytes;
      this.mostBytes = Math.max(this.mostBytes, used);
      assert.ok(used <= this.limitBytes, `${host.name} holds ${used} at ${machine.appliedIndex}`);
      if (machine.appliedIndex % this.#everyEntries !== 0) return;
      const digest = `${machine.store.digest()} ${used}`;
      const known = this.#digests.get(machine.appliedIndex);
      if (known === undefined) this.#digests.set(machine.appliedIndex, digest);
      else {
        assert.equal(digest, known, `${host.name} at ${machine.appliedIndex}`);
        this.compared++;
      }
    };
  }
}

/** Values of random sizes through every node, a few commands deep, until so many bytes are written. */
function write(
  world: World,
  totalBytes: number,
  seed: number,
  extra: (key: string) => string[] = () => [],
): number {
  const random = new Xoshiro(seed);
  const clients = [...world.hosts.values()].map((host) => host.connect());
  let written = 0;
  while (written < totalBytes) {
    for (const client of clients) {
      const commands: Buffer[] = [];
      for (let i = random.below(20); i >= 0; i--) {
        const size = random.below(4) === 0 ? random.below(3000) : random.below(100);
        const key = `key:${random.below(1_000_000)}`;
        commands.push(encodeCommand(["SET", key, "x".repeat(size), ...extra(key)]));
        written += key.length + size;
      }
      client.sendRaw(Buffer.concat(commands));
    }
    world.step();
    for (const client of clients) assert.match(client.take(), /^(\+OK\r\n)*$/);
  }
  for (let i = 0; i < 20; i++) world.step();
  return written;
}

for (const policy of ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-ttl"]) {
  test(`${policy}: ten times maxmemory through three nodes, never above it, equal at equal indexes`, () => {
    const limit = 200 * KIB;
    const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": policy }, 7);
    const watch = new Watch(world, limit);
    write(world, 10 * limit, 11, policy.startsWith("volatile") ? () => ["EX", "1000"] : undefined);
    assert.ok(watch.mostBytes > 0.95 * limit, `the most was ${watch.mostBytes} of ${limit}`);
    assert.ok(watch.compared > 100, `${watch.compared} states compared`);
    const hosts = [...world.hosts.values()];
    assert.equal(new Set(hosts.map((host) => storeOf(host).digest())).size, 1);
    assert.ok(evictedBy(hosts[0]!) > 500);
    assert.equal(new Set(hosts.map(evictedBy)).size, 1);
  });
}

test("streams, groups and consumers are counted with what they are made of: never above the limit", () => {
  const limit = 300 * KIB;
  const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": "allkeys-lru" }, 7);
  const watch = new Watch(world, limit);
  const random = new Xoshiro(3);
  const clients = [...world.hosts.values()].map((host) => host.connect());
  for (let round = 0; round < 100; round++) {
    for (const client of clients) {
      const commands = Array.from({ length: random.below(20) }, () => {
        const key = `s${random.below(1000)}`;
        const how = random.below(4);
        if (how < 2) return ["XADD", key, "*", "f", "x".repeat(random.below(100))];
        if (how === 2) return ["XGROUP", "CREATE", key, `g${random.below(3)}`, "0", "MKSTREAM"];
        return ["XGROUP", "CREATECONSUMER", key, "g1", `c${random.below(3)}`];
      });
      client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command))));
    }
    world.step();
    for (const client of clients) assert.doesNotMatch(client.take(), /-OOM/);
  }
  for (let i = 0; i < 20; i++) world.step();
  assert.ok(watch.mostBytes > 0.9 * limit, `the most was ${watch.mostBytes} of ${limit}`);
  assert.ok(evictedBy(world.leader()!) > 500);
});

test("overwriting what is there evicts nothing, however often", () => {
  const world = started(3, { maxmemory: "100kb", "maxmemory-policy": "allkeys-lru" });
  const client = world.leader()!.connect();
  const value = "x".repeat(1000);
  let n = 0;
  while (usedBy(world.leader()!) < 95 * KIB) assert.equal(client.call("SET", `k${n++}`, value), "+OK\r\n");
  for (let round = 0; round < 20; round++) {
    client.sendRaw(
      Buffer.concat(Array.from({ length: n }, (_, i) => encodeCommand(["SET", `k${i}`, value]))),
    );
    world.step();
    assert.equal(client.take(), "+OK\r\n".repeat(n));
  }
  assert.equal(storeOf(world.leader()!).databases[0]!.size, n);
  assert.equal(evictedBy(world.leader()!), 0);
});

test("CONFIG SET maxmemory far below what is held evicts in slices, and commands go on meanwhile", () => {
  const world = started(3, { "maxmemory-policy": "allkeys-random" });
  const leader = world.leader()!;
  const client = leader.connect();
  const batch = (from: number): Buffer =>
    Buffer.concat(
      Array.from({ length: 1000 }, (_, i) => encodeCommand(["SET", `k${from + i}`, "some value"])),
    );
  for (let i = 0; i < 20; i++) {
    client.sendRaw(batch(1000 * i));
    world.step();
  }
  client.take();
  assert.equal(storeOf(leader).databases[0]!.size, 20_000);
  assert.equal(client.call("CONFIG", "SET", "maxmemory", `${100 * KIB}`), "+OK\r\n");
  let mostPerEntry = 0;
  const { machine } = leader.node.replica;
  const endEntry = machine.endEntry.bind(machine);
  machine.endEntry = () => {
    const before = machine.counters.keysEvicted;
    endEntry();
    mostPerEntry = Math.max(mostPerEntry, machine.counters.keysEvicted - before);
  };
  assert.equal(client.call("SET", "meanwhile", "1"), "+OK\r\n");
  world.until(
    "all nodes are below",
    () => [...world.hosts.values()].every((host) => usedBy(host) <= 100 * KIB),
    100,
  );
  assert.ok(mostPerEntry <= 128, `${mostPerEntry} keys in one entry`);
  for (let i = 0; i < 5; i++) world.step();
  assert.equal(new Set([...world.hosts.values()].map((host) => storeOf(host).digest())).size, 1);
  assert.ok(usedBy(leader) > 90 * KIB, `no more than needed: ${usedBy(leader)} bytes are left`);
  const quiet = machine.appliedIndex;
  for (let i = 0; i < 100; i++) world.step();
  assert.equal(machine.appliedIndex, quiet, "and then nothing more");
});

test("noeviction: -OOM once more is used than allowed, for commands that need memory only", () => {
  for (const nodes of [1, 3]) {
    const world = started(nodes, { maxmemory: "20kb" });
    // The last host is a follower when there are three: what it passes on is refused by the leader.
    const client = [...world.hosts.values()]
      .find((host) => host !== world.leader() || nodes === 1)!
      .connect();
    let n = 0;
    while (usedBy(world.leader()!) <= 20 * KIB)
      assert.equal(client.call("SET", `k${n++}`, "x".repeat(500)), "+OK\r\n");
    assert.equal(client.call("SET", "more", "v"), OOM);
    assert.equal(client.call("APPEND", "k0", "v"), OOM);
    assert.equal(client.call("INCR", "n"), OOM);
    assert.equal(client.call("GET", "k0").length, 500 + 8);
    assert.equal(client.call("EXPIRE", "k0", "100"), ":1\r\n");
    assert.equal(client.call("DEL", "k0", "k1"), ":2\r\n");
    assert.equal(client.call("SET", "more", "v"), "+OK\r\n");
    assert.match(
      client.call("INFO", "commandstats"),
      nodes === 1 ? /cmdstat_incr:calls=0.*rejected_calls=1/ : /./,
    );
    assert.equal(client.call("CONFIG", "SET", "maxmemory", "0"), "+OK\r\n");
    assert.equal(evictedBy(world.leader()!), 0);
  }
});

test("noeviction: a pipeline of any length steps over the limit by one command only", () => {
  const limit = 50 * KIB;
  const world = started(3, { maxmemory: `${limit}` });
  const client = world.leader()!.connect();
  const commands = Array.from({ length: 2000 }, (_, i) => encodeCommand(["SET", `k${i}`, "x".repeat(100)]));
  client.sendRaw(Buffer.concat(commands));
  let received = "";
  world.until("all replies", () => {
    received += client.take();
    return received.split("\r\n").length === 2001;
  });
  const accepted = received.indexOf(OOM) / 5;
  assert.equal(received, "+OK\r\n".repeat(accepted) + OOM.repeat(2000 - accepted));
  for (let i = 0; i < 10; i++) world.step();
  for (const host of world.hosts.values()) {
    assert.ok(usedBy(host) > limit, "as Redis: the limit has been stepped over");
    assert.ok(usedBy(host) <= limit + 200, `${usedBy(host)} of ${limit}`);
    assert.equal(storeOf(host).databases[0]!.size, accepted);
  }
});

test("volatile policies: keys without a deadline stay, and -OOM when there is nothing else", () => {
  const world = started(3, { maxmemory: "50kb", "maxmemory-policy": "volatile-lru" });
  const leader = world.leader()!;
  const client = leader.connect();
  const value = "x".repeat(400);
  for (let i = 0; i < 50; i++) assert.equal(client.call("SET", `stay${i}`, value), "+OK\r\n");
  for (let i = 0; i < 200; i++) {
    assert.equal(client.call("SET", `go${i}`, value, "EX", "100"), "+OK\r\n");
    assert.ok(usedBy(leader) <= 50 * KIB);
  }
  for (let i = 0; i < 50; i++) assert.equal(client.call("EXISTS", `stay${i}`), ":1\r\n");
  let n = 0;
  let reply = "";
  while (n < 500 && reply !== OOM) reply = client.call("SET", `new${n++}`, value);
  assert.equal(reply, OOM);
  assert.equal(storeOf(leader).databases[0]!.expiringCount, 0, "all that could go has gone");
  assert.equal(client.call("SET", "k", "v", "EX", "100"), OOM);
});

test("what transactions write is counted as what it may become: never above the limit", () => {
  const limit = 100 * KIB;
  const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": "allkeys-lru" });
  const watch = new Watch(world, limit);
  for (const host of world.hosts.values()) {
    const client = host.connect();
    let n = 0;
    for (let round = 0; round < 40; round++) {
      const pairs = (): string[] => Array.from({ length: 100 }, () => [`${host.name}${n++}`, "v"]).flat();
      client.sendRaw(
        Buffer.concat(
          [["MULTI"], ["MSET", ...pairs()], ["MSET", ...pairs()], ["EXEC"]].map((it) => encodeCommand(it)),
        ),
      );
      let received = "";
      world.until("EXEC is answered", () => {
        received += client.take();
        return received.endsWith("*2\r\n+OK\r\n+OK\r\n");
      });
    }
  }
  assert.ok(watch.mostBytes > 0.95 * limit, `the most was ${watch.mostBytes}`);
});

test("growth that arguments do not show is evicted by the next entry, at once", () => {
  const limit = 100 * KIB;
  const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": "allkeys-random" });
  const client = world.leader()!.connect();
  for (let i = 0; i < 300; i++) assert.equal(client.call("SET", `k${i}`, "x".repeat(100)), "+OK\r\n");
  assert.equal(client.call("SETRANGE", "grown", `${80 * KIB}`, "x"), `:${80 * KIB + 1}\r\n`);
  world.settle();
  assert.ok(usedBy(world.leader()!) <= limit, `${usedBy(world.leader()!)} with no time gone by`);
  world.step();
  world.step();
  assert.equal(new Set([...world.hosts.values()].map((host) => storeOf(host).digest())).size, 1);
});

test("large values in the place of many small ones: each makes its own room", () => {
  const limit = 2000 * KIB;
  const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": "allkeys-lru" });
  const watch = new Watch(world, limit, 50);
  const clients = [...world.hosts.values()].map((host) => host.connect());
  const leader = world.leader()!.connect();
  for (let i = 0; i < 20_000; i += 500) {
    leader.sendRaw(
      Buffer.concat(
        Array.from({ length: 500 }, (_, j) => encodeCommand(["SET", `small${i + j}`, "x".repeat(50)])),
      ),
    );
    world.step();
  }
  for (let i = 0; i < 15; i++) {
    for (const [n, client] of clients.entries())
      client.sendRaw(
        Buffer.concat(
          Array.from({ length: 40 }, (_, j) =>
            encodeCommand(["SET", `large${n}:${i}:${j}`, "x".repeat(3000)]),
          ),
        ),
      );
    world.step();
  }
  assert.ok(watch.mostBytes > 0.95 * limit, `the most was ${watch.mostBytes}`);
});

test("collections that grow by more than their arguments: back at the limit before time goes by, and equal", () => {
  const limit = 200 * KIB;
  const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": "allkeys-random" }, 5);
  const random = new Xoshiro(5);
  const clients = [...world.hosts.values()].map((host) => host.connect());
  let mostBytes = 0;
  for (let round = 0; round < 300; round++) {
    for (const client of clients) {
      const commands = Array.from({ length: 1 + random.below(10) }, () => {
        const key = `${random.below(30)}`;
        const element = `${random.below(100_000)}:${"x".repeat(random.below(80))}`;
        const kind = random.below(5);
        if (kind === 0) return ["HSET", `hash${key}`, element, element];
        if (kind === 1) return ["RPUSH", `list${key}`, element, element, element];
        if (kind === 2) return ["SADD", `set${key}`, element, "1", "2"];
        if (kind === 3) return ["ZADD", `zset${key}`, "1", element, "2", `${element}!`];
        return ["COPY", `set${key}`, `set${key}copy`, "REPLACE"];
      });
      client.sendRaw(Buffer.concat(commands.map((command) => encodeCommand(command))));
    }
    world.settle();
    world.settle();
    mostBytes = Math.max(mostBytes, usedBy(world.leader()!));
    assert.ok(mostBytes <= limit, `${mostBytes} after round ${round}`);
    for (const client of clients) assert.doesNotMatch(client.take(), /^-/m);
  }
  assert.ok(mostBytes > 0.95 * limit, `the most was ${mostBytes}`);
  assert.ok(evictedBy(world.leader()!) > 100, `${evictedBy(world.leader()!)} evicted`);
  for (let i = 0; i < 10; i++) world.step();
  assert.equal(new Set([...world.hosts.values()].map((host) => storeOf(host).digest())).size, 1);
});

test("a value larger than maxmemory is no endless loop", () => {
  const world = started(3, { maxmemory: "100kb", "maxmemory-policy": "allkeys-lru" });
  const client = world.leader()!.connect();
  for (let i = 0; i < 5; i++) {
    assert.equal(client.call("SET", `huge${i}`, "x".repeat(300 * KIB)), "+OK\r\n");
    assert.equal(client.call("SET", "small", "v"), "+OK\r\n");
  }
  for (let i = 0; i < 10; i++) world.step();
  for (const host of world.hosts.values()) assert.ok(usedBy(host) <= 100 * KIB);
  const { appliedIndex } = world.leader()!.node.replica.machine;
  for (let i = 0; i < 50; i++) world.step();
  assert.equal(world.leader()!.node.replica.machine.appliedIndex, appliedIndex);
});

test("due keys go before live ones", () => {
  const world = started(3, { maxmemory: "100kb", "maxmemory-policy": "allkeys-random" });
  const leader = world.leader()!;
  const client = leader.connect();
  const value = "x".repeat(200);
  for (let i = 0; i < 200; i++) client.send("SET", `live${i}`, value);
  for (let i = 0; i < 190; i++) client.send("SET", `dead${i}`, value, "PX", "20");
  world.step();
  client.take();
  assert.equal(evictedBy(leader), 0);
  world.nowMs += 100;
  world.wallMs += 100;
  // In one entry with the keys that are due: 64 + 2 * 180 of them go anyway, and none that lives.
  client.sendRaw(
    Buffer.concat(Array.from({ length: 180 }, (_, i) => encodeCommand(["SET", `new${i}`, value]))),
  );
  for (let i = 0; i < 5; i++) world.step();
  assert.equal(evictedBy(leader), 0);
  assert.equal(storeOf(leader).databases[0]!.size, 380);
});

test("the leader dies in the middle of it: the next one goes on, and all stay equal", () => {
  for (const seed of [1, 2, 3]) {
    const limit = 100 * KIB;
    const world = started(3, { maxmemory: `${limit}`, "maxmemory-policy": "allkeys-lru" }, seed);
    new Watch(world, limit);
    write(world, 5 * limit, seed);
    const dead = world.leader()!;
    const client = dead.connect();
    for (let i = 0; i < 200; i++) client.send("SET", `last${i}`, "x".repeat(100));
    world.kill(dead.name);
    world.until("a new leader", () => world.leader() !== undefined);
    const survivors = [...world.hosts.values()];
    for (const host of survivors) world.until("it knows", () => host.node.replica.mode !== 0);
    write(world, 5 * limit, seed + 10);
    assert.equal(new Set(survivors.map((host) => storeOf(host).digest())).size, 1);
  }
});

test("maxmemory set on a follower is what the leader goes by, and the next one", () => {
  const world = started(3, { maxmemory: "100kb", "maxmemory-policy": "allkeys-lru" });
  const old = world.leader()!;
  const follower = [...world.hosts.values()].find((host) => host !== old)!;
  const write500 = (): number => write(world, 500 * KIB, 3);
  write500();
  for (const host of world.hosts.values()) assert.ok(usedBy(host) > 60 * KIB, "there is room");
  assert.equal(follower.connect().call("CONFIG", "SET", "maxmemory", "50kb"), "+OK\r\n");
  world.until(
    "they are below it",
    () => [...world.hosts.values()].every((host) => usedBy(host) <= 50 * KIB),
    100,
  );
  old.node.replica.transferAway();
  world.until("another leader", () => world.leader() !== undefined && world.leader() !== old);
  write500();
  for (const host of world.hosts.values()) assert.ok(usedBy(host) <= 50 * KIB, "the limit is the cluster's");
  assert.equal(new Set([...world.hosts.values()].map((host) => storeOf(host).digest())).size, 1);
});

test("many keys due at once go in slices, without traffic, on every replica", () => {
  const world = started(3);
  const keyCount = 40_000;
  const value = "x".repeat(400);
  const client = world.leader()!.connect();
  const deadline = `${world.wallMs + 5000}`;
  for (let from = 0; from < keyCount; from += 5000) {
    client.sendRaw(
      Buffer.concat(
        Array.from({ length: 5000 }, (_, i) =>
          encodeCommand(["SET", `key:${from + i}`, value, "PXAT", deadline]),
        ),
      ),
    );
    world.step();
  }
  client.take();
  const reserved = storeOf(world.leader()!).reservedBytes;
  let mostPerEntry = 0;
  for (const { node } of world.hosts.values()) {
    const { machine } = node.replica;
    const endEntry = machine.endEntry.bind(machine);
    machine.endEntry = () => {
      const before = machine.counters.keysExpired;
      endEntry();
      mostPerEntry = Math.max(mostPerEntry, machine.counters.keysExpired - before);
    };
  }
  world.until(
    "all gone",
    () => [...world.hosts.values()].every((host) => usedBy(host) === storeOf(host).startupBytes),
    1000,
  );
  assert.equal(mostPerEntry, 1024);
  for (const host of world.hosts.values())
    assert.ok(storeOf(host).reservedBytes < reserved / 2, `${storeOf(host).reservedBytes} of ${reserved}`);
});

test("OBJECT IDLETIME and FREQ by policy, and INFO", () => {
  const world = started(1, { maxmemory: "1mb" });
  const client = world.leader()!.connect();
  client.call("SET", "k", "v");
  for (let i = 0; i < 350; i++) world.step();
  assert.equal(client.call("OBJECT", "IDLETIME", "k"), ":3\r\n");
  assert.match(client.call("OBJECT", "FREQ", "k"), /^-ERR An LFU maxmemory policy is not selected/);
  client.call("GET", "k");
  assert.equal(client.call("OBJECT", "IDLETIME", "k"), ":0\r\n");
  client.sendRaw(
    Buffer.concat([
      encodeCommand(["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu"]),
      encodeCommand(["SET", "l", "v"]),
    ]),
  );
  assert.equal(client.reply(), "+OK\r\n+OK\r\n");
  assert.equal(client.call("OBJECT", "FREQ", "l"), ":5\r\n");
  for (let i = 0; i < 20; i++) client.call("GET", "l");
  assert.match(client.call("OBJECT", "FREQ", "l"), /^:([6-9]|1\d)\r\n/);
  assert.match(
    client.call("OBJECT", "IDLETIME", "l"),
    /^-ERR An LFU maxmemory policy is selected, idle time/,
  );
  const info = client.call("INFO", "memory");
  assert.match(info, /maxmemory:1048576\r\nmaxmemory_human:1\.00M\r\nmaxmemory_policy:allkeys-lfu\r\n/);
  assert.match(info, new RegExp(`used_memory:${usedBy(world.leader()!)}\r\n`));
  assert.match(info, /used_memory_overhead:1088\r\n[\s\S]*used_memory_dataset:\d+\r\n/);
  assert.match(client.call("INFO", "stats"), /evicted_keys:0\r\n/);
});

test("maxmemory set on a follower refuses on every node", () => {
  const world = started(3, { maxmemory: "0" });
  const follower = [...world.hosts.values()].find((host) => host.node.replica.mode !== MODE_LEADER)!;
  const client: Client = follower.connect();
  client.call("SET", "k", "x".repeat(1000));
  assert.equal(client.call("CONFIG", "SET", "maxmemory", "1"), "+OK\r\n");
  for (const host of world.hosts.values()) assert.match(host.connect().call("SET", "l", "v"), /^-OOM /);
});
