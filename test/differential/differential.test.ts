// The same random commands to a real redis-server and to ours; replies must be equal byte for byte, but for
// the table in normalise.ts.
//
//   DIFFERENTIAL_SEED=n            the sequence (printed first)
//   DIFFERENTIAL_COMMANDS=n        how many commands
//   DIFFERENTIAL_FAMILY=bits       mostly commands of this family (or several, with commas between)
//   DIFFERENTIAL_FORMS=small       thresholds of a few members (small-thresholds.ts); default: so with odd seeds
//   DIFFERENTIAL_TARGET=host:port  a running node instead of the machine in this process. It is emptied first.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Args } from "../../src/base/args.ts";
import { logRows, lookup, rows } from "../../src/command/lookup.ts";
import { DEFAULT_THRESHOLDS } from "../../src/store/thresholds.ts";
import { areFactsThere, facts } from "../compatibility/facts.ts";
import { ReplyCheck } from "../compatibility/reply-check.ts";
import type { Command, Executor } from "./executor.ts";
import { Generator } from "./generate.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { disagreement } from "./normalise.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { SMALL_SETTINGS, SMALL_THRESHOLDS } from "./small-thresholds.ts";
import { TcpExecutor } from "./tcp-executor.ts";

const seed = Number(process.env["DIFFERENTIAL_SEED"] ?? Math.floor(Math.random() * 1_000_000_000));
const commandCount = Number(process.env["DIFFERENTIAL_COMMANDS"] ?? 20_000);
const target = process.env["DIFFERENTIAL_TARGET"];
const focus = process.env["DIFFERENTIAL_FAMILY"]?.split(",") ?? [];
const forms = process.env["DIFFERENTIAL_FORMS"] ?? (seed % 2 === 1 ? "small" : "default");
const isSmall = forms === "small" && target === undefined;
const BATCH_COMMANDS = 200;
const HISTORY_SHOWN = 12;
const COVERAGE_COMMANDS_MIN = 10_000;
/** Times that a command is drawn until it is answered by more than an error. */
const ROUNDS_OF_EACH = 200;
const MINUS = 0x2d;
/** Data commands the generator leaves out, and why. */
const NOT_COMPARED: ReadonlyMap<string, string> = new Map([
  ["debug|stringmatch-len", "came after Redis 7.0"],
  ["exec", "transactions.test.ts compares it, with several clients"],
  ["watch", "transactions.test.ts compares it, with several clients"],
  ["unwatch", "transactions.test.ts compares it, with several clients"],
  ["memory|usage", "allocation is each side's own"],
  ["publish", "publish-subscribe.test.ts compares it, with subscribers"],
  ["spublish", "publish-subscribe.test.ts compares it, with subscribers"],
  ...rows
    .filter((row) => row.flags.includes("blocking"))
    .map(({ name }): [string, string] => [name, "blocking.test.ts compares it, with several clients"]),
  ...logRows.map(({ name }): [string, string] => [name, "a word of the log"]),
]);
const TIMEOUT_MS = 60_000 + commandCount;

const version = installedVersion();
const WITHOUT_FACTS = areFactsThere ? "" : " (skipped: no ../shared/redis-facts)";
const HELLO_3 = [Buffer.from("HELLO"), Buffer.from("3")];

test.skipIf(version === undefined)(
  `differential: ${commandCount} commands, seed ${seed}${version === undefined ? " (skipped: no redis-server installed)" : ""}`,
  async () => {
    console.log(
      `differential: DIFFERENTIAL_SEED=${seed} DIFFERENTIAL_COMMANDS=${commandCount} DIFFERENTIAL_FORMS=${isSmall ? "small" : "default"} against ${version}`,
    );
    const redis = await startRedisServer(isSmall ? SMALL_SETTINGS : []);
    try {
      const ours = await ourExecutor();
      try {
        const compared = await compare(ours, redis.executor);
        console.log(`differential: ${compared.total} replies equal (${compared.errors} of them errors)`);
        console.log(`differential: shapes checked of ${compared.shaped.size} commands${WITHOUT_FACTS}`);
        if (commandCount >= COVERAGE_COMMANDS_MIN && focus.length === 0) {
          assert.deepEqual(neverAnswered(compared.answered), []);
          assert.deepEqual(neverShaped(compared.shaped), []);
        }
      } finally {
        await ours.close();
      }
    } finally {
      await redis.stop();
    }
  },
  TIMEOUT_MS,
);

/** Data commands that no reply but an error was seen of: the generator has forgotten them. */
function neverAnswered(answered: ReadonlySet<string>): string[] {
  return rows
    .filter((row) => row.route === "read" || row.route === "write")
    .map((row) => row.name)
    .filter((name) => !answered.has(name) && !NOT_COMPARED.has(name));
}

/** Data commands with a published shape that no reply was held to. */
function neverShaped(shaped: ReadonlySet<string>): string[] {
  return rows
    .filter((row) => row.route === "read" || row.route === "write")
    .map((row) => row.name)
    .filter((name) => facts.get(name)?.reply_schema !== undefined)
    .filter((name) => !shaped.has(name) && !NOT_COMPARED.has(name));
}

async function ourExecutor(): Promise<Executor> {
  if (target === undefined) {
    const thresholds = isSmall ? SMALL_THRESHOLDS : DEFAULT_THRESHOLDS;
    return new MemoryExecutor({ clock: Date.now, seed, thresholds });
  }
  const [host, port] = target.split(":");
  assert.ok(host !== undefined && Number(port) > 0, `DIFFERENTIAL_TARGET is ${target}, not host:port`);
  const executor = await TcpExecutor.connect(host, Number(port));
  await executor.run([[Buffer.from("FLUSHALL")]]);
  return executor;
}

interface Compared {
  readonly total: number;
  readonly errors: number;
  readonly answered: ReadonlySet<string>;
  /** Commands whose reply was held to its published shape. */
  readonly shaped: ReadonlySet<string>;
}

async function compare(ours: Executor, theirs: Executor): Promise<Compared> {
  const generator = new Generator({ seed, nowMs: Date.now(), focus });
  const history: Command[] = [];
  const answered = new Set<string>();
  const shapes = new ReplyCheck();
  let isResp3 = false; // as after a HELLO 3
  let errors = 0;
  const run = async (batch: readonly Command[]): Promise<void> => {
    const [a, b] = await Promise.all([ours.run(batch), theirs.run(batch)]);
    batch.forEach((command, i) => {
      history.push(command);
      if (b[i]![0] === MINUS) errors++;
      else answered.add(lookup(Args.of(...command))?.name ?? "");
      const how = disagreement(ruleText(command), a[i]!, b[i]!);
      if (how !== undefined) assert.fail(describe(history, how, ours.name, a[i]!, b[i]!));
      if (/^HELLO$/i.test(command[0]!.toString()) && a[i]![0] !== MINUS) {
        isResp3 = command[1]?.toString() === "3";
        return;
      }
      const misshapen = isResp3 ? shapes.problem(command, a[i]!) : undefined;
      if (misshapen !== undefined) assert.fail(describe(history, misshapen, ours.name, a[i]!, b[i]!));
    });
  };
  while (history.length < commandCount) {
    const batch: Command[] = [];
    while (batch.length < BATCH_COMMANDS) batch.push(...generator.next());
    if (history.length + batch.length >= commandCount) {
      batch.push(...generator.settle().map((words) => words.map((word) => Buffer.from(word, "latin1"))));
    }
    await run(batch);
  }
  // Chance may pass over a rare command in a short run. That it can be answered at all must not depend on chance.
  for (let round = 0; round < ROUNDS_OF_EACH && focus.length === 0; round++) {
    if (neverAnswered(answered).length + neverShaped(shapes.checked).length === 0) break;
    await run([HELLO_3, ...generator.oneOfEach()]);
  }
  return { total: history.length, errors, answered, shaped: shapes.checked };
}

function ruleText(command: Command): string {
  return command
    .slice(0, 12)
    .map((word) => word.toString("latin1").toUpperCase())
    .join(" ");
}

function describe(
  history: readonly Command[],
  how: string,
  name: string,
  ours: Buffer,
  theirs: Buffer,
): string {
  const last = history.at(-1)!;
  const touched = new Set(last.slice(1).map((word) => word.toString("latin1")));
  const related = history.filter(
    (command) =>
      /^(select|swapdb|flush)/i.test(command[0]!.toString()) ||
      command.some((word, i) => i > 0 && touched.has(word.toString("latin1"))),
  );
  return [
    `seed ${seed}, command ${history.length} (${how})`,
    ...related.slice(-HISTORY_SHOWN).map((command) => `  ${show(command)}`),
    `${name}: ${JSON.stringify(ours.toString("latin1")).slice(0, 1000)}`,
    `redis-server: ${JSON.stringify(theirs.toString("latin1")).slice(0, 1000)}`,
  ].join("\n");
}

function show(command: Command): string {
  return command.map((word) => JSON.stringify(word.toString("latin1")).slice(0, 200)).join(" ");
}
