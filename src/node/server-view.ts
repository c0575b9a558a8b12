// The node as local commands see it (command/local-context.ts), and the services behind them: who is
// connected, what was counted and timed, what INFO shows. It answers from what other parts hold.

import type { Args } from "../base/args.ts";
import type {
  Client,
  ConfigAccess,
  LocalContext,
  MemoryFigures,
  RaftView,
  Server,
  ShutdownOptions,
} from "../command/local-context.ts";
import { localError } from "../command/local-errors.ts";
import { lookupName, rowId, rows } from "../command/lookup.ts";
import type { ProxyFailure } from "../wire/cluster-messages.ts";
import { ShardView } from "./cluster-view.ts";
import type { TimerSinks } from "./command-timer.ts";
import type { ForwardingSinks } from "./forwarding.ts";
import type { SeshatNode } from "./node.ts";
import { NodeFigures, raftView } from "./node-figures.ts";
import type { Operator } from "./operator.ts";
import type { PubSub } from "./publish-subscribe.ts";
import { fast, isInternal, rowIds, subscribes } from "./row-facts.ts";
import { ClientRegistry } from "./service/client-registry.ts";
import { CommandStatistics } from "./service/command-statistics.ts";
import { infoText } from "./service/info.ts";
import { LatencyMonitor } from "./service/latency-monitor.ts";
import { Monitors } from "./service/monitors.ts";
import { ClientPause } from "./service/pause.ts";
import { SlowLog } from "./service/slow-log.ts";
import { ServerStatistics } from "./service/statistics.ts";
import type { Session } from "./session.ts";
import { watchAsSent } from "./transactions.ts";

const LRU_CLOCK_MASK = 0xff_ffff;
const SAMPLE_MS = 100;
/** No message of a leader tells of more. */
const FAILURES_MAX = 1 << 20;

export class ServerView implements Server, TimerSinks, ForwardingSinks {
  readonly commands = rows;
  readonly clients = new ClientRegistry<Session>();
  readonly pause = new ClientPause();
  readonly slowLog = new SlowLog();
  readonly latency = new LatencyMonitor();
  readonly monitors = new Monitors();
  readonly commandStatistics = new CommandStatistics(rows);
  readonly statistics = new ServerStatistics();
  readonly config: ConfigAccess;
  readonly figures: NodeFigures;
  readonly cluster: ShardView;
  lastSaveSeconds: number;
  /** Changes of keys since the start. */
  keyChanges = 0;
  readonly #node: SeshatNode;
  #latencyThresholdMs = 0;
  readonly #since = new Growth();
  /** The client whose local command runs now, and the command: CLIENT LIST shows what both take. */
  #running: { readonly session: Session; readonly args: Args } | undefined;
  #nextSampleMs = 0;

  constructor(node: SeshatNode) {
    this.#node = node;
    const { ports, configuration } = node;
    this.lastSaveSeconds = Math.floor(ports.clock.wallMs() / 1000);
    this.figures = new NodeFigures(node, this);
    this.cluster = new ShardView(node);
    this.config = {
      get: (patterns) => node.settingsCommands.get(patterns),
      set: (pairs) => node.settingsCommands.set(pairs),
      rewrite: () => {
        if (ports.host.configFile === "") return "no-file";
        const reason = ports.lifecycle.rewriteConfig((text) => configuration.rewritten(text));
        return reason === undefined ? undefined : { reason };
      },
    };
  }

  get pubSub(): PubSub {
    return this.#node.pubSub;
  }

  /** Settings that parts keep a copy of. */
  followSettings(): void {
    const { configuration, settings, ports, replica } = this.#node;
    const follow = (): undefined => {
      this.slowLog.thresholdMicroseconds = settings.slowlogSlowerThanUs;
      this.slowLog.entriesMax = settings.slowlogLengthMax;
      this.slowLog.trim();
      this.#latencyThresholdMs = settings.latencyThresholdMs;
      this.latency.thresholdMs = settings.latencyThresholdMs;
      replica.timer.slowLogMicroseconds = settings.slowlogSlowerThanUs;
      ports.clients.limit = settings.maxclients;
      ports.clients.keepAliveSeconds = settings.tcpKeepaliveSeconds;
      ports.log.setLevel(settings.loglevel);
      this.pubSub.setEvents(settings.notifyKeyspaceEvents);
      return undefined;
    };
    follow();
    configuration.onChange(
      [
        "slowlog-log-slower-than",
        "slowlog-max-len",
        "latency-monitor-threshold",
        "maxclients",
        "tcp-keepalive",
        "loglevel",
        "notify-keyspace-events",
      ],
      follow,
    );
    this.#followAccessClock();
    configuration.onChange(
      ["maxmemory", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time"],
      () => {
        replica.limit.follow();
        this.#followAccessClock();
        ports.scheduler.requestTurn(); // less memory, and evictions begin
        return undefined;
      },
    );
  }

  /** Runs a local command for a session. Output of a client that asked for silence is taken back. */
  run(session: Session, id: number, args: Args): void {
    const row = rows[id];
    // A container may run by itself: COMMAND, DEBUG.
    const run = row?.route === "local" || row?.route === "container" ? row.run : undefined;
    if (run === undefined) return;
    const { output, replica } = this.#node;
    const writer = output.attach(session, session.protocol, false);
    const mark = writer.position;
    const wasMuted = session.muted;
    const startUs = replica.timer.start(id, session);
    const errorsBefore = writer.errors;
    const context: LocalContext = { client: session, server: this };
    this.#running = { session, args };
    run(context, args, writer);
    this.#running = undefined;
    if (startUs !== 0) replica.timer.stop(id, startUs, args, session);
    this.countErrors(id, errorsBefore, session);
    if (wasMuted && session.muted && subscribes[id] === 0)
      output.attach(session, session.protocol, false).position = mark;
  }

  /** The local command that runs for the session at this moment. */
  runningCommand(session: Session): Args | undefined {
    return this.#running?.session === session ? this.#running.args : undefined;
  }

  /** Why a command that settings may forbid is not for this client; undefined when it is. */
  restriction(session: Session, id: number): string | undefined {
    // Local DEBUG rows ask for themselves, data rows know no client.
    if (rows[id]?.route === "local" || session.virtual || this.debugAllowed(session)) return undefined;
    return localError.debugNotAllowed;
  }

  /** Error replies of handlers since `errorsBefore`, the writer's count then. */
  countErrors(id: number, errorsBefore: number, session: Session): void {
    const { writer } = this.#node.output;
    // What the log's own words say goes on as the reply to a command, which counts it.
    if (writer.errors === errorsBefore || isInternal(id)) return;
    if (session.notes !== undefined) return session.notes.failed(rows[id]!.name, writer.lastError, false);
    this.commandStatistics.countFailed(id);
    this.statistics.errors.count(writer.lastError);
  }

  record(id: number, microseconds: number, args: Args, session: Session): void {
    if (session.notes !== undefined) return session.notes.timed(session.commandCountTotal, microseconds);
    this.commandStatistics.record(id, microseconds);
    const seconds = Math.floor(this.#node.replica.wallMs / 1000);
    if (microseconds >= this.slowMicroseconds && !rows[id]!.flags.includes("skip_slowlog")) {
      const shown = id === rowIds.watch ? watchAsSent(args) : args;
      this.slowLog.consider(shown, microseconds, session, seconds);
    }
    if (this.#latencyThresholdMs > 0 && microseconds >= 1000 * this.#latencyThresholdMs) {
      this.latency.consider(
        fast[id] === 1 ? "fast-command" : "command",
        Math.floor(microseconds / 1000),
        seconds,
      );
    }
  }

  get timesAll(): boolean {
    return this.#node.replica.timer.timesAll;
  }

  get slowMicroseconds(): number {
    const { slowlogSlowerThanUs } = this.#node.settings;
    return slowlogSlowerThanUs < 0 ? Number.POSITIVE_INFINITY : slowlogSlowerThanUs;
  }

  /** An EXEC, in its log form, whose commands were counted when it came and did not run: a watched key changed, or it was refused. */
  notRun(form: Args, session: Session): void {
    for (const id of this.#node.transactions.rowsIn(form)) {
      if (session.notes !== undefined) session.notes.notRun(rows[id]!.name);
      else this.commandStatistics.uncount(id);
    }
  }

  /** The leader says that commands of this node's clients failed, were refused, or did not run. */
  forwardedFailed({ name, code, count, rejected }: ProxyFailure): void {
    const row = lookupName(name);
    if (row === undefined || count < 1) return;
    const id = rowId(row);
    const times = Math.min(count, FAILURES_MAX);
    if (isInternal(id)) return;
    if (code === "") return this.commandStatistics.uncount(id, times);
    if (rejected) this.commandStatistics.countRefusedLater(id, times);
    else this.commandStatistics.countFailed(id, times);
    this.statistics.errors.count(code, times);
  }

  /** Brings in what other parts count for themselves, since they were last asked. */
  collect(): void {
    const { replica, ports, cluster } = this.#node;
    const { statistics } = this;
    const { counters } = replica.machine;
    statistics.commandsProcessed = this.commandStatistics.callsTotal;
    const since = this.#since;
    statistics.connectionsRejected += since.growth("rejected", ports.clients.rejectedCount);
    statistics.keyspaceHits += since.growth("hits", replica.readHits);
    statistics.keyspaceMisses += since.growth("misses", replica.readFinds - replica.readHits);
    statistics.expiredKeys += since.growth("expired", replica.machine.store.expiredKeys);
    const { store } = replica.machine;
    statistics.lazyFreedKeys += since.growth("lazily freed", store.lazyFreedKeys);
    this.keyChanges += since.growth("changes", store.changes);
    statistics.evictedKeys += since.growth("evicted", counters.keysEvicted);
    statistics.peerOutputBytes += since.growth("sent", cluster.links.sentBytes);
    statistics.snapshotsSent += since.growth("snapshots sent", cluster.snapshots.sentCount);
    statistics.snapshotsReceived += since.growth("snapshots received", cluster.snapshots.receivedCount);
    statistics.peerInputBytes += since.growth("received", cluster.receivedBytes);
    statistics.uncertainReplies += since.growth("uncertain", this.#node.output.uncertainReplies);
    statistics.leaderChanges += since.growth("leaders", replica.leaderChanges);
    statistics.electionsStarted += since.growth("elections", replica.raft?.electionsStarted ?? 0);
  }

  tick(nowMs: number): void {
    // Again and again: a snapshot may have put another store in place.
    this.#followAccessClock();
    if (nowMs < this.#nextSampleMs) return;
    this.#nextSampleMs = nowMs + SAMPLE_MS;
    this.collect();
    this.statistics.sample(nowMs);
    this.figures.notePeak();
  }

  #followAccessClock(): void {
    const { replica, settings } = this.#node;
    const { store } = replica.machine;
    const seconds = Math.floor(replica.wallMs / 1000);
    store.lfu = settings.maxmemoryPolicy.endsWith("lfu");
    store.lfuLogFactor = settings.lfuLogFactor;
    store.lfuDecayMinutes = settings.lfuDecayMinutes;
    store.accessClock = store.lfu ? Math.floor(seconds / 60) & 0xffff : seconds & LRU_CLOCK_MASK;
  }

  get seshatVersion(): string {
    return this.#node.ports.host.version;
  }

  nowMs(): number {
    return this.#node.ports.clock.wallMs();
  }

  nowMicroseconds(): number {
    return this.#node.ports.clock.wallUs();
  }

  monotonicMs(): number {
    return this.#node.ports.clock.monotonicMs();
  }

  get databaseCount(): number {
    return this.#node.settings.databases;
  }

  get password(): Uint8Array {
    return Buffer.from(this.#node.settings.requirepass);
  }

  debugAllowed(client: Client): boolean {
    const { enableDebugCommand } = this.#node.settings;
    const session = this.clients.byId(client.id);
    return (
      enableDebugCommand === "yes" ||
      (enableDebugCommand === "local" && session?.connection.isLoopback === true)
    );
  }

  info(sections: readonly string[]): string {
    this.collect();
    return infoText(this.figures, sections);
  }

  get operator(): Operator {
    return this.#node.operator;
  }

  raft(): RaftView {
    return raftView(this.#node);
  }

  purgeMemory(): void {
    this.#node.memoryReturn.purge();
  }

  memory(): MemoryFigures {
    return this.figures.memory;
  }

  resetStatistics(): void {
    this.statistics.reset();
    this.commandStatistics.reset();
    this.#node.replica.timer.reset();
  }

  shutdown(options: ShutdownOptions): string | undefined {
    if (options.now) this.#node.ports.lifecycle.stopped();
    else this.#node.shutdown();
    return undefined;
  }

  abortShutdown(): boolean {
    return this.#node.shutdownControl.abort();
  }

  sleep(milliseconds: number): void {
    this.#node.ports.clock.sleep(milliseconds);
  }

  /** The state through a snapshot and back: what a follower that fell behind would get. */
  reload(): string | undefined {
    const { replica, cluster } = this.#node;
    if (cluster.snapshots.sendingTo !== 0) return "ERR a snapshot is being sent; try again later";
    return replica.reload();
  }
}

/** Counters that only grow, read from time to time: how much each has grown since it was last asked for. */
class Growth {
  readonly #before = new Map<string, number>();

  growth(name: string, now: number): number {
    const before = this.#before.get(name) ?? 0;
    this.#before.set(name, now);
    // Who counts may have been replaced, and the new one begins at none.
    return now < before ? now : now - before;
  }
}
