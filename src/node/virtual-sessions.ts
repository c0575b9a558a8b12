// The leader's side of DESIGN section 7: sessions whose clients are connected to another node. Requests come
// in as raw commands, replies go back with the number of commands they answer. A node that does not lead
// (any more) hands back at once what it has not begun: never a second hop.

import { LINK_WAITING_BYTES, PROXIED_SESSIONS_MAX, SHARED_BYTES_LEAST } from "../base/limits.ts";
import {
  type ProxyReply,
  type ProxyRequest,
  WAIT_END_ERROR,
  WAIT_END_NONE,
} from "../wire/cluster-messages.ts";
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
  #reported = 0;
  readonly id: number;
  readonly member: number;
  readonly #replies: ProxyReplies;

  constructor(id: number, generation: number, member: number, address: string, replies: ProxyReplies) {
    this.id = id;
    this.generation = generation;
    this.address = address;
    this.member = member;
    this.#replies = replies;
  }

  /** What waits for the link of all its sessions, if that is too much: their replies then gather in them, as behind a slow socket. */
  get pendingBytes(): number {
    const bytes = this.#replies.queuedReplyBytes(this.member);
    return bytes > LINK_WAITING_BYTES ? bytes : 0;
  }

  /** A long reply goes on in the memory that it is in, which is the frame's from here on. */
  write(buffer: Buffer, length: number): boolean {
    const total = this.session?.commandCountTotal ?? 0;
    const completed = total - this.#reported;
    this.#reported = total;
    const isShared = length >= SHARED_BYTES_LEAST;
    const replies = buffer.subarray(0, length);
    this.#send(isShared ? replies : Buffer.from(replies), completed, false, false);
    return !isShared;
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
      session.noTouch = client.noTouch;
      session.lastWriteIndex = Math.max(session.lastWriteIndex, client.lastWriteIndex);
    }
    session.database = request.database;
    session.protocol = request.protocol === 3 ? 3 : 2;
    session.replyMode = request.muted ? "off" : "on";
    session.waitEnd = request.waitEnd ?? WAIT_END_NONE;
    session.receive(request.commands, 0, request.commands.length);
    if (request.waitEnd !== null) session.unblock(request.waitEnd === WAIT_END_ERROR);
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
      for (const { session } of sessions.values()) {
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
    const connection = new VirtualConnection(
      request.sessionId,
      request.generation,
      member,
      `proxied:${request.sessionId}`,
      this.#replies,
    );
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
  }
}
