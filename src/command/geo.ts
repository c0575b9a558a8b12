// Points on the globe in sorted sets, whose scores are Redis's cells: added, read, and how far apart two are.

import type { Args } from "../base/args.ts";
import { formatHumanDouble } from "../base/long-double.ts";
import { formatFixed } from "../base/numbers.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { NX, XX } from "../store/sorted-set-writer.ts";
import { ZSET } from "../store/types.ts";
import { invalidPosition, replyError } from "./errors.ts";
import { findOfType, WRONG_TYPE } from "./find-typed.ts";
import {
  geohashText,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  type Point,
  pointOfScore,
  scoreOfPoint,
} from "./geo-cells.ts";
import { distanceMetres } from "./geo-shape.ts";
import { CH, openSortedSet, putScores, scoreAt, scoresToPut, sortedSetReader } from "./sorted-sets.ts";
import { type CommandRow, type DataContext, oneKey } from "./types.ts";

const read = { route: "read", flags: ["readonly"], keys: oneKey } as const;

// biome-ignore format: one row a line
export const geoCommands = [
  { name: "geoadd",  arity: -5, route: "write", flags: ["write", "denyoom"], keys: oneKey, run: geoadd },
  { name: "geopos",  arity: -2, ...read, run: geopos },
  { name: "geodist", arity: -4, ...read, run: geodist },
  { name: "geohash", arity: -2, ...read, run: geohash },
] as const satisfies readonly CommandRow[];

const point: Point = { longitude: 0, latitude: 0 };
const other: Point = { longitude: 0, latitude: 0 };

/** Decimals in the error about a position, and in distances. */
const POSITION_DECIMALS = 6;
const DISTANCE_DECIMALS = 4;

/** Longitude and latitude in arguments `index` and `index` + 1. False after an error was replied. */
export function readPoint(args: Args, index: number, into: Point, reply: ReplyWriter): boolean {
  const longitude = scoreAt(args, index);
  const latitude = longitude === undefined ? undefined : scoreAt(args, index + 1);
  if (longitude === undefined || latitude === undefined) {
    reply.error(replyError.notFloat);
    return false;
  }
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    const [first, second] = [longitude, latitude].map((degrees) => formatFixed(degrees, POSITION_DECIMALS));
    reply.error(invalidPosition(first!, second!));
    return false;
  }
  into.longitude = longitude;
  into.latitude = latitude;
  return true;
}

/** Metres of the unit in argument `index`. Undefined after an error was replied. */
export function readUnit(args: Args, index: number, reply: ReplyWriter): number | undefined {
  if (args.is(index, "M")) return 1;
  if (args.is(index, "KM")) return 1000;
  if (args.is(index, "FT")) return 0.3048;
  if (args.is(index, "MI")) return 1609.34;
  reply.error(replyError.unitUnknown);
  return undefined;
}

export function replyDistance(reply: ReplyWriter, distance: number): void {
  reply.bulkLatin1(formatFixed(distance, DISTANCE_DECIMALS));
}

export function replyPoint(reply: ReplyWriter, { longitude, latitude }: Point): void {
  reply.array(2);
  reply.doubleText(formatHumanDouble(longitude));
  reply.doubleText(formatHumanDouble(latitude));
}

/** ZADD of the points' cells. */
function geoadd(context: DataContext, args: Args, reply: ReplyWriter): void {
  let flags = 0;
  let first = 2;
  for (; first < args.count; first++) {
    if (args.is(first, "NX")) flags |= NX;
    else if (args.is(first, "XX")) flags |= XX;
    else if (args.is(first, "CH")) flags |= CH;
    else break;
  }
  const words = args.count - first;
  const isBoth = (flags & NX) !== 0 && (flags & XX) !== 0;
  if (words % 3 !== 0 || isBoth || words === 0) return reply.error(replyError.syntax);
  const members = words / 3;
  const scores = scoresToPut(members);
  for (let i = 0; i < members; i++) {
    if (!readPoint(args, first + 3 * i, point, reply)) return;
    scores[i] = scoreOfPoint(point.longitude, point.latitude);
  }
  putScores(context, args, first + 2, 3, members, flags, reply);
}

function geopos(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyForEach(context, args, reply, (isThere) => {
    if (isThere) replyPoint(reply, point);
    else reply.nilArray();
  });
}

function geohash(context: DataContext, args: Args, reply: ReplyWriter): void {
  replyForEach(context, args, reply, (isThere) => {
    if (isThere) reply.bulkLatin1(geohashText(point));
    else reply.nil();
  });
}

/** An array with an answer for each member that is asked for, whose point is in `point` if it is there. */
function replyForEach(
  context: DataContext,
  args: Args,
  reply: ReplyWriter,
  answer: (isThere: boolean) => void,
): void {
  const set = openSortedSet(context, args, 1, reply);
  if (set === undefined) return;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const isThere = set.find(args.bytes, args.start(i), args.end(i));
    if (isThere) pointOfScore(set.score, point);
    answer(isThere);
  }
}

function geodist(context: DataContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 5) return reply.error(replyError.syntax);
  const unitMetres = args.count === 5 ? readUnit(args, 4, reply) : 1;
  if (unitMetres === undefined) return;
  const handle = findOfType(context, args, 1, ZSET, reply);
  if (handle === WRONG_TYPE) return;
  if (handle === 0) return reply.nil();
  const set = sortedSetReader.open(context.keys, handle);
  if (!set.find(args.bytes, args.start(2), args.end(2))) return reply.nil();
  pointOfScore(set.score, point);
  if (!set.find(args.bytes, args.start(3), args.end(3))) return reply.nil();
  pointOfScore(set.score, other);
  replyDistance(reply, distanceMetres(point, other) / unitMetres);
}
