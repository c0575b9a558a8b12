// Clients that are killed, end, or are unblocked, on simulated ports: what is answered behind that finds them gone, takes no
// element for them, and comes after all that they sent.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import { type Client, followerOf, type Host, hostsOf, started, type World } from "./world.ts";

const NIL = "*-1\r\n";

const pipeline = (...commands: string[]): Buffer =>
  Buffer.concat(commands.map((command) => encodeCommand(command.split(" "))));

function steps(world: World, count: number): void {
  for (let i = 0; i < count; i++) world.step();
}

function block(client: Client, command: string): void {
  client.sendRaw(pipeline(command));
  steps(client.host.world, 12);
  assert.equal(client.take(), "", command);
}

/** Sends all of it in one write, and lets time pass until nothing more comes. */
function exchange(client: Client, ...commands: string[]): string {
  client.sendRaw(pipeline(...commands));
  steps(client.host.world, 20);
  return client.take();
}

const waitersOf = (host: Host): number => host.node.replica.machine.sessions.blocking.waiters.count;

const places: readonly (readonly [name: string, nodes: number, host: (world: World) => Host])[] = [
  ["alone", 1, (world) => world.leader()!],
  ["on the leader", 3, (world) => world.leader()!],
  ["on a follower", 3, followerOf],
];

/** Commands that wait, what would serve each, and how to see that this is still there. */
const waits: readonly (readonly [wait: string, serve: string, look: string, found: string])[] = [
  ["BLPOP k 0", "RPUSH k a", "LLEN k", ":1\r\n"],
  ["BRPOP k 0", "RPUSH k a", "LLEN k", ":1\r\n"],
  ["BLMPOP 0 1 k LEFT", "RPUSH k a", "LLEN k", ":1\r\n"],
  ["BLMOVE k l LEFT LEFT 0", "RPUSH k a", "LLEN k", ":1\r\n"],
  ["BRPOPLPUSH k l 0", "RPUSH k a", "LLEN k", ":1\r\n"],
  ["BZPOPMIN k 0", "ZADD k 1 a", "ZCARD k", ":1\r\n"],
  ["BZPOPMAX k 0", "ZADD k 1 a", "ZCARD k", ":1\r\n"],
  ["BZMPOP 0 1 k MIN", "ZADD k 1 a", "ZCARD k", ":1\r\n"],
  [
    "XREADGROUP GROUP g c BLOCK 0 STREAMS k >",
    "XADD k 1-1 f v",
    "XPENDING k g",
    "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n",
  ],
];

/** Forms of CLIENT KILL that mean this client and not the one that sends it. */
const forms: readonly (readonly [name: string, command: (victim: Client) => string, answer: string])[] = [
  ["an address", (it) => `CLIENT KILL ${it.address}`, "+OK\r\n"],
  ["ID", (it) => `CLIENT KILL ID ${it.id}`, ":1\r\n"],
  ["ADDR", (it) => `CLIENT KILL ADDR ${it.address}`, ":1\r\n"],
  ["LADDR", (it) => `CLIENT KILL LADDR ${it.localAddress}`, ":1\r\n"],
  ["TYPE", () => "CLIENT KILL TYPE normal", ":1\r\n"],
  ["USER", () => "CLIENT KILL USER default SKIPME yes", ":1\r\n"],
];

for (const [where, nodes, hostIn] of places) {
  describe(where, () => {
    for (const [wait, serve, look, found] of waits) {
      test(`${wait}: the killed takes nothing, KILL and ${serve} in one write`, () => {
        const world = started(nodes);
        const host = hostIn(world);
        const killer = host.connect();
        exchange(killer, "XGROUP CREATE k g 0 MKSTREAM", "XGROUP CREATE k g 0");
        if (!wait.startsWith("XREADGROUP")) exchange(killer, "DEL k");
        const victim = host.connect();
        block(victim, wait);
        const answers = exchange(killer, `CLIENT KILL ID ${victim.id}`, serve, look);
        assert.ok(answers.startsWith(":1\r\n") && answers.endsWith(found), answers);
        assert.ok(victim.isClosed);
        assert.equal(victim.take(), "");
        for (const it of hostsOf(world)) assert.equal(waitersOf(it), 0);
      });
    }

    for (const [name, command, answer] of forms) {
      test(`by ${name}: gone before the answer, for blocked clients and for subscribers`, () => {
        const world = started(nodes);
        const host = hostIn(world);
        const killer = host.connect();
        const victim = host.connect();
        block(victim, "BLPOP k 0");
        const answers = exchange(
          killer,
          command(victim),
          `CLIENT LIST ID ${victim.id}`,
          "RPUSH k a",
          "LLEN k",
        );
        assert.equal(answers, `${answer}$0\r\n\r\n:1\r\n:1\r\n`);
        if (name === "TYPE" || name === "USER") return;
        const subscriber = host.connect();
        assert.match(subscriber.call("SUBSCRIBE", "news"), /subscribe/);
        steps(world, 5);
        assert.equal(exchange(killer, "PUBLISH news x"), ":1\r\n");
        subscriber.take();
        assert.equal(exchange(killer, command(subscriber), "PUBLISH news x"), `${answer}:0\r\n`);
        assert.equal(subscriber.take(), "");
      });
    }

    test("what the killed had sent has run, or never will, when KILL is answered", () => {
      const world = started(nodes);
      const host = hostIn(world);
      for (const settled of [false, true]) {
        const key = `count:${settled}`;
        const victim = host.connect();
        const killer = host.connect();
        victim.sendRaw(
          pipeline(...Array.from({ length: 200 }, () => `INCR ${key}`), "BLPOP none 0", `SET ${key} late`),
        );
        if (settled) host.node.turn(world.nowMs, world.wallMs, 0); // on its way
        const { store } = world.leader()!.node.replica.machine;
        let then = "";
        world.watch = () => {
          if (then === "" && killer.take() === ":1\r\n") then = store.digest();
        };
        killer.sendRaw(pipeline(`CLIENT KILL ID ${victim.id}`));
        steps(world, 60);
        world.watch = undefined;
        assert.equal(store.digest(), then);
        assert.doesNotMatch(killer.call("GET", key), /late/);
      }
    });

    test("who kills himself has an answer, his last; nothing behind it runs", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const looks = host.connect();
      const cases: readonly (readonly [commands: (it: Client) => readonly string[], want: string])[] = [
        [(it) => ["PING", `CLIENT KILL ${it.address}`, "SET late 1"], "+PONG\r\n+OK\r\n"],
        [(it) => [`CLIENT KILL ID ${it.id} SKIPME no`, "SET late 1"], ":1\r\n"],
        [
          (it) => ["MULTI", `CLIENT KILL ${it.address}`, "PING", "EXEC", "SET late 1"],
          "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n",
        ],
        [
          (it) => ["MULTI", "SET a 1", `CLIENT KILL ID ${it.id} SKIPME no`, "PING", "EXEC", "SET late 1"],
          "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n:1\r\n",
        ],
      ];
      for (const hello of [false, true]) {
        for (const [commands, want] of cases) {
          const client = host.connect();
          if (hello) client.call("HELLO", "3");
          assert.equal(exchange(client, ...commands(client)), want);
          assert.ok(client.isClosed, want);
          assert.equal(exchange(looks, "EXISTS late"), ":0\r\n");
          assert.equal(exchange(looks, `CLIENT LIST ID ${client.id}`), "$0\r\n\r\n");
        }
      }
    });

    test("KILL in a transaction: EXEC is answered when the killed takes nothing any more", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const victim = host.connect();
      const killer = host.connect();
      block(victim, "BLPOP k 0");
      const answers = exchange(
        killer,
        "MULTI",
        "SET a 1",
        `CLIENT KILL ID ${victim.id}`,
        "EXEC",
        "RPUSH k a",
        "LLEN k",
      );
      assert.equal(answers, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n:1\r\n:1\r\n");
    });

    for (const [wait, serve, look, found] of waits) {
      for (const protocol of ["2", "3"]) {
        test(`${wait}: KILL and ${serve} in one transaction, RESP${protocol}: the killed takes nothing`, () => {
          const world = started(nodes);
          const host = hostIn(world);
          const [victim, killer] = [host.connect(), host.connect()];
          exchange(killer, `HELLO ${protocol}`);
          if (wait.startsWith("X")) exchange(killer, "XGROUP CREATE k g $ MKSTREAM");
          block(victim, wait);
          const kill = `CLIENT KILL ID ${victim.id}`;
          assert.match(exchange(killer, "MULTI", serve, kill, "EXEC"), /\r\n:1\r\n$/);
          assert.ok(victim.isClosed);
          killer.send("HELLO", "2");
          exchange(killer);
          assert.equal(exchange(killer, look), found);
          assert.equal(waitersOf(host), 0);
        });
      }
    }

    for (const [name, kill, answer] of forms) {
      test(`KILL by ${name} in front of a push in one transaction`, () => {
        const world = started(nodes);
        const host = hostIn(world);
        const victim = host.connect();
        const killer = host.connect();
        block(victim, "BLPOP k 0");
        const want = `+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n${answer}:1\r\n:1\r\n`;
        assert.equal(exchange(killer, "MULTI", kill(victim), "RPUSH k a", "LLEN k", "EXEC"), want);
        assert.deepEqual([victim.isClosed, victim.take(), waitersOf(host)], [true, "", 0]);
        assert.equal(exchange(killer, "LLEN k"), ":1\r\n");
      });
    }

    for (const [reason, end] of [
      ["TIMEOUT", NIL],
      ["ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"],
    ]) {
      test(`CLIENT UNBLOCK ${reason} and a push in one transaction: the element stays`, () => {
        const world = started(nodes);
        const host = hostIn(world);
        const waiting = host.connect();
        const other = host.connect();
        block(waiting, "BLPOP k 0");
        const answers = exchange(
          other,
          "MULTI",
          "RPUSH k a",
          `CLIENT UNBLOCK ${waiting.id} ${reason}`,
          "EXEC",
        );
        assert.equal(answers, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n");
        assert.equal(waiting.take(), end);
        assert.equal(exchange(waiting, "LLEN k"), ":1\r\n");
      });
    }

    test("BLPOP and, on another connection, a transaction that kills and pushes, in one moment", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const victim = host.connect();
      const killer = host.connect();
      victim.sendRaw(pipeline("BLPOP k 0"));
      killer.sendRaw(pipeline("MULTI", `CLIENT KILL ID ${victim.id}`, "RPUSH k a", "EXEC"));
      steps(world, 40);
      assert.equal(killer.take(), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n");
      assert.equal(exchange(killer, "LLEN k"), ":1\r\n");
    });

    test("a transaction that fails kills and unblocks nobody: who waited goes on", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const victim = host.connect();
      const waiting = host.connect();
      const killer = host.connect();
      block(victim, "BLPOP k 0");
      block(waiting, "BLPOP l 0");
      exchange(killer, "WATCH w", "SET w 1");
      const kill = `CLIENT KILL ID ${victim.id}`;
      const answers = exchange(killer, "MULTI", kill, `CLIENT UNBLOCK ${waiting.id}`, "SET w 2", "EXEC");
      assert.equal(answers, `+OK\r\n${"+QUEUED\r\n".repeat(3)}${NIL}`);
      assert.equal(exchange(killer, "RPUSH k a", "RPUSH l b"), ":1\r\n:1\r\n");
      assert.equal(victim.take(), "*2\r\n$1\r\nk\r\n$1\r\na\r\n");
      assert.equal(waiting.take(), "*2\r\n$1\r\nl\r\n$1\r\nb\r\n");
    });

    test("CLIENT UNBLOCK and a push in one write: the element stays", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const waiting = host.connect();
      const other = host.connect();
      block(waiting, "BLPOP k 0");
      assert.equal(
        exchange(other, `CLIENT UNBLOCK ${waiting.id}`, "RPUSH k a", "LLEN k"),
        ":1\r\n:1\r\n:1\r\n",
      );
      assert.equal(waiting.take(), NIL);
    });

    for (const [reason, end] of [
      ["TIMEOUT", /^:[0-2]\r\n\+PONG\r\n$/],
      ["ERROR", /^-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n\+PONG\r\n$/],
    ] as const) {
      test(`CLIENT UNBLOCK ${reason} of a client in WAIT, also in MULTI`, () => {
        const world = started(nodes);
        const host = hostIn(world);
        const waiting = host.connect();
        const other = host.connect();
        const unblock = `CLIENT UNBLOCK ${waiting.id} ${reason}`;
        for (const wait of ["WAIT 5 0", "WAIT 5 100000"]) {
          block(waiting, wait);
          waiting.sendRaw(pipeline("PING"));
          assert.equal(exchange(other, unblock, unblock), ":1\r\n:0\r\n");
          assert.match(waiting.take(), end);
          waiting.sendRaw(pipeline("SET k v", wait, "PING"));
          steps(world, 20);
          assert.equal(waiting.take(), "+OK\r\n");
          const answers = exchange(other, "MULTI", "SET k w", unblock, "EXEC");
          assert.equal(answers, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n");
          assert.match(waiting.take(), end);
        }
        assert.equal(exchange(other, unblock), ":0\r\n");
        block(waiting, "WAIT 5 0");
        other.call("CLIENT", "KILL", "ID", String(waiting.id));
        assert.ok(waiting.isClosed);
      });
    }

    test("CLIENT UNBLOCK of a client whose commands are paused: it waits for no key, and goes on waiting", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const paused = host.connect();
      const other = host.connect();
      exchange(other, "CLIENT PAUSE 1000 WRITE");
      block(paused, "SET k v");
      assert.equal(exchange(other, `CLIENT UNBLOCK ${paused.id}`), ":0\r\n");
      steps(world, 120);
      assert.equal(paused.take(), "+OK\r\n");
    });

    test("a socket that closes, and a push that is read behind it", () => {
      const world = started(nodes);
      const host = hostIn(world);
      const gone = host.connect();
      const pusher = host.connect();
      block(gone, "BLPOP k 0");
      gone.handler.closed();
      assert.equal(exchange(pusher, "RPUSH k a", "LLEN k"), ":1\r\n:1\r\n");
    });
  });
}

test("KILL on one node, a push on another: what is sent after the answer is not taken", () => {
  const world = started(3);
  const host = followerOf(world);
  const victim = host.connect();
  const killer = host.connect();
  block(victim, "BLPOP k 0");
  killer.sendRaw(pipeline(`CLIENT KILL ID ${victim.id}`));
  world.until("KILL is answered", () => killer.take() === ":1\r\n", 200);
  for (const it of hostsOf(world)) {
    const pusher = it.connect();
    pusher.send("RPUSH", `k`, it.name);
  }
  steps(world, 20);
  assert.equal(host.connect().call("LLEN", "k"), ":3\r\n");
});

test("the leader is lost while KILL waits: it is answered by the next one, and nothing is taken", () => {
  const world = started(3);
  const old = world.leader()!;
  const [host, other] = hostsOf(world).filter((it) => it !== old);
  const victim = host!.connect();
  const killer = host!.connect();
  block(victim, "BLPOP k 0");
  world.cut.add(`${host!.name}>${old.name}`); // what it sends is lost
  killer.sendRaw(pipeline(`CLIENT KILL ID ${victim.id}`, "RPUSH k a", "LLEN k"));
  steps(world, 2);
  assert.equal(killer.take(), "");
  world.kill(old.name);
  world.until("another leader", () => world.leader() !== undefined);
  steps(world, 100);
  assert.equal(killer.take(), ":1\r\n:1\r\n:1\r\n");
  assert.equal(other!.connect().call("LLEN", "k"), ":1\r\n");
});

test("the leader is lost under a transaction that kills: the next one runs it, or the killed waits on", () => {
  for (let ticks = 0; ticks < 6; ticks++) {
    const world = started(3);
    const old = world.leader()!;
    const host = followerOf(world);
    const victim = host.connect();
    const killer = host.connect();
    block(victim, "BLPOP k 0");
    killer.sendRaw(pipeline("MULTI", `CLIENT KILL ID ${victim.id}`, "RPUSH k a", "EXEC"));
    for (let i = 0; i < ticks; i++) world.round();
    world.kill(old.name);
    world.until("another leader", () => world.leader() !== undefined);
    steps(world, 200);
    const answer = killer.take().split("+QUEUED\r\n+QUEUED\r\n")[1]!;
    if (answer === "*2\r\n:1\r\n:1\r\n") {
      assert.deepEqual([victim.isClosed, victim.take()], [true, ""]);
      assert.equal(exchange(killer, "LLEN k"), ":1\r\n");
    } else {
      assert.match(answer, /^-UNCERTAIN /);
      assert.equal(victim.isClosed, false);
      if (victim.take() === "") assert.equal(exchange(killer, "RPUSH k b"), ":1\r\n");
    }
    assert.equal(waitersOf(host), 0);
  }
});

test("a WAIT that is unblocked while its leader is lost does not wait at the next one", () => {
  const world = started(3);
  const old = world.leader()!;
  const host = followerOf(world);
  const waiting = host.connect();
  const other = host.connect();
  block(waiting, "WAIT 5 0");
  world.cut.add(`${host.name}>${old.name}`);
  other.sendRaw(pipeline(`CLIENT UNBLOCK ${waiting.id} ERROR`));
  steps(world, 2);
  assert.deepEqual([other.take(), waiting.take()], [":1\r\n", ""]);
  world.kill(old.name);
  world.until("another leader", () => world.leader() !== undefined);
  steps(world, 100);
  assert.equal(waiting.take(), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
});

test("where nobody leads KILL is answered, once that is certain", () => {
  const world = started(3);
  const left = followerOf(world);
  const victim = left.connect();
  const killer = left.connect();
  block(victim, "BLPOP k 0");
  for (const it of hostsOf(world)) if (it !== left) world.kill(it.name);
  killer.sendRaw(pipeline(`CLIENT KILL ID ${victim.id}`));
  world.until("KILL is answered", () => killer.take() === ":1\r\n", 1000);
  assert.ok(victim.isClosed);
});
