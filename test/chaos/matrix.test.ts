// What can happen to a cluster of three, one thing at a time, each by its name. How long it takes is printed here and judged in
// bench/; what must be true whatever the time is asserted.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Random } from "../sim/random.ts";
import { Connection } from "./connection.ts";
import { drawPlan, FAULTS, type FaultKind, KINDS } from "./faults.ts";
import { eventually, type Members } from "./members.ts";
import { NumberedWriter } from "./numbered.ts";
import { REFUSED, type Scene, threeBeforeEach } from "./scene.ts";

/**
 * Of its time, how long a key lives whatever the wall clocks say: they are leant to by a twentieth at most. A change of the leader costs what
 * the last entry took to be applied besides.
 */
const LEAST = 0.9;
const MOST = 1.1;
/** A member is back within this time, however little it gets of the processor. */
const WELL_MS_MAX = 200_000;
const MIB = 1024 * 1024;
const WARM_MIB = 32;
const WRITTEN_MIB = 128;

/** A key with a deadline: when its write began and had its answer, and the term before. */
interface Written {
  readonly beganMs: number;
  readonly writtenMs: number;
  readonly term: string | undefined;
}

let { members, links, leader, others } = {} as Scene;
threeBeforeEach(
  // Seed 3: clocks that go wrong forwards.
  { seed: 3, flags: ["--log-max-bytes", "1mb", "--log-tail-bytes", "256kb"] },
  (scene) => {
    ({ members, links, leader, others } = scene);
  },
);

const portOf = (name: string): number => members.node(name).port;
const asks: Members["ask"] = (name, ...command) => members.askPatiently(name, ...command);
const isSet: Members["isSet"] = (name, key, value, ...more) => members.isSet(name, key, value, ...more);
const set = (name: string, key: string, value: string): Promise<string | undefined> =>
  asks(name, "SET", key, value);
const get = (name: string, key: string): Promise<string | undefined> => asks(name, "GET", key);
/** The value, sooner or later; never another one. */
const isRead = (name: string, key: string, value: string): Promise<true> =>
  eventually(`${name} answers reads`, async () => {
    const reply = await get(name, key);
    if (reply?.startsWith("$") === true) assert.equal(reply, `$${value}`);
    return reply === `$${value}` ? true : undefined;
  });
const termOf = async (name: string): Promise<string | undefined> =>
  (await members.info(name)).get("raft_term");
/** Another one leads, with a lease. */
const isReplaced = (old: string): Promise<string> =>
  eventually("another one leads", async () => {
    const found = await members.findLeader();
    return found === old ? undefined : found;
  });

/** Writers at the two others while `act` goes on; then everybody has what was acknowledged, and nothing that was refused. */
async function underWrites(
  what: string,
  at: readonly string[],
  act: () => Promise<void>,
): Promise<NumberedWriter[]> {
  const writers = at.map((name) => new NumberedWriter(portOf(name), `${what}:${name}`));
  await Promise.all(writers.map((writer) => writer.more(20)));
  for (const writer of writers) writer.gapMsMax = 0;
  await act();
  await Promise.all(writers.map((writer) => writer.more(20)));
  await Promise.all(writers.map((writer) => writer.stop()));
  await members.allAreWell();
  for (const writer of writers) for (const port of members.ports) await writer.verify(port);
  const counts = writers.map(
    (it) => `${it.acknowledged.length} + ${it.refused.length} refused + ${it.open.length} unknown`,
  );
  const gapMs = Math.max(...writers.map(({ gapMsMax }) => gapMsMax));
  console.log(`${what}: longest time without a write ${gapMs.toFixed(0)} ms; writes: ${counts.join(", ")}`);
  return writers;
}

describe("the matrix", () => {
  test("the leader is killed during writes", async () => {
    await underWrites("leader killed", others, async () => {
      await members.end(leader, "SIGKILL");
      await isReplaced(leader);
      members.restart(leader);
    });
  });

  test("a follower is killed: no write of others fails", async () => {
    const [victim = "", beside = ""] = others;
    const before = await termOf(leader);
    const writers = await underWrites("follower killed", [leader, beside], async () => {
      await members.end(victim, "SIGKILL");
      await set(leader, "k", "without it");
      members.restart(victim);
    });
    // Where processes starve, the leader may have been another one for a while.
    if ((await termOf(leader)) !== before) return;
    for (const { refused, open } of writers) assert.deepEqual([refused, open], [[], []]);
  });

  test("two to one: the one refuses writes and reads, the two go on, whether it led or not", async () => {
    const [follower = ""] = others;
    for (const one of [leader, follower]) {
      await members.allAreWell();
      const [beside = ""] = links.others(one);
      await isSet(one, "k", "before");
      links.setAround(one, { held: true });
      await isReplaced(one);
      await isSet(beside, "k", "after");
      await isRead(beside, "k", "after");
      // Perhaps on its way to a leader that it believes in: of unknown outcome, so to another key.
      assert.match(String(await set(one, "alone", "alone")), REFUSED);
      assert.match(String(await get(one, "k")), REFUSED);
      links.setAround(one);
      await members.allAreWell();
      for (const name of members.names) await isRead(name, "k", "after");
    }
  });

  test("asymmetric: the leader is not heard by one follower, and does not hear the other", async () => {
    const [mute = "", deaf = ""] = others;
    await underWrites("asymmetric", others, async () => {
      links.set(leader, mute, { held: true });
      links.set(deaf, leader, { held: true });
      await isSet(mute, "k", "asymmetric");
      await isSet(deaf, "k", "asymmetric too");
      links.setAround(leader);
    });
  });

  test("two of three stopped: the third refuses everything; then all goes on", async () => {
    await isSet(leader, "k", "before");
    const [one = "", two = ""] = others;
    for (const name of [leader, one]) members.signal(name, "SIGSTOP");
    // Perhaps it is already on its way to the leader: of unknown outcome, so to another key.
    assert.match(String(await set(two, "alone", "alone")), REFUSED);
    assert.match(String(await get(two, "k")), REFUSED);
    for (const name of [leader, one]) members.signal(name, "SIGCONT");
    await members.allAreWell();
    for (const name of members.names) await isRead(name, "k", "before");
  });

  test("each cut off from each: all refuse; then all goes on", async () => {
    await isSet(leader, "k", "before");
    for (const name of members.names) links.setAround(name, { held: true });
    for (const name of members.names) {
      await eventually(`${name} refuses`, async () =>
        REFUSED.test(String(await get(name, "k"))) ? true : undefined,
      );
      assert.match(String(await set(name, "k", "alone")), REFUSED);
    }
    for (const name of members.names) links.setAround(name);
    await members.allAreWell();
    for (const name of members.names) await isRead(name, "k", "before");
  });

  test("a slow network, 100 ms each way: no command fails", async () => {
    links.setAll({ delayMs: 100 });
    const before = await termOf(leader);
    const replies: (string | undefined)[] = [];
    const writeAndRead = async (name: string): Promise<void> => {
      for (const value of ["1", "2"]) {
        replies.push(await set(name, `slow:${name}`, value), await get(name, `slow:${name}`));
        await isSet(name, `slow:${name}`, value);
        await isRead(name, `slow:${name}`, value);
      }
    };
    await Promise.all(members.names.map(writeAndRead));
    // Where processes starve, another one may have been elected.
    if ((await termOf(leader)) === before)
      for (const reply of replies) assert.match(String(reply), /^(\+OK|\$[12])$/);
    links.setAll();
  });

  test("compaction under load: the log and the processes stay small on all nodes", async () => {
    const value = "x".repeat(10_000);
    const connection = (await Connection.open(portOf(leader)))!;
    /** A megabyte, over the same hundred keys. */
    const fill = (): Promise<unknown> =>
      new Promise((resolve) =>
        connection.send(
          Array.from(
            { length: 100 },
            (_, n) => [["SET", `filled:${n}`, value], n === 99 ? resolve : () => {}] as const,
          ),
        ),
      );
    const memoryOf = async (name: string, field: string): Promise<number> =>
      Number(new RegExp(`${field}:(\\d+)`).exec(String(await asks(name, "INFO", "memory")))?.[1]);
    const residentBytes = (): Promise<number[]> =>
      Promise.all(members.names.map((name) => memoryOf(name, "used_memory_rss")));
    let before: number[] = [];
    for (let i = 0; i < WARM_MIB + WRITTEN_MIB; i++) {
      if (i === WARM_MIB) before = await residentBytes();
      await fill();
      if (i % 8 !== 0) continue;
      for (const name of members.names) {
        const logBytes = await memoryOf(name, "mem_replication_backlog");
        assert.ok(logBytes < 4 * MIB, `${name}: ${logBytes}`);
      }
    }
    connection.close();
    const grownMib = (await residentBytes()).map((bytes, i) => Math.round((bytes - before[i]!) / MIB));
    console.log(`${WRITTEN_MIB} MiB more written: processes have grown by ${grownMib.join(", ")} MiB`);
    for (const grown of grownMib) assert.ok(grown < WRITTEN_MIB / 2, `grown by ${grown} MiB`);
  });

  test("wall clocks off by 30 s, the leader's and then its successor's: keys live as long as they should, to a tenth", async () => {
    const lifeMs = 1500;
    const [next = ""] = others;
    /**
     * Sees what is true at any speed: alive before it may die, dead after it must have. `changeMs`: time in which the leader
     * changed, which may be missing in the life of the key.
     */
    const lives = async (key: string, { beganMs, writtenMs, term }: Written, changeMs = 0): Promise<void> => {
      await eventually("the key dies", async () => {
        const askedMs = performance.now();
        const reply = await get(next, key);
        const answeredMs = performance.now();
        if (reply === "$-1")
          assert.ok(answeredMs - beganMs >= LEAST * lifeMs, `dead after ${answeredMs - beganMs} ms`);
        // Where processes starve, the leader may have changed unasked.
        if (reply === "$alive" && (await termOf(next)) === term)
          assert.ok(askedMs - writtenMs <= MOST * lifeMs + changeMs, `alive after ${askedMs - writtenMs} ms`);
        return reply === "$-1" ? true : undefined;
      });
    };
    const write = async (key: string): Promise<Written> => {
      const term = await termOf(next);
      const beganMs = performance.now();
      await isSet(next, key, "alive", "PX", String(lifeMs));
      return { beganMs, writtenMs: performance.now(), term };
    };
    const before = await write("before");
    members.signal(leader, "SIGUSR2");
    const during = await write("during");
    await Promise.all([lives("before", before), lives("during", during)]);
    // Its successor's clock is right, so time seems to go back by 30 s.
    const inherited = await write("inherited");
    await eventually(`${next} leads`, async () => {
      await asks(next, "RAFT.TRANSFER", next);
      return (await members.findLeader()) === next ? true : undefined;
    });
    const changeMs = performance.now() - inherited.beganMs;
    await lives("inherited", { ...inherited, term: await termOf(next) }, changeMs);
    // And the same the other way round: the clock of who leads goes ahead, and comes back.
    members.signal(leader, "SIGUSR2");
    members.signal(next, "SIGUSR2");
    const ahead = await write("ahead");
    members.signal(next, "SIGUSR2");
    const back = await write("back");
    await Promise.all([lives("ahead", ahead), lives("back", back)]);
  });

  // These have tests of their own, here and in e2e/rolling-restart.
  const named: readonly FaultKind[] = [
    "cut",
    "mute",
    "deaf",
    "delay",
    "SIGKILL",
    "SIGTERM",
    "SIGSTOP",
    "wall clock",
  ];
  const random = Random.stream(1, "named");
  for (const kind of KINDS.filter((it) => !named.includes(it))) {
    test(`${kind}, at the leader: what is acknowledged is there, and all goes on`, async () => {
      const plan = {
        ...drawPlan(random, [kind]),
        lengthMs: Math.min(FAULTS[kind].lengthMs[1], 2000),
        strength: 1,
      };
      const world = { members, links, isFull: false, wellMsMax: WELL_MS_MAX };
      await underWrites(kind, others, async () => {
        const end = await FAULTS[kind].begin(world, leader, plan);
        // A node that does not hear a leader whom the others hear serves nobody (stall).
        const isWritten = async (): Promise<true | undefined> => {
          const replies = await Promise.all(others.map((name) => set(name, "k", `with ${kind}`)));
          return replies.includes("+OK") ? true : undefined;
        };
        // What is mild has to last, to be of any effect.
        for (let i = FAULTS[kind].lane === "node" ? 1 : 50; i > 0; i--)
          await eventually("one of the others takes writes", isWritten);
        await end();
      });
    });
  }

  test("all are killed and started again: empty, by themselves, in one cluster", async () => {
    await isSet(leader, "k", "lost with all of them");
    const clusterId = (await members.info(leader)).get("raft_cluster_id");
    await Promise.all(members.names.map((name) => members.end(name, "SIGKILL")));
    const beganMs = performance.now();
    for (const name of members.names) members.restart(name);
    await members.allAreWell();
    console.log(`all restarted: well after ${(performance.now() - beganMs).toFixed(0)} ms`);
    const infos = await Promise.all(members.names.map((name) => members.info(name)));
    const ids = new Set(infos.map((info) => info.get("raft_cluster_id")));
    assert.equal(ids.size, 1);
    assert.ok(!ids.has(clusterId), "another cluster, as the old one is lost");
    for (const name of members.names) {
      assert.equal(await get(name, "k"), "$-1");
      const { output } = members.node(name);
      const said = output.split("\n").filter((line) => line.includes('"msg":"founded: '));
      assert.equal(said.length, 1, output);
      const { level, cluster, members: founders } = JSON.parse(said[0]!) as Record<string, unknown>;
      assert.deepEqual([level, cluster, founders], [40, [...ids][0], members.names.join(",")]);
    }
    await isSet(members.names[0]!, "k", "anew");
  });
});
