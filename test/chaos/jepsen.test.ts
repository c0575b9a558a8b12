// What Jepsen found in RedisRaft in 2020 (jepsen.io/analyses/redis-raft-1b3fbf6), each as a test of ours on three processes.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { Connection } from "./connection.ts";
import { eventually, type Members } from "./members.ts";
import { askOn, NumberedWriter } from "./numbered.ts";
import { runRound } from "./round.ts";
import { REFUSED, type Scene, threeBeforeEach } from "./scene.ts";

const SEED = 4;

let { members, links, leader, others } = {} as Scene;
threeBeforeEach({ seed: SEED }, (scene) => {
  ({ members, links, leader, others } = scene);
});

const portOf = (name: string): number => members.node(name).port;
const asks: Members["ask"] = (name, ...command) => members.askPatiently(name, ...command);
const isSet: Members["isSet"] = (name, key, value) => members.isSet(name, key, value);
const transfer = (to: string): Promise<string> =>
  eventually(`${to} leads`, async () => {
    await asks(to, "RAFT.TRANSFER", to);
    return (await members.findLeader()) === to ? to : undefined;
  });

describe("found in RedisRaft", () => {
  test("total loss at failover: whoever leads next has everything", async () => {
    const writer = new NumberedWriter(portOf(others[0]!), "kept");
    await writer.more(100);
    for (const name of [others[1]!, others[0]!, leader]) {
      await transfer(name);
      await writer.more(5);
    }
    await members.end(leader, "SIGKILL");
    await writer.more(5);
    members.restart(leader);
    await members.allAreWell();
    await writer.stop();
    for (const port of members.ports) await writer.verify(port);
  });

  test("empty reads on restart: a node that comes back refuses until it has the data", async () => {
    await isSet(leader, "k", "there");
    const [victim = ""] = others;
    await members.end(victim, "SIGKILL");
    members.restart(victim);
    let refusals = 0;
    // As fast as it goes, from before it listens on.
    await eventually("it answers", async () => {
      const connection = await Connection.open(portOf(victim));
      let isThere = false;
      while (connection?.isOpen === true && !isThere) {
        const reply = await askOn(connection, ["GET", "k"]);
        isThere = reply === "$there";
        if (isThere || reply === undefined) break;
        assert.match(reply, REFUSED);
        refusals++;
      }
      connection?.close();
      return isThere ? true : undefined;
    });
    console.log(`${refusals} reads refused before it answered`);
  });

  test("stale reads after a pause: who led before it does not answer with what was then", async () => {
    for (const isCutOff of [false, true, true]) {
      await members.allAreWell();
      const old = await members.leader();
      const beside = links.others(old)[0]!;
      await isSet(old, "k", "before");
      const connection = (await Connection.open(portOf(old)))!;
      await eventually("it is read there", async () =>
        (await askOn(connection, ["GET", "k"])) === "$before" ? true : undefined,
      );
      // Cut off besides, it cannot hear of the other one when it wakes up: only its own clock tells it.
      if (isCutOff) links.setAround(old, { held: true });
      members.signal(old, "SIGSTOP");
      await isSet(beside, "k", "after");
      // It is in its socket when it wakes up.
      const read = askOn(connection, ["GET", "k"]);
      members.signal(old, "SIGCONT");
      const reply = await read;
      assert.ok(reply === undefined || (reply === "$after" && !isCutOff) || REFUSED.test(reply), reply);
      links.setAround(old);
      connection.close();
    }
  });

  test("'not leader' for a write that was committed: what was refused is not there", async () => {
    const writers = members.names.map((name) => new NumberedWriter(portOf(name), `said:${name}`));
    for (let i = 0; i < 2; i++) {
      const old = await members.leader();
      const beside = links.others(old)[0]!;
      links.setAround(old, { held: true });
      await isSet(beside, "k", `without ${old}`);
      links.setAround(old);
      await members.allAreWell();
      await transfer(beside);
    }
    await Promise.all(writers.map((writer) => writer.more(20)));
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const writer of writers) for (const port of members.ports) await writer.verify(port);
    const count = (what: "acknowledged" | "refused" | "open"): number =>
      writers.reduce((sum, writer) => sum + writer[what].length, 0);
    console.log(
      `${count("acknowledged")} acknowledged, ${count("refused")} refused, ${count("open")} unknown`,
    );
  });

  test("endless proxy loop: a command that meets followers only is answered once, and done once or not at all", async () => {
    const [one = "", two = ""] = others;
    await isSet(leader, "count", "0");
    let least = 0;
    let most = 0;
    const count = async (name: string): Promise<void> => {
      const reply = String(await asks(name, "INCR", "count"));
      if (/^:/.test(reply)) least++;
      if (/^:|^-UNCERTAIN|undefined/.test(reply)) most++;
      else assert.match(reply, REFUSED);
    };
    // Each of the two believes that the other leads, or did a moment ago, while leadership goes back and forth.
    for (let i = 0; i < 6; i++) {
      const moved = asks(one, "RAFT.TRANSFER", i % 2 === 0 ? one : two);
      await Promise.all([count(one), count(two), count(one), count(two), count(leader), moved]);
    }
    // And while nobody does.
    for (const name of members.names) links.setAround(name, { held: true });
    await Promise.all([...others, ...others, leader].map(count));
    for (const name of members.names) links.setAround(name);
    await members.allAreWell();
    const counted = Number((await eventually("the count is read", () => asks(one, "GET", "count"))).slice(1));
    assert.ok(counted >= least && counted <= most, `${least} <= ${counted} <= ${most}`);
  });

  test("lost updates and writes under kills, pauses and cuts: nothing acknowledged is missing", async () => {
    const result = await runRound(members, {
      seed: SEED,
      round: 0,
      seconds: 2,
      wellMsMax: 200_000,
      kinds: ["SIGKILL", "SIGSTOP", "cut", "mute"],
      families: ["append", "counter", "set"],
    });
    assert.deepEqual(
      result.anomalies.map(({ kind, text }) => `${kind}: ${text}`),
      [],
    );
  });

  test("split brain with a membership change: who was removed while cut off never leads again", async () => {
    const [beside = "", third = ""] = others;
    await isSet(leader, "k", "before");
    links.setAround(leader, { held: true });
    await isSet(beside, "k", "without it");
    // The old leader, alone, removes the others; the others remove it.
    const alone = asks(leader, "RAFT.MEMBER", "REMOVE", third);
    await eventually("it is removed", async () =>
      (await asks(beside, "RAFT.MEMBER", "REMOVE", leader)) === "+OK" ? true : undefined,
    );
    await isSet(beside, "k", "after its removal");
    assert.notEqual(await alone, "+OK");
    links.setAround(leader);
    await eventually("it knows", async () =>
      /^-CLUSTERDOWN this node was removed/.test(String(await asks(leader, "GET", "k"))) ? true : undefined,
    );
    for (const name of [beside, third]) assert.equal(await asks(name, "GET", "k"), "$after its removal");
    const names = String(await asks(beside, "RAFT.MEMBER", "LIST"));
    assert.ok(names.includes(third) && !names.includes(`$${leader},`), names);
    assert.notEqual((await members.info(leader)).get("raft_role"), "leader");
  });
});
