// Members of which some ask their clients for a password and some do not: each says so in its log. No member learns the
// password of another one.

import assert from "node:assert/strict";
import { test } from "vitest";
import { type Host, World } from "./world.ts";

const NAMES = ["n1", "n2", "n3"];
const SECRET = { "cluster-secret": "twenty-letters-or-more" };
const PASSWORD = { ...SECRET, requirepass: "p" };

function startedWith(flags: Readonly<Record<string, Readonly<Record<string, string>>>>): World {
  const world = new World();
  for (const name of NAMES) world.startNode(name, NAMES, flags[name]!);
  world.until("a leader", () => world.leader() !== undefined);
  return world;
}

const cautions = ({ warnings }: Host): unknown[] =>
  warnings.filter(({ text }) => String(text).includes("requirepass")).map(({ text }) => text);

test("a member without a password beside members that have one: it says so, and they do", () => {
  const world = startedWith({ n1: PASSWORD, n2: PASSWORD, n3: SECRET });
  const open = (name: string): string =>
    `this node asks its clients for no password, and member ${name} does: give all members the same requirepass`;
  assert.deepEqual(cautions(world.host("n3")).sort(), [open("n1"), open("n2")]);
  for (const name of ["n1", "n2"]) {
    assert.deepEqual(cautions(world.host(name)), [
      "member n3 asks its clients for no password, and this node does: give all members the same requirepass",
    ]);
  }
});

test("nothing is said where all members have a password, or none has", () => {
  for (const flags of [PASSWORD, SECRET]) {
    const world = startedWith({ n1: flags, n2: flags, n3: flags });
    for (const name of NAMES) assert.deepEqual(cautions(world.host(name)), []);
  }
});
