// What is written for people must be what the tables say: the settings in docs/configuration.md, the commands
// in README.md, docs/COMPATIBILITY.md. UPDATE_DOCUMENTS=1 npx vitest run test/config/documents writes them anew.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "vitest";
import { topLevelRows } from "../../src/command/table.ts";
import { ROWS } from "../../src/config/table.ts";
import {
  commandTables,
  compatibilityProblems,
  differencesTable,
  ownCommands,
} from "../compatibility/document.ts";

function hold(path: string, marker: string, wanted: string): void {
  const text = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- ${marker}: begin -->`, `<!-- ${marker}: end -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  assert.ok(from >= begin.length && to > from, `${path} has no part ${marker}`);
  if (process.env["UPDATE_DOCUMENTS"] === "1") {
    writeFileSync(path, `${text.slice(0, from)}\n${wanted}\n${text.slice(to)}`);
  } else {
    assert.equal(text.slice(from, to).trim(), wanted.trim(), "UPDATE_DOCUMENTS=1 writes it anew");
  }
}

test("docs/configuration.md lists every setting as the table has it", () => {
  const groups = [...new Set(ROWS.map((row) => row.group))];
  const parts = groups.map((group) => {
    const lines = ROWS.filter((row) => row.group === group).map((row) => {
      const value = row.kind.format(row.default);
      const shown = value === "" ? "empty" : `\`${value}\``;
      const set = row.cluster ? "`CONFIG SET` on all nodes" : "`CONFIG SET`";
      const facts = [row.origin === "redis" ? "as Redis" : "ours", row.mutable ? set : "at start"];
      if (row.shared) facts.push("same on all nodes");
      const shape = row.kind.shape.replaceAll("|", "\\|");
      return `| \`${row.name}\` | \`${shape}\` | ${shown} | ${facts.join(", ")} | ${row.help.replaceAll("|", "\\|")} |`;
    });
    return [`### ${group}`, "", "| name | value | default | | |", "|---|---|---|---|---|", ...lines].join(
      "\n",
    );
  });
  hold("docs/configuration.md", "settings", parts.join("\n\n"));
});

test("README.md lists every command as the table has it", () => {
  const names = topLevelRows.map((row) => {
    const name = row.name.toUpperCase();
    if (row.route !== "container") return name;
    const parts = row.subcommands.map((it) => it.name.slice(row.name.length + 1).toUpperCase());
    return `${name} (${parts.sort().join(" ")})`;
  });
  hold("README.md", "commands", "```text\n" + wrap(names.sort(), 110) + "\n```");
});

test("docs/COMPATIBILITY.md is what the tables say, and nothing is unexplained", () => {
  assert.deepEqual(compatibilityProblems(), []);
  hold("docs/COMPATIBILITY.md", "differences", differencesTable());
  hold("docs/COMPATIBILITY.md", "compatibility", commandTables());
  hold("docs/COMPATIBILITY.md", "own-commands", ownCommands());
});

function wrap(words: readonly string[], width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + 2 + word.length > width) {
      lines.push(`${line},`);
      line = word;
    } else {
      line = line === "" ? word : `${line}, ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
