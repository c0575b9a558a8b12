// The judges are judged: a ledger and histories that were told of a loss, a double or half a transaction must say so.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import type { Draft, Draw } from "../sim/mix.ts";
import type { Operation } from "../sim/model.ts";
import { Random } from "../sim/random.ts";
import { Histories } from "./histories.ts";
import { Ledger } from "./ledger.ts";

/** What a ledger's clients see: one copy of the data, until something is done to it. */
class Copy {
  readonly lists = new Map<string, string[]>();
  readonly numbers = new Map<string, number>();
  #queued: (readonly string[])[] | undefined;

  answer(command: readonly string[]): string {
    if (command[0] === "MULTI") {
      this.#queued = [];
      return "+OK";
    }
    if (command[0] === "EXEC") {
      const commands = this.#queued!;
      this.#queued = undefined;
      return `*${commands.map((it) => this.#run(it)).join(",")}`;
    }
    if (this.#queued === undefined) return this.#run(command);
    this.#queued.push(command);
    return "+QUEUED";
  }

  #run([name, key = "", ...items]: readonly string[]): string {
    const list = this.lists.get(key) ?? [];
    const add = (amount: number): string => {
      this.numbers.set(key, (this.numbers.get(key) ?? 0) + amount);
      return `:${this.numbers.get(key)}`;
    };
    switch (name) {
      case "RPUSH":
      case "LPUSH":
        this.lists.set(key, [...list, ...items]);
        return `:${list.length + items.length}`;
      case "SADD":
        this.lists.set(key, [...list, ...items]);
        return ":1";
      case "LPOP":
      case "RPOP": {
        const item = list.shift();
        return item === undefined ? "$-1" : `$${item}`;
      }
      case "BLPOP": {
        const item = list.shift();
        return item === undefined ? "*" : `*$${key},$${item}`;
      }
      case "INCR":
        return add(1);
      case "INCRBY":
        return add(Number(items[0]));
      case "DECRBY":
        return add(-Number(items[0]));
      case "LRANGE":
      case "SMEMBERS":
        return `*${list.map((item) => `$${item}`).join(",")}`;
      case "GET":
        return `$${this.numbers.get(key) ?? "-1"}`;
      case "MGET":
        return `*${[key, ...items].map((it) => `$${this.numbers.get(it) ?? "-1"}`).join(",")}`;
      default:
        throw new Error(`${name}?`);
    }
  }
}

const random = Random.stream(5, "judges");
const drawing: Draw = { random, token: () => "a.1;", isWatching: false };

async function verdictOn(spoil: (copy: Copy, ledger: Ledger) => void): Promise<string[]> {
  const copy = new Copy();
  const ledger = new Ledger("l");
  const carryOut = (draft: Draft): void => draft.answered?.(copy.answer(draft.command));
  for (let i = 0; i < 400; i++) for (const draft of ledger.draw(drawing)) carryOut(draft);
  spoil(copy, ledger);
  await ledger.judge(async (command) => copy.answer(command));
  return [...new Set(ledger.anomalies.map(({ kind }) => kind))];
}

describe("the ledger", () => {
  const cases: { name: string; spoil: (copy: Copy, ledger: Ledger) => void; want: string[] }[] = [
    { name: "nothing is wrong", spoil: () => {}, want: [] },
    {
      name: "an element of the set is lost",
      spoil: ({ lists }) => lists.get("l:set")!.pop(),
      want: ["lost"],
    },
    {
      name: "one of the list is there twice",
      spoil: ({ lists }) => lists.get("l:list")!.push(lists.get("l:list")![0]!),
      want: ["doubled"],
    },
    {
      name: "all is lost",
      spoil: ({ lists, numbers }) => {
        lists.clear();
        numbers.clear();
      },
      want: ["lost", "lost or doubled updates"],
    },
    {
      name: "a count is lost",
      spoil: ({ numbers }) => numbers.set("l:count", numbers.get("l:count")! - 1),
      want: ["lost or doubled updates"],
    },
    {
      name: "half a transfer",
      spoil: ({ numbers }) => numbers.set("l:account1", (numbers.get("l:account1") ?? 0) + 10),
      want: ["half a transaction"],
    },
    {
      name: "one from nowhere",
      spoil: ({ lists }) => lists.get("l:set")!.push("e9999"),
      want: ["from nowhere"],
    },
    {
      name: "a push that was refused is there",
      spoil: ({ lists }, ledger) => {
        const push = pushOf(ledger);
        lists.set("l:queue", [...(lists.get("l:queue") ?? []), ...push.command.slice(2)]);
        push.answered?.("-TRYAGAIN not now");
      },
      want: ["refused, but done"],
    },
    {
      name: "one of unknown outcome may be there or not",
      spoil: ({ lists }, ledger) => {
        const push = pushOf(ledger);
        lists.set("l:queue", [...(lists.get("l:queue") ?? []), push.command[2]!]);
        push.answered?.(undefined);
      },
      want: [],
    },
  ];
  for (const { name, spoil, want } of cases) {
    test(name, async () => assert.deepEqual(await verdictOn(spoil), want));
  }
});

function pushOf(ledger: Ledger): Draft {
  for (;;) {
    const [draft] = ledger.draw(drawing);
    if (draft?.command[1] === "l:queue" && draft.command[0]?.endsWith("PUSH") === true) return draft;
    draft?.answered?.("-TRYAGAIN not now");
  }
}

describe("histories", () => {
  let order = 0;
  const did = (group: string, command: string, reply: string): Operation => ({
    client: "a",
    connection: 1,
    order: order++,
    group,
    command: command.split(" "),
    callMs: order * 10,
    returnMs: order * 10 + 1,
    reply,
  });
  const cases = [
    {
      name: "a lock is taken once",
      rows: [
        ["SET lock1 a.1; PX 1000 NX", "+OK"],
        ["SET lock1 b.1; PX 1000 NX", "$-1"],
        ["RELEASE lock1 $a.1;", "*:1"],
        ["SET lock1 b.2; PX 1000 NX", "+OK"],
      ],
      want: 0,
    },
    {
      name: "a lock is given to two",
      rows: [
        ["SET lock1 a.1; PX 1000 NX", "+OK"],
        ["SET lock1 b.1; PX 1000 NX", "+OK"],
      ],
      want: 1,
    },
    {
      name: "somebody else's lock is given back",
      rows: [
        ["SET lock1 a.1; PX 1000 NX", "+OK"],
        ["RELEASE lock1 $b.1;", "*:1"],
      ],
      want: 1,
    },
    {
      name: "an expired lock is given to another",
      rows: [
        ["SET lock1 a.1; PX 10 NX", "+OK"],
        ["GET lock1", "$-1"],
        ["SET lock1 b.1; PX 1000 NX", "+OK"],
      ],
      want: 0,
    },
  ] as const;
  for (const { name, rows, want } of cases) {
    test(name, async () => {
      const histories = new Histories(["lock"], 1);
      for (const [command, reply] of rows) histories.add(did("lock1", command, reply));
      assert.equal((await histories.judge()).anomalies.length, want);
    });
  }
});
