// What a node tells a peer of its clients' subscriptions. Values in, protobuf objects out, and back with every kind
// and number checked.

import { bytes, kind, namesByNumber, safeInteger } from "./decode.ts";
import type { seshat } from "./generated/seshat.js";

export type SubscriptionKind = "channel" | "pattern" | "shard";

export interface SubscriptionCount {
  readonly kind: SubscriptionKind;
  readonly name: Buffer;
  /** Clients; 0 = none any more. */
  readonly count: number;
}

export interface SubscriptionCounts {
  readonly counts: readonly SubscriptionCount[];
}

const NUMBERS: Readonly<Record<SubscriptionKind, number>> = { channel: 0, pattern: 1, shard: 2 };
const NAMES = namesByNumber(NUMBERS);

/** Bytes of the encoded message at most. */
export function subscriptionCountsBytesMax({ counts }: SubscriptionCounts): number {
  let sum = 16;
  for (const { name } of counts) sum += 32 + name.length;
  return sum;
}

export function subscriptionCountsToWire({
  counts,
}: SubscriptionCounts): seshat.SubscriptionCounts.$Properties {
  return { counts: counts.map((it) => ({ kind: NUMBERS[it.kind], name: it.name, count: it.count })) };
}

export function subscriptionCountsFromWire(wire: seshat.SubscriptionCounts.$Properties): SubscriptionCounts {
  return {
    counts: (wire.counts ?? []).map((it) => ({
      kind: kind(NAMES, it.kind, "subscription kind"),
      name: bytes(it.name),
      count: safeInteger(it.count, "subscribers"),
    })),
  };
}
