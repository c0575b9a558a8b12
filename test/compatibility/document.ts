// docs/COMPATIBILITY.md's tables, from our command table, what is known of Redis's commands (command-facts.ts), and the
// two lists beside this file. Out: Markdown, and what is missing in the lists or too much.

import { commandFacts } from "../../src/command/command-facts.ts";
import { logRows, rows } from "../../src/command/table.ts";
import { type Absence, absences } from "./absent.ts";
import { differences } from "./differences.ts";

const ours = new Set(rows.map((row) => row.name));
const theirs = Object.keys(commandFacts).sort();

const groupOf = (name: string): string => {
  const { group } = JSON.parse(commandFacts[name] ?? "{}");
  return String(group).replace("_", " ");
};

const shown = (name: string): string => `\`${name.toUpperCase().replace("|", " ")}\``;
const absenceOf = (name: string): Absence | undefined => absences.find(({ command }) => command.test(name));
const isContainerOf = (name: string, part: string): boolean => part.startsWith(`${name}|`);

/** Sentences about commands without a reason, and reasons without a command. */
export function compatibilityProblems(): readonly string[] {
  const unexplained = theirs.filter((name) => !ours.has(name) && absenceOf(name) === undefined);
  const named = new Set(differences.flatMap(({ commands }) => commands));
  return [
    ...unexplained.map((name) => `${name} is not there, and test/compatibility/absent.ts says nothing of it`),
    ...[...named]
      .filter((name) => !ours.has(name))
      .map((name) => `a difference of ${name}, which is not there`),
  ];
}

export function differencesTable(): string {
  const lines = differences.map(({ commands, what, why }) => {
    const where = commands.length === 0 ? "everywhere" : commands.map(shown).join(", ");
    return `| ${where} | ${what} | ${why} |`;
  });
  return ["| where | what | why |", "|---|---|---|", ...lines].join("\n");
}

export function commandTables(): string {
  const groups = [...new Set(theirs.map(groupOf))].sort();
  return groups.map(groupPart).join("\n\n");
}

function groupPart(group: string): string {
  const names = theirs.filter((name) => groupOf(name) === group);
  const there = names.filter((name) => ours.has(name));
  const missing = names.filter((name) => !ours.has(name));
  const lines = [`### ${group}: ${there.length} of ${names.length}`, ""];
  if (there.length > 0) lines.push(`There: ${there.map(markedName).join(", ")}`);
  if (there.length > 0 && missing.length > 0) lines.push("");
  if (missing.length > 0) lines.push("| not there | | |", "|---|---|---|", ...missingLines(missing));
  return lines.join("\n");
}

/** A star for those in the table of differences. */
function markedName(name: string): string {
  return differences.some(({ commands }) => commands.includes(name)) ? `${shown(name)}\\*` : shown(name);
}

/** Commands with one reason on one line; a container stands for its subcommands when all are missing. */
function missingLines(missing: readonly string[]): readonly string[] {
  const reasons = [...new Set(missing.map((name) => absenceOf(name)))];
  return reasons.map((absence) => {
    const names = missing.filter((name) => absenceOf(name) === absence);
    const tops = names.filter((name) => !names.some((other) => isContainerOf(other, name)));
    const texts = tops.map((name) => {
      const parts = names.filter((part) => isContainerOf(name, part));
      const words = parts.map((part) => part.slice(name.length + 1).toUpperCase());
      return parts.length === 0 ? shown(name) : `${shown(name)} (${words.join(" ")})`;
    });
    return `| ${texts.join(", ")} | ${absence?.kind ?? "?"} | ${absence?.reason ?? "?"} |`;
  });
}

/** Commands of ours that Redis does not have. */
export function ownCommands(): string {
  return rows
    .filter((row) => !logRows.includes(row))
    .map((row) => row.name)
    .filter((name) => commandFacts[name] === undefined && !name.startsWith("debug|"))
    .sort()
    .map(shown)
    .join(", ");
}
