// The same random commands to a real redis-server and to ours; replies must be equal byte for byte, but for
// the table in normalise.ts.
//
//   DIFFERENTIAL_SEED=n            the sequence
//   DIFFERENTIAL_COMMANDS=n        how many commands
//   DIFFERENTIAL_FAMILY=bits       mostly commands of this family (or several, with commas between)
//   DIFFERENTIAL_FORMS=small       thresholds of a few members (small-thresholds.ts); default: so with odd seeds
//   DIFFERENTIAL_TARGET=host:port  a running node instead of the machine in this process. It is emptied first.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Args } from "../../src/base/args.ts";
import { lookup } from "../../src/command/lookup.ts";
import { DEFAULT_THRESHOLDS } from "../../src/store/thresholds.ts";
import { type Draws, drawsOf } from "../chance.ts";
import { areFactsThere, facts } from "../compatibility/facts.ts";
import { ReplyCheck } from "../compatibility/reply-check.ts";
import { TEST_MS_MAX } from "../until.ts";
import { answeredSteps, wordsOf } from "./answered-commands.ts";
import { comparedCommands } from "./data-commands.ts";
import type { Command, Executor } from "./executor.ts";
import { Generator } from "./generate.ts";
import { MemoryExecutor } from "./memory-executor.ts";
import { disagreement } from "./normalise.ts";
import { installedVersion, startRedisServer } from "./redis-server.ts";
import { SMALL_SETTINGS, SMALL_THRESHOLDS } from "./small-thresholds.ts";
import { TcpExecutor } from "./tcp-executor.ts";

const target = process.env["DIFFERENTIAL_TARGET"];
const focus = process.env["DIFFERENTIAL_FAMILY"]?.split(",") ?? [];
const BATCH_COMMANDS = 200;
const HISTORY_SHOWN = 12;
const MINUS = 0x2d;
const version = installedVersion();
const WITHOUT_FACTS = areFactsThere ? "" : " (skipped: no ../shared/redis-facts)";
const toCommand = (words: readonly string[]): Command => words.map((word) => Buffer.from(word, "latin1"));
const HELLO_3 = toCommand(["HELLO", "3"]);
const FLUSHALL = toCommand(["FLUSHALL"]);
const SELECT_0 = toCommand(["SELECT", "0"]);

for (const draws of drawsOf("differential")) {
  const isSmall = hasSmallForms(draws.seed);
  test.skipIf(version === undefined)(
    `differential: ${draws.text}, ${isSmall ? "small" : "default"} forms${version === undefined ? " (skipped: no redis-server installed)" : ""}`,
    async () => {
      const redis = await startRedisServer(isSmall ? SMALL_SETTINGS : []);
      try {
        const ours = await ourExecutor(draws.seed, isSmall);
        try {
          const compared = await compare(ours, redis.executor, draws);
          console.log(`differential: ${compared.total} replies equal (${compared.errors} of them errors)`);
          console.log(`differential: shapes checked of ${compared.shaped.size} commands${WITHOUT_FACTS}`);
          if (focus.length > 0) return;
          assert.deepEqual(
            comparedCommands.filter((name) => !compared.answered.has(name)),
            [],
          );
          assert.deepEqual(neverShaped(compared.shaped), []);
        } finally {
          await ours.close();
        }
      } finally {
        await redis.stop();
      }
    },
    TEST_MS_MAX + 2 * draws.count,
  );
}

function hasSmallForms(seed: number): boolean {
  const forms = process.env["DIFFERENTIAL_FORMS"] ?? (seed % 2 === 1 ? "small" : "default");
  return forms === "small" && target === undefined;
}

/** Commands with a published shape that no reply was held to. */
function neverShaped(shaped: ReadonlySet<string>): string[] {
  return comparedCommands
    .filter((name) => facts.get(name)?.reply_schema !== undefined)
    .filter((name) => !shaped.has(name));
}

async function ourExecutor(seed: number, isSmall: boolean): Promise<Executor> {
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

async function compare(ours: Executor, theirs: Executor, { seed, count }: Draws): Promise<Compared> {
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
      if (how !== undefined) assert.fail(describe(seed, history, how, ours.name, a[i]!, b[i]!));
      if (/^HELLO$/i.test(command[0]!.toString()) && a[i]![0] !== MINUS) {
        isResp3 = command[1]?.toString() === "3";
        return;
      }
      const misshapen = isResp3 ? shapes.problem(command, a[i]!) : undefined;
      if (misshapen !== undefined) assert.fail(describe(seed, history, misshapen, ours.name, a[i]!, b[i]!));
    });
  };
  // What chance passes over has its turn first: each command is drawn, and each is answered by more than an error.
  if (focus.length === 0) {
    for (const step of answeredSteps)
      await run([HELLO_3, FLUSHALL, SELECT_0, ...wordsOf(step).map(toCommand)]);
    await run([FLUSHALL, SELECT_0, ...generator.oneOfEach()]);
  }
  while (history.length < count) {
    const batch: Command[] = [];
    while (batch.length < BATCH_COMMANDS) batch.push(...generator.next());
    if (history.length + batch.length >= count) batch.push(...generator.settle().map(toCommand));
    await run(batch);
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
  seed: number,
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
