// Majority arithmetic against its definition, on random configurations.
import assert from "node:assert/strict";
import { test } from "vitest";
import { jointIndex, jointVote, majorityIndex, majorityVote } from "../../src/raft/quorum.ts";
import { fc } from "../property.ts";

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 });
const indexes = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 10, maxLength: 10 });
const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 10, maxLength: 10 });

const holders = (members: readonly number[], reached: readonly number[], index: number): number =>
  members.filter((id) => reached[id]! >= index).length;

test("the majority index is the largest that more than half have reached", () => {
  fc.assert(
    fc.property(ids, indexes, (members, reached) => {
      const index = majorityIndex(members, (id) => reached[id]!);
      if (members.length === 0) return assert.equal(index, Number.POSITIVE_INFINITY);
      assert.ok(holders(members, reached, index) * 2 > members.length);
      assert.ok(holders(members, reached, index + 1) * 2 <= members.length);
    }),
  );
});

test("the joint index is reached in both halves; a half joined with itself or with nothing changes nothing", () => {
  fc.assert(
    fc.property(ids, ids, indexes, (incoming, outgoing, reached) => {
      const at = (id: number): number => reached[id]!;
      const joint = jointIndex(incoming, outgoing, at);
      assert.equal(joint, Math.min(majorityIndex(incoming, at), majorityIndex(outgoing, at)));
      assert.equal(joint, jointIndex(outgoing, incoming, at));
      assert.equal(jointIndex(incoming, incoming, at), majorityIndex(incoming, at));
      assert.equal(jointIndex(incoming, [], at), majorityIndex(incoming, at));
    }),
  );
});

test("a vote is won by more than half, lost when that cannot be reached any more", () => {
  fc.assert(
    fc.property(ids, votes, (members, given) => {
      const result = majorityVote(members, (id) => given[id]);
      const yes = members.filter((id) => given[id] === true).length;
      const no = members.filter((id) => given[id] === false).length;
      if (members.length === 0 || yes * 2 > members.length) assert.equal(result, "won");
      else if (members.length % 2 === 0 ? no * 2 >= members.length : no * 2 > members.length) {
        assert.equal(result, "lost");
      } else assert.equal(result, "pending");
    }),
  );
});

test("a joint vote needs both halves and loses with either", () => {
  fc.assert(
    fc.property(ids, ids, votes, (incoming, outgoing, given) => {
      const of = (id: number): boolean | undefined => given[id];
      const halves = [majorityVote(incoming, of), majorityVote(outgoing, of)];
      const want = halves.includes("lost") ? "lost" : halves.includes("pending") ? "pending" : "won";
      assert.equal(jointVote(incoming, outgoing, of), want);
    }),
  );
});

test("any two majorities of a configuration share a member", () => {
  fc.assert(
    fc.property(ids, votes, votes, (members, first, second) => {
      fc.pre(members.length > 0);
      const won = (given: readonly (boolean | undefined)[]) =>
        majorityVote(members, (id) => given[id]) === "won";
      if (won(first) && won(second))
        assert.ok(members.some((id) => first[id] === true && second[id] === true));
    }),
  );
});

test("more members than the scratch space had room for", () => {
  const many = Array.from({ length: 101 }, (_, at) => at);
  assert.equal(
    majorityIndex(many, (id) => id * 3),
    150,
  );
});
