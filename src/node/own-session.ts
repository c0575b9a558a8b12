// A session that the node has with itself, without a client: what it sends goes the way of any client's commands, to the leader
// wherever that is, in order. Commands in, replies out to whoever made it.

import type { SeshatNode } from "./node.ts";
import type { ClientConnection } from "./ports.ts";
import { Session } from "./session.ts";

export type HearReplies = (bytes: Buffer, length: number) => void;

class OwnConnection implements ClientConnection {
  readonly fileDescriptor = -1;
  readonly id: number;
  readonly address = "";
  readonly localAddress = "";
  readonly isLoopback = true;
  readonly pendingBytes = 0;
  readonly #hear: HearReplies;

  constructor(id: number, hear: HearReplies) {
    this.id = id;
    this.#hear = hear;
  }

  write(buffer: Buffer, length: number): boolean {
    this.#hear(buffer, length);
    return true;
  }

  pauseReading(): void {}
  resumeReading(): void {}
  end(): void {}
  destroy(): void {}
}

/** It may send log forms. `hear` gets replies as they come, cut anywhere. */
export function ownSession(node: SeshatNode, id: number, hear: HearReplies): Session {
  const session = new Session(node, new OwnConnection(id, hear), false);
  session.authenticated = true;
  session.authenticationChanged();
  session.isOfNode = true;
  session.inLogForm = true;
  return session;
}

/** Is nothing of it on its way or waiting? */
export const isIdle = (session: Session): boolean =>
  session.outstanding === 0 && session.queryBufferBytes === 0;
