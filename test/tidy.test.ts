// Rules about the code itself: who may import whom, what the pure part may not touch, how long files may be,
// and that nothing is silenced out of sight. Each rule prints every place that breaks it.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, test } from "vitest";

// Bottom to top. A folder may import itself and any row below its own, never a sibling in the same row.
const LAYERS = [
  ["base"],
  ["config", "resp", "wire", "store", "raft"],
  ["command"],
  ["machine"],
  ["node"],
  ["io"],
  ["main"],
];
const IMPURE = new Set(["io", "main"]);
/** Which npm packages a folder may import; io and main may import every dependency. */
const PACKAGES_OF: Readonly<Record<string, readonly string[]>> = { wire: ["protobufjs"] };

const BANNED_BELOW_IO: readonly (readonly [RegExp, string])[] = [
  [/\bDate\b|\bperformance\b|hrtime/, "time arrives as ticks or inside the entry"],
  [/Math\.random|\bcrypto\./, "randomness arrives seeded"],
  [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, "timers live in io/"],
  [/\basync\s+(?:function|\(|\w+\s*[(=])|\bawait\s|\bPromise\b/, "pure code runs to completion"],
  [/(?<![.\w])process\.|\bconsole\.|\brequire\(|\bimport\(/, "only io/ and main.ts talk to the process"],
  [
    /\bWeakRef\b|\bFinalizationRegistry\b|\blocaleCompare\b|\bIntl\b/,
    "depends on the collector or the locale",
  ],
];
const BANNED_EVERYWHERE: readonly (readonly [RegExp, string])[] = [
  [/\bas\s+unknown\s+as\b/, "a cast through unknown hides a wrong type"],
  [/(?::|<|\bas|\|)\s*any\b(?!\s*[:(])/, "any switches the compiler off"],
];
/** Where test/ and bench/ would draw inputs that nobody can draw again. The code with its quoted strings. */
const UNSEEDED: readonly (readonly [RegExp, string])[] = [
  [
    /Math\.random|\brandom(?:Bytes|Int|UUID|Fill(?:Sync)?)\b|getRandomValues/,
    "test/chance.ts has the seeds, bench/random.ts those of loads",
  ],
  [
    /\bseed\w*\s*[:=(][^\n;]*\bDate\.now|\bDate\.now\(\)\s*[%^&|]/i,
    "the clock is no seed: test/chance.ts has them",
  ],
  [/process\.env\[?\.?"?\w*SEEDS?\b/, "test/chance.ts reads the seeds of the environment"],
  [/from "fast-check"/, "test/property.ts has fast-check, with a fixed seed"],
];
/** Who may start processes by itself: the place that ties them to this one, and who sees to their end in another way. */
const STARTS = new Set(["test/children.ts", "test/children.test.ts", "test/explore/explorer.ts"]);
const CHANCE = new Set(["test/chance.ts", "test/property.ts", "test/tidy.test.ts"]);
// In comments, where the rules above do not look.
const SILENCERS = /@ts-(ignore|nocheck)|biome-ignore(?![^\n]*: \S+ \S+)/;
const LINES_MAX = 500;
const FUNCTION_LINES_MAX = 100;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  /** Without comments and the insides of quoted strings. */
  readonly bare: string;
}

function sourcesIn(root: string): Source[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.startsWith("wire/generated"))
    .sort()
    .map((path) => sourceOf(join(root, path), readFileSync(join(root, path), "utf8")));
}

function sourceOf(path: string, text: string): Source {
  // A // inside quotes is no comment; one inside a regular expression would need an escape there anyway.
  const comments = /("(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|\/\/.*$/gm;
  const code = text.replace(comments, (_, quoted?: string) => quoted ?? "");
  return { path, text, code, bare: code.replace(/"(?:[^"\\\n]|\\.)*"/g, '""') };
}

const SRC = sourcesIn("src");
const TESTS = sourcesIn("test");
const ALL = [...SRC, ...TESTS, ...sourcesIn("bench")];

const rank = new Map(LAYERS.flatMap((row, i) => row.map((folder) => [folder, i] as const)));

/** "src/raft/log.ts" is of raft, "src/main.ts" of main. */
function folderOf(path: string): string {
  const [, first = ""] = path.split("/");
  return first.replace(/\.ts$/, "");
}

const IMPORT = /^(?:import|export)\b[^;"(=]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

function importsOf(source: Source): string[] {
  return [...source.code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3]!);
}

function collect(sources: readonly Source[], rule: (source: Source) => readonly string[]): string[] {
  return sources.flatMap((source) => rule(source).map((problem) => `${source.path}: ${problem}`));
}

function bans(
  list: readonly (readonly [RegExp, string])[],
  part: "bare" | "code" = "bare",
): (source: Source) => string[] {
  return (source) =>
    list.flatMap(([pattern, why]) => {
      const found = pattern.exec(source[part]);
      if (found === null) return [];
      return [`line ${source[part].slice(0, found.index).split("\n").length}: '${found[0]}': ${why}`];
    });
}

describe("tidy", () => {
  test("imports go down the layers only", () => {
    const problems = collect(SRC, (source) => {
      const here = folderOf(source.path);
      if (!rank.has(here)) return [`folder ${here} is in no layer`];
      return importsOf(source)
        .filter((target) => target.startsWith("."))
        .flatMap((target) => {
          const there = folderOf(normalize(join(dirname(source.path), target)));
          const up = there !== here && (rank.get(there) ?? Number.POSITIVE_INFINITY) >= rank.get(here)!;
          return up ? [`${here} may not import ${there} (${target})`] : [];
        });
    });
    assert.deepEqual(problems, []);
  });

  test("relative imports name the .ts file", () => {
    const problems = collect([...SRC, ...TESTS], (source) =>
      importsOf(source).filter((it) => it.startsWith(".") && !/\.ts$|\/generated\/|\.json$/.test(it)),
    );
    assert.deepEqual(problems, []);
  });

  test("packages: dependencies only, and below io/ only where one has its job", () => {
    const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
      dependencies: Record<string, string>;
    };
    const problems = collect(SRC, (source) => {
      const here = folderOf(source.path);
      return importsOf(source)
        .filter((target) => !target.startsWith("."))
        .flatMap((target) => {
          if (target.startsWith("node:"))
            return IMPURE.has(here) ? [] : [`${target}: only io/ and main.ts talk to Node`];
          const name = target.split("/", target.startsWith("@") ? 2 : 1).join("/");
          if (!(name in manifest.dependencies)) return [`${name} is not in "dependencies"`];
          const allowed = IMPURE.has(here) || PACKAGES_OF[here]?.includes(name) === true;
          return allowed ? [] : [`${here} may not import ${name}`];
        });
    });
    assert.deepEqual(problems, []);
  });

  test("below io/ there is no clock, no chance, no timer, no promise", () => {
    const pure = SRC.filter((source) => !IMPURE.has(folderOf(source.path)));
    assert.deepEqual(collect(pure, bans(BANNED_BELOW_IO)), []);
  });

  test("these rules see what they are there for", () => {
    const broken = (text: string): number =>
      bans([...BANNED_BELOW_IO, ...BANNED_EVERYWHERE])(sourceOf("x", text)).length;
    const bad = [
      "const now = Date.now();",
      "const t = performance.now();",
      "let x = Math.random();",
      "setImmediate(run);",
      "async function run() {}",
      "const f = async () => 1;",
      "await run();",
      "if (process.env) {}",
      'const x = "// no comment"; console.log(x);',
      'await import("node:fs");',
      "names.sort((a, b) => a.localeCompare(b));",
      "const y = x as unknown as number;",
      "let z: any;",
      "let z: string | any;",
      "const z = x as any;",
      "let z: Map<any, string>;",
    ];
    for (const text of bad) assert.ok(broken(text) > 0, text);
    for (const text of [
      "// Date",
      'x("Math.random");',
      "this.#async = true;",
      "any: 1,",
      "/* await x */ let company: string;",
    ]) {
      assert.equal(broken(text), 0, text);
    }
  });

  test("tests draw the same every time: chance comes from test/chance.ts", () => {
    const others = ALL.filter(({ path }) => !path.startsWith("src/") && !CHANCE.has(path));
    assert.deepEqual(collect(others, bans(UNSEEDED, "code")), []);
    const broken = (text: string): number => bans(UNSEEDED, "code")(sourceOf("x", text)).length;
    for (const text of [
      "const seed = Math.floor(Math.random() * 9);",
      "const seed = Date.now() % 1000;",
      "f({ seed: Date.now() });",
      'import { randomBytes } from "node:crypto";',
      'const seed = Number(process.env["X_SEED"] ?? 1);',
      "const seed = process.env.SEED;",
      'import fc from "fast-check";',
    ])
      assert.equal(broken(text), 1, text);
    for (const text of ["// Math.random", "const end = Date.now() + 9;", "new Steps(seed, 3, Date.now());"])
      assert.equal(broken(text), 0, text);
  });

  test("types are not switched off", () => {
    const others = ALL.filter((source) => source.path !== "test/tidy.test.ts");
    const problems = collect(ALL, bans(BANNED_EVERYWHERE)).concat(
      collect(others, ({ text }) => {
        const found = SILENCERS.exec(text);
        return found === null ? [] : [`'${found[0]}' without a reason`];
      }),
    );
    assert.deepEqual(problems, []);
  });

  test(`no file is over ${LINES_MAX} lines`, () => {
    const problems = collect(ALL, ({ text }) => {
      const lines = text.split("\n").length - 1;
      return lines > LINES_MAX ? [`${lines} lines`] : [];
    });
    assert.deepEqual(problems, []);
  });

  test(`no function of src is over ${FUNCTION_LINES_MAX} lines`, () => {
    assert.deepEqual(collect(SRC, longFunctions), []);
  });

  test("every source file opens with a comment that says what it is", () => {
    const problems = collect(ALL, ({ text }) =>
      /^(?:#!.*\n)?\s*(?:\/\/|\/\*)/.test(text) ? [] : ["starts without a comment"],
    );
    assert.deepEqual(problems, []);
  });

  test("what tests start ends with them: test/children.ts starts it", () => {
    const others = ALL.filter(({ path }) => path.startsWith("test/") && !STARTS.has(path));
    const problems = collect(others, ({ text }) =>
      /^import .*\b(?:spawn|fork|exec)\b.* from "node:child_process"/m.test(text) ? ["starts a process"] : [],
    );
    assert.deepEqual(problems, []);
  });

  test("tests that can be skipped say so in their names, and none is the only one", () => {
    const problems = collect(TESTS, ({ path, code }) => {
      if (path === "test/tidy.test.ts") return [];
      const found = [...code.matchAll(/\.(?:only|skip|todo|skipIf|runIf)\b\s*\(/g)];
      return found.flatMap((match) => {
        const line = code.slice(0, match.index).split("\n").length;
        if (match[0].startsWith(".only")) return [`line ${line}: .only`];
        const seen = /["'`][^"'`]*(?:skip|wanted|needs|without|absent|\$\{note\})[^"'`]*["'`]/i.test(
          code.slice(match.index, match.index + 400),
        );
        return seen ? [] : [`line ${line}: no text says what is needed or when it is skipped`];
      });
    });
    assert.deepEqual(problems, []);
  });
});

/** Relies on the formatter: a function or method ends with a brace at the indentation it began with. */
function longFunctions({ text }: Source): string[] {
  const lines = text.split("\n");
  const problems: string[] = [];
  lines.forEach((line, i) => {
    const start =
      /^(|export |export default )(async )?function\b|^ {2}(?!(?:if|for|while|switch|return|else|do|try)\b)[\w#][\w# ]*(?:<.*>)?\(/;
    if (!start.test(line)) return;
    const indent = line.startsWith("  ") ? "  " : "";
    const end = lines.findIndex(
      (other, j) =>
        j > i &&
        /^(}|\);|\);?$)/.test(other.slice(indent.length)) &&
        other.startsWith(indent) &&
        !other.startsWith(indent + " "),
    );
    if (end - i > FUNCTION_LINES_MAX) problems.push(`line ${i + 1}: ${end - i} lines: ${line.trim()}`);
  });
  return problems;
}
