// Cluster mode on simulated ports: who is sent where, and when nobody is. What one node answers is compared with
// redis-server in cluster-oracle.test.ts.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { KEYS_PER_TURN } from "../../src/node/service/slot-scans.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, World } from "./world.ts";

const OK = "+OK\r\n";
const QUEUED = "+QUEUED\r\n";
const CROSS = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
const ABORTED = "-EXECABORT Transaction discarded because of previous errors.\r\n";

function started(nodes: number, flags: Readonly<Record<string, string>> = {}): World {
  return start(new World(), nodes, flags);
}

function start(world: World, nodes: number, flags: Readonly<Record<string, string>> = {}): World {
  world.start(nodes, { "cluster-enabled": "yes", ...flags });
  world.until("a leader", () => world.leader() !== undefined);
  for (let i = 0; i < 20; i++) world.step();
  return world;
}

const portOf = (host: Host): number => 6000 + Number(host.name.slice(1));
/** To the leader there is, for slot 15495, where key "a" is. */
const movedTo = (host: Host | undefined, slot = 15495): string =>
  `-MOVED ${slot} 127.0.0.1:${portOf(host!)}\r\n`;
const words = (line: string): string[] => line.split(" ");
const call = (client: Client, line: string): string => client.call(...words(line));

describe("on a follower", () => {
  test("commands with keys are sent to the leader, whatever they do; others are not", () => {
    const world = started(3);
    const client = followerOf(world).connect();
    const moved = movedTo(world.leader());
    for (const line of [
      "GET a",
      "SET a 1",
      "DEL a a",
      "OBJECT ENCODING a",
      "WATCH a",
      "PFCOUNT a",
      "LMPOP 1 a LEFT",
    ]) {
      assert.equal(call(client, line), moved, line);
    }
    assert.equal(call(client, "GET foo"), movedTo(world.leader(), 12182));
    for (const [line, reply] of [
      ["PING", "+PONG\r\n"],
      ["DBSIZE", ":0\r\n"],
      ["FLUSHALL", OK],
      ["PUBLISH a 1", ":0\r\n"],
      ["SPUBLISH a 1", ":0\r\n"],
      ["LMPOP x a LEFT", "-ERR numkeys should be greater than 0\r\n"],
      ["GET", "-ERR wrong number of arguments for 'get' command\r\n"],
    ] as const) {
      assert.equal(call(client, line), reply, line);
    }
  });

  test("several slots are refused before it is asked whose they are", () => {
    const world = started(3);
    const client = followerOf(world).connect();
    for (const line of ["MSET a 1 b 2", "DEL a b", "SSUBSCRIBE a b", "LMPOP 2 a b LEFT", "COPY a b DB 1"]) {
      assert.equal(call(client, line), CROSS, line);
    }
    assert.equal(call(client, "MSET x{a} 1 y{a} 2"), movedTo(world.leader()));
  });

  test("READONLY keeps reads, which are as fresh as ever; READWRITE and RESET end it", () => {
    const world = started(3);
    const master = world.leader()!.connect();
    const client = followerOf(world).connect();
    assert.equal(call(client, "READONLY"), OK);
    for (let i = 0; i < 5; i++) {
      assert.equal(call(master, `SET a ${i}`), OK);
      assert.equal(call(client, "GET a"), `$1\r\n${i}\r\n`);
    }
    assert.equal(call(client, "SET a 9"), movedTo(world.leader()));
    assert.equal(call(client, "MGET a b"), CROSS);
    assert.match(call(client, "CLIENT INFO"), / flags=r /);
    assert.equal(call(client, "MULTI"), OK);
    assert.equal(call(client, "GET a"), QUEUED);
    assert.equal(call(client, "EXEC"), "*1\r\n$1\r\n4\r\n");
    assert.equal(call(client, "READWRITE"), OK);
    assert.equal(call(client, "GET a"), movedTo(world.leader()));
    call(client, "READONLY");
    assert.equal(call(client, "RESET"), "+RESET\r\n");
    assert.equal(call(client, "GET a"), movedTo(world.leader()));
  });

  test("a command that was sent away spoils the transaction it was for", () => {
    const world = started(3);
    const client = followerOf(world).connect();
    assert.equal(call(client, "MULTI"), OK);
    assert.equal(call(client, "SET a 1"), movedTo(world.leader()));
    assert.equal(call(client, "EXEC"), ABORTED);
  });

  test("shard channels are served anywhere", () => {
    const world = started(3);
    const client = followerOf(world).connect();
    assert.equal(call(client, "SSUBSCRIBE a"), "*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n");
    assert.equal(call(world.leader()!.connect(), "SPUBLISH a hi"), ":1\r\n");
    for (let i = 0; i < 10; i++) world.step();
    assert.equal(client.take(), "*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
  });

  test("behind unanswered commands, being sent away keeps its place", () => {
    const world = started(3);
    const client = followerOf(world).connect();
    client.sendRaw(
      Buffer.concat(["FLUSHALL", "GET a", "DBSIZE"].map((line) => encodeCommand([...words(line)]))),
    );
    world.until("all", () => true);
    let got = "";
    for (let i = 0; i < 20; i++) {
      world.step();
      got += client.take();
    }
    assert.equal(got, `${OK}${movedTo(world.leader())}:0\r\n`);
  });

  for (const [type, hostname, endpoint] of [
    ["ip", "", "fd00::1"],
    ["hostname", "", "?"],
    ["hostname", "a.example", "a.example"],
    ["unknown-endpoint", "a.example", ""],
  ] as const) {
    test(`cluster-preferred-endpoint-type ${type}, hostname "${hostname}"`, () => {
      const world = new World();
      world.clientHost = "[fd00::1]";
      world.clientHostname = hostname;
      start(world, 3, { "cluster-preferred-endpoint-type": type });
      const client = followerOf(world).connect();
      assert.equal(call(client, "GET a"), `-MOVED 15495 ${endpoint}:${portOf(world.leader()!)}\r\n`);
      const shown = hostname === "" ? "" : `,${hostname}`;
      assert.match(call(client, "CLUSTER NODES"), new RegExp(` fd00::1:600\\d@1600\\d${shown} master `));
    });
  }
});

describe("while the leader changes", () => {
  test("clients wait for the next one, and then are sent to it or served", () => {
    const world = started(3);
    const dead = world.leader()!;
    const clients = [...world.hosts.values()].filter((host) => host !== dead).map((host) => host.connect());
    world.kill(dead.name);
    for (const client of clients) client.send("SET", "a", "1");
    world.settle();
    assert.deepEqual(
      clients.map((client) => client.take()),
      ["", ""],
    );
    world.until("a leader", () => world.leader() !== undefined);
    for (let i = 0; i < 20; i++) world.step();
    const leader = world.leader()!;
    for (const client of clients) {
      assert.equal(client.take(), client.host === leader ? OK : movedTo(leader));
    }
  });

  test("who asks for the leader in the middle of an election gets the next one; NODES shows how it stands", () => {
    const world = started(3);
    const dead = world.leader()!;
    const client = followerOf(world).connect();
    const shards = client.host.connect();
    world.kill(dead.name);
    client.send("CLUSTER", "SLOTS");
    shards.send("CLUSTER", "SHARDS");
    world.settle();
    assert.equal(client.take() + shards.take(), "");
    assert.match(call(client.host.connect(), "CLUSTER NODES"), / master,fail - .* disconnected 0-16383\n/);
    const slots = client.reply();
    const leader = world.leader()!;
    assert.equal(Number(/:(600\d)\r\n/.exec(slots)?.[1]), portOf(leader));
    assert.doesNotMatch(slots, new RegExp(`:${portOf(dead)}\r\n`));
    assert.match(shards.take() || shards.reply(), new RegExp(`port\r\n:${portOf(leader)}\r\n`));
    // Without a majority there will be none: then it is the last one known.
    world.kill(leader.name);
    const last = [...world.hosts.values()][0]!.connect();
    assert.equal(call(last, "CLUSTER SLOTS").match(/:600\d\r\n/)?.[0], `:${portOf(leader)}\r\n`);
  });

  test("a node that is told to stop hands over, and says where to go before it is gone", () => {
    const world = started(3);
    const leader = world.leader()!;
    const [waiting, busy] = [leader.connect(), leader.connect()];
    leader.node.shutdown();
    waiting.send("SET", "a", "1");
    busy.send("SET", "b", "1");
    world.settle();
    let answer = "";
    world.until("it is gone", () => {
      const reply = busy.take();
      if (reply !== "") {
        answer = reply;
        busy.send("GET", "b");
      }
      return leader.stopped;
    });
    const next = world.leader()!;
    assert.notEqual(next, leader);
    // Carried out before, or sent away, but not dropped.
    assert.match(waiting.take(), new RegExp(`^(\\+OK|-MOVED 15495 127.0.0.1:${portOf(next)})\r\n$`));
    assert.equal(answer, `-MOVED 3300 127.0.0.1:${portOf(next)}\r\n`);
  });

  test("what a client had on its way to the leader is answered by a word about what became of it", () => {
    const world = started(3);
    const dead = world.leader()!;
    const client = followerOf(world).connect();
    call(client, "READONLY");
    world.cut.add(`${dead.name}>${client.host.name}`);
    client.send("GET", "a");
    world.settle();
    world.kill(dead.name);
    // The read is asked again, of the next leader: it is not sent away, as its client said READONLY.
    assert.equal(client.reply(), "$-1\r\n");
  });

  test("without a majority it is CLUSTERDOWN, in Redis's words, and back to work with it", () => {
    const world = started(3);
    const [first, second, third] = [...world.hosts.values()];
    const client = first!.connect();
    world.kill(second!.name);
    world.kill(third!.name);
    assert.equal(call(client, "GET a"), "-CLUSTERDOWN The cluster is down\r\n");
    assert.match(
      call(client, "CLUSTER INFO"),
      /^\$\d+\r\ncluster_state:fail\r\n.*cluster_slots_fail:16384\r\n/s,
    );
    assert.match(call(client, "CLUSTER NODES"), /slave,fail|master,fail/);
  });

  test("a node in no cluster yet has no slots to serve", () => {
    const world = new World();
    world.startNode("n1", ["n1", "n2", "n3"], { "cluster-enabled": "yes" });
    const client = world.host("n1").connect();
    assert.equal(call(client, "GET a"), "-CLUSTERDOWN Hash slot not served\r\n");
    assert.equal(call(client, "CLUSTER SLOTS"), "*0\r\n");
    assert.match(call(client, "CLUSTER NODES"), / myself,slave - 0 0 0 connected\n\r\n$/);
  });

  test("a transaction that its node lost the lead over is sent to the next leader, and ends", () => {
    const world = started(3);
    const leader = world.leader()!;
    const client = leader.connect();
    call(client, "MULTI");
    assert.equal(call(client, "SET a 1"), QUEUED);
    const heir = [...world.hosts.values()].find((host) => host !== leader)!;
    assert.equal(call(world.leader()!.connect(), `RAFT.TRANSFER ${heir.name}`), OK);
    world.until("the heir leads", () => world.leader() === heir);
    for (let i = 0; i < 20; i++) world.step();
    assert.equal(call(client, "EXEC"), movedTo(heir));
    assert.equal(call(client, "EXEC"), "-ERR EXEC without MULTI\r\n");
  });
});

describe("what nodes say of each other", () => {
  test("all agree on one shard with the leader as its master", () => {
    const world = started(3);
    const leader = world.leader()!;
    const answers = [...world.hosts.values()].map((host) => call(host.connect(), "CLUSTER SLOTS"));
    assert.equal(new Set(answers).size, 1);
    const ports = [...answers[0]!.matchAll(/:(600\d)\r\n/g)].map(([, port]) => Number(port));
    assert.equal(ports[0], portOf(leader));
    assert.deepEqual([...ports].sort(), [6001, 6002, 6003]);
    const ids = [...world.hosts.values()].map((host) => call(host.connect(), "CLUSTER MYID"));
    assert.equal(new Set(ids).size, 3);
    assert.equal(
      new Set([...world.hosts.values()].map((h) => call(h.connect(), "CLUSTER MYSHARDID"))).size,
      1,
    );
  });

  test("CLUSTER NODES: flags, master, links, the missing one", () => {
    const world = started(3);
    const leader = world.leader()!;
    const gone = followerOf(world);
    world.kill(gone.name);
    for (let i = 0; i < 10; i++) world.step();
    const text = call(leader.connect(), "CLUSTER NODES");
    const lines = text.split("\r\n")[1]!.trimEnd().split("\n").map(words);
    const own = lines.find((line) => line[2]!.startsWith("myself"))!;
    assert.deepEqual(own.slice(1, 6), [
      `127.0.0.1:${portOf(leader)}@${16000 + Number(leader.name.slice(1))}`,
      "myself,master",
      "-",
      "0",
      "0",
    ]);
    assert.deepEqual(own.slice(7), ["connected", "0-16383"]);
    const missing = lines.find((line) => line[1]!.includes(`:${portOf(gone)}@`))!;
    assert.deepEqual([missing[2], missing[3], missing[7]], ["slave,fail", own[0], "disconnected"]);
    const other = lines.find((line) => line !== own && line !== missing)!;
    assert.deepEqual([other[2], other[3], other[7], other.length], ["slave", own[0], "connected", 8]);
    assert.ok(Number(other[5]) > 1_700_000_000_000, other[5]);
    // Nobody is sent to a node that is gone.
    assert.doesNotMatch(call(leader.connect(), "CLUSTER SLOTS"), new RegExp(`:${portOf(gone)}\r\n`));
    const replicas = call(leader.connect(), `CLUSTER REPLICAS ${own[0]}`);
    assert.match(replicas, /^\*2\r\n/);
    assert.equal(
      call(leader.connect(), `CLUSTER REPLICAS ${other[0]}`),
      "-ERR The specified node is not a master\r\n",
    );
    assert.match(
      call(leader.connect(), "CLUSTER LINKS"),
      /^\*2\r\n\*12\r\n\$9\r\ndirection\r\n\$2\r\nto\r\n/,
    );
  });

  test("a name keeps its id when its process is another one", () => {
    const world = started(3);
    const gone = followerOf(world);
    const id = call(gone.connect(), "CLUSTER MYID");
    world.kill(gone.name);
    world.startNode(gone.name, ["n1", "n2", "n3"], { "cluster-enabled": "yes" });
    const again = world.host(gone.name);
    world.until(
      "it is back",
      () => again.node.replica.mode !== 0 && again.node.replica.raft?.isLearner === false,
    );
    assert.equal(call(again.connect(), "CLUSTER MYID"), id);
    assert.equal(call(world.leader()!.connect(), "CLUSTER NODES").match(/ connected/g)?.length, 3);
  });

  test("HELLO and INFO say cluster", () => {
    const world = started(1);
    const client = world.leader()!.connect();
    assert.match(call(client, "HELLO"), /\$4\r\nmode\r\n\$7\r\ncluster\r\n/);
    assert.match(call(client, "INFO"), /redis_mode:cluster\r\n.*cluster_enabled:1\r\n/s);
  });
});

describe("keys of a slot", () => {
  /** More keys than are looked at in one turn, a tenth of them in slot 15495. */
  function filled(world: World): { readonly client: Client; readonly inSlot: string[] } {
    const client = world.leader()!.connect();
    const inSlot: string[] = [];
    for (let from = 0; from < 3 * KEYS_PER_TURN; from += 512) {
      const commands: Buffer[] = [];
      for (let i = from; i < from + 512; i++) {
        const key = i % 10 === 0 ? `{a}${i}` : `{b}${i}`;
        if (i % 10 === 0) inSlot.push(key);
        commands.push(encodeCommand(["SET", key, "1"]));
      }
      client.sendRaw(Buffer.concat(commands));
      for (let i = 0; i < 3; i++) world.step();
    }
    client.take();
    return { client, inSlot };
  }

  test("many are counted and listed in steps; other clients go on meanwhile", () => {
    const world = started(1);
    const { client, inSlot } = filled(world);
    const other = world.leader()!.connect();
    client.send("CLUSTER", "COUNTKEYSINSLOT", "15495");
    assert.equal(client.take(), "");
    assert.equal(call(other, "GET {a}0"), "$1\r\n1\r\n");
    assert.equal(client.take() || client.reply(), `:${inSlot.length}\r\n`);
    assert.equal(call(client, "CLUSTER COUNTKEYSINSLOT 1"), ":0\r\n");
    const listed = call(client, "CLUSTER GETKEYSINSLOT 15495 100000")
      .split("\r\n")
      .filter((_, i) => i % 2 === 0);
    assert.deepEqual(
      listed
        .slice(1)
        .filter((key) => key !== "")
        .sort(),
      [...inSlot].sort(),
    );
    assert.match(call(client, "CLUSTER GETKEYSINSLOT 15495 7"), /^\*7\r\n/);
    assert.equal(call(client, "CLUSTER GETKEYSINSLOT 15495 0"), "*0\r\n");
    call(client, "MULTI");
    call(client, "CLUSTER COUNTKEYSINSLOT 1");
    assert.match(call(client, "EXEC"), /^\*1\r\n-ERR there are too many keys/);
  });

  test("questions of clients that are gone are forgotten; those asked meanwhile wait for the next pass", () => {
    const world = started(1);
    const { client, inSlot } = filled(world);
    const { slotScans } = world.leader()!.node.server.cluster;
    const gone = world.leader()!.connect();
    gone.send("CLUSTER", "COUNTKEYSINSLOT", "15495");
    gone.destroy();
    client.send("CLUSTER", "COUNTKEYSINSLOT", "15495");
    assert.equal(client.reply(), `:${inSlot.length}\r\n`);
    assert.equal(slotScans.isBusy, false);
    gone.send("PING");
    const alone = world.leader()!.connect();
    alone.send("CLUSTER", "COUNTKEYSINSLOT", "15495");
    alone.destroy();
    for (let i = 0; i < 3; i++) world.step();
    assert.equal(slotScans.isBusy, false);
  });

  test("a state that is replaced in the middle is looked through from its beginning", () => {
    const world = started(1, { "enable-debug-command": "yes" });
    const { client, inSlot } = filled(world);
    const { node } = world.leader()!;
    client.send("CLUSTER", "COUNTKEYSINSLOT", "15495");
    node.turn(world.nowMs, world.wallMs, 0);
    assert.equal(node.server.cluster.slotScans.isBusy, true);
    assert.equal(node.replica.reload(), undefined);
    assert.equal(client.reply(), `:${inSlot.length}\r\n`);
  });
});

test("without cluster-enabled all of it says so, and nobody is sent anywhere", () => {
  const world = new World();
  world.start(3);
  world.until("a leader", () => world.leader() !== undefined);
  for (let i = 0; i < 20; i++) world.step();
  const client = followerOf(world).connect();
  const disabled = "-ERR This instance has cluster support disabled\r\n";
  for (const line of ["CLUSTER SLOTS", "CLUSTER MEET a 1", "READONLY", "READWRITE", "ASKING"]) {
    assert.equal(call(client, line), disabled, line);
  }
  assert.equal(call(client, "MSET a 1 b 2"), OK);
  assert.equal(call(client, "SELECT 1"), OK);
});
