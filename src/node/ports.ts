// Everything a node needs from the outside world, and everything the outside world may tell it.
// io/ implements this with sockets and timers, the simulator with a seed. All calls are synchronous and
// nothing is called back from inside an outgoing call: news about a call arrive later, as an input.
//
//     sockets, timers ──> NodeInputs ──> node/ ──> Ports ──> sockets, timers

// ---------------------------------------------------------------------------------------------------------
// Inputs: node/ implements these, io/ calls them.

export interface NodeInputs {
  /** A client was accepted (within maxclients). What it sends goes to the handler that is returned. */
  clientConnected(connection: ClientConnection): ClientHandler;

  /** The link has shaken hands: `link.remote` is known and checked. For links we opened and for accepted ones. */
  linkUp(link: PeerLink): void;
  /**
   * The link is gone. Reported once for each linkUp, at once when the other side resets or closes. A link from
   * `open()` is dialled again by io with a backoff until `close()`; an accepted one never comes back.
   * @param text for an operator
   */
  linkDown(link: PeerLink, how: LinkDown, text?: string): void;
  /**
   * We dialled and got no further: nobody listens, the other side refused, wrong secret. Reported when the reason
   * changes, not for each attempt. `text` is what to show an operator.
   */
  linkRefused(link: PeerLink, how: LinkDown, text: string): void;
  /** A whole frame as `PeerLink.send` took it, length prefix included. Its memory is its own: slices may be kept. */
  peerFrame(link: PeerLink, frame: Buffer): void;

  /**
   * A peer's pulse: its event loop may be busy, and its process lives. Only when it has been late with a turn. All that
   * came before a turn is told before it.
   */
  pulse(from: PeerIdentity, pulse: Pulse): void;
  /** The connection on which its pulses came is gone. Not when it was replaced by another one, and not when we ended it. */
  pulseLost(from: PeerIdentity, how: LinkDown): void;

  /** How many ticks may pass until the next turn if nothing comes in, at least one. Asked after a turn with ticks. */
  restTicks(): number;

  /** A peer wants to send a snapshot. Undefined refuses it: the sender gets `failed`. `header` may be kept. */
  snapshotOffered(stream: SnapshotStreamIn, header: Buffer): SnapshotReceiver | undefined;

  /**
   * The end of an event-loop iteration in which requestTurn() was called, or a tick. At most once per iteration,
   * after everything that was in the sockets has been delivered.
   * @param nowMonotonicMs never goes back; fractions are meaningful; origin arbitrary
   * @param nowWallMs      Unix time in whole ms; may jump
   * @param ticks          ticks that became due, 0 to LATE_TICKS_MAX (base/limits); ticks lost in a stall beyond that are dropped
   */
  turn(nowMonotonicMs: number, nowWallMs: number, ticks: number): void;

  /** SIGTERM: hand over leadership, answer what is pending, leave; then call `Lifecycle.stopped`. Called once. */
  shutdown(): void;
}

export interface ClientHandler {
  /**
   * Bytes arrived: buffer[from, to). The buffer is shared by all connections and overwritten by the next read:
   * copy whatever outlives the call.
   */
  receive(buffer: Buffer, from: number, to: number): void;
  /** Everything that was pending has been written; only after a write() that returned false. */
  writable(): void;
  /** The client has closed its side: nothing more comes, and it may still read. Never after end() or destroy(). */
  ended(): void;
  /** The connection is gone, whoever ended it. Called exactly once, last, never from inside receive(). */
  closed(): void;
}

/** Takes one snapshot. Exactly one of `ended` and `failed` is the last call. */
export interface SnapshotReceiver {
  /** One chunk as it was written, in order. Its memory is used for the next one: what is to be kept of it is copied. */
  chunk(bytes: Buffer): void;
  /** The sender wrote all it had. True confirms the snapshot to it (`finished`), false makes its stream fail. */
  ended(): boolean;
  failed(how: LinkDown): void;
}

/** How a connection ended; "reset" and "closed" mean that the process at the other end is probably gone. */
export type LinkDown =
  | "reset" // RST or a socket error while the link was up
  | "closed" // FIN
  | "timeout" // nothing heard, not even io's keepalives
  | "overflow" // we sent more than the peer takes: the queue limit was reached
  | "garbage" // the peer sent something that is not a frame
  | "refused" // it does not want us, or we do not want it: cluster, incarnation, version, secret
  | "unreachable" // could not connect
  | "local"; // close() or destroy() on this side

// ---------------------------------------------------------------------------------------------------------
// Outputs: io/ implements these, node/ calls them.

export interface Ports {
  readonly clients: Clients;
  readonly peers: PeerTransport;
  readonly pulse: PulseThread;
  readonly buffers: BufferPool;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly host: ProcessInfo;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

/** The client listener as a whole. */
export interface Clients {
  /** Connections open now. */
  readonly count: number;
  /** Connections accepted, refused over the limit, since the start. */
  readonly acceptedCount: number;
  readonly rejectedCount: number;
  /** maxclients. Connections already there stay when it is lowered. */
  limit: number;
  /** tcp-keepalive in seconds, 0 = off. For connections accepted from now on. */
  keepAliveSeconds: number;
}

export interface ClientConnection {
  /** 1, 2, 3, ... in the order of acceptance: CLIENT ID. */
  readonly id: number;
  /** The system's number of the socket; -1 where there is none. */
  readonly fileDescriptor: number;
  /** "ip:port" of the client. Builds a string: not for the hot path. */
  readonly address: string;
  /** "ip:port" it connected to. */
  readonly localAddress: string;
  /** The client is on this machine (protected mode). */
  readonly isLoopback: boolean;
  /** Bytes handed to write() that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Of a connection that takes less than others: so much is made for it at once, and the reply that crosses the bound. */
  readonly windowBytes?: number;
  /**
   * Writes buffer[0, length). True: the kernel took everything, the buffer is the caller's again. False: io owns
   * the buffer now and releases it to the pool when it has been written or the connection is gone; writable()
   * follows when nothing is pending any more. Calls while bytes are pending are allowed and keep their order.
   * On a connection that has ended it takes nothing and returns true. Length 0 is allowed.
   * Meant for one call per connection per turn: each is a system call.
   */
  write(buffer: Buffer, length: number): boolean;
  /**
   * No more receive() until resumeReading(). The kernel's buffer fills up and the client feels it. Idempotent.
   * That a paused client has gone is noticed when it is resumed or written to.
   */
  pauseReading(): void;
  resumeReading(): void;
  /** Flushes what is pending, then closes. No receive() any more. */
  end(): void;
  /** Closes at once and drops what is pending. closed() follows, later. */
  destroy(): void;
}

/**
 * Buffers for replies, of a few size classes (powers of two), the free ones bounded in number and bytes.
 * The contents of an acquired buffer are whatever the last owner left.
 */
export interface BufferPool {
  /** A buffer of at least `bytesMin`; without it, of the smallest class. */
  acquire(bytesMin?: number): Buffer;
  /** Drops half of the free buffers that were not needed since it was asked last; how many bytes that is. */
  trim(): number;
  /** Gives a buffer back; one that is not of a size class is left to the garbage collector. Never twice. */
  release(buffer: Buffer): void;
}

/** What the other end said of itself in the handshake. */
export interface PeerIdentity {
  /** "" while it belongs to no cluster (fresh). As of the handshake. */
  readonly clusterId: string;
  readonly name: string;
  /** Where its peer port can be reached, "host:port", as it advertises it. */
  readonly address: string;
  /** Where its clients connect, "host:port". */
  readonly clientAddress: string;
  /** A name for the same, to be shown to them (cluster-announce-hostname); "" for none. */
  readonly clientHostname: string;
  /** Safe integer, 1 to 2^53 - 1; one process start. A Raft member is exactly this. */
  readonly incarnation: number;
  /** Whether its clients must give a password, as of the handshake; absent = it does not say. */
  readonly needsPassword?: boolean;
}

/**
 * Connections between nodes. Links are duplex: a node may answer on an accepted link before its own is up. Frames
 * on one link keep their order, but that urgent ones pass the others; between two links to the same peer there is no order, so keep to one.
 */
export interface PeerTransport {
  /** Ourselves, as the handshake tells others. `update` with another incarnation resets every link. */
  readonly self: PeerIdentity;
  /** Joined a cluster, or started over. Links that are up stay up when only the cluster id changes. */
  update(self: PeerIdentity): void;
  /**
   * Dials `address` ("host:port") and keeps dialling until the link is closed. `incarnation` is who must answer, or
   * 0 for whoever does. News arrive as inputs, never from inside this call.
   */
  open(address: string, incarnation: number): PeerLink;
  /**
   * A connection of its own to send one snapshot. `header` is passed to the other side's snapshotOffered. Chunks are
   * limited to SNAPSHOT_CHUNK_BYTES_MAX (base/limits).
   */
  openSnapshot(
    address: string,
    incarnation: number,
    header: Uint8Array,
    sender: SnapshotSender,
  ): SnapshotStreamOut;
}

/** What a node knew after its last turn. */
export interface Pulse {
  readonly term: number;
  /** 0 = it knew none. */
  readonly leader: number;
}

/** Tells everybody to whom a link is up that this process lives, while it is late with its turns. */
export interface PulseThread {
  /** After each turn: what is to be said if the next one is late. Nothing without a leader. */
  alive(term: number, leader: number): void;
}

export interface PeerLink {
  /** 1, 2, 3, ...: never reused in a process. */
  readonly id: number;
  /** True: from open(). False: accepted. */
  readonly outgoing: boolean;
  /** The address that was dialled, or the one the socket came from. */
  readonly address: string;
  /** Between linkUp and linkDown. */
  readonly isUp: boolean;
  /** Known from the first linkUp on. */
  readonly remote: PeerIdentity | undefined;
  /** Bytes sent and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** Bytes of long frames that the other side has received, since the link came up: what is under way is moving. */
  readonly takenBytes: number;
  /**
   * Queues one frame (made by wire/, length prefix included), in parts that follow one another; their memory is the link's until written
   * (until `queuedBytes` is 0 again) and the link never changes it, so one frame may be sent to several. Over the queue limit the link is
   * reset (linkDown "overflow"). On a link that is not up the frame is dropped: Raft repeats itself. Returns whether it was queued.
   */
  send(parts: readonly Uint8Array[]): boolean;
  /** The same for a short frame that need not stay behind those of send(), and must not wait for a long one. */
  sendUrgent(frame: Uint8Array): boolean;
  /**
   * Its end broke the protocol: the connection is gone, what is still in it is not read. One from open() is dialled
   * again, more slowly each time. linkDown("garbage") follows.
   */
  reject(problem: string): void;
  /** Ends the link for good; no dialling any more. linkDown("local") follows if it was up. */
  close(): void;
}

export interface SnapshotStreamOut {
  /** False: the connection is full, wait for drained(). The chunk is taken in any case, and all the memory it is in. */
  write(chunk: Uint8Array): boolean;
  /** The whole memory of an earlier chunk that has gone out, if there is one: the caller's until it is written again. */
  memory(): Buffer | undefined;
  /** All chunks are written: now the receiver decides, `finished` or `failed`. */
  end(): void;
  destroy(): void;
}

/** News about a snapshot being sent. Exactly one of `finished` and `failed` is the last call (none after destroy). */
export interface SnapshotSender {
  /** Connected, and each time after write() returned false: go on writing. */
  drained(): void;
  /** The receiver has confirmed it. */
  finished(): void;
  failed(how: LinkDown, text: string): void;
}

/** The receiving end of a snapshot. */
export interface SnapshotStreamIn {
  readonly remote: PeerIdentity;
  /** The sender is slowed down through TCP. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface Scheduler {
  /** turn() at the end of this event-loop iteration, once, however often it is asked for. */
  requestTurn(): void;
}

export interface Clock {
  /** Never goes back; fractions of a millisecond are meaningful. */
  monotonicMs(): number;
  /** The same clock in whole microseconds (slow log, latency). */
  monotonicUs(): number;
  /** Unix time, whole ms. */
  wallMs(): number;
  /** Unix time, whole microseconds (TIME). */
  wallUs(): number;
  /** Stops everything for so long: DEBUG SLEEP only. */
  sleep(milliseconds: number): void;
}

export interface Entropy {
  /** From the system's generator in production. */
  u32(): number;
  /** A safe integer, 1 to 2^53 - 1: incarnations. */
  identity(): number;
  /** Lower-case hexadecimal digits: cluster ids, run ids. */
  hex(digits: number): string;
}

export interface ProcessInfo {
  readonly pid: number;
  /** What the runtime is, for INFO: "v20.19.0", "linux", "x64". */
  readonly runtimeVersion: string;
  readonly platform: string;
  readonly architecture: string;
  readonly version: string;
  readonly executable: string;
  readonly configFile: string;
  /** Resident memory in bytes. A system call: not per command. */
  residentBytes(): number;
  heapUsedBytes(): number;
  /** Memory of typed arrays that the runtime knows, dropped ones that are not collected yet included. */
  arrayBytes(): number;
  /** Frees what nothing refers to, at once: some ms, and more the more objects there are. */
  collectGarbage(): void;
  /** Memory of the machine. */
  readonly systemBytes: number;
  /** Seconds of CPU since the start. */
  cpuSeconds(): { readonly user: number; readonly system: number };
}

export interface Lifecycle {
  /** The answer to NodeInputs.shutdown, or SHUTDOWN from a client: the process exits with 0. */
  stopped(): void;
  /** The node cannot go on: one clear line, exit code 1. For the operator's problems, not for broken invariants. */
  halt(text: string): void;
  /**
   * Replaces the text of the config file atomically (CONFIG REWRITE); undefined, or what went wrong.
   * Without a config file it says so.
   */
  rewriteConfig(edit: (text: string) => string): string | undefined;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log lines, one event each. Below the level nothing is formatted. */
export interface Log {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
  /** Redis's loglevel names. */
  setLevel(level: "debug" | "verbose" | "notice" | "warning" | "nothing"): void;
}

/** node/ exports one of these; main.ts calls it once, before anything listens. */
export type CreateNode<Settings> = (settings: Settings, ports: Ports) => NodeInputs;
