// Finding a key that must hold one type, with the answer for when it holds another.

import type { Args } from "../base/args.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { ValueType } from "../store/types.ts";
import { replyError } from "./errors.ts";
import type { DataContext } from "./types.ts";

/** The key holds another type, and WRONGTYPE has been answered. */
export const WRONG_TYPE = -1;

/** The handle of the key in argument `index`, 0 if it is absent, or WRONG_TYPE. Notes the access. */
export function findOfType(
  context: DataContext,
  args: Args,
  index: number,
  type: ValueType,
  reply: ReplyWriter,
): number {
  const { keys } = context;
  const handle = keys.find(args.bytes, args.start(index), args.end(index));
  if (handle === 0 || keys.typeOf(handle) === type) return handle;
  reply.error(replyError.wrongType);
  return WRONG_TYPE;
}
