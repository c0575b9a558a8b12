// What is publicly known of Redis's commands: data beside the checkout, in the form of Redis's own command files. In:
// ../shared/redis-facts/commands.json, where it is there. Out: its commands up to the release that clients are told.

import { existsSync, readFileSync } from "node:fs";
import { REDIS_VERSION } from "../../src/command/local-context.ts";

export interface KeySpecification {
  readonly begin_search: { readonly index?: { readonly pos: number } };
  readonly find_keys: {
    readonly range?: { readonly lastkey: number; readonly step: number; readonly limit: number };
  };
}

export interface Fact {
  readonly group: string;
  readonly since: string;
  readonly arity: number;
  readonly command_flags?: readonly string[];
  readonly key_specs?: readonly KeySpecification[];
  readonly reply_schema?: unknown;
}

export const factsPath = new URL("../../../shared/redis-facts/commands.json", import.meta.url);
export const areFactsThere = existsSync(factsPath);

/** "7.2.4" is 7002: the third number adds no commands. */
function releaseOf(version: string): number {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
}

const all: Readonly<Record<string, Fact>> = areFactsThere ? JSON.parse(readFileSync(factsPath, "utf8")) : {};

/** By the name in lower case, "client|list"; empty where the file is not there. */
export const facts: ReadonlyMap<string, Fact> = new Map(
  Object.entries(all)
    .filter(([, fact]) => releaseOf(fact.since) <= releaseOf(REDIS_VERSION))
    .map(([name, fact]) => [name.toLowerCase(), fact]),
);
