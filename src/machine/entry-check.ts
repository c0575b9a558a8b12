// Whether an entry, or a command in one, is something that replicas can apply. Bytes of a peer in, what is wrong with them
// out; it runs nothing. An entry that is in the log is applied by every replica, so one that none can apply would end them
// all: it must not get that far (docs/adr/0024).

import { Args } from "../base/args.ts";
import { TRY_COMMAND, TRY_DATABASE, TRY_MEMORY_ARGUMENTS } from "../command/blocking.ts";
import { logRows, lookupId, rows } from "../command/lookup.ts";
import { EXEC_COMMANDS, EXEC_MEMORY_ARGUMENTS } from "../command/transactions.ts";
import { COMMAND, type ParserLimits, ParserScratch, RequestParser } from "../resp/request-parser.ts";
import { EntryHeader, entryHeaderProblem } from "../wire/entry-codec.ts";
import { evictionsProblem } from "../wire/eviction-codec.ts";

/** What CONFIG SET and GET, CLIENT KILL and UNBLOCK become has its place in a transaction. */
const FORMS_INSIDE: ReadonlySet<string> = new Set(["seshat.config", "seshat.settings", "seshat.cancel"]);

/** What a command is in an entry. */
const NEVER = 0;
const READ = 1;
const WRITE = 2;
const SELECT = 3;
const FORM = 4;

/** Commands that have other arguments in the log than clients give them, and how many: -n for at least n. */
const FORM_ARITIES: ReadonlyMap<string, number> = new Map([
  ["exec", EXEC_COMMANDS + 1],
  ["watch", -4],
  ["unwatch", 2],
  ...logRows.map(({ name, arity }): [string, number] => [name, arity]),
]);

const kinds = Uint8Array.from(rows, ({ name, route }) => {
  if (FORM_ARITIES.has(name)) return FORM;
  if (name === "select") return SELECT;
  if (route === "write") return WRITE;
  return route === "read" ? READ : NEVER;
});
const arities = Int16Array.from(rows, ({ name, arity }) => FORM_ARITIES.get(name) ?? arity);

const DIGEST_FROM_MAX = 2 ** 32;
const DIGEST_RECORDS_MAX = 2 ** 20;

export class EntryCheck {
  readonly #databases: number;
  readonly #header = new EntryHeader();
  readonly #parser: RequestParser;
  readonly #args = new Args();
  // For the commands inside a command.
  readonly #innerParser: RequestParser;
  readonly #innerArgs = new Args();

  constructor(limits: ParserLimits, databases: number) {
    this.#databases = databases;
    this.#parser = new RequestParser(limits, new ParserScratch());
    this.#innerParser = new RequestParser(limits, new ParserScratch());
  }

  /** Lets go of the entry it has seen. */
  forgetInput(): void {
    this.#parser.forget();
    this.#args.forget();
    this.#innerParser.forget();
    this.#innerArgs.forget();
  }

  /** Of an entry's payload; undefined = every replica can apply it. */
  problem(payload: Buffer): string | undefined {
    const headerProblem = entryHeaderProblem(payload);
    if (headerProblem !== undefined) return headerProblem;
    const header = this.#header.read(payload);
    const parser = this.#parser;
    const args = this.#args;
    const end = header.commandsEnd;
    for (let at = header.commandsStart; at < end; at = parser.position) {
      if (parser.next(payload, at, end) !== COMMAND) return `no command at byte ${at} of ${end}`;
      args.set(payload, parser.offsets, 0, parser.argumentCount);
      const id = lookupId(args);
      const kind = id < 0 ? NEVER : kinds[id]!;
      if (kind === NEVER || rows[id]!.route === "read" || !arityFits(id, args.count)) return misplaced(args);
      if (kind === WRITE) continue;
      const problem = kind === FORM ? this.formProblem(id, args) : this.#selectProblem(args);
      if (problem !== undefined) return problem;
    }
    return evictionsProblem(payload, header, this.#databases);
  }

  /** Of a command in its log form, which only nodes make; undefined = it can be applied, or it is no log form. */
  formProblem(id: number, args: Args): string | undefined {
    if (kinds[id] !== FORM) return undefined;
    if (!arityFits(id, args.count)) return misplaced(args);
    const { name } = rows[id]!;
    if (name === "seshat.digest") return this.#digestProblem(args);
    if (FORMS_WITH_OWNER.has(name) && !isOwner(args.text(1)))
      return `${name} of ${args.text(1).slice(0, 64)}`;
    if (name === "seshat.cancel") return ownersProblem(args);
    // Whether there are such settings and values is answered by the word itself, on every replica alike.
    if (name === "seshat.config" && args.count % 2 === 0) return misplaced(args);
    if (name === "exec") return this.#execProblem(args);
    if (name === "watch" && count(args, 2) === undefined) return misplaced(args);
    return name === "seshat.try" ? this.#tryProblem(args) : undefined;
  }

  /** Of a command that waits, bytes[start, end). */
  waitingProblem(bytes: Buffer, start: number, end: number): string | undefined {
    const { problem, replies } = this.#inner(bytes, start, end);
    return problem ?? (replies === 1 ? undefined : `${replies} commands wait as one`);
  }

  #execProblem(args: Args): string | undefined {
    const expected = count(args, 3);
    if (count(args, 2) === undefined || expected === undefined) return misplaced(args);
    if (count(args, EXEC_MEMORY_ARGUMENTS) === undefined) return misplaced(args);
    const { problem, replies } = this.#inner(args.bytes, args.start(EXEC_COMMANDS), args.end(EXEC_COMMANDS));
    return (
      problem ?? (replies === expected ? undefined : `a transaction of ${expected} commands holds ${replies}`)
    );
  }

  #tryProblem(args: Args): string | undefined {
    const database = count(args, TRY_DATABASE);
    if (database === undefined || database >= this.#databases) return misplaced(args);
    if (count(args, TRY_MEMORY_ARGUMENTS) === undefined) return misplaced(args);
    return this.waitingProblem(args.bytes, args.start(TRY_COMMAND), args.end(TRY_COMMAND));
  }

  #digestProblem(args: Args): string | undefined {
    const [database, from, records, part] = [1, 2, 3, 4].map((i) => count(args, i));
    const fits =
      database !== undefined &&
      database < this.#databases &&
      from !== undefined &&
      from < DIGEST_FROM_MAX &&
      records !== undefined &&
      records > 0 &&
      records <= DIGEST_RECORDS_MAX &&
      part !== undefined;
    return fits ? undefined : misplaced(args);
  }

  /** Commands back to back inside another one: reads and writes as clients send them, and SELECT. */
  #inner(bytes: Buffer, from: number, to: number): { problem: string | undefined; replies: number } {
    const parser = this.#innerParser;
    const args = this.#innerArgs;
    let replies = 0;
    for (let at = from; at < to; at = parser.position) {
      if (parser.next(bytes, at, to) !== COMMAND)
        return { problem: `no command at byte ${at} of ${to}`, replies };
      args.set(bytes, parser.offsets, 0, parser.argumentCount);
      const id = lookupId(args);
      const kind = id < 0 ? NEVER : kinds[id]!;
      const isOutside = kind === FORM && !FORMS_INSIDE.has(rows[id]!.name);
      if (kind === NEVER || isOutside || !arityFits(id, args.count))
        return { problem: misplaced(args), replies };
      const formProblem = kind === FORM ? this.formProblem(id, args) : undefined;
      if (formProblem !== undefined) return { problem: formProblem, replies };
      if (kind !== SELECT) {
        replies++;
        continue;
      }
      const problem = this.#selectProblem(args);
      if (problem !== undefined) return { problem, replies };
    }
    return { problem: undefined, replies };
  }

  #selectProblem(args: Args): string | undefined {
    const database = count(args, 1);
    return database !== undefined && database < this.#databases ? undefined : misplaced(args);
  }
}

const FORMS_WITH_OWNER: ReadonlySet<string> = new Set(["exec", "watch", "unwatch", "seshat.try"]);

const arityFits = (id: number, argumentCount: number): boolean => {
  const arity = arities[id]!;
  return arity >= 0 ? argumentCount === arity : argumentCount >= -arity;
};

/** "incarnation:session:serial". */
const isOwner = (text: string): boolean =>
  /^[0-9]{1,16}:[0-9]{1,16}:[0-9]{1,16}$/.test(text) &&
  text.split(":").every((part) => Number.isSafeInteger(Number(part)));

/** Of a word whose arguments are all owners. */
function ownersProblem(args: Args): string | undefined {
  for (let i = 1; i < args.count; i++) {
    const text = args.text(i);
    if (!isOwner(text)) return `${args.text(0)} of ${text.slice(0, 64)}`;
  }
  return undefined;
}

/** Argument `index` as a number; undefined when it is none. */
function count(args: Args, index: number): number | undefined {
  const text = args.text(index);
  return /^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

const misplaced = (args: Args): string =>
  `${args.text(0).slice(0, 32)} with ${args.count - 1} arguments has no place in an entry`;
