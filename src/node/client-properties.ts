// What is known of a client, and where it counts when the client's commands run at the leader (docs/adr/0026). A list that
// the compiler holds complete: who adds a field to Client says here what becomes of it on a follower.

import type { Client } from "../command/local-context.ts";
import type { ProxyClient } from "../wire/cluster-messages.ts";

type Facts = {
  [K in keyof Client]: Client[K] extends (...args: never[]) => unknown ? never : K;
}[keyof Client];

/**
 * "sent": goes with each request. "told": goes along when the leader does not know it yet, or it has changed. "own": decides
 * what this node does itself, before a command is passed on or after it is answered; the leader need not know.
 */
type Where = "sent" | "told" | "own";

export const CLIENT_PROPERTIES = {
  database: "sent",
  protocol: "sent",
  replyMode: "sent",
  address: "told",
  noTouch: "told",
  lastWriteIndex: "told",
  id: "own",
  localAddress: "own",
  fileDescriptor: "own",
  connectedAtMs: "own",
  lastActiveMs: "own",
  name: "own",
  libName: "own",
  libVersion: "own",
  authenticated: "own",
  noEvict: "own",
  readOnly: "own",
  skipNextReply: "own",
  monitor: "own",
  kind: "own",
  blocked: "own",
  closing: "own",
  inTransaction: "own",
  watchDirty: "own",
  queuedCommandCount: "own",
  watchedKeyCount: "own",
  channelCount: "own",
  patternCount: "own",
  shardChannelCount: "own",
  lastCommandName: "own",
  inputBytesTotal: "own",
  outputBytesTotal: "own",
  commandCountTotal: "own",
  argumentBytes: "own",
  queuedBytes: "own",
  queryBufferBytes: "own",
  queryBufferFreeBytes: "own",
  outputBufferBytes: "own",
} as const satisfies Record<Facts, Where>;

type Told = {
  [K in keyof typeof CLIENT_PROPERTIES]: (typeof CLIENT_PROPERTIES)[K] extends "told" ? K : never;
}[keyof typeof CLIENT_PROPERTIES];

/** What a leader has been told of a client, and by which sending. */
export interface ToldClient {
  readonly member: number;
  readonly generation: number;
  readonly client: ProxyClient;
}

/** What the leader is to be told now; null: nothing that it does not know. */
export function newsOf(
  session: Pick<Client, Told>,
  timesAll: boolean,
  told: ToldClient | undefined,
  member: number,
  generation: number,
): ProxyClient | null {
  const { noTouch, lastWriteIndex } = session;
  // A leader that begins with a client, or anew, knows nothing.
  const known = told?.member === member && told.generation === generation ? told.client : undefined;
  const isKnown =
    known !== undefined &&
    known.noTouch === noTouch &&
    known.timesAll === timesAll &&
    known.lastWriteIndex >= lastWriteIndex;
  return isKnown ? null : { address: session.address, noTouch, lastWriteIndex, timesAll, reportsTaken: true };
}
