// Table tests of commands: rows of name, commands, and the reply of the last one (or of all of them).

import assert from "node:assert/strict";
import { test } from "vitest";
import { MemoryExecutor } from "../differential/memory-executor.ts";

export const NOW_MS = 1_700_000_000_000;

export interface Case {
  readonly name: string;
  /** Words of one command each, split at blanks; an array where an argument holds blanks or is empty. */
  readonly run: readonly (string | readonly string[])[];
  /** Replies as RESP: of the last command, or of the last n when an array of n. */
  readonly want: string | readonly string[];
  readonly protocol?: 2 | 3;
}

export function testCases(cases: readonly Case[]): void {
  for (const { name, run, want, protocol } of cases) {
    test(name, () => {
      const executor = new MemoryExecutor({ clock: () => NOW_MS });
      executor.reply.protocol = protocol ?? 2;
      const replies = run.map((command) => {
        const words = typeof command === "string" ? command.split(" ") : command;
        return executor.runOne(words.map((word) => Buffer.from(word, "latin1"))).toString("latin1");
      });
      const wanted = typeof want === "string" ? [want] : want;
      assert.deepEqual(replies.slice(-wanted.length), wanted);
    });
  }
}

export const OK = "+OK\r\n";
export const NIL = "$-1\r\n";
export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
export const integer = (n: number | bigint | string): string => `:${n}\r\n`;
export const error = (text: string): string => `-${text}\r\n`;
export const array = (...items: readonly string[]): string => `*${items.length}\r\n${items.join("")}`;
export const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");
export const SYNTAX = error("ERR syntax error");
export const NOT_INTEGER = error("ERR value is not an integer or out of range");
