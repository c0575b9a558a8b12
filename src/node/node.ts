// One Seshat node: what comes in from sockets and timers, and the parts it goes to. It owns the sessions and
// joins replica, cluster, forwarding and services; each of them does its own work.

import { Args } from "../base/args.ts";
import {
  ARGUMENTS_MAX,
  INLINE_BYTES_MAX,
  UNAUTHENTICATED_ARGUMENTS_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
} from "../base/limits.ts";
import { clusterError } from "../command/cluster-errors.ts";
import { rows } from "../command/lookup.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Settings } from "../config/table.ts";
import { Store } from "../store/store.ts";
import { BlockedClients } from "./blocked-clients.ts";
import { Chores } from "./chores.ts";
import { ClientMemory } from "./client-memory.ts";
import { Cluster } from "./cluster.ts";
import { Comparison } from "./comparison.ts";
import { Dispatch } from "./dispatch.ts";
import { MetKeys } from "./expiry.ts";
import { Forwarding } from "./forwarding.ts";
import { HeldSessions } from "./held-sessions.ts";
import { MemoryReturn } from "./memory-return.ts";
import { Operator } from "./operator.ts";
import type {
  ClientConnection,
  ClientHandler,
  LinkDown,
  NodeInputs,
  PeerIdentity,
  PeerLink,
  Ports,
  Pulse,
  SnapshotReceiver,
  SnapshotStreamIn,
} from "./ports.ts";
import { PubSub } from "./publish-subscribe.ts";
import { Pulses } from "./pulses.ts";
import { MODE_FORWARD, MODE_LEADER, MODE_NONE, Replica } from "./replica.ts";
import { ReplyOutput } from "./reply-output.ts";
import { Rest } from "./rest.ts";
import { ServerView } from "./server-view.ts";
import { Session } from "./session.ts";
import { SettingsCommands } from "./settings-commands.ts";
import { Shutdown } from "./shutdown.ts";
import { SlotRules } from "./slot-rules.ts";
import { Transactions } from "./transactions.ts";
import { UpToDate } from "./up-to-date.ts";
import { VirtualSessions } from "./virtual-sessions.ts";

/** Elections of a healthy majority are over by then; a client that waited longer is told that nobody leads. */
const LEADER_WAIT_ELECTIONS = 6;
const SECOND_MS = 1000;
const STATE_DIFFERS =
  "CLUSTERDOWN the state of this node differs from that of the others: it is getting theirs, and serves nobody meanwhile";
const PROTECTED =
  "-DENIED Seshat is running in protected mode because protected mode is enabled and no password is set for " +
  "the default user. In this mode connections are only accepted from the loopback interface. Set 'requirepass' " +
  "or start with '--protected-mode no' to accept connections from other hosts.\r\n";

export class SeshatNode implements NodeInputs {
  readonly ports: Ports;
  readonly settings: Settings;
  readonly configuration: Configuration;
  readonly replica: Replica;
  readonly cluster: Cluster;
  readonly pulses: Pulses;
  readonly rest: Rest;
  readonly output: ReplyOutput;
  readonly dispatch: Dispatch;
  readonly transactions: Transactions;
  readonly settingsCommands: SettingsCommands;
  readonly chores: Chores;
  readonly memoryReturn: MemoryReturn;
  readonly #clientMemory = new ClientMemory(this);
  readonly comparison: Comparison;
  readonly blockedClients: BlockedClients;
  readonly metKeys: MetKeys;
  readonly upToDate: UpToDate;
  readonly forwarding: Forwarding;
  readonly virtualSessions: VirtualSessions;
  readonly server: ServerView;
  readonly pubSub: PubSub;
  readonly operator: Operator;
  /** In cluster mode only. */
  readonly slotRules: SlotRules | undefined;
  readonly args = new Args();
  /** Of all sessions that are and will be. */
  readonly parserLimits = {
    bulkBytesMax: 0,
    argumentsMax: ARGUMENTS_MAX,
    inlineBytesMax: INLINE_BYTES_MAX,
    unauthenticated: { arguments: UNAUTHENTICATED_ARGUMENTS_MAX, bulk: UNAUTHENTICATED_BULK_BYTES_MAX },
  };
  readonly #held = new HeldSessions();
  readonly #shutdown: Shutdown;
  #nextSecondMs = 0;
  /** Whom the log named last; 0 = nobody. */
  #saidLeader = 0;
  /** Since when the leader leads behind which nothing is unanswered by an earlier one. */
  #settledLeaderMs = 0;
  readonly #gained = (member: number): void => this.replica.raft?.reportDelivery(member);

  constructor(configuration: Configuration, ports: Ports) {
    const { settings } = configuration;
    this.configuration = configuration;
    this.settings = settings;
    this.ports = ports;
    this.output = new ReplyOutput(ports.buffers);
    this.server = new ServerView(this);
    this.operator = new Operator(this);
    this.slotRules = settings.clusterEnabled ? new SlotRules(this) : undefined;
    this.dispatch = new Dispatch(this);
    this.transactions = new Transactions(this);
    const hashSeed = [ports.entropy.u32(), ports.entropy.u32()] as const;
    this.replica = new Replica(
      {
        ports,
        settings,
        output: this.output,
        timerSinks: this.server,
        send: (message) => this.cluster.send(message),
        reaches: (member) => this.cluster.reaches(member),
        takeStaged: (meta) => this.cluster.takeStaged(meta),
        configurationChanged: (change, before, after, index) =>
          this.cluster.configurationChanged(change, before, after, index),
        modeChanged: () => this.#modeChanged(),
        entryApplied: () => this.pubSub.entryApplied(),
        stateReplaced: () => {
          this.pubSub.messagesLost();
          this.blockedClients.stateReplaced();
        },
        isPaused: () => this.server.pause.isActive(this.replica.monotonicMs),
        fault: (text) => ports.lifecycle.halt(text),
      },
      new Store({ databases: settings.databases, hashSeed }),
    );
    const { replica } = this;
    const { machine } = replica;
    this.pubSub = new PubSub({
      links: {
        subscriptions: (member, counts) => this.cluster.links.subscriptions(member, counts),
        queuedBytes: (member) => this.cluster.links.queuedBytes(member),
      },
      sessionOf: (client) => this.server.clients.byId(client.id),
      isMember: (member) => this.cluster.membership.member(member) !== undefined,
      eventClasses: (classes) => {
        machine.store.eventClasses = classes;
      },
    });
    machine.context.publications = this.pubSub;
    machine.store.onEvent = (...event) => this.pubSub.keyspaceEvent(...event);
    const links = {
      get leader() {
        return replica.mode === MODE_FORWARD ? replica.leader : 0;
      },
      request: (member: number, request: Parameters<Cluster["links"]["request"]>[1]) =>
        this.cluster.links.request(member, request),
      refused: (member: number) => replica.leaderRefused(member),
      queuedBytes: (member: number) => this.cluster.links.queuedBytes(member),
    };
    this.forwarding = new Forwarding(links, this.output, this.server);
    this.virtualSessions = new VirtualSessions(this, {
      proxyReply: (member, reply) => this.cluster.links.proxyReply(member, reply),
      queuedReplyBytes: (member) => this.cluster.links.queuedReplyBytes(member),
    });
    this.cluster = new Cluster({
      ports,
      settings,
      replica,
      forwarding: this.forwarding,
      virtualSessions: this.virtualSessions,
      pubSub: this.pubSub,
      foundingSettings: () => configuration.clusterValues(),
      digestReported: (member, digest) => this.comparison.reported(member, digest),
      stateRequested: (member) => this.comparison.requested(member),
    });
    this.pulses = new Pulses(ports, replica, this.cluster.links, settings.heartbeatMs);
    this.rest = new Rest(this);
    this.#shutdown = new Shutdown(this);
    this.settingsCommands = new SettingsCommands(this);
    this.#followLongest();
    configuration.onChange(["proto-max-bulk-len"], () => this.#followLongest());
    this.server.followSettings();
    this.chores = new Chores(this);
    this.memoryReturn = new MemoryReturn(ports, replica, () => this.#forgetInput());
    this.blockedClients = new BlockedClients(this);
    this.upToDate = new UpToDate(this);
    this.comparison = new Comparison(this);
    this.metKeys = new MetKeys(this);
    machine.sessions.blocking.deliveries = this.blockedClients;
  }

  /** Once the ports work: dials the others. */
  start(): void {
    this.cluster.start();
    this.requestTurn();
  }

  clientConnected(connection: ClientConnection): ClientHandler {
    const session = new Session(this, connection, false);
    this.server.clients.add(session);
    this.server.statistics.connectionsReceived++;
    if (this.settings.protectedMode && this.settings.requirepass === "" && !connection.isLoopback) {
      session.push(Buffer.from(PROTECTED));
      session.close(true);
    }
    return session;
  }

  linkUp(link: PeerLink): void {
    this.cluster.linkUp(link);
  }

  linkDown(link: PeerLink, how: LinkDown, text?: string): void {
    this.cluster.linkDown(link, how, text);
    this.chores.hurry();
  }

  linkRefused(link: PeerLink, how: LinkDown, text: string): void {
    this.cluster.linkRefused(link, how, text);
  }

  peerFrame(link: PeerLink, frame: Buffer): void {
    this.cluster.peerFrame(link, frame);
  }

  pulse(from: PeerIdentity, pulse: Pulse): void {
    this.pulses.heard(from, pulse);
  }

  pulseLost(from: PeerIdentity, how: LinkDown): void {
    this.pulses.lost(from, how);
    this.requestTurn();
  }

  snapshotOffered(stream: SnapshotStreamIn, header: Buffer): SnapshotReceiver | undefined {
    return this.cluster.snapshots.offered(stream, header);
  }

  turn(nowMonotonicMs: number, nowWallMs: number, ticks: number): void {
    const { replica } = this;
    this.blockedClients.flush();
    this.pulses.turnBegins(nowMonotonicMs);
    this.cluster.links.deliveries(this.#gained);
    if (ticks > 0) this.rest.tick(nowMonotonicMs, this.#held.count);
    replica.turn(nowMonotonicMs, nowWallMs, ticks);
    if (this.server.cluster.slotScans.isBusy) this.#scanSlots();
    this.#held.retry(nowMonotonicMs);
    if (replica.proposals.open.count > 0 && replica.mode === MODE_LEADER) replica.settle();
    if (ticks > 0) this.#tick(nowMonotonicMs);
    // Counts of subscribers go before commands: a PUBLISH must not count who has left.
    // Counts go before questions (up-to-date.ts), in the same frame too.
    this.pubSub.flush();
    this.upToDate.flush();
    this.forwarding.flush();
    this.virtualSessions.drain();
    this.output.flush();
    this.forwarding.report();
    this.cluster.links.flush();
    this.cluster.snapshots.turn(nowMonotonicMs);
    this.pulses.turnEnded();
  }

  restTicks(): number {
    const ticks = this.rest.ticks(this.#held.count);
    this.pulses.restMs = (ticks - 1) * this.settings.tickMs;
    return ticks;
  }

  shutdown(): void {
    this.#shutdown.begin();
  }

  /** For SHUTDOWN and its ABORT. */
  get shutdownControl(): Shutdown {
    return this.#shutdown;
  }

  // What sessions ask.

  requestTurn(): void {
    this.ports.scheduler.requestTurn();
  }

  hold(session: Session): void {
    this.#held.add(session);
    this.requestTurn();
  }

  sessionClosed(session: Session): void {
    // Virtual sessions are numbered by their own nodes, and nothing of theirs is passed on.
    if (!session.virtual) {
      this.forwarding.closed(session);
      this.server.clients.remove(session);
    }
    this.server.monitors.remove(session);
    this.pubSub.left(session);
    if (session.wait !== undefined) this.blockedClients.left(session.wait);
    if (session.plan !== undefined) this.blockedClients.release(session.plan.claims);
  }

  /** Databases that a client may select. */
  get selectableDatabases(): number {
    return this.settings.clusterEnabled ? 1 : this.settings.databases;
  }

  /** proto-max-bulk-len limits what clients send and what commands make of it. */
  #followLongest(): undefined {
    const { protoMaxBulkBytes } = this.settings;
    const { machine, readContext } = this.replica;
    this.parserLimits.bulkBytesMax = protoMaxBulkBytes;
    machine.context.stringBytesMax = protoMaxBulkBytes;
    readContext.stringBytesMax = protoMaxBulkBytes;
  }

  /** What has been read and run is kept until the next command is read, and may be long. */
  #forgetInput(): void {
    this.args.forget();
    this.forwarding.forgetInput();
    this.blockedClients.forgetInput();
    this.transactions.forgetInput();
    this.replica.machine.forgetInput();
    this.replica.proposals.forgetInput();
  }

  #scanSlots(): void {
    const { slotScans } = this.server.cluster;
    slotScans.advance();
    if (slotScans.isBusy) this.requestTurn();
  }

  /** Nobody can take the command, and waiting for somebody has taken long enough. */
  refusal(): string {
    const { problem, membership } = this.cluster;
    if (problem === undefined && this.settings.clusterEnabled && !this.replica.repair.isUnderWay)
      return membership.fresh ? clusterError.slotUnserved : clusterError.down;
    return this.#reason();
  }

  /** Why nobody is served by this node, for its operator; "" while somebody is, or may be as soon as an election is over. */
  get problem(): string {
    return this.cluster.problem !== undefined || this.isLeaderless ? this.#reason() : "";
  }

  #reason(): string {
    const { problem, membership } = this.cluster;
    if (problem !== undefined) return problem;
    if (this.replica.repair.isUnderWay) return STATE_DIFFERS;
    const [refused] = this.cluster.refusals();
    const who = refused === undefined ? "" : ` (refused by ${refused})`;
    if (membership.fresh)
      return `CLUSTERDOWN this node is not in a cluster yet: it waits for the other configured members${who}`;
    const away = this.cluster.unreachable();
    return away.length > 0
      ? `CLUSTERDOWN no leader is known: a majority of the members cannot be reached (${away.join(", ")})${who}`
      : `CLUSTERDOWN no leader is known: the members that can be reached have elected none${who}`;
  }

  /**
   * Why this node is not what it should be yet; "" when clients are served and it has its vote. Whoever restarts the nodes
   * of a cluster one by one has to wait for that: a member without a vote does not help to keep what is agreed on.
   */
  get readinessProblem(): string {
    const { mode, raft } = this.replica;
    if (mode === MODE_NONE) return this.refusal();
    if (raft === undefined) return "";
    // It may know who leads and not yet be a learner, by what it has: that comes with the data.
    const { voters, votersOutgoing } = raft.confState;
    if (!voters.includes(raft.id)) return "LOADING this node is getting the data and has no vote yet";
    // As long as its predecessor counts as a voter too, the others cannot do without one more.
    const isReplacing = votersOutgoing.length > 0 && !votersOutgoing.includes(raft.id);
    return isReplacing
      ? "LOADING this node has its vote, and the one it replaces has not lost its own yet"
      : "";
  }

  /** Has there been nobody to serve for longer than an election takes? */
  get isLeaderless(): boolean {
    const { mode, modeSinceMs, monotonicMs } = this.replica;
    if (mode !== MODE_NONE) return false;
    if (this.cluster.problem !== undefined) return true;
    return monotonicMs - modeSinceMs > LEADER_WAIT_ELECTIONS * this.settings.electionTimeoutMs;
  }

  get passwordRequired(): boolean {
    return this.settings.requirepass !== "";
  }

  get monitoring(): boolean {
    return this.server.monitors.active;
  }

  feedMonitors(session: Session, id: number, args: Args): void {
    const { monitors } = this.server;
    if (monitors.shows(rows[id]!)) monitors.feed(session, args, this.ports.clock.wallUs());
  }

  #modeChanged(): void {
    const { mode, leader, raft } = this.replica;
    if (leader !== this.#saidLeader) {
      this.#saidLeader = leader;
      const name = this.cluster.membership.member(leader)?.name ?? "";
      this.ports.log.info(
        { leader: name, term: raft?.term ?? 0 },
        leader === 0 ? "no leader is known" : "a leader is known",
      );
    }
    if (mode !== MODE_LEADER) {
      this.cluster.snapshots.stopSending();
      this.virtualSessions.handBack();
    }
    this.server.cluster.leaderChanged();
    this.forwarding.recall();
    this.requestTurn();
  }

  /** An earlier leader that is as silent as a lease is long, since there is another one, will not answer any more. */
  #giveUpEarlierLeader(nowMs: number): void {
    const { mode, leader, leaderSinceMs } = this.replica;
    const { leaseMs } = this.settings;
    if (mode === MODE_NONE || leaderSinceMs === this.#settledLeaderMs || nowMs - leaderSinceMs < leaseMs)
      return;
    const isSilent = (member: number): boolean => nowMs - this.cluster.links.heardMs(member) >= leaseMs;
    if (this.forwarding.superseded(leader, isSilent)) this.#settledLeaderMs = leaderSinceMs;
  }

  #tick(nowMs: number): void {
    this.server.tick(nowMs);
    this.cluster.tick();
    this.#giveUpEarlierLeader(nowMs);
    this.#shutdown.tick(nowMs);
    this.chores.tick(nowMs);
    this.memoryReturn.tick(nowMs);
    this.#clientMemory.tick();
    this.comparison.tick(nowMs);
    this.blockedClients.tick(nowMs);
    if (nowMs < this.#nextSecondMs) return;
    this.#nextSecondMs = nowMs + SECOND_MS;
    for (const session of this.server.clients.values()) session.everySecond();
  }
}
