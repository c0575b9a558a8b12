// A client and a server of no network for the local commands: plain objects around the real services, with a
// clock that stands still. `Fake.run` does what a session does with a command.

import { Args } from "../../src/base/args.ts";
import { Xoshiro } from "../../src/base/prng.ts";
import type {
  ClusterLink,
  ClusterNode,
  ClusterView,
  EndpointType,
  SlotQuestion,
} from "../../src/command/cluster-context.ts";
import { unknownCommand, unknownSubcommand, wrongArity } from "../../src/command/errors.ts";
import {
  advanceReplyMode,
  type Client,
  type LocalContext,
  type MemoryFigures,
  type ParkedCommand,
  type PubSubControl,
  type RaftView,
  type Server,
  type ShutdownOptions,
  type TopicKind,
} from "../../src/command/local-context.ts";
import { lookup, lookupId, rows } from "../../src/command/lookup.ts";
import type { MemberStatus, OperatorChange, OperatorControl } from "../../src/command/operator-context.ts";
import { type DataContext, noPublications } from "../../src/command/types.ts";
import { Configuration } from "../../src/config/configuration.ts";
import { defaultSettings } from "../../src/config/table.ts";
import { ClientRegistry } from "../../src/node/service/client-registry.ts";
import { CommandStatistics } from "../../src/node/service/command-statistics.ts";
import { LatencyMonitor } from "../../src/node/service/latency-monitor.ts";
import { Monitors } from "../../src/node/service/monitors.ts";
import { ClientPause } from "../../src/node/service/pause.ts";
import { SlowLog } from "../../src/node/service/slow-log.ts";
import { Subscriptions } from "../../src/node/service/subscriptions.ts";
import { ReplyWriter } from "../../src/resp/reply-writer.ts";
import { Store } from "../../src/store/store.ts";

export const WALL_MS = 1_700_000_000_123;

export class FakeClient implements Client {
  readonly id: number;
  readonly address: string;
  readonly localAddress = "127.0.0.1:6379";
  readonly fileDescriptor = 8;
  readonly connectedAtMs = WALL_MS - 5_500;
  readonly lastActiveMs = WALL_MS - 1_999;
  name = "";
  libName = "";
  libVersion = "";
  database = 0;
  protocol: 2 | 3 = 2;
  authenticated = true;
  noEvict = false;
  noTouch = false;
  readOnly = false;
  replyMode: Client["replyMode"] = "on";
  skipNextReply = false;
  monitor = false;
  kind: Client["kind"] = "normal";
  blocked = false;
  closing = false;
  inTransaction = false;
  watchDirty = false;
  queuedCommandCount = 0;
  watchedKeyCount = 0;
  channelCount = 0;
  patternCount = 0;
  shardChannelCount = 0;
  lastCommandName = "NULL";
  lastWriteIndex = 0;
  inputBytesTotal = 0;
  outputBytesTotal = 0;
  commandCountTotal = 0;
  argumentBytes = 10;
  queuedBytes = 0;
  queryBufferBytes = 26;
  queryBufferFreeBytes = 0;
  outputBufferBytes = 0;

  /** What was done to it, in order. */
  readonly events: string[] = [];
  readonly pushed: string[] = [];
  parked: ParkedCommand | undefined;

  constructor(id: number) {
    this.id = id;
    this.address = `127.0.0.1:${50_000 + id}`;
  }

  kill(): void {
    this.close(false);
  }

  awaitDepartures(): void {}

  close(afterReply: boolean): void {
    this.closing = true;
    this.events.push(afterReply ? "close after reply" : "close");
  }

  reset(): void {
    this.events.push("reset");
  }

  beginTransaction(): void {
    this.inTransaction = true;
    this.events.push("begin");
  }

  discardTransaction(): void {
    this.inTransaction = false;
    this.events.push("discard");
  }

  park(wait: ParkedCommand): void {
    this.parked = wait;
  }

  unblock(withError: boolean): boolean {
    this.events.push(`unblock ${withError}`);
    return this.blocked;
  }

  push(bytes: Uint8Array): void {
    this.pushed.push(Buffer.from(bytes).toString("latin1"));
  }
}

/** Subscriptions of this server alone; there is room for about ten. */
export class FakePubSub implements PubSubControl {
  readonly subscriptions = new Subscriptions<FakeClient>(6400, () => {});

  subscribe(client: Client, kind: TopicKind, name: string): boolean {
    return client instanceof FakeClient && this.subscriptions.add(client, kind, name);
  }
  unsubscribe(client: Client, kind: TopicKind, name: string): void {
    if (client instanceof FakeClient) this.subscriptions.remove(client, kind, name);
  }
  subscriptionsOf(client: Client, kind: TopicKind): readonly string[] {
    return client instanceof FakeClient ? this.subscriptions.namesOf(client, kind) : [];
  }
  names(kind: TopicKind): ReadonlySet<string> {
    return new Set(this.subscriptions.topics(kind).keys());
  }
  subscriberCount(kind: TopicKind, name: string): number {
    return this.subscriptions.topic(kind, name)?.subscribers.size ?? 0;
  }
}

/** Members that are as a test says, and changes that are over when it says so. */
export class FakeOperator implements OperatorControl {
  readonly asked: string[] = [];
  status: MemberStatus[] = [];
  /** What polls of the change under way give. */
  outcome: string | undefined = "";

  members(): readonly MemberStatus[] {
    return this.status;
  }
  add(name: string, peerAddress: string): OperatorChange {
    return this.#change(`add ${name} ${peerAddress}`);
  }
  remove(name: string): OperatorChange {
    return this.#change(`remove ${name}`);
  }
  promote(name: string): OperatorChange {
    return this.#change(`promote ${name}`);
  }
  transfer(name: string): OperatorChange {
    return this.#change(`transfer ${name}`);
  }
  recoveryNotes(): string {
    return "what would be lost";
  }
  recover(): OperatorChange {
    return this.#change("recover");
  }

  #change(text: string): OperatorChange {
    this.asked.push(text);
    return { poll: () => this.outcome, late: () => "TRYAGAIN too late" };
  }
}

/** A cluster as a test says; disabled at first. */
export class FakeCluster implements ClusterView {
  isEnabled = false;
  endpointType: EndpointType = "ip";
  readonly shardId = "5".repeat(40);
  epoch = 7;
  isServing = true;
  isElecting = false;
  shown: readonly ClusterNode[] = [];
  connections: readonly ClusterLink[] = [];
  question: SlotQuestion = { isAnswered: () => true, keyCount: 0, keys: [] };
  /** What was asked, in order. */
  readonly asked: string[] = [];

  nodes(localAddress: string): readonly ClusterNode[] {
    this.asked.push(localAddress);
    return this.shown;
  }
  links(): readonly ClusterLink[] {
    return this.connections;
  }
  keysInSlot(slot: number, namesMax: number): SlotQuestion {
    this.asked.push(`${slot} ${namesMax}`);
    return this.question;
  }
}

export class FakeServer implements Server {
  readonly cluster = new FakeCluster();
  readonly seshatVersion = "0.0.0";
  readonly commands = rows;
  readonly clients = new ClientRegistry<FakeClient>();
  readonly config: Configuration & { rewrite(): "no-file" };
  readonly pause = new ClientPause();
  readonly slowLog = new SlowLog();
  readonly latency = new LatencyMonitor();
  readonly monitors = new Monitors();
  readonly commandStatistics = new CommandStatistics(rows);
  readonly pubSub = new FakePubSub();
  readonly databaseCount = 16;
  readonly lastSaveSeconds = 1_600_000_000;
  password = Buffer.alloc(0);
  monotonic = 1000;
  debug = true;
  view: RaftView = followerView;
  figures: MemoryFigures = smallMemory;
  /** What was asked of it, in order. */
  readonly events: string[] = [];
  readonly operations = new FakeOperator();

  constructor() {
    const configuration = new Configuration(defaultSettings());
    this.config = Object.assign(configuration, { rewrite: () => "no-file" as const });
  }

  nowMs(): number {
    return WALL_MS;
  }
  nowMicroseconds(): number {
    return WALL_MS * 1000 + 456;
  }
  monotonicMs(): number {
    return this.monotonic;
  }
  debugAllowed(): boolean {
    return this.debug;
  }
  info(sections: readonly string[]): string {
    return `sections: ${sections.join(" ")}`;
  }
  raft(): RaftView {
    return this.view;
  }
  get operator(): FakeOperator {
    return this.operations;
  }
  purgeMemory(): void {}

  memory(): MemoryFigures {
    return this.figures;
  }
  resetStatistics(): void {
    this.events.push("reset statistics");
  }
  shutdown(options: ShutdownOptions): string | undefined {
    this.events.push(`shutdown ${JSON.stringify(options)}`);
    return undefined;
  }
  abortShutdown(): boolean {
    return false;
  }
  sleep(milliseconds: number): void {
    this.events.push(`sleep ${milliseconds}`);
  }
  reload(): string | undefined {
    this.events.push("reload");
    return undefined;
  }
}

export const followerView: RaftView = {
  role: "follower",
  node: "n2",
  incarnation: "22",
  clusterId: "c0ffee",
  term: 7,
  leader: { node: "n1", host: "10.0.0.1", port: 6379 },
  memberCount: 3,
  commitIndex: 100,
  appliedIndex: 99,
  firstIndex: 10,
  lastIndex: 101,
  lease: "none",
  slowedMs: 0,
  pulsesReceived: 0,
  problem: "",
  peers: [
    peer("n1", "10.0.0.1", { state: "unknown" }),
    peer("n3", "10.0.0.3", { state: "unknown", connected: false }),
  ],
};

export const leaderView: RaftView = {
  ...followerView,
  role: "leader",
  node: "n1",
  lease: "valid",
  peers: [
    peer("n2", "10.0.0.2", { matchIndex: 101 }),
    peer("n3", "10.0.0.3", { matchIndex: 50, state: "snapshot", silentMs: 1500 }),
  ],
};

function peer(
  node: string,
  host: string,
  more: Partial<RaftView["peers"][number]>,
): RaftView["peers"][number] {
  return {
    node,
    host,
    port: 6379,
    role: "voter",
    connected: true,
    state: "replicate",
    matchIndex: 0,
    silentMs: 0,
    ...more,
  };
}

export const smallMemory: MemoryFigures = {
  logicalBytes: 1000,
  logicalBytesMax: 2000,
  startupBytes: 50,
  overheadBytes: 200,
  storeBytes: 4000,
  allocatedBytes: 10_000_000,
  residentBytes: 60_000_000,
  systemTotalBytes: 8 * 1024 ** 3,
  clientsBytes: 64,
  raftLogBytes: 500,
  keyCount: 10,
  databases: [{ database: 0, tableBytes: 150, deadlineBytes: 50 }],
  maxmemoryBytes: 0,
  maxmemoryPolicy: "noeviction",
};

/** One connection to one server. */
export class Fake {
  readonly server: FakeServer;
  readonly client: FakeClient;
  readonly reply = new ReplyWriter();
  readonly store = new Store({ databases: 1, hashSeed: [1, 2] });
  readonly data: DataContext;

  constructor(server = new FakeServer()) {
    this.server = server;
    this.client = new FakeClient(server.clients.count + 1);
    server.clients.add(this.client);
    this.data = {
      nowMs: WALL_MS,
      random: new Xoshiro(1),
      keys: this.store.databases[0]!,
      database: 0,
      store: this.store,
      stringBytesMax: 1024,
      publications: noPublications,
    };
  }

  /** Words of a command, split at blanks, or given one by one; the reply's bytes as latin1. */
  run(command: string | readonly string[]): string {
    const words = typeof command === "string" ? command.split(" ") : command;
    const args = Args.of(...words.map((word) => Buffer.from(word, "latin1")));
    this.reply.position = 0;
    this.reply.protocol = this.client.protocol;
    const wasMuted = this.client.replyMode !== "on";
    this.#answer(args);
    const isMuted = wasMuted && this.client.replyMode !== "on";
    advanceReplyMode(this.client);
    return isMuted ? "" : this.reply.buffer.toString("latin1", 0, this.reply.position);
  }

  #answer(args: Args): void {
    const row = lookup(args);
    const context: LocalContext = { client: this.client, server: this.server };
    if (row === undefined) return this.reply.error(unknownCommand(args));
    if (row.route === "container" && row.run === undefined && args.count > 1) {
      return this.reply.error(unknownSubcommand(row.name.toUpperCase(), args.text(1)));
    }
    if (row.arity >= 0 ? args.count !== row.arity : args.count < -row.arity) {
      return this.reply.error(wrongArity(row.name));
    }
    if (!this.client.authenticated && !row.flags.includes("no_auth")) {
      return this.reply.error("NOAUTH Authentication required.");
    }
    this.client.lastCommandName = row.name;
    this.server.commandStatistics.count(lookupId(args));
    if (row.route === "local" || row.route === "container") row.run?.(context, args, this.reply);
    else row.run(this.data, args, this.reply);
  }
}
