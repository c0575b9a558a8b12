// Does a reply have the shape that is published for it? In: a schema as Redis's command files write it (the part of JSON
// Schema that they use), and a decoded RESP3 reply. Out: what does not fit, and where, or undefined. RESP3 because there
// a map is an object, a double a number, and nothing null.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { Decoded } from "../resp/decode.ts";

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  /** A list says what stands in each place. */
  readonly items?: Schema | readonly Schema[];
  readonly additionalItems?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly $ref?: "#";
}

const KEYWORDS: ReadonlySet<string> = new Set<keyof Schema>([
  "type",
  "const",
  "pattern",
  "minimum",
  "oneOf",
  "anyOf",
  "items",
  "additionalItems",
  "minItems",
  "maxItems",
  "uniqueItems",
  "properties",
  "patternProperties",
  "additionalProperties",
  "$ref",
]);

export function shapeProblem(schema: unknown, reply: Decoded): string | undefined {
  return new Check(schema as Schema).problem(schema as Schema, reply, "reply");
}

class Check {
  readonly #root: Schema;

  constructor(root: Schema) {
    this.#root = root;
  }

  problem(schema: Schema, reply: Decoded, at: string): string | undefined {
    for (const word of Object.keys(schema)) assert.ok(KEYWORDS.has(word), `unknown keyword ${word} at ${at}`);
    if (schema.$ref !== undefined) return this.problem(this.#root, reply, at);
    return (
      valueProblem(schema, reply, at) ??
      this.#choiceProblem(schema, reply, at) ??
      this.#itemsProblem(schema, reply, at) ??
      this.#propertiesProblem(schema, reply, at)
    );
  }

  #choiceProblem({ oneOf, anyOf }: Schema, reply: Decoded, at: string): string | undefined {
    const choices = oneOf ?? anyOf;
    if (choices === undefined) return undefined;
    const problems = choices.map((choice) => this.problem(choice, reply, at));
    const fitting = problems.filter((problem) => problem === undefined).length;
    if (fitting === 0) return `${at} fits none of ${choices.length}: ${problems.join("; ")}`;
    return oneOf !== undefined && fitting > 1 ? `${at} fits ${fitting} of ${choices.length}` : undefined;
  }

  #itemsProblem(schema: Schema, reply: Decoded, at: string): string | undefined {
    const items = itemsOf(reply);
    if (items === undefined) return undefined;
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    if (items.length < minItems) return `${at} has ${items.length} items, not ${minItems} or more`;
    if (items.length > maxItems) return `${at} has ${items.length} items, more than ${maxItems}`;
    if (schema.uniqueItems && new Set(items.map((item) => inspect(item))).size < items.length) {
      return `${at} has an item twice`;
    }
    const places = Array.isArray(schema.items) ? schema.items : undefined;
    for (const [i, item] of items.entries()) {
      const wanted = places === undefined ? schema.items : (places[i] ?? schema.additionalItems);
      const problem = wanted === undefined ? undefined : this.problem(wanted as Schema, item, `${at}[${i}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #propertiesProblem(schema: Schema, reply: Decoded, at: string): string | undefined {
    const pairs = pairsOf(reply);
    for (const [name, value] of pairs ?? []) {
      const { properties = {}, patternProperties = {}, additionalProperties } = schema;
      const pattern = Object.keys(patternProperties).find((each) => new RegExp(each).test(name));
      const wanted =
        properties[name] ??
        (pattern === undefined ? undefined : patternProperties[pattern]) ??
        additionalProperties;
      if (wanted === false) return `${at} has ${name}, which is not in it`;
      const problem = wanted === undefined ? undefined : this.problem(wanted, value, `${at}.${name}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
}

function valueProblem(schema: Schema, reply: Decoded, at: string): string | undefined {
  const { type, pattern, minimum } = schema;
  if (type !== undefined && !typesOf(reply).includes(type)) {
    return `${at} is ${typesOf(reply)[0]}, not ${type}`;
  }
  if (schema.const !== undefined && plainOf(reply) !== schema.const) {
    return `${at} is ${inspect(plainOf(reply)).slice(0, 100)}, not ${JSON.stringify(schema.const)}`;
  }
  if (pattern !== undefined && typeof reply === "string" && !new RegExp(pattern).test(reply)) {
    return `${at} is ${JSON.stringify(reply.slice(0, 100))}, not like ${pattern}`;
  }
  const number = plainOf(reply);
  if (minimum !== undefined && typeof number === "number" && number < minimum) {
    return `${at} is ${number}, less than ${minimum}`;
  }
  return undefined;
}

/** The most exact one first. An integer is a number as well. */
function typesOf(reply: Decoded): readonly string[] {
  if (reply === null) return ["null"];
  if (typeof reply === "string") return ["string"];
  if (typeof reply === "number" || typeof reply === "bigint") return ["integer", "number"];
  if (typeof reply === "boolean") return ["boolean"];
  if (Array.isArray(reply)) return ["array"];
  if (reply instanceof Error) return ["error"];
  switch (reply.kind) {
    case "map":
      return ["object"];
    case "set":
    case "push":
      return ["array"];
    case "double":
      return ["number"];
    case "big":
      return ["big number"];
    case "verbatim":
      return ["string"];
  }
}

/** What `const` and `minimum` compare with. */
function plainOf(reply: Decoded): unknown {
  if (typeof reply !== "object" || reply === null || Array.isArray(reply) || reply instanceof Error)
    return reply;
  return reply.kind === "double" ? Number(reply.value) : reply.value;
}

function itemsOf(reply: Decoded): readonly Decoded[] | undefined {
  if (Array.isArray(reply)) return reply;
  if (typeof reply !== "object" || reply === null || reply instanceof Error) return undefined;
  const isList = reply.kind === "set" || reply.kind === "push";
  return isList && Array.isArray(reply.value) ? reply.value : undefined;
}

function pairsOf(reply: Decoded): readonly (readonly [string, Decoded])[] | undefined {
  if (typeof reply !== "object" || reply === null || Array.isArray(reply) || reply instanceof Error) {
    return undefined;
  }
  if (reply.kind !== "map" || !Array.isArray(reply.value)) return undefined;
  const { value } = reply;
  return Array.from({ length: value.length / 2 }, (_, i) => [String(value[2 * i]), value[2 * i + 1] ?? null]);
}
