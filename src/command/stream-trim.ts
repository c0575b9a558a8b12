// How XADD and XTRIM are told what to remove, and what id a new entry gets.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Integer64, Stream } from "../store/stream.ts";
import { StreamId } from "../store/stream-id.ts";
import type { Thresholds } from "../store/thresholds.ts";
import { replyError } from "./errors.ts";
import { integerAt } from "./parse-integer.ts";
import { hasSequence, parseNewId, parseStrictId } from "./parse-stream-id.ts";

const LIMIT_NODES = 100;
const LIMIT_IF_UNLIMITED = 10_000;
const LIMIT_MAX = 1_000_000;

/** One object, used again: what the arguments of the running command say. */
export const trimming = {
  kind: "none" as "none" | "maxlen" | "minid",
  isApproximate: false,
  lengthMax: 0 as Integer64,
  minId: new StreamId(),
  /** Entries to remove at most; 0 = no limit. */
  limit: 0 as Integer64,

  // XADD only
  mustExist: false,
  /** "auto": "*". "open": "ms-*". "whole": all of it is given. */
  idForm: "auto" as "auto" | "open" | "whole",
  id: new StreamId(),
  /** The argument with the id. */
  idIndex: 0,
};

/** Reads the options before XADD's id, or all of XTRIM's, into `trimming`. False after an error was replied. */
export function parseTrimming(
  args: Args,
  isAdd: boolean,
  thresholds: Thresholds,
  reply: ReplyWriter,
): boolean {
  const options = trimming;
  options.kind = "none";
  options.isApproximate = options.mustExist = false;
  options.lengthMax = options.limit = 0;
  options.idForm = "auto";
  const problem = parseOptions(args, isAdd, thresholds);
  if (problem === undefined) return true;
  reply.error(problem);
  return false;
}

/** The error's text, if there is one. */
function parseOptions(args: Args, isAdd: boolean, thresholds: Thresholds): string | undefined {
  const options = trimming;
  let hasLimit = false;
  let i = 2;
  for (; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (isAdd && args.is(i, "*")) break;
    if (hasMore && (args.is(i, "MAXLEN") || args.is(i, "MINID"))) {
      if (options.kind !== "none") return replyError.trimTwice;
      options.kind = args.is(i, "MAXLEN") ? "maxlen" : "minid";
      options.isApproximate = i + 2 < args.count && args.is(i + 1, "~");
      if (i + 2 < args.count && (options.isApproximate || args.is(i + 1, "="))) i++;
      i++;
      const problem = parseThreshold(args, i);
      if (problem !== undefined) return problem;
    } else if (hasMore && args.is(i, "LIMIT")) {
      i++;
      const limit = integerAt(args, i);
      if (limit === undefined) return replyError.notInteger;
      if (limit < 0) return replyError.trimLimitNegative;
      options.limit = limit;
      hasLimit = true;
    } else if (!isAdd) {
      return replyError.syntax;
    } else if (args.is(i, "NOMKSTREAM")) {
      options.mustExist = true;
    } else {
      if (!parseNewId(args, i, options.id)) return replyError.streamId;
      options.idForm = hasSequence ? "whole" : "open";
      break;
    }
  }
  options.idIndex = i;
  if (options.limit !== 0 && options.kind === "none") return replyError.trimLimitAlone;
  if (!isAdd && options.kind === "none") return replyError.trimNone;
  if (hasLimit) return options.isApproximate ? undefined : replyError.trimLimitExact;
  if (options.isApproximate) options.limit = defaultLimit(thresholds);
  return undefined;
}

function parseThreshold(args: Args, index: number): string | undefined {
  if (trimming.kind === "minid")
    return parseStrictId(args, index, trimming.minId) ? undefined : replyError.streamId;
  const lengthMax = integerAt(args, index);
  if (lengthMax === undefined) return replyError.notInteger;
  if (lengthMax < 0) return replyError.trimMaxlenNegative;
  trimming.lengthMax = lengthMax;
  return undefined;
}

/** So many nodes' worth, as in Redis. */
function defaultLimit({ streamNodeEntriesMax }: Thresholds): number {
  const limit = LIMIT_NODES * streamNodeEntriesMax;
  return limit <= 0 ? LIMIT_IF_UNLIMITED : Math.min(limit, LIMIT_MAX);
}

/** Removes what `trimming` says; returns how many entries. */
export function trim(stream: Stream): number {
  const { kind, lengthMax, minId, isApproximate, limit } = trimming;
  if (kind === "none") return 0;
  return stream.trim(lengthMax, kind === "minid" ? minId : undefined, isApproximate, limit);
}

/** The id that XADD means, into `into`. False if it is not larger than the last one. */
export function newId(lastId: StreamId, nowMs: number, into: StreamId): boolean {
  if (trimming.idForm === "whole") {
    into.set(trimming.id);
  } else {
    if (trimming.idForm === "open") into.set(trimming.id);
    else into.setNumbers(nowMs, 0);
    const difference = into.msHigh - lastId.msHigh || into.msLow - lastId.msLow;
    // A clock that has been passed does not lead back; a given time does, which is refused.
    const goesOn = trimming.idForm === "open" ? difference === 0 : difference <= 0;
    if (goesOn) {
      const { msHigh, msLow } = lastId;
      into.set(lastId).increment();
      if (trimming.idForm === "open" && (into.msHigh !== msHigh || into.msLow !== msLow)) return false;
    }
  }
  return into.compare(lastId) > 0;
}
