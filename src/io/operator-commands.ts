// `seshat status|member|transfer|recover`: what an operator asks of a running node, over RESP as any client could
// (RAFT.* commands). Words in, a table or one line out; exit code 0 = done, 1 = not done, with the reason on stderr.

import type { Redis } from "ioredis";
import { ask, PASSWORD_NOTE, parseTarget, TARGET_OPTIONS } from "./command-client.ts";

/** The node itself gives up after ten seconds, with a better text than ours. */
const TIMEOUT_MS = 15_000;

const HELP = {
  status: `Usage: seshat status ${TARGET_OPTIONS}
Shows what this node knows of the cluster, and each member: role, incarnation, address, and how many log entries it
is behind (as the leader sees it, when there is one).`,
  member: `Usage: seshat member list ${TARGET_OPTIONS}
       seshat member add <name> <host>:<peer port>
       seshat member remove <name>
       seshat member promote <name>
Any node of the cluster can be asked. After add, start the new node with --node-name <name> and --member lines for
itself and for at least one member that runs; it gets the data and becomes a voter by itself. A leader that is removed
hands over first.`,
  transfer: `Usage: seshat transfer <name> ${TARGET_OPTIONS}
Gives leadership to this voter.`,
  recover: `Usage: seshat recover [--force] ${TARGET_OPTIONS}
After a majority has lost its memory: says what starting over from this node would mean, and with --force does it.
Acknowledged writes that this node never received are lost. Ask the survivor with the highest last index.`,
} as const;

export type OperatorCommand = keyof typeof HELP;

/** Sends what the words ask for and gives the lines to print; undefined: that is not how it is used. */
function plan(
  command: OperatorCommand,
  rest: readonly string[],
): ((client: Redis) => Promise<string>) | undefined {
  const [first, name, address] = rest;
  const asTold =
    (done: string, ...words: string[]) =>
    async (client: Redis): Promise<string> => {
      const [verb = "", ...args] = words;
      await client.call(verb, ...args);
      return done;
    };
  switch (command) {
    case "status":
      return rest.length === 0 ? status : undefined;
    case "transfer":
      return first !== undefined && rest.length === 1
        ? asTold(`${first} leads`, "RAFT.TRANSFER", first)
        : undefined;
    case "recover":
      if (rest.length === 0) return async (client) => String(await client.call("RAFT.RECOVER"));
      return first === "--force" && rest.length === 1
        ? asTold(
            "recovered: this node has started a new cluster; the others join it empty",
            "RAFT.RECOVER",
            "FORCE",
          )
        : undefined;
    case "member":
      if (first === "list" && rest.length === 1)
        return async (client) => memberTable(await membersOf(client));
      if (first === "add" && name !== undefined && address !== undefined && rest.length === 3) {
        return (client) => addMember(client, name, address);
      }
      if (name === undefined || rest.length !== 2) return undefined;
      if (first === "remove") return asTold(`${name} is removed`, "RAFT.MEMBER", "REMOVE", name);
      return first === "promote" ? asTold(`${name} is a voter`, "RAFT.MEMBER", "PROMOTE", name) : undefined;
  }
}

export async function runOperatorCommand(
  command: OperatorCommand,
  words: readonly string[],
): Promise<number> {
  const parsed = parseTarget(words);
  if (typeof parsed === "string") {
    process.stderr.write(`${HELP[command]}\nseshat ${command}: ${parsed}\n`);
    return 1;
  }
  if (parsed.rest.includes("--help")) {
    process.stdout.write(`${HELP[command]}\n${PASSWORD_NOTE}\n`);
    return 0;
  }
  const work = plan(command, parsed.rest);
  if (work === undefined) {
    process.stderr.write(`${HELP[command]}\n`);
    return 1;
  }
  const { target, rest } = parsed;
  const asked = await ask(target, TIMEOUT_MS, work);
  if (!asked.ok) {
    process.stderr.write(
      `seshat ${[command, ...rest].join(" ")} (${target.host}:${target.port}): ${asked.text}\n`,
    );
    return 1;
  }
  process.stdout.write(`${asked.value}\n`);
  // Explaining is not recovering: a script that forgot --force must notice.
  return command === "recover" && rest.length === 0 ? 1 : 0;
}

type Fields = ReadonlyMap<string, unknown>;

/** A map as RESP2 has it: names and values in turn. */
function fieldsOf(reply: unknown): Fields {
  const fields = new Map<string, unknown>();
  if (!Array.isArray(reply)) return fields;
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), reply[i + 1]);
  return fields;
}

const textOf = (fields: Fields, name: string): string => String(fields.get(name) ?? "");

function memberList(reply: unknown): Fields[] {
  return Array.isArray(reply) ? reply.map(fieldsOf) : [];
}

/** All that is needed of a client. */
interface Caller {
  call(command: string, ...words: string[]): Promise<unknown>;
}

/** Adding one that is in changes nothing; whoever waits for it to join must hear that. */
export async function addMember(client: Caller, name: string, address: string): Promise<string> {
  await client.call("RAFT.MEMBER", "ADD", name, address);
  const known = (await membersOf(client)).find((member) => textOf(member, "name") === name);
  const role = known === undefined ? "" : textOf(known, "role");
  if (known !== undefined && textOf(known, "incarnation") !== "") {
    return `${name} is a member already (${role === "learner" ? "a learner" : "a voter"}): there is nothing to do`;
  }
  return `${name} may join: start it with --node-name ${name} --member ${name} ${address} and a --member line for one that runs`;
}

async function membersOf(client: Caller): Promise<Fields[]> {
  return memberList(await client.call("RAFT.MEMBER", "LIST"));
}

async function status(client: Redis): Promise<string> {
  const fields = fieldsOf(await client.call("RAFT.STATUS"));
  const show = (name: string): string => textOf(fields, name);
  const own = memberList(fields.get("members"));
  // Only the leader knows who is how far.
  const hasLeader = show("leader") !== "" && show("problem") === "";
  const members = hasLeader ? await membersOf(client).catch(() => own) : own;
  const lines: [string, string][] = [
    ["node", `${show("node")}, ${show("role")}, incarnation ${show("incarnation")}`],
    ["cluster", show("cluster") || "none yet"],
    [
      "leader",
      hasLeader
        ? `${show("leader")} at ${show("leader-address")}, term ${show("term")}`
        : `none, term ${show("term")}`,
    ],
    [
      "log",
      `commit ${show("commit-index")}, applied ${show("applied-index")}, ${show("first-index")} to ${show("last-index")}`,
    ],
  ];
  if (show("problem") !== "") lines.push(["problem", show("problem")]);
  const head = lines.map(([name, value]) => `${name.padEnd(9)}${value}`).join("\n");
  return members.length === 0 ? head : `${head}\n\n${memberTable(members)}`;
}

const COLUMNS: readonly (readonly [title: string, value: (member: Fields) => string])[] = [
  ["name", (member) => textOf(member, "name")],
  ["role", (member) => textOf(member, "role")],
  ["incarnation", (member) => textOf(member, "incarnation") || "-"],
  ["link", (member) => (textOf(member, "connected") === "1" ? "up" : "down")],
  ["state", (member) => textOf(member, "state")],
  ["match", (member) => knownOnly(member, "match-index")],
  ["lag", (member) => knownOnly(member, "lag")],
  ["peers", (member) => textOf(member, "peer-address")],
  ["clients", (member) => textOf(member, "client-address") || "-"],
];

const knownOnly = (member: Fields, name: string): string =>
  textOf(member, "lag") === "-1" ? "-" : textOf(member, name);

function memberTable(members: readonly Fields[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...members.map((member) => COLUMNS.map(([, value]) => value(member))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
