// Simulated clients: each on a connection of its own to some node, sending pipelines of commands from a mix, and
// writing down what it was told. What a reply means for the history: success and refusals of the command itself are
// results; TRYAGAIN and CLUSTERDOWN promise that nothing happened; UNCERTAIN and a lost connection leave it open.

import type { ClientConnection, ClientHandler, LinkDown } from "../../src/node/ports.ts";
import { encodeCommand } from "../../src/resp/request-parser.ts";
import type { Eviction } from "./eviction.ts";
import type { Draft, Draw, Mix } from "./mix.ts";
import { NAMES, type Operation, SETTING } from "./model.ts";
import { type Parcel, Pipe, type PipeEnd, type PipeOwner, type Site } from "./network.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import { meaningOf, takeReply } from "./replies.ts";

const CLIENT_MACHINE = "clients";
/** What every socket of a process is read into; nothing of it may be relied on after the call. */
const readBuffer = Buffer.alloc(1 << 16);

export const CLIENT_SITE: Site = { machine: CLIENT_MACHINE, isAlive: true, deliver: (run) => run() };

/** The node's end of a client's connection. */
export class SimClientConnection implements ClientConnection, PipeOwner<Parcel> {
  readonly fileDescriptor = -1;
  readonly id: number;
  readonly address = "127.0.0.1:40000";
  readonly localAddress = "127.0.0.1:6001";
  readonly isLoopback = true;
  readonly pendingBytes = 0;
  readonly #end: PipeEnd;
  readonly #handler: ClientHandler;
  #isReading = true;
  #unread: Buffer[] = [];

  constructor(process: SimProcess, end: PipeEnd) {
    this.#end = end;
    end.owner = this;
    this.id = ++process.clientIds;
    this.#handler = process.node.clientConnected(this);
  }

  received({ bytes }: Parcel): void {
    if (this.#isReading) this.#read(bytes!);
    else this.#unread.push(bytes!);
  }

  #read(bytes: Buffer): void {
    const from = (this.id * 37) % 100;
    bytes.copy(readBuffer, from);
    this.#handler.receive(readBuffer, from, from + bytes.length);
    readBuffer.fill(0xee, from, from + bytes.length);
  }

  ended(_how: LinkDown): void {
    this.#handler.closed();
  }

  write(buffer: Buffer, length: number): boolean {
    if (length > 0) this.#end.send({ kind: "data", bytes: Buffer.from(buffer.subarray(0, length)) });
    return true;
  }

  pauseReading(): void {
    this.#isReading = false;
  }

  resumeReading(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    const { timeline } = this.#end.pipe.network;
    timeline.after(0, () =>
      this.#end.site.deliver(() => {
        while (this.#isReading && this.#unread.length > 0 && this.#end.isOpen)
          this.#read(this.#unread.shift()!);
      }),
    );
  }

  end(): void {
    this.#end.shut("local", true);
  }

  destroy(): void {
    this.#end.shut("local", false);
  }
}

export interface ClientWorld {
  readonly random: Random;
  /** Where a client may connect now. */
  targets(): readonly SimProcess[];
  /** What it sends; nothing of its own without one. */
  readonly mix?: Mix;
  /** Keys may be gone, and -OOM come. */
  readonly eviction?: Eviction;
  /** Takes what is no reply but came by itself: true if it was that. */
  pushed?(reply: string): boolean;
  /** A reply that no command may get. */
  wrongReply(client: string, command: readonly string[], reply: string): void;
}

interface Waiting extends Draft {
  /** Its place in the history, if it has one. */
  readonly operation: Operation | undefined;
  readonly sentMs: number;
}

const PIPELINE_MAX = 6;
const VALUE_DIGITS = 4;

export class SimClient implements PipeOwner<Parcel> {
  readonly name: string;
  readonly history: Operation[] = [];
  readonly #world: ClientWorld;
  readonly #database: number;
  readonly #thinkMs: number;
  readonly #patienceMs: number;
  #end: PipeEnd | undefined;
  #process: SimProcess | undefined;
  #connection = 0;
  #order = 0;
  readonly #draw: Draw;
  #tokens = 0;
  #waiting: Waiting[] = [];
  #received = "";
  #isIdle = false;

  constructor(name: string, world: ClientWorld, database = world.random.chance(0.3) ? 1 : 0) {
    this.name = name;
    this.#world = world;
    const { random } = world;
    this.#draw = { random, token: () => this.#token(), isWatching: false };
    this.#database = database;
    this.#thinkMs = random.magnitude(4, 120);
    this.#patienceMs = random.chance(0.4) ? random.magnitude(200, 4000) : Number.POSITIVE_INFINITY;
  }

  /** Commands sent and not answered. */
  get unanswered(): readonly (readonly string[])[] {
    return this.#waiting.map(({ command }) => command);
  }

  /** Of the present connection, or the last one. */
  get host(): SimProcess | undefined {
    return this.#process;
  }

  get server(): string {
    return this.#process?.label ?? "nobody";
  }

  /** No more commands of its own. */
  stop(): void {
    this.#isIdle = true;
  }

  connect(to?: SimProcess): void {
    const targets = this.#world.targets();
    const process = to ?? (targets.length > 0 ? this.#world.random.pick(targets) : undefined);
    if (process?.isAlive !== true) return;
    const { network } = process;
    const pipe = new Pipe(network, CLIENT_SITE, process);
    network.pipes.add(pipe);
    this.#process = process;
    this.#end = pipe.dialler;
    this.#end.owner = this;
    this.#connection = network.nextId();
    this.#order = 0;
    this.#draw.isWatching = false;
    this.#received = "";
    network.trace.line(`client ${this.name} connects to ${process.label} #${pipe.id}`);
    process.deliver(() => void new SimClientConnection(process, pipe.acceptor));
    if (this.#database !== 0)
      this.#send([this.#waitingFor({ command: ["SELECT", String(this.#database)], expected: "+OK" })]);
  }

  /** The next pipeline, then the one after. */
  live(): void {
    if (this.#isIdle) return;
    const { random, mix } = this.#world;
    const end = this.#end;
    if (end === undefined) this.connect();
    else if (this.#waiting.length < 2 * PIPELINE_MAX && mix !== undefined) {
      const count = random.chance(0.5) ? 1 : 1 + random.below(PIPELINE_MAX);
      const drafts = Array.from({ length: count }, () => mix(this.#draw)).flat();
      this.#send(drafts.map((draft) => this.#waitingFor(draft)));
      this.#losePatience(end);
    }
    this.#timeline.after(random.magnitude(this.#thinkMs / 4, this.#thinkMs * 4), () => this.live());
  }

  get isConnected(): boolean {
    return this.#end?.isOpen === true;
  }

  /** Has it been told that its last connection is over? Only then may it connect again. */
  get isFree(): boolean {
    return this.#end === undefined;
  }

  /** One command, outside the mix. */
  ask(draft: Draft): void {
    this.#send([this.#waitingFor(draft)]);
  }

  /** Whoever is not answered by now is not waited for any more. */
  hangUp(): void {
    if (this.#end?.isOpen === true) this.#end.shut("local", true);
  }

  /** The connection breaks at its client's end or in the middle. */
  drop(): void {
    if (this.#end?.isOpen !== true) return;
    if (this.#world.random.chance(0.5)) this.#end.shut("local", this.#world.random.chance(0.5));
    else this.#end.breakOff();
  }

  /** The other end is gone without a word: what TCP's keepalive would find out. */
  noticeSilence(): void {
    if (this.#end?.isOpen === true && !this.#end.peer.isOpen) this.#end.shut("timeout", false);
  }

  received({ bytes }: Parcel): void {
    this.#received += bytes!.toString("latin1");
    for (;;) {
      const reply = takeReply(this.#received);
      if (reply === undefined) return;
      this.#received = this.#received.slice(reply.length);
      this.#answer(reply.text);
    }
  }

  ended(how: LinkDown): void {
    this.#process?.network.trace.line(`client ${this.name} lost its connection: ${how}`);
    this.#end = undefined;
    const lost = this.#waiting;
    this.#waiting = [];
    for (const { answered } of lost) answered?.(undefined);
    if (this.#received !== "") this.#world.wrongReply(this.name, ["(half a reply)"], this.#received);
    this.#received = "";
  }

  get #timeline() {
    return this.#process!.network.timeline;
  }

  #losePatience(end: PipeEnd): void {
    if (this.#patienceMs === Number.POSITIVE_INFINITY) return;
    const last = this.#waiting.at(-1);
    this.#timeline.after(this.#patienceMs, () => {
      if (last !== undefined && this.#waiting.includes(last)) end.shut("local", true);
    });
  }

  #answer(reply: string): void {
    if (this.#world.pushed?.(reply) === true) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return this.#world.wrongReply(this.name, ["(nothing)"], reply);
    const { operation, command, expected = "", refusals } = waiting;
    const isOutOfMemory = this.#isOutOfMemory(waiting, reply);
    if (operation === undefined && isOutOfMemory) {
      // It was to be queued.
    } else if (operation === undefined) {
      const isRight = typeof expected === "string" ? reply === expected : expected.test(reply);
      if (!isRight) this.#world.wrongReply(this.name, command, reply);
    } else {
      const meaning = isOutOfMemory ? "refused" : meaningOf(reply, refusals);
      if (meaning === "refused") this.history.splice(this.history.indexOf(operation), 1);
      if (meaning === "wrong") this.#world.wrongReply(this.name, command, reply);
      if (meaning === "answered") {
        operation.reply = reply;
        operation.returnMs = this.#timeline.nowMs;
      }
    }
    waiting.answered?.(reply);
    const next = waiting.next?.(reply) ?? [];
    if (next.length > 0) this.#send(next.map((draft) => this.#waitingFor(draft)));
  }

  #isOutOfMemory({ command, operation, sentMs }: Waiting, reply: string): boolean {
    const { eviction } = this.#world;
    if (eviction === undefined || !reply.startsWith("-OOM ")) return false;
    const problem = eviction.refused(command, sentMs, operation === undefined);
    if (problem !== undefined) this.#world.wrongReply(this.name, command, `${reply}; ${problem}`);
    return true;
  }

  #send(commands: readonly Waiting[]): void {
    const end = this.#end;
    if (end === undefined) return;
    const { random } = this.#world;
    for (const waiting of commands) {
      this.#waiting.push(waiting);
      if (waiting.operation !== undefined) this.history.push(waiting.operation);
    }
    const bytes = Buffer.concat(commands.map(({ command }) => encodeCommand([...command])));
    // TCP keeps order, not boundaries.
    const cut = random.chance(0.2) ? random.below(bytes.length) : 0;
    if (cut > 0) end.send({ kind: "data", bytes: bytes.subarray(0, cut) });
    end.send({ kind: "data", bytes: bytes.subarray(cut) });
  }

  #waitingFor(draft: Draft): Waiting {
    const { group, command, means } = draft;
    const sentMs = this.#timeline.nowMs;
    if (group === undefined) return { ...draft, operation: undefined, sentMs };
    const operation: Operation = {
      client: this.name,
      connection: this.#connection,
      order: this.#order++,
      group: `${group}/${this.#database}`,
      command: means ?? command,
      callMs: sentMs,
      returnMs: Number.POSITIVE_INFINITY,
      reply: undefined,
      ...(this.#world.eviction !== undefined && !group.startsWith(NAMES) && !group.startsWith(SETTING)
        ? { mayVanish: true }
        : {}),
    };
    return { ...draft, operation, sentMs };
  }

  /** A value or piece of one that is written once in a run. */
  #token(): string {
    return `${this.name}.${String(this.#tokens++).padStart(VALUE_DIGITS, "0")};`;
  }
}
