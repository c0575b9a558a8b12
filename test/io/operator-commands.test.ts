// `seshat status|member|transfer|recover` as words: what they are taken for, and their exit codes. With nodes behind
// them they run in test/e2e/operator.test.ts.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseTarget } from "../../src/io/command-client.ts";
import { addMember, type OperatorCommand, runOperatorCommand } from "../../src/io/operator-commands.ts";

let out = "";
let err = "";
beforeEach(() => {
  out = "";
  err = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const commands: readonly OperatorCommand[] = ["status", "member", "transfer", "recover"];

test.each(commands)("%s --help explains itself", async (command) => {
  assert.equal(await runOperatorCommand(command, ["--help"]), 0);
  assert.match(out, new RegExp(`^Usage: seshat ${command} `));
  assert.equal(err, "");
});

describe("what is not understood is answered with the usage", () => {
  const cases: readonly (readonly [OperatorCommand, string])[] = [
    ["status", "now"],
    ["status", "--port"],
    ["status", "--port x"],
    ["member", ""],
    ["member", "add n4"],
    ["member", "add n4 host:1 more"],
    ["member", "remove"],
    ["member", "promote a b"],
    ["member", "list all"],
    ["transfer", ""],
    ["transfer", "a b"],
    ["recover", "--forse"],
    ["recover", "--force now"],
  ];
  test.each(cases)("%s %s", async (command, words) => {
    assert.equal(await runOperatorCommand(command, words === "" ? [] : words.split(" ")), 1);
    assert.match(err, new RegExp(`^Usage: seshat ${command}`));
    assert.equal(out, "");
  });
});

test("nobody there: one line, exit code 1", async () => {
  assert.equal(await runOperatorCommand("status", ["--port", "1"]), 1);
  assert.match(err, /^seshat status \(127\.0\.0\.1:1\): .*ECONNREFUSED.*\n$/);
});

test("the connection's options may stand anywhere", () => {
  expect(parseTarget(["add", "--port", "7", "n4", "--host", "h", "a:1", "--password", "p"])).toEqual({
    target: { host: "h", port: 7, password: "p", passwordFrom: "--password" },
    rest: ["add", "n4", "a:1"],
  });
});

test("member add of one that is in says so", async () => {
  const listed = [
    ["name", "n1", "role", "leader", "incarnation", "7"],
    ["name", "n2", "role", "learner", "incarnation", "9"],
    ["name", "n3", "role", "follower", "incarnation", ""],
  ];
  const client = {
    call: (_name: string, verb: string) => Promise.resolve(verb === "LIST" ? listed : "OK"),
  };
  assert.equal(
    await addMember(client, "n1", "h:1"),
    "n1 is a member already (a voter): there is nothing to do",
  );
  assert.equal(
    await addMember(client, "n2", "h:2"),
    "n2 is a member already (a learner): there is nothing to do",
  );
  assert.match(await addMember(client, "n3", "h:3"), /^n3 may join: start it with /);
});
