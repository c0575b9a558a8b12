// The counters behind INFO stats. Whoever sees an event adds one to a plain field; INFO reads. Rates come from
// totals that are sampled every 100 ms or so; the time comes in.

const RATE_SAMPLES = 16;

/** Mean rate over the last samples, as Redis's instantaneous metrics. */
export class RateMeter {
  readonly #perSecond = new Float64Array(RATE_SAMPLES);
  #next = 0;
  #lastTotal = 0;
  #lastMs: number | undefined;

  /** `total` only grows; when it has shrunk (CONFIG RESETSTAT) the sample counts as none. */
  sample(monotonicMs: number, total: number): void {
    if (this.#lastMs !== undefined && monotonicMs > this.#lastMs) {
      const grown = Math.max(0, total - this.#lastTotal);
      this.#perSecond[this.#next] = (grown * 1000) / (monotonicMs - this.#lastMs);
      this.#next = (this.#next + 1) % RATE_SAMPLES;
    }
    this.#lastMs = monotonicMs;
    this.#lastTotal = total;
  }

  get perSecond(): number {
    return this.#perSecond.reduce((sum, rate) => sum + rate, 0) / RATE_SAMPLES;
  }
}

/** A client may make up error codes (scripts, DEBUG ERROR), so the list is bounded. */
const ERROR_CODES_MAX = 128;

/** INFO errorstats: replies by their first word. */
export class ErrorStatistics {
  readonly #counts = new Map<string, number>();
  total = 0;

  /** `text` without the leading '-': "WRONGTYPE Operation ...". */
  count(text: string, times = 1): void {
    this.total += times;
    const space = text.indexOf(" ");
    const code = space < 0 ? text : text.slice(0, space);
    const before = this.#counts.get(code);
    if (before === undefined && this.#counts.size >= ERROR_CODES_MAX) return;
    this.#counts.set(code, (before ?? 0) + times);
  }

  countOf(code: string): number {
    return this.#counts.get(code) ?? 0;
  }

  /** By code. */
  entries(): readonly (readonly [code: string, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  reset(): void {
    this.#counts.clear();
    this.total = 0;
  }
}

export class ServerStatistics {
  connectionsReceived = 0;
  connectionsRejected = 0;
  /** Commands that got a reply, from clients of this node. */
  commandsProcessed = 0;
  clientInputBytes = 0;
  clientOutputBytes = 0;
  peerInputBytes = 0;
  peerOutputBytes = 0;
  /** Clients closed for sending, or leaving unread, more than settings allow. */
  queryBufferDisconnections = 0;
  outputBufferDisconnections = 0;
  readsProcessed = 0;
  writesProcessed = 0;
  keyspaceHits = 0;
  keyspaceMisses = 0;
  expiredKeys = 0;
  /** Large values and databases that Redis would have freed in the background, in keys. */
  lazyFreedKeys = 0;
  evictedKeys = 0;
  evictedClients = 0;
  /** Commands passed to the leader. */
  commandsForwarded = 0;
  /** Replies of -UNCERTAIN: proposed, leadership lost before the answer. */
  uncertainReplies = 0;
  snapshotsSent = 0;
  snapshotsReceived = 0;
  leaderChanges = 0;
  electionsStarted = 0;
  /** Digests that members have reported to this node, and how often its own state was wrong. */
  digestsCompared = 0;
  digestsDiffered = 0;

  readonly errors = new ErrorStatistics();
  readonly commandRate = new RateMeter();
  readonly inputRate = new RateMeter();
  readonly outputRate = new RateMeter();
  readonly peerInputRate = new RateMeter();
  readonly peerOutputRate = new RateMeter();

  /** Call every 100 ms or so. */
  sample(monotonicMs: number): void {
    this.commandRate.sample(monotonicMs, this.commandsProcessed);
    this.inputRate.sample(monotonicMs, this.clientInputBytes);
    this.outputRate.sample(monotonicMs, this.clientOutputBytes);
    this.peerInputRate.sample(monotonicMs, this.peerInputBytes);
    this.peerOutputRate.sample(monotonicMs, this.peerOutputBytes);
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.connectionsReceived = 0;
    this.connectionsRejected = 0;
    this.commandsProcessed = 0;
    this.clientInputBytes = 0;
    this.clientOutputBytes = 0;
    this.peerInputBytes = 0;
    this.peerOutputBytes = 0;
    this.queryBufferDisconnections = 0;
    this.outputBufferDisconnections = 0;
    this.readsProcessed = 0;
    this.writesProcessed = 0;
    this.keyspaceHits = 0;
    this.keyspaceMisses = 0;
    this.expiredKeys = 0;
    this.lazyFreedKeys = 0;
    this.evictedKeys = 0;
    this.evictedClients = 0;
    this.commandsForwarded = 0;
    this.uncertainReplies = 0;
    this.snapshotsSent = 0;
    this.snapshotsReceived = 0;
    this.leaderChanges = 0;
    this.electionsStarted = 0;
    this.digestsCompared = 0;
    this.digestsDiffered = 0;
    this.errors.reset();
  }
}
