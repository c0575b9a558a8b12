// The arguments of GEOSEARCH, GEOSEARCHSTORE, GEORADIUS and GEORADIUSBYMEMBER: checked in Redis's order, with its words. Arguments
// in, a query out, or an error in the reply.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { SortedSetReader } from "../store/sorted-set-reader.ts";
import { exactlyOne, replyError, storeIncompatible } from "./errors.ts";
import { readPoint, readUnit } from "./geo.ts";
import { type Point, pointOfScore } from "./geo-cells.ts";
import type { Shape } from "./geo-shape.ts";
import { integerAt } from "./parse-integer.ts";
import { scoreAt } from "./sorted-sets.ts";

export interface GeoQuery {
  /** Undefined: there is no such key, and nothing to be found. */
  readonly shape: Shape | undefined;
  readonly order: "none" | "asc" | "desc";
  /** 0: all. */
  readonly count: number;
  /** The first ones that are met will do. */
  readonly any: boolean;
  readonly withDistance: boolean;
  readonly withHash: boolean;
  readonly withCoordinates: boolean;
  /** Number of the argument with the destination; 0: answer. */
  readonly storeKey: number;
  readonly storeDistance: boolean;
  readonly storeEvent: string;
}

type Draft = { -readonly [Field in keyof GeoQuery]: GeoQuery[Field] };

/** What is said of the shape so far. */
interface Search {
  /** An empty set stands for a key that is not there. */
  readonly set: SortedSetReader;
  middle: Point | undefined;
  isFromMember: boolean;
  size: Size | undefined;
}

type Size = { readonly unitMetres: number } & (
  | { readonly kind: "circle"; readonly radius: number }
  | { readonly kind: "box"; readonly width: number; readonly height: number }
);

const newDraft = (storeEvent: string): Draft => ({
  storeEvent,
  shape: undefined,
  order: "none",
  count: 0,
  any: false,
  withDistance: false,
  withHash: false,
  withCoordinates: false,
  storeKey: 0,
  storeDistance: false,
});

function refuse(reply: ReplyWriter, error: string): undefined {
  reply.error(error);
  return undefined;
}

/** `key longitude latitude radius unit ...` */
export function parseRadius(
  args: Args,
  set: SortedSetReader,
  mayStore: boolean,
  reply: ReplyWriter,
): GeoQuery | undefined {
  const middle = { longitude: 0, latitude: 0 };
  if (!readPoint(args, 2, middle, reply)) return undefined;
  const size = readRadius(args, 4, reply);
  if (size === undefined) return undefined;
  const query = newDraft("georadiusstore");
  if (set.count > 0) query.shape = { ...size, middle };
  return parseRadiusOptions(args, 6, query, mayStore, reply);
}

/** `key member radius unit ...` Without a key, what is asked for does not matter. */
export function parseRadiusByMember(
  args: Args,
  set: SortedSetReader,
  mayStore: boolean,
  reply: ReplyWriter,
): GeoQuery | undefined {
  const query = newDraft("georadiusstore");
  if (set.count > 0) {
    const middle = pointOfMember(args, 2, set, reply);
    if (middle === undefined) return undefined;
    const size = readRadius(args, 3, reply);
    if (size === undefined) return undefined;
    query.shape = { ...size, middle };
  }
  return parseRadiusOptions(args, 5, query, mayStore, reply);
}

function parseRadiusOptions(
  args: Args,
  first: number,
  query: Draft,
  mayStore: boolean,
  reply: ReplyWriter,
): GeoQuery | undefined {
  for (let i = first; i < args.count; ) {
    const isStore = mayStore && i + 1 < args.count && (args.is(i, "STORE") || args.is(i, "STOREDIST"));
    if (isStore) {
      query.storeDistance = args.is(i, "STOREDIST");
      query.storeKey = i + 1;
      i += 2;
      continue;
    }
    const next = parseCommonOption(args, i, query, reply);
    if (next === undefined) return undefined;
    i = next;
  }
  return checked(query, "STORE option in GEORADIUS", reply);
}

export function parseGeoSearch(
  args: Args,
  set: SortedSetReader,
  isStore: boolean,
  reply: ReplyWriter,
): GeoQuery | undefined {
  const query = newDraft("geosearchstore");
  if (isStore) query.storeKey = 1;
  const search: Search = { set, middle: undefined, isFromMember: false, size: undefined };
  for (let i = isStore ? 3 : 2; i < args.count; ) {
    if (isStore && args.is(i, "STOREDIST")) {
      query.storeDistance = true;
      i++;
      continue;
    }
    const next = parseShapeOption(args, i, search, reply) ?? parseCommonOption(args, i, query, reply);
    if (next === undefined || next === REFUSED) return undefined;
    i = next;
  }
  const name = args.text(0);
  if (isStore && saysMore(query)) return refuse(reply, storeIncompatible("GEOSEARCHSTORE"));
  const { middle, size } = search;
  if (middle === undefined) return refuse(reply, exactlyOne("FROMMEMBER or FROMLONLAT", name));
  if (size === undefined) return refuse(reply, exactlyOne("BYRADIUS and BYBOX", name));
  if (set.count > 0) query.shape = { ...size, middle };
  return checked(query, "GEOSEARCHSTORE", reply);
}

const saysMore = (query: GeoQuery): boolean => query.withDistance || query.withHash || query.withCoordinates;

function checked(query: Draft, what: string, reply: ReplyWriter): GeoQuery | undefined {
  if (query.storeKey !== 0 && saysMore(query)) return refuse(reply, storeIncompatible(what));
  if (query.any && query.count === 0) return refuse(reply, replyError.anyWithoutCount);
  return query;
}

/** Instead of where the next option is: an error was replied. */
const REFUSED = -1;

/** FROMMEMBER, FROMLONLAT, BYRADIUS, BYBOX. Undefined: it is none of these here. */
function parseShapeOption(args: Args, i: number, search: Search, reply: ReplyWriter): number | undefined {
  const left = args.count - i - 1;
  const { set, middle, isFromMember, size } = search;
  if (left >= 1 && (middle === undefined || isFromMember) && args.is(i, "FROMMEMBER")) {
    search.isFromMember = true;
    search.middle = set.count === 0 ? NOWHERE : pointOfMember(args, i + 1, set, reply);
    return search.middle === undefined ? REFUSED : i + 2;
  }
  if (left >= 2 && !isFromMember && args.is(i, "FROMLONLAT")) {
    search.middle = { longitude: 0, latitude: 0 };
    return readPoint(args, i + 1, search.middle, reply) ? i + 3 : REFUSED;
  }
  if (left >= 2 && size?.kind !== "box" && args.is(i, "BYRADIUS")) {
    search.size = readRadius(args, i + 1, reply);
    return search.size === undefined ? REFUSED : i + 3;
  }
  if (left >= 3 && size?.kind !== "circle" && args.is(i, "BYBOX")) {
    search.size = readBox(args, i + 1, reply);
    return search.size === undefined ? REFUSED : i + 4;
  }
  return undefined;
}

/** Where there is no key nothing is looked for. */
const NOWHERE: Point = { longitude: 0, latitude: 0 };

/** Reads the option at argument `i`; returns where the next one is. Undefined after an error was replied. */
function parseCommonOption(args: Args, i: number, query: Draft, reply: ReplyWriter): number | undefined {
  if (args.is(i, "WITHDIST")) query.withDistance = true;
  else if (args.is(i, "WITHHASH")) query.withHash = true;
  else if (args.is(i, "WITHCOORD")) query.withCoordinates = true;
  else if (args.is(i, "ANY")) query.any = true;
  else if (args.is(i, "ASC")) query.order = "asc";
  else if (args.is(i, "DESC")) query.order = "desc";
  else if (i + 1 < args.count && args.is(i, "COUNT")) {
    const count = integerAt(args, i + 1);
    if (count === undefined) return refuse(reply, replyError.notInteger);
    if (count <= 0) return refuse(reply, replyError.countNotOverZero);
    query.count = Number(count);
    return i + 2;
  } else return refuse(reply, replyError.syntax);
  return i + 1;
}

function pointOfMember(
  args: Args,
  index: number,
  set: SortedSetReader,
  reply: ReplyWriter,
): Point | undefined {
  if (!set.find(args.bytes, args.start(index), args.end(index))) {
    return refuse(reply, replyError.memberNotDecoded);
  }
  const point = { longitude: 0, latitude: 0 };
  pointOfScore(set.score, point);
  return point;
}

function readRadius(args: Args, index: number, reply: ReplyWriter): Size | undefined {
  const radius = scoreAt(args, index);
  if (radius === undefined) return refuse(reply, replyError.radiusNotNumber);
  if (radius < 0) return refuse(reply, replyError.radiusNegative);
  const unitMetres = readUnit(args, index + 1, reply);
  return unitMetres === undefined ? undefined : { kind: "circle", radius, unitMetres };
}

function readBox(args: Args, index: number, reply: ReplyWriter): Size | undefined {
  const width = scoreAt(args, index);
  if (width === undefined) return refuse(reply, replyError.widthNotNumber);
  const height = scoreAt(args, index + 1);
  if (height === undefined) return refuse(reply, replyError.heightNotNumber);
  if (height < 0 || width < 0) return refuse(reply, replyError.boxNegative);
  const unitMetres = readUnit(args, index + 2, reply);
  return unitMetres === undefined ? undefined : { kind: "box", width, height, unitMetres };
}
