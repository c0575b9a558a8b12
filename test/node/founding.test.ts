// Who may found a cluster: only a node that knows that at one moment nobody was in any.

import assert from "node:assert/strict";
import { test } from "vitest";
import { Founding } from "../../src/node/founding.ts";
import type { PeerIdentity } from "../../src/node/ports.ts";

const peers = (...incarnations: number[]): PeerIdentity[] =>
  incarnations.map((incarnation) => ({
    clusterId: "",
    name: `n${incarnation}`,
    address: "",
    clientAddress: "",
    clientHostname: "",
    incarnation,
  }));

/** Asks, and returns what was sent: "member:round". */
function asked(founding: Founding, others: readonly PeerIdentity[], nowMs: number): string {
  const sent: string[] = [];
  founding.ask(others, nowMs, (member, round) => sent.push(`${member}:${round}`));
  return sent.join(" ");
}

test("nobody else: nobody to ask", () => assert.ok(new Founding().haveAnswered([])));

test("all have to answer", () => {
  const founding = new Founding();
  assert.equal(asked(founding, peers(2, 3), 1000), "2:1 3:1");
  founding.answered(2, 1);
  assert.ok(!founding.haveAnswered(peers(2, 3)));
  founding.answered(3, 1);
  assert.ok(founding.haveAnswered(peers(2, 3)));
});

test("the question is put again, after a while, to those that have not answered: a late answer counts", () => {
  const founding = new Founding();
  asked(founding, peers(2, 3), 1000);
  founding.answered(2, 1);
  assert.equal(asked(founding, peers(2, 3), 1199), "");
  assert.equal(asked(founding, peers(2, 3), 1200), "3:1");
  founding.answered(3, 1);
  assert.ok(founding.haveAnswered(peers(2, 3)));
});

test("somebody new: what the others said before it was there is worth nothing", () => {
  const founding = new Founding();
  asked(founding, peers(2, 3), 1000);
  founding.answered(2, 1);
  assert.equal(asked(founding, peers(2, 4), 1010), "2:2 4:2");
  founding.answered(2, 1);
  founding.answered(4, 2);
  assert.ok(!founding.haveAnswered(peers(2, 4)));
  founding.answered(2, 2);
  assert.ok(founding.haveAnswered(peers(2, 4)));
});

test("who was not asked cannot answer", () => {
  const founding = new Founding();
  asked(founding, peers(2), 1000);
  founding.answered(5, 1);
  assert.ok(!founding.haveAnswered(peers(5)));
});
