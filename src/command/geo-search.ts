// GEOSEARCH and its older forms: which points of a sorted set are in a circle or box, sorted by distance or in the order of
// cells; answered or stored.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { SortedSetReader } from "../store/sorted-set-reader.ts";
import { ZSET } from "../store/types.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import { replyDistance, replyPoint } from "./geo.ts";
import { type Point, pointOfScore } from "./geo-cells.ts";
import { type GeoQuery, parseGeoSearch, parseRadius, parseRadiusByMember } from "./geo-query.ts";
import { cellsAround, distanceInside, type Shape } from "./geo-shape.ts";
import { sortedSetReader } from "./sorted-sets.ts";
import { sortedSetDraft, storeDraft } from "./sorted-sets-store.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const read = { route: "read", flags: ["readonly"], keys: oneKey } as const;
const write = { route: "write", flags: ["write", "denyoom"], keys: oneKey } as const;
const writeAnywhere = { ...write, flags: ["write", "denyoom", "movablekeys"] } as const;
const twoKeys = { first: 1, last: 2, step: 1 } as const;

// biome-ignore format: one row a line
export const geoSearchCommands = [
  { name: "geosearch",            arity: -7, ...read, run: geosearch },
  { name: "geosearchstore",       arity: -8, ...write, keys: twoKeys, run: geosearchstore },
  { name: "georadius",            arity: -6, ...writeAnywhere, run: georadius },
  { name: "georadius_ro",         arity: -6, ...read, run: georadiusRo },
  { name: "georadiusbymember",    arity: -5, ...writeAnywhere, run: georadiusbymember },
  { name: "georadiusbymember_ro", arity: -5, ...read, run: georadiusbymemberRo },
] as const satisfies readonly CommandRow[];

/** Undefined after an error was replied. */
type Parse = (
  args: Args,
  set: SortedSetReader,
  mayStore: boolean,
  reply: ReplyWriter,
) => GeoQuery | undefined;

interface Found extends Point {
  /** Latin1. */
  readonly member: string;
  readonly score: number;
  /** In the unit of the query. */
  readonly distance: number;
}

function geosearch(context: DataContext, args: Args, reply: ReplyWriter): void {
  run(context, args, 1, parseGeoSearch, false, reply);
}

function geosearchstore(context: DataContext, args: Args, reply: ReplyWriter): void {
  run(context, args, 2, parseGeoSearch, true, reply);
}

function georadius(context: DataContext, args: Args, reply: ReplyWriter): void {
  run(context, args, 1, parseRadius, true, reply);
}

function georadiusRo(context: DataContext, args: Args, reply: ReplyWriter): void {
  run(context, args, 1, parseRadius, false, reply);
}

function georadiusbymember(context: DataContext, args: Args, reply: ReplyWriter): void {
  run(context, args, 1, parseRadiusByMember, true, reply);
}

function georadiusbymemberRo(context: DataContext, args: Args, reply: ReplyWriter): void {
  run(context, args, 1, parseRadiusByMember, false, reply);
}

/** The key is in argument `key`. */
function run(
  context: DataContext,
  args: Args,
  key: number,
  parse: Parse,
  mayStore: boolean,
  reply: ReplyWriter,
): void {
  const handle = findOfType(context, args, key, ZSET, reply);
  if (handle === WRONG_TYPE) return;
  const set = sortedSetReader.open(context.keys, handle);
  const query = parse(args, set, mayStore, reply);
  if (query === undefined) return;
  const found = query.shape === undefined ? [] : search(set, query, query.shape);
  if (query.storeKey === 0) answer(found, query, reply);
  else reply.integer(store(context, args, query, found));
}

function store(context: DataContext, args: Args, query: GeoQuery, found: Found[]): number {
  const longestBytes = found.reduce((longest, { member }) => Math.max(longest, member.length), 0);
  const { thresholds, hashSeed } = context.store;
  const scoreOf = (one: Found): number => (query.storeDistance ? one.distance : one.score);
  const ordered = found.sort((a, b) => scoreOf(a) - scoreOf(b) || (a.member < b.member ? -1 : 1));
  sortedSetDraft.begin(thresholds, hashSeed, ordered.length, longestBytes);
  for (const one of ordered) {
    const bytes = Buffer.from(one.member, "latin1");
    sortedSetDraft.append(scoreOf(one), bytes, 0, bytes.length);
  }
  return storeDraft(context, args, query.storeKey, query.storeEvent);
}

/** What is inside, in the order and number that are asked for. */
function search(set: SortedSetReader, query: GeoQuery, shape: Shape): Found[] {
  const { count, any } = query;
  const found: Found[] = [];
  for (const { low, high } of cellsAround(shape)) {
    if (any && found.length >= count) break;
    searchCell(set, low, high, shape, any ? count : Infinity, found);
  }
  const order = query.order === "none" && count > 0 && !any ? "asc" : query.order;
  if (order === "asc") found.sort((a, b) => a.distance - b.distance);
  else if (order === "desc") found.sort((a, b) => b.distance - a.distance);
  return count > 0 ? found.slice(0, count) : found;
}

/** Adds to `found` up to `most` of them in all. */
function searchCell(
  set: SortedSetReader,
  low: number,
  high: number,
  shape: Shape,
  most: number,
  found: Found[],
): void {
  const point: Point = { longitude: 0, latitude: 0 };
  let more = set.goTo(set.rankOfScore(low, false));
  for (; more && set.score < high; more = set.next()) {
    pointOfScore(set.score, point);
    const metres = distanceInside(shape, point);
    if (metres < 0) continue;
    found.push({
      member: set.bytes.toString("latin1", set.start, set.end),
      score: set.score,
      distance: metres / shape.unitMetres,
      longitude: point.longitude,
      latitude: point.latitude,
    });
    if (found.length >= most) return;
  }
}

function answer(found: readonly Found[], query: GeoQuery, reply: ReplyWriter): void {
  const { withDistance, withHash, withCoordinates } = query;
  const items = 1 + Number(withDistance) + Number(withHash) + Number(withCoordinates);
  reply.array(found.length);
  for (const one of found) {
    if (items > 1) reply.array(items);
    reply.bulkLatin1(one.member);
    if (withDistance) replyDistance(reply, one.distance);
    if (withHash) replyCell(reply, one.score);
    if (withCoordinates) replyPoint(reply, one);
  }
}

function replyCell(reply: ReplyWriter, score: number): void {
  const whole = Math.trunc(score);
  if (Number.isSafeInteger(whole)) reply.integer(whole);
  else reply.integerBig(BigInt(whole));
}
