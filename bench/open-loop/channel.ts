// What the generator needs of a connection, whatever is spoken on it.

export interface Channel {
  /** Requests without a reply. */
  readonly outstanding: number;
  /** Queues one request; flush() sends what is queued. `atUs` comes back with the reply. */
  queue(key: number, isWrite: boolean, atUs: number): void;
  flush(): void;
}

/** `what`: of a reply that is not right, the request's kind and the reply. */
export type OnReply = (atUs: number, isRight: boolean, what: string) => void;

export interface Listener {
  readonly onReply: OnReply;
  /** After the replies that came together. */
  readonly onBatch?: ((channel: Channel) => void) | undefined;
}

const KEY_DIGITS = 12;

/** "key:000000000042": 16 bytes. */
export const keyOf = (i: number): string => `key:${String(i).padStart(KEY_DIGITS, "0")}`;
