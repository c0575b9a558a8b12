// Values as Redis reads and prints them. The texts were taken from redis-server 7.0.15; the test beside this
// one (redis-compare) asks a running one.
import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { joinWords, splitWords } from "../../src/config/grammar.ts";
import { parseMemorySize } from "../../src/config/kinds.ts";
import { keyspaceEvents, members, parseAddress } from "../../src/config/special-kinds.ts";

describe("memory sizes", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["0", 0],
    ["", 0],
    ["1k", 1000],
    ["1kb", 1024],
    ["1K", 1000],
    ["3MB", 3 * 1024 * 1024],
    ["3m", 3_000_000],
    ["1gb", 1024 ** 3],
    ["1g", 1e9],
    ["10b", 10],
    ["1.5gb", undefined],
    ["-1", undefined],
    ["10q", undefined],
    ["10 mb", undefined],
    ["100%", undefined],
    ["99999999999999999999", undefined],
  ];
  for (const [word, want] of cases) {
    test(`'${word}'`, () => assert.equal(parseMemorySize(word), want));
  }
});

describe("words of a line", () => {
  const cases: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["port 6379", ["port", "6379"]],
    ["  port \t 6379  ", ["port", "6379"]],
    ['save ""', ["save", ""]],
    ["save ''", ["save", ""]],
    [String.raw`requirepass "a b\x41\"c\n"`, ["requirepass", 'a bA"c\n']],
    [String.raw`requirepass 'it\'s \n'`, ["requirepass", String.raw`it's \n`]],
    [String.raw`requirepass "\xc3\xa4\q"`, ["requirepass", "äq"]],
    ["requirepass ä€", ["requirepass", "ä€"]],
    ['a"b c"', ["ab c"]],
    ['maxclients "10', undefined],
    ['maxclients "10"x', undefined],
    ["maxclients '10'x", undefined],
    ['"\\', undefined],
    ["", []],
  ];
  for (const [line, want] of cases) {
    test(JSON.stringify(line), () => assert.deepEqual(splitWords(line), want));
  }
  test("what is quoted reads the same again", () => {
    const words = ["", "plain", "a b", '"', "\\", "\x00\x07\x08\t\r\n", "'", "#x", "ä€😀", "[::1]:1"];
    assert.deepEqual(splitWords(joinWords(words)), words);
    assert.equal(joinWords(["bind", "127.0.0.1", "-::1", "*"]), "bind 127.0.0.1 -::1 *");
  });
});

describe("addresses and members", () => {
  test("IPv4, names and IPv6 in brackets", () => {
    assert.deepEqual(parseAddress("127.0.0.1:16379"), { host: "127.0.0.1", port: 16379 });
    assert.deepEqual(parseAddress("cache-1:1"), { host: "cache-1", port: 1 });
    assert.deepEqual(parseAddress("[::1]:16379"), { host: "::1", port: 16379 });
    for (const bad of ["", "x", "x:", ":1", "x:0", "x:65536", "::1:5", "[::1]", "a b:1", "x:-1"]) {
      assert.equal(parseAddress(bad), undefined, bad);
    }
  });
  test("lines add up, and come back as they were", () => {
    const one = members.parse(["n1", "127.0.0.1:1"], []);
    assert.ok(one.ok);
    const two = members.parse(["n2", "[::1]:2"], one.value);
    assert.ok(two.ok);
    assert.equal(members.format(two.value), "n1 127.0.0.1:1 n2 [::1]:2");
    assert.deepEqual(members.lines(two.value), [
      ["n1", "127.0.0.1:1"],
      ["n2", "[::1]:2"],
    ]);
  });
  test("a name or an address twice is refused", () => {
    const before = [{ name: "n1", host: "h", port: 1 }];
    assert.deepEqual(members.parse(["n1", "h:2"], before), { ok: false, error: "member n1 is given twice" });
    assert.deepEqual(members.parse(["n2", "h:1"], before), {
      ok: false,
      error: "two members have the address h:1",
    });
  });
});

describe("keyspace events", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", ""],
    ["KEA", "AKE"],
    ["Kg$lshzxeA", "AK"],
    ["KEg$x", "g$xKE"],
    ["mnK", "nKm"],
    ["zz", "z"],
    ["Ex", "xE"],
  ];
  for (const [word, want] of cases) {
    test(`'${word}' is '${want}'`, () =>
      assert.deepEqual(keyspaceEvents.parse([word], ""), { ok: true, value: want }));
  }
});
