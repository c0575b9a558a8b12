// Decodes replies for tests: RESP2 by redis-parser, RESP3 by a few lines of our own that accept nothing doubtful.

import assert from "node:assert/strict";
import RedisParser, { type Reply } from "redis-parser";

/** Bulk strings come as latin1 text, so that any byte shows; errors as Error. */
export type Decoded = string | number | bigint | boolean | null | Error | Decoded[] | Tagged;

export interface Tagged {
  readonly kind: "map" | "set" | "push" | "double" | "verbatim" | "big";
  readonly value: Decoded;
}

export function decode2(bytes: Buffer): Decoded[] {
  const replies: Decoded[] = [];
  const parser = new RedisParser({
    returnReply: (reply) => replies.push(plain(reply)),
    returnError: (error) => replies.push(error),
    returnFatalError: assert.ifError,
    returnBuffers: true,
  });
  parser.execute(bytes);
  return replies;
}

function plain(reply: Reply): Decoded {
  if (Buffer.isBuffer(reply)) return reply.toString("latin1");
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

export function decode3(bytes: Buffer): Decoded[] {
  const text = bytes.toString("latin1");
  const replies: Decoded[] = [];
  let at = 0;
  while (at < text.length) replies.push(value());
  return replies;

  function line(): string {
    const end = text.indexOf("\r\n", at);
    assert.ok(end >= 0, `no line end after ${at}`);
    const found = text.slice(at, end);
    at = end + 2;
    return found;
  }

  function number(digits: string): number {
    assert.match(digits, /^(0|-?[1-9]\d*)$/);
    return Number(digits);
  }

  function block(length: number): string {
    const found = text.slice(at, at + length);
    assert.equal(found.length, length);
    at += length;
    assert.equal(line(), "");
    return found;
  }

  function list(count: number): Decoded[] {
    assert.ok(count >= 0);
    return Array.from({ length: count }, value);
  }

  function value(): Decoded {
    const mark = text[at++]!;
    const head = line();
    switch (mark) {
      case "+":
        return head;
      case "-":
        return new Error(head);
      case ":":
        return Number.isSafeInteger(Number(head)) ? number(head) : BigInt(head);
      case "$":
        return block(number(head));
      case "_":
        assert.equal(head, "");
        return null;
      case "#":
        assert.match(head, /^[tf]$/);
        return head === "t";
      case ",":
        return { kind: "double", value: head };
      case "(":
        return { kind: "big", value: head };
      case "=":
        return { kind: "verbatim", value: block(number(head)) };
      case "*":
        return list(number(head));
      case "~":
        return { kind: "set", value: list(number(head)) };
      case ">":
        return { kind: "push", value: list(number(head)) };
      case "%":
        return { kind: "map", value: list(2 * number(head)) };
      default:
        return assert.fail(`mark ${JSON.stringify(mark)} at ${at - 1}`);
    }
  }
}
