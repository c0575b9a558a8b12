// The leader's side of DESIGN section 7: sessions whose clients are connected to another node. Requests come
// in as raw commands, replies go back with the number of commands they answer. A node that does not lead
// (any more) hands back at once what it has not begun: never a second hop.

import {
  LINK_UNTAKEN_BYTES,
  LINK_WAITING_BYTES,
  PROXIED_REPLIES_PER_TURN_BYTES,
  PROXIED_SESSIONS_MAX,
  REPLY_WINDOW_BYTES,
  REPLY_WINDOW_BYTES_LEAST,
  SHARED_BYTES_LEAST,
} from "../base/limits.ts";
import {
  type ProxyReply,
  type ProxyRequest,
  WAIT_END_ERROR,
  WAIT_END_NONE,
} from "../wire/cluster-messages.ts";
import { HOLD_OUTPUT } from "./holds.ts";
import type { SeshatNode } from "./node.ts";
import type { ClientConnection } from "./ports.ts";
import { ProxyNotes } from "./proxy-notes.ts";
import { MODE_LEADER } from "./replica.ts";
import { Session } from "./session.ts";

const NO_BYTES = Buffer.alloc(0);

export interface ProxyReplies {
  proxyReply(member: number, reply: ProxyReply): void;
  /** Bytes of replies that wait to go to the member. */
  queuedReplyBytes(member: number): number;
}

/** What the clients of one member have not taken of their replies, of all sessions together. */
interface Untaken {
  bytes: number;
}

/** Stands in for the socket: what the session writes becomes a reply message. */
class VirtualConnection implements ClientConnection {
  readonly fileDescriptor = -1;
  /** The client's, once its node has said it. */
  address: string;
  readonly notes = new ProxyNotes();
  readonly localAddress = "";
  readonly isLoopback = false;
  session: Session | undefined;
  /** Of the commands being worked on; what is handed back ends it, and late ones of it are ignored. */
  readonly generation: number;
  endedGeneration = 0;
  /** The client's node says how much the client takes. */
  reportsTaken = false;
  /** Bytes of replies that are on their way to the client, or wait for the client at the client's node. */
  #untakenBytes = 0;
  readonly #untakenOfAll: Untaken;
  #reported = 0;
  readonly id: number;
  readonly member: number;
  readonly #replies: ProxyReplies;

  constructor(request: ProxyRequest, member: number, untakenOfAll: Untaken, replies: ProxyReplies) {
    this.id = request.sessionId;
    this.generation = request.generation;
    this.address = `proxied:${this.id}`;
    this.member = member;
    this.#untakenOfAll = untakenOfAll;
    this.#replies = replies;
  }

  get windowBytes(): number {
    return this.#untakenOfAll.bytes > LINK_UNTAKEN_BYTES ? REPLY_WINDOW_BYTES_LEAST : REPLY_WINDOW_BYTES;
  }

  /**
   * What the client has not taken, or what waits for the link of all sessions, if that is too much: replies then gather in
   * the session, as behind a slow socket.
   */
  get pendingBytes(): number {
    if (this.#untakenBytes > this.windowBytes) return this.#untakenBytes;
    const bytes = this.#replies.queuedReplyBytes(this.member);
    return bytes > LINK_WAITING_BYTES ? bytes : 0;
  }

  /** A long reply goes on in the memory that it is in, which is the frame's from here on. */
  write(buffer: Buffer, length: number): boolean {
    const total = this.session?.commandCountTotal ?? 0;
    const completed = total - this.#reported;
    this.#reported = total;
    const isShared = length >= SHARED_BYTES_LEAST;
    if (this.reportsTaken) {
      this.#untakenBytes += length;
      this.#untakenOfAll.bytes += length;
    }
    const replies = buffer.subarray(0, length);
    this.#send(isShared ? replies : Buffer.from(replies), completed, false, false);
    return !isShared;
  }

  /** The client has taken so much more. Reports from before forget() may say more than there is. */
  taken(bytes: number): void {
    const takenBytes = Math.min(bytes, this.#untakenBytes);
    this.#untakenBytes -= takenBytes;
    this.#untakenOfAll.bytes -= takenBytes;
  }

  /** Nobody waits for the client any more. */
  forget(): void {
    this.taken(this.#untakenBytes);
  }

  handBack(): void {
    this.endedGeneration = this.generation;
    this.#send(NO_BYTES, 0, true, false);
  }

  pauseReading(): void {}
  resumeReading(): void {}

  end(): void {
    this.#close();
  }

  destroy(): void {
    this.#close();
  }

  #close(): void {
    this.#send(NO_BYTES, 0, false, true);
  }

  #send(replies: Buffer, completed: number, notLeader: boolean, close: boolean): void {
    const { id: sessionId, generation, session } = this;
    const { times, failures } = this.notes.take(this.#reported);
    const lastWriteIndex = session?.lastWriteIndex ?? 0;
    const end = { notLeader, close, lastWriteIndex, times, failures };
    this.#replies.proxyReply(this.member, { sessionId, generation, replies, completed, ...end });
  }
}

interface Entry {
  readonly session: Session;
  readonly connection: VirtualConnection;
}

export class VirtualSessions {
  readonly #node: SeshatNode;
  readonly #replies: ProxyReplies;
  readonly #members = new Map<number, Map<number, Entry>>();
  readonly #untaken = new Map<number, Untaken>();
  /** Of replies that were made in this turn. */
  #madeBytes = 0;
  readonly #waiting = new Set<Session>();

  constructor(node: SeshatNode, replies: ProxyReplies) {
    this.#node = node;
    this.#replies = replies;
  }

  get count(): number {
    let count = 0;
    for (const sessions of this.#members.values()) count += sessions.size;
    return count;
  }

  /** Of a member's requests: for databases that are not there, or of more clients than a node may have. */
  problem(member: number, requests: readonly ProxyRequest[]): string | undefined {
    if (requests.length === 0) return undefined;
    const { length } = this.#node.replica.machine.store.databases;
    const wrong = requests.find(({ database }) => database >= length);
    if (wrong !== undefined) return `a command for database ${wrong.database} of ${length}`;
    const count = (this.#members.get(member)?.size ?? 0) + requests.length;
    return count > PROXIED_SESSIONS_MAX ? `commands of more than ${PROXIED_SESSIONS_MAX} clients` : undefined;
  }

  request(member: number, request: ProxyRequest): void {
    if (request.closed) return this.#close(member, request.sessionId);
    if (request.takenBytes > 0) this.#taken(member, request);
    if (request.commands.length === 0 && request.waitEnd === null) return;
    const { session, connection } = this.#entry(member, request);
    if (request.generation <= connection.endedGeneration || request.generation < connection.generation)
      return;
    // All that is not answered will be handed back, and this with it.
    if (session.handBackWhenDrained) return;
    if (this.#node.replica.mode !== MODE_LEADER) {
      this.#handBackLater(session);
      return;
    }
    const { client } = request;
    if (client !== null) {
      connection.address = client.address;
      connection.notes.timesAll = client.timesAll;
      connection.reportsTaken = client.reportsTaken;
      session.noTouch = client.noTouch;
      session.lastWriteIndex = Math.max(session.lastWriteIndex, client.lastWriteIndex);
    }
    session.database = request.database;
    session.protocol = request.protocol === 3 ? 3 : 2;
    session.replyMode = request.muted ? "off" : "on";
    session.waitEnd = request.waitEnd ?? WAIT_END_NONE;
    if (connection.pendingBytes > 0 || !this.mayRun) this.#holdBack(session);
    session.receive(request.commands, 0, request.commands.length);
    if (request.waitEnd !== null) session.unblock(request.waitEnd === WAIT_END_ERROR);
  }

  /** What waits for another reason goes on waiting for that. */
  #holdBack(session: Session): void {
    if (!session.isHeld) session.setHold(HOLD_OUTPUT);
  }

  #taken(member: number, { sessionId, generation, takenBytes }: ProxyRequest): void {
    const connection = this.#members.get(member)?.get(sessionId)?.connection;
    if (connection?.generation === generation) connection.taken(takenBytes);
  }

  /** Has this turn room for more replies? If not, whoever asks is asked again in the next turn. */
  get mayRun(): boolean {
    if (this.#madeBytes <= PROXIED_REPLIES_PER_TURN_BYTES) return true;
    this.#node.requestTurn();
    return false;
  }

  /** Commands of the session have run, and perhaps left replies in the output of the session. */
  ran(session: Session): void {
    this.#node.output.detach();
    this.#madeBytes += session.outputLength;
  }

  /** The node of this session's client sent a command that no node passes on. */
  rejected(session: Session, problem: string): void {
    session.close(false);
    if (session.connection instanceof VirtualConnection) {
      this.#node.cluster.reject(session.connection.member, problem);
    }
  }

  /** Leadership is gone: what no batch holds yet goes back to where it came from. */
  handBack(): void {
    for (const sessions of this.#members.values()) {
      for (const { session, connection } of sessions.values()) {
        // Nothing more is carried out here: what is answered may go, however slow the client is.
        connection.forget();
        if (session.queryBufferBytes === 0) continue;
        session.dropInput();
        this.#handBackLater(session);
      }
    }
  }

  /** Behind all its answers: those still to be made, and those of this turn that wait in its output. */
  #handBackLater(session: Session): void {
    session.handBackWhenDrained = true;
    this.#node.output.attach(session, session.protocol, false);
  }

  /** Once a turn: sessions whose replies waited for the link, as far as it takes them now. */
  drain(): void {
    this.#madeBytes = 0;
    for (const session of this.#waiting) {
      if (!session.gone && session.connection.pendingBytes > 0) continue;
      this.#waiting.delete(session);
      if (!session.gone) session.writable();
    }
  }

  /** The session's replies wait for the link. */
  wait(session: Session): void {
    this.#waiting.add(session);
  }

  handBackOne(session: Session): void {
    if (session.connection instanceof VirtualConnection) session.connection.handBack();
  }

  /** The node that they belong to cannot be reached: its clients have been told so by it. */
  memberLost(member: number): void {
    const sessions = this.#members.get(member);
    if (sessions === undefined) return;
    this.#members.delete(member);
    this.#untaken.delete(member);
    for (const { session } of sessions.values()) session.closed();
  }

  #entry(member: number, request: ProxyRequest): Entry {
    let sessions = this.#members.get(member);
    if (sessions === undefined) {
      sessions = new Map();
      this.#members.set(member, sessions);
    }
    const known = sessions.get(request.sessionId);
    if (known !== undefined && known.connection.generation >= request.generation) return known;
    // Nobody waits for the answers to earlier generations any more. They must not be counted as this one's.
    known?.session.closed();
    known?.connection.forget();
    let untaken = this.#untaken.get(member);
    if (untaken === undefined) {
      untaken = { bytes: 0 };
      this.#untaken.set(member, untaken);
    }
    const connection = new VirtualConnection(request, member, untaken, this.#replies);
    const session = new Session(this.#node, connection, true);
    connection.session = session;
    session.notes = connection.notes;
    const entry = { session, connection };
    sessions.set(request.sessionId, entry);
    return entry;
  }

  #close(member: number, sessionId: number): void {
    const sessions = this.#members.get(member);
    const entry = sessions?.get(sessionId);
    if (entry === undefined) return;
    sessions!.delete(sessionId);
    entry.session.closed();
    entry.connection.forget();
  }
}
