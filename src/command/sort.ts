// SORT and SORT_RO: the elements of a list, set or sorted set, by number or text, of themselves or of what a pattern leads to;
// answered or stored as a list.

import type { Args } from "../base/args.ts";
import { OUTPUT_BYTES_MAX } from "../base/limits.ts";
import { parseLenientDouble } from "../base/numbers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { LargeList } from "../store/large-list.ts";
import { putNewList } from "../store/list-changes.ts";
import { LIST, SET, ZSET } from "../store/types.ts";
import { replyError } from "./errors.ts";
import { listKey } from "./lists.ts";
import { EVENT_GENERIC, EVENT_LIST, notifyKey } from "./notify.ts";
import { integerAt } from "./parse-integer.ts";
import { elementCount, elementsOf } from "./sort-elements.ts";
import { SortPattern } from "./sort-pattern.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

// biome-ignore format: one row a line
export const sortCommands = [
  { name: "sort",    arity: -2, route: "write", flags: ["write", "denyoom", "movablekeys"], keys: oneKey, run: sort },
  { name: "sort_ro", arity: -2, route: "read",  flags: ["readonly", "movablekeys"],         keys: oneKey, run: sortRo },
] as const satisfies readonly CommandRow[];

/** The least double that has all its bits: C's strtod calls what is nearer to 0 out of range. */
const NORMAL_LEAST = 2 ** -1022;
const NON_ZERO = /^[^eE]*[1-9]/;
const INFINITE = /^\s*[+-]?inf/i;

interface Sorting {
  isDescending: boolean;
  isAlpha: boolean;
  /** BY without a star: not sorted at all. */
  isUnsorted: boolean;
  by: SortPattern | undefined;
  start: number;
  /** Negative: all. */
  count: number;
  readonly gets: SortPattern[];
  /** Number of the argument with the destination; 0: answer. */
  storeKey: number;
}

interface Item {
  readonly element: string;
  readonly score: number;
  /** Of ALPHA with BY; undefined: there is nothing where the pattern leads. */
  readonly text: string | undefined;
}

function sort(context: DataContext, args: Args, reply: ReplyWriter): void {
  sortWith(context, args, true, reply);
}

function sortRo(context: DataContext, args: Args, reply: ReplyWriter): void {
  sortWith(context, args, false, reply);
}

function sortWith(context: DataContext, args: Args, mayStore: boolean, reply: ReplyWriter): void {
  const sorting = parseSorting(args, mayStore, reply);
  if (sorting === undefined) return;
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(1), args.end(1));
  const type = handle === 0 ? LIST : keys.typeOf(handle);
  if (type !== LIST && type !== SET && type !== ZSET) return reply.error(replyError.wrongType);
  if (sorting.isUnsorted && type === SET && sorting.storeKey !== 0) {
    // What is stored must have an order that all agree on.
    sorting.isUnsorted = false;
    sorting.isAlpha = true;
    sorting.by = undefined;
  }
  const elements = handle === 0 ? [] : chosen(keys, handle, sorting);
  if (typeof elements === "string") return reply.error(elements);
  if (sorting.storeKey === 0) answer(keys, elements, sorting, reply);
  else store(context, args, elements, sorting, reply);
}

/** Undefined after an error was replied. */
function parseSorting(args: Args, mayStore: boolean, reply: ReplyWriter): Sorting | undefined {
  const sorting: Sorting = {
    isDescending: false,
    isAlpha: false,
    isUnsorted: false,
    by: undefined,
    start: 0,
    count: -1,
    gets: [],
    storeKey: 0,
  };
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1;
    if (args.is(i, "ASC")) sorting.isDescending = false;
    else if (args.is(i, "DESC")) sorting.isDescending = true;
    else if (args.is(i, "ALPHA")) sorting.isAlpha = true;
    else if (left >= 2 && args.is(i, "LIMIT")) {
      const start = integerAt(args, i + 1);
      const count = integerAt(args, i + 2);
      if (start === undefined || count === undefined) return refuse(reply, replyError.notInteger);
      sorting.start = Number(start);
      sorting.count = Number(count);
      i += 2;
    } else if (mayStore && left >= 1 && args.is(i, "STORE")) sorting.storeKey = ++i;
    else if (left >= 1 && args.is(i, "BY")) {
      sorting.by = new SortPattern(args.text(++i));
      if (!sorting.by.hasStar) sorting.isUnsorted = true;
    } else if (left >= 1 && args.is(i, "GET")) sorting.gets.push(new SortPattern(args.text(++i)));
    else return refuse(reply, replyError.syntax);
  }
  return sorting;
}

function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
  return undefined;
}

/** The elements of the answer in its order, or an error. */
function chosen(keys: Keyspace, handle: number, sorting: Sorting): string[] | string {
  const size = elementCount(keys, handle);
  const start = Math.min(Math.max(sorting.start, 0), size);
  const count = sorting.count < 0 ? size - start : Math.min(sorting.count, size - start);
  if (sorting.isUnsorted) return elementsOf(keys, handle, start, count, sorting.isDescending);
  const items: Item[] = [];
  let textBytes = 0;
  for (const each of elementsOf(keys, handle, 0, size, false)) {
    const item = weighed(keys, each, sorting);
    if (item === undefined) return replyError.weightNotNumber;
    items.push(item);
    // Many elements may lead to one long text.
    textBytes += item.text?.length ?? 0;
    if (textBytes > OUTPUT_BYTES_MAX) return replyError.replyTooLong;
  }
  const compare = comparison(sorting);
  items.sort(sorting.isDescending ? (a, b) => -compare(a, b) : compare);
  return items.slice(start, start + count).map((item) => item.element);
}

function weighed(keys: Keyspace, each: string, { by, isAlpha }: Sorting): Item | undefined {
  const text = by === undefined ? each : by.lookUp(keys, each);
  if (isAlpha || text === undefined) return { element: each, score: 0, text };
  const bytes = Buffer.from(text, "latin1");
  const score = parseLenientDouble(bytes, 0, bytes.length);
  const isOverflow = Math.abs(score) === Infinity && !INFINITE.test(text);
  const isUnderflow = Math.abs(score) < NORMAL_LEAST && (score !== 0 || NON_ZERO.test(cText(text)));
  return Number.isNaN(score) || isOverflow || isUnderflow
    ? undefined
    : { element: each, score, text: undefined };
}

function comparison({ by, isAlpha, storeKey }: Sorting): (a: Item, b: Item) => number {
  if (!isAlpha) {
    return (a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : compareTexts(a.element, b.element));
  }
  // Redis collates what it answers as C texts, which end at a NUL, and what it stores as bytes.
  const order = storeKey === 0 ? (a: string, b: string) => compareTexts(cText(a), cText(b)) : compareTexts;
  if (by === undefined) return (a, b) => order(a.element, b.element);
  return (a, b) => {
    if (a.text === undefined || b.text === undefined)
      return Number(a.text !== undefined) - Number(b.text !== undefined);
    return order(a.text, b.text);
  };
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function cText(text: string): string {
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

function answer(keys: Keyspace, elements: readonly string[], { gets }: Sorting, reply: ReplyWriter): void {
  const mark = reply.position;
  reply.array(elements.length * Math.max(1, gets.length));
  for (const each of elements) {
    if (gets.length === 0) reply.bulkLatin1(each);
    for (const get of gets) {
      const found = get.lookUp(keys, each);
      if (found === undefined) reply.nil();
      else reply.bulkLatin1(found);
      if (reply.position - mark <= OUTPUT_BYTES_MAX) continue;
      reply.position = mark;
      return reply.error(replyError.replyTooLong);
    }
  }
}

/** Puts a list of what is found at the destination, and answers its length; nothing removes what is there. */
function store(
  context: DataContext,
  args: Args,
  elements: readonly string[],
  sorting: Sorting,
  reply: ReplyWriter,
): void {
  const { keys } = context;
  const { gets, storeKey } = sorting;
  const { listListpackSize } = context.store.thresholds;
  const list = new LargeList();
  const push = (text: string): void => {
    const bytes = Buffer.from(text, "latin1");
    list.push(bytes, 0, bytes.length, false, listListpackSize);
  };
  for (const each of elements) {
    if (gets.length === 0) push(each);
    for (const get of gets) {
      push(get.lookUp(keys, each) ?? "");
      if (list.logicalBytes > OUTPUT_BYTES_MAX) return reply.error(replyError.replyTooLong);
    }
  }
  if (list.count > 0) {
    putNewList(keys, listKey(args, storeKey), list, true, listListpackSize);
    notifyKey(context, args, storeKey, EVENT_LIST, "sortstore");
  } else if (keys.remove(args.bytes, args.start(storeKey), args.end(storeKey))) {
    notifyKey(context, args, storeKey, EVENT_GENERIC, "del");
  }
  reply.integer(list.count);
}
