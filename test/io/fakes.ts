// A node that only writes down what it is told.

import type {
  ClientConnection,
  ClientHandler,
  LinkDown,
  Log,
  NodeInputs,
  PeerIdentity,
  PeerLink,
  Pulse,
  SnapshotReceiver,
  SnapshotStreamIn,
} from "../../src/node/ports.ts";

export class FakeLog implements Log {
  readonly lines: string[] = [];
  debug(): void {}
  info(_fields: object, text: string): void {
    this.lines.push(text);
  }
  warn(fields: object, text: string): void {
    this.lines.push(`${text} ${JSON.stringify(fields)}`);
  }
  error(fields: object, text: string): void {
    this.lines.push(`${text} ${JSON.stringify(fields)}`);
  }
  setLevel(): void {}
}

/** Keeps what a client sent; `onReceive` may act on it. */
export class FakeHandler implements ClientHandler {
  readonly connection: ClientConnection;
  text = "";
  receivedBytes = 0;
  writableCount = 0;
  endedCount = 0;
  closedCount = 0;
  onEnded: (() => void) | undefined;
  onReceive: ((text: string) => void) | undefined;

  constructor(connection: ClientConnection) {
    this.connection = connection;
  }
  receive(buffer: Buffer, from: number, to: number): void {
    const text = buffer.toString("latin1", from, to);
    this.receivedBytes += to - from;
    if (this.text.length < 1 << 16) this.text += text;
    this.onReceive?.(text);
  }
  writable(): void {
    this.writableCount++;
  }
  ended(): void {
    this.endedCount++;
    this.onEnded?.();
    this.connection.end();
  }
  closed(): void {
    this.closedCount++;
  }
}

export class FakeNode implements NodeInputs {
  readonly clients: FakeHandler[] = [];
  onClient: ((handler: FakeHandler) => void) | undefined;
  /** "up 5", "down 5 reset", "refused 5 unreachable text": by link id. */
  readonly linkNews: string[] = [];
  readonly upLinks: PeerLink[] = [];
  readonly frames: { readonly link: PeerLink; readonly frame: Buffer }[] = [];
  onLinkUp: ((link: PeerLink) => void) | undefined;
  onSnapshot: ((stream: SnapshotStreamIn, header: Buffer) => SnapshotReceiver | undefined) | undefined;
  readonly ticks: number[] = [];
  /** "n1 term 1 leader 2", "n1 lost reset". */
  readonly pulses: string[] = [];

  clientConnected(connection: ClientConnection): ClientHandler {
    const handler = new FakeHandler(connection);
    this.clients.push(handler);
    this.onClient?.(handler);
    return handler;
  }
  linkUp(link: PeerLink): void {
    this.linkNews.push(`up ${link.id}`);
    this.upLinks.push(link);
    this.onLinkUp?.(link);
  }
  linkDown(link: PeerLink, how: LinkDown): void {
    this.linkNews.push(`down ${link.id} ${how}`);
  }
  linkRefused(link: PeerLink, how: LinkDown, text: string): void {
    this.linkNews.push(`refused ${link.id} ${how} ${text}`);
  }
  peerFrame(link: PeerLink, frame: Buffer): void {
    this.frames.push({ link, frame });
  }
  pulse(from: PeerIdentity, { term, leader }: Pulse): void {
    this.pulses.push(`${from.name} term ${term} leader ${leader}`);
  }
  pulseLost(from: PeerIdentity, how: LinkDown): void {
    this.pulses.push(`${from.name} lost ${how}`);
  }
  snapshotOffered(stream: SnapshotStreamIn, header: Buffer): SnapshotReceiver | undefined {
    return this.onSnapshot?.(stream, header);
  }
  restTicks(): number {
    return 1;
  }

  turn(_nowMonotonicMs: number, _nowWallMs: number, ticks: number): void {
    this.ticks.push(ticks);
  }
  shutdown(): void {}
}
