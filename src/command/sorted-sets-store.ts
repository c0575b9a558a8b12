// Where commands that make a sorted set put it: at their destination key, or nothing at all there.

import type { Args } from "../base/args.ts";
import { SortedSetDraft } from "../store/sorted-set-draft.ts";
import type { SortedSetReader } from "../store/sorted-set-reader.ts";
import { EVENT_GENERIC, EVENT_SORTED_SET, notifyKey } from "./notify.ts";
import type { DataContext } from "./types.ts";

export const sortedSetDraft = new SortedSetDraft();

/** Puts the draft at the key in argument `index`; an empty one removes it. Returns how many members there are. */
export function storeDraft(context: DataContext, args: Args, index: number, event: string): number {
  const { keys } = context;
  const start = args.start(index);
  const end = args.end(index);
  const { count } = sortedSetDraft;
  if (count > 0) {
    sortedSetDraft.put(keys, args.bytes, start, end);
    notifyKey(context, args, index, EVENT_SORTED_SET, event);
  } else if (keys.remove(args.bytes, start, end)) {
    notifyKey(context, args, index, EVENT_GENERIC, "del");
  }
  return count;
}

/**
 * The same with `count` members of a set, from rank `first` on, downwards if `isReverse`. Redis knows the count
 * beforehand if the range is one of ranks: see SortedSetDraft.begin.
 */
export function storeSortedSet(
  context: DataContext,
  args: Args,
  index: number,
  set: SortedSetReader,
  first: number,
  count: number,
  isReverse: boolean,
  isByRank: boolean,
  event: string,
): number {
  sortedSetDraft.begin(context.store.thresholds, context.store.hashSeed, isByRank ? count : 0);
  if (isReverse) sortedSetDraft.descend();
  if (count > 0) set.goTo(first);
  for (let left = count; left > 0; left--) {
    sortedSetDraft.append(set.score, set.bytes, set.start, set.end);
    if (isReverse) set.previous();
    else set.next();
  }
  return storeDraft(context, args, index, event);
}
