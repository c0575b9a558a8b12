// What is known of a client beside its bytes: the plain fields that commands, CLIENT LIST and batches read and
// write, and what follows from them. It changes nothing by itself.

import type { ClientKind, ReplyMode } from "../command/local-context.ts";
import { rows } from "../command/lookup.ts";
import { WAIT_END_NONE, type WaitEnd } from "../wire/cluster-messages.ts";
import type { Wait } from "./blocked-clients.ts";
import { UNREAD_OUTPUT_BYTES_MAX } from "./holds.ts";
import type { ClientConnection } from "./ports.ts";
import type { ProxyNotes } from "./proxy-notes.ts";
import type { Plan, Transaction } from "./transaction.ts";
import type { Lag } from "./up-to-date.ts";

export class SessionFields {
  readonly connection: ClientConnection;
  lastActiveMs = 0;
  name = "";
  libName = "";
  libVersion = "";
  database = 0;
  protocol: 2 | 3 = 2;
  authenticated = false;
  noEvict = false;
  noTouch = false;
  readOnly = false;
  replyMode: ReplyMode = "on";
  skipNextReply = false;
  monitor = false;
  lastWriteIndex = 0;
  commandCountTotal = 0;
  inputBytesTotal = 0;
  outputBytesTotal = 0;
  closing = false;
  /** The client has closed its side: what it has sent is answered, and that is all. */
  inputEnded = false;
  gone = false;
  /** Row of the last command that was looked up; -1 before the first. */
  lastRowId = -1;
  /** Nothing is written for it any more. */
  silenced = false;

  /** Replies not handed to the connection yet; owned by ReplyOutput while it is attached. */
  output: Buffer | undefined;
  outputLength = 0;
  dirty = false;
  /** Commands in batches or with the leader that are not answered yet. */
  outstanding = 0;
  /** Those since there were none that answer with data. */
  dataAhead = 0;
  /** The last replies were long, each; or there were none yet, and nobody knows how long they will be. */
  repliesAreLong = true;
  /** A virtual session whose node is to take back what was not executed, once the rest is answered. */
  handBackWhenDrained = false;
  /** Those of them that were passed to another node and are answered there. */
  forwarded = 0;

  // Written by service/subscriptions.ts.
  kind: ClientKind = "normal";
  channelCount = 0;
  patternCount = 0;
  shardChannelCount = 0;
  /** Its next command waits until this node has applied what was answered before. */
  lag: Lag | undefined;

  /** Between MULTI and EXEC. */
  inTransaction = false;
  /** Made by the first MULTI or WATCH. */
  transaction: Transaction | undefined;
  /** Of the EXEC that is on its way, when its reply is not to go out as it comes. */
  plan: Plan | undefined;
  /** How its WAIT is to end, if not by itself: wherever that waits, at whichever leader. */
  waitEnd: WaitEnd = WAIT_END_NONE;
  /** Its command that waits for a key. */
  wait: Wait | undefined;
  /** Of a virtual session: what its client's node is to count. */
  notes: ProxyNotes | undefined;
  /** All that comes in is of a node, not of a client. */
  isOfNode = false;
  /** The command being parsed is of a node, not of a client: it may be a log form. */
  inLogForm = false;

  constructor(connection: ClientConnection) {
    this.connection = connection;
  }

  get fileDescriptor(): number {
    return this.connection.fileDescriptor;
  }

  get address(): string {
    return this.connection.address;
  }

  get localAddress(): string {
    return this.connection.localAddress;
  }

  get lastCommandName(): string {
    return rows[this.lastRowId]?.name ?? "NULL";
  }

  get queuedBytes(): number {
    return this.transaction?.byteCount ?? 0;
  }

  /** So much is made for it before it is sent. */
  get windowBytes(): number {
    return this.connection.windowBytes ?? UNREAD_OUTPUT_BYTES_MAX;
  }

  get outputBufferBytes(): number {
    return this.outputLength + this.connection.pendingBytes;
  }
}
