// The checker of replies, checked: what fits and what does not, keyword by keyword, in the published form.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { decode3 } from "../resp/decode.ts";
import { areFactsThere } from "./facts.ts";
import { ReplyCheck } from "./reply-check.ts";
import { shapeProblem } from "./reply-shape.ts";

const STRING = { type: "string" };
const INTEGER = { type: "integer" };

/** A schema, a reply that fits, and replies that do not. */
const cases: readonly (readonly [schema: object, fits: readonly string[], fitsNot: readonly string[]])[] = [
  [STRING, ["$1\r\na\r\n", "+a\r\n", "=5\r\ntxt:a\r\n"], [":1\r\n", "_\r\n", "*0\r\n"]],
  [INTEGER, [":1\r\n", ":9223372036854775807\r\n"], [",1\r\n", "$1\r\n1\r\n"]],
  [{ type: "number" }, [":1\r\n", ",1.5\r\n", ",inf\r\n"], ["$3\r\n1.5\r\n"]],
  [{ type: "null" }, ["_\r\n"], ["$0\r\n\r\n"]],
  [{ type: "array" }, ["*0\r\n", "~0\r\n"], ["%0\r\n"]],
  [{ type: "object" }, ["%1\r\n+a\r\n:1\r\n"], ["*2\r\n+a\r\n:1\r\n"]],
  [{ const: "OK" }, ["+OK\r\n"], ["+NO\r\n", ":1\r\n"]],
  [{ const: 1 }, [":1\r\n"], [":2\r\n", ":9223372036854775807\r\n"]],
  [{ type: "string", pattern: "^[0-9]+$" }, ["$2\r\n12\r\n"], ["$2\r\n1a\r\n"]],
  [{ type: "integer", minimum: 0 }, [":0\r\n"], [":-1\r\n"]],
  [{ oneOf: [STRING, INTEGER] }, ["+a\r\n", ":1\r\n"], ["_\r\n"]],
  [{ oneOf: [INTEGER, { type: "number" }] }, [",1\r\n"], [":1\r\n"]],
  [{ anyOf: [INTEGER, { type: "number" }] }, [":1\r\n"], ["_\r\n"]],
  [{ type: "array", items: INTEGER }, ["*2\r\n:1\r\n:2\r\n", "~1\r\n:1\r\n"], ["*2\r\n:1\r\n+a\r\n"]],
  [{ items: [STRING, INTEGER] }, ["*2\r\n+a\r\n:1\r\n", "*3\r\n+a\r\n:1\r\n_\r\n"], ["*2\r\n:1\r\n:1\r\n"]],
  [{ items: [STRING], additionalItems: INTEGER }, ["*2\r\n+a\r\n:1\r\n"], ["*2\r\n+a\r\n+b\r\n"]],
  [{ minItems: 1, maxItems: 2 }, ["*1\r\n:1\r\n"], ["*0\r\n", "*3\r\n:1\r\n:1\r\n:1\r\n"]],
  [{ uniqueItems: true }, ["~2\r\n:1\r\n:2\r\n"], ["~2\r\n:1\r\n:1\r\n"]],
  [
    { properties: { a: INTEGER }, additionalProperties: false },
    ["%1\r\n+a\r\n:1\r\n", "%0\r\n"],
    ["%1\r\n+a\r\n+x\r\n", "%1\r\n+b\r\n:1\r\n"],
  ],
  [{ additionalProperties: STRING }, ["%1\r\n+a\r\n+x\r\n"], ["%1\r\n+a\r\n:1\r\n"]],
  [
    { patternProperties: { "^db": INTEGER }, additionalProperties: false },
    ["%1\r\n+db0\r\n:1\r\n"],
    ["%1\r\n+db0\r\n+x\r\n", "%1\r\n+x\r\n:1\r\n"],
  ],
  [
    { properties: { inner: { $ref: "#" } }, additionalProperties: false },
    ["%1\r\n+inner\r\n%1\r\n+inner\r\n%0\r\n"],
    ["%1\r\n+inner\r\n%1\r\n+other\r\n%0\r\n"],
  ],
];

for (const [schema, fits, fitsNot] of cases) {
  test(JSON.stringify(schema), () => {
    const problem = (bytes: string): string | undefined => {
      const [reply] = decode3(Buffer.from(bytes));
      assert.ok(reply !== undefined);
      return shapeProblem(schema, reply);
    };
    for (const bytes of fits) assert.equal(problem(bytes), undefined, bytes);
    for (const bytes of fitsNot) assert.notEqual(problem(bytes), undefined, bytes);
  });
}

test("a keyword that the checker does not know is not passed over", () => {
  assert.throws(() => shapeProblem({ maxLength: 3 }, "abc"), /unknown keyword maxLength/);
});

describe.skipIf(!areFactsThere)("published shapes (skipped without ../shared/redis-facts)", () => {
  const check = new ReplyCheck();
  const problem = (command: string, reply: string): string | undefined =>
    check.problem(
      command.split(" ").map((word) => Buffer.from(word)),
      Buffer.from(reply),
    );

  test("GET answers a string or null", () => {
    assert.equal(problem("GET k", "$1\r\nv\r\n"), undefined);
    assert.match(problem("GET k", ":1\r\n") ?? "", /^reply fits none of 2/);
  });

  test("HGETALL in the form of RESP2 does not fit", () => {
    assert.equal(problem("HGETALL k", "%1\r\n+f\r\n+v\r\n"), undefined);
    assert.match(problem("HGETALL k", "*2\r\n+f\r\n+v\r\n") ?? "", /^reply is array, not object/);
  });
});
