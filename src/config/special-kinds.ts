// The kinds of value that a single setting has: output-buffer limits, members, keyspace events, and
// Redis settings of which only the harmless value is taken. Pure: words in, value or error text out.

import { MEMBERS_MAX, NODE_NAME_CHARACTERS_MAX } from "../base/limits.ts";
import { type Kind, type Parsed, parsed, parseMemorySize, refused, wordKind } from "./kinds.ts";

/** A client is closed at once past `hardBytes`, or after `softSeconds` in a row past `softBytes`; 0 = no limit. */
export interface OutputLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

export interface OutputLimits {
  readonly normal: OutputLimit;
  readonly replica: OutputLimit;
  readonly pubsub: OutputLimit;
}

type OutputClass = keyof OutputLimits;

// CONFIG GET still says "slave" in Redis 7.0, and tools parse that.
const CLASS_OF: Readonly<Record<string, OutputClass>> = {
  normal: "normal",
  slave: "replica",
  replica: "replica",
  pubsub: "pubsub",
};
const CLASS_NAMES: readonly (readonly [string, OutputClass])[] = [
  ["normal", "normal"],
  ["slave", "replica"],
  ["pubsub", "pubsub"],
];

function limitWords(name: string, { hardBytes, softBytes, softSeconds }: OutputLimit): string[] {
  return [name, String(hardBytes), String(softBytes), String(softSeconds)];
}

/** Groups of `class hard soft seconds`; a class that is not named keeps what it had. */
export const outputLimits: Kind<OutputLimits> = {
  shape: "(normal|replica|pubsub <hard> <soft> <seconds>)...",
  takes: "words",
  addsUp: false,
  parse(words, before): Parsed<OutputLimits> {
    if (words.length === 0 || words.length % 4 !== 0) {
      return refused("Wrong number of arguments in buffer limit configuration.");
    }
    const limits = { ...before };
    for (let i = 0; i < words.length; i += 4) {
      const which = CLASS_OF[words[i]!.toLowerCase()];
      if (which === undefined)
        return refused("Invalid client class specified in buffer limit configuration.");
      const hardBytes = parseMemorySize(words[i + 1]!);
      const softBytes = parseMemorySize(words[i + 2]!);
      const softSeconds = /^[0-9]{1,9}$/.test(words[i + 3]!) ? Number(words[i + 3]) : undefined;
      if (hardBytes === undefined || softBytes === undefined || softSeconds === undefined) {
        return refused("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
      }
      limits[which] = { hardBytes, softBytes, softSeconds };
    }
    return parsed(limits);
  },
  format: (limits) => CLASS_NAMES.flatMap(([name, which]) => limitWords(name, limits[which])).join(" "),
  lines: (limits) =>
    CLASS_NAMES.map(([name, which]) => limitWords(name === "slave" ? "replica" : name, limits[which])),
};

/** One member of the configured cluster. `host` has no brackets, for IPv6 neither. */
export interface Member {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export const NODE_NAME = new RegExp(`^[A-Za-z0-9_.-]{1,${NODE_NAME_CHARACTERS_MAX}}$`);
export const NODE_NAME_RULE = `1 to ${NODE_NAME_CHARACTERS_MAX} letters, digits, '_', '.' or '-'`;

/** "127.0.0.1:16379", "[::1]:16379" or "cache-1:16379". */
export function parseAddress(address: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  return { host, port };
}

/** Does this name or address mean this machine to itself? */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\./.test(host);

export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `member n1 10.0.0.1:16379`, a line for each; all nodes have the same lines in the same order. */
export const members: Kind<readonly Member[]> = {
  shape: "<name> <host>:<peer port>",
  takes: "words",
  addsUp: true,
  parse(words, before): Parsed<readonly Member[]> {
    const [name, address] = words;
    if (words.length !== 2 || name === undefined || address === undefined) {
      return refused("a member is a name and an address, as in: member n1 127.0.0.1:16379");
    }
    if (!NODE_NAME.test(name)) return refused(`a member's name must be ${NODE_NAME_RULE}`);
    const at = parseAddress(address);
    if (at === undefined) return refused(`'${address}' is not an address like 127.0.0.1:16379`);
    if (before.some((member) => member.name === name)) return refused(`member ${name} is given twice`);
    if (before.some((member) => member.host === at.host && member.port === at.port)) {
      return refused(`two members have the address ${address}`);
    }
    if (before.length === MEMBERS_MAX) return refused(`there can be at most ${MEMBERS_MAX} members`);
    return parsed([...before, { name, ...at }]);
  },
  format: (list) =>
    list.map((member) => `${member.name} ${formatAddress(member.host, member.port)}`).join(" "),
  lines: (list) => list.map((member) => [member.name, formatAddress(member.host, member.port)]),
};

// Letters of notify-keyspace-events. Redis prints 'A' for all that follow it, then the rest in this order.
const EVENTS_IN_A = "g$lshzxetd";
const EVENTS_ALONE = "nKEm";

/** The canonical letters, in the order that CONFIG GET of Redis 7.0 has. */
export const keyspaceEvents: Kind<string> = wordKind("<letters>", (word) => {
  for (const letter of word) {
    if (!(EVENTS_IN_A + EVENTS_ALONE + "A").includes(letter)) {
      return refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
  }
  const asked = word.includes("A") ? word + EVENTS_IN_A : word;
  const present = (letters: string): string =>
    [...letters].filter((letter) => asked.includes(letter)).join("");
  const classes = present(EVENTS_IN_A);
  return parsed((classes === EVENTS_IN_A ? "A" : classes) + present(EVENTS_ALONE));
});

/** A Redis setting that clients ask for, of which only one value is true here. */
export function only<const V extends string>(value: V, why: string): Kind<V> {
  return {
    shape: value === "" ? '""' : value,
    takes: "any",
    addsUp: false,
    parse: (words) => (words.join(" ").toLowerCase() === value ? parsed(value) : refused(why)),
    format: String,
    lines: (it) => [[it]],
  };
}
