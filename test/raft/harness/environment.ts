// A cluster driven by the directives of a transcript (FORMAT.md sections 5 and 10).
import {
  type ConfState,
  describeProgress,
  describeRole,
  EMPTY_CONFIG,
  ERROR_TEXT,
  MESSAGE_NAME,
  type Message,
  makeMessage,
  type ProposeResult,
  type SnapshotMeta,
  type StepRefusal,
} from "../../../src/raft/index.ts";
import { parseChange } from "./changes.ts";
import { type Directive, parseBool } from "./datadriven.ts";
import { formatEntries, formatMessage, formatReady } from "./format.ts";
import { type NodeOptions, TranscriptNode } from "./node.ts";
import { Output, parseLevel } from "./output.ts";

const STEP_ERROR: Record<StepRefusal, string> = {
  localMessage: "raft: cannot step raft local message",
  peerNotFound: "raft: cannot step as peer not found",
  proposalDropped: "raft proposal dropped",
  malformed: "malformed message",
  halted: "halted",
};

/** A failed directive: its text goes to the output. */
class DirectiveError extends Error {}

interface Recipient {
  readonly id: number;
  readonly drop: boolean;
}

interface Delivery {
  readonly type: string | undefined;
  readonly reverse: boolean;
  readonly limit: number;
  readonly keep: boolean;
}

const DELIVER_ALL: Delivery = {
  type: undefined,
  reverse: false,
  limit: Number.POSITIVE_INFINITY,
  keep: false,
};

class Args {
  readonly positional: readonly string[];
  readonly #directive: Directive;

  constructor(directive: Directive) {
    this.#directive = directive;
    this.positional = directive.args.filter((arg) => arg.values.length === 0).map((arg) => arg.key);
  }

  id(at: number): number {
    return Number(this.positional[at]);
  }
  get ids(): number[] {
    return this.positional.map(Number);
  }
  list(key: string): string[] | undefined {
    const arg = this.#directive.args.find(
      (candidate) => candidate.key === key && candidate.values.length > 0,
    );
    return arg === undefined ? undefined : arg.values.filter((value) => value !== "");
  }
  value(key: string): string | undefined {
    return this.list(key)?.[0];
  }
  number(key: string, otherwise: number): number {
    const text = this.value(key);
    return text === undefined ? otherwise : Number(text);
  }
  bool(key: string): boolean {
    const text = this.value(key);
    return text === undefined ? false : parseBool(text);
  }
  numbers(key: string): number[] {
    return (this.list(key) ?? []).map(Number);
  }
}

export class Environment {
  readonly #output = new Output();
  readonly #nodes: TranscriptNode[] = [];
  #messages: Message[] = [];

  handle(directive: Directive): string {
    const output = this.#output;
    output.text = "";
    try {
      this.#dispatch(directive, new Args(directive));
    } catch (error) {
      if (!(error instanceof DirectiveError)) throw error;
      if (output.quiet) return error.message;
      output.write(error.message);
    }
    return output.text === "" ? "ok" : output.text;
  }

  #dispatch(directive: Directive, args: Args): void {
    const node = (): TranscriptNode => this.#node(args.id(0));
    const { core } = { core: () => node().core };
    switch (directive.command) {
      case "_breakpoint":
        return;
      case "add-nodes":
        return this.#addNodes(args);
      case "log-level":
        return this.#setLevel(args.positional[0] ?? "");
      case "campaign":
        return core().campaign();
      case "propose":
        return this.#checkProposal(core().propose(new TextEncoder().encode(args.positional[1])));
      case "propose-conf-change":
        return this.#proposeConfChange(directive, args);
      case "tick":
        return this.#tick(args.id(0), args.id(1));
      case "tick-election":
        return this.#tick(args.id(0), 3);
      case "tick-heartbeat":
        return this.#tick(args.id(0), 1);
      case "set-randomized-election-timeout":
        return node().setElectionTimeout(args.number("timeout", 0));
      case "process-ready":
        return this.#each(args.ids, "handling Ready", (id) => this.#handleReady(this.#node(id)));
      case "process-append-thread":
        return this.#each(args.ids, "processing append thread", (id) => this.#processAppend(this.#node(id)));
      case "process-apply-thread":
        return this.#each(args.ids, "processing apply thread", (id) => this.#processApply(this.#node(id)));
      case "deliver-msgs":
        return this.#deliverMessages(directive, args);
      case "stabilize":
        return this.#stabilizeAt(args);
      case "raft-log":
        return this.#printLog(node());
      case "compact":
        return this.#compact(node(), args.id(1));
      case "status":
        return this.#printStatus(node());
      case "raft-state":
        return this.#printStates();
      case "transfer-leadership":
        return this.#node(args.number("from", 0)).core.transferLeader(args.number("to", 0));
      case "forget-leader":
        return core().forgetLeader();
      case "report-unreachable":
        return core().reportUnreachable(args.id(1));
      case "report-snapshot":
        return core().reportSnapshot(args.id(1), args.positional[2] === "ok");
      case "read-index":
        return core().readIndex(new TextEncoder().encode(args.positional[1]));
      case "send-snapshot":
        return this.#sendSnapshot(node(), args.id(1));
      case "restart":
        return node().restart();
      default:
        throw new DirectiveError("unknown command");
    }
  }

  #node(id: number): TranscriptNode {
    const node = this.#nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** The core stops at a broken invariant; a transcript never expects that. */
  #checkFault(node: TranscriptNode): void {
    if (node.core.fault !== undefined) throw new Error(`node ${node.id} halted: ${node.core.fault}`);
  }

  #setLevel(name: string): void {
    const level = parseLevel(name);
    if (level === undefined) {
      throw new DirectiveError("log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]");
    }
    this.#output.level = level;
  }

  #addNodes(args: Args): void {
    const voters = args.list("voters");
    const learners = args.list("learners");
    const index = args.number("index", 0);
    const seeded = voters !== undefined || learners !== undefined || args.value("index") !== undefined;
    if (seeded && index <= 1) throw new DirectiveError("index must be specified as > 1 due to bootstrap");
    const confState: ConfState = seeded
      ? { ...EMPTY_CONFIG, voters: (voters ?? []).map(Number), learners: (learners ?? []).map(Number) }
      : EMPTY_CONFIG;
    const initial: SnapshotMeta = { index, term: seeded ? 1 : 0, confState };
    for (let i = 0; i < args.id(0); i++) {
      const trace = (level: string, text: string): void => this.#output.log(level, text);
      this.#nodes.push(new TranscriptNode(this.#nodes.length + 1, initial, nodeOptions(args), trace));
    }
  }

  #tick(id: number, count: number): void {
    const node = this.#node(id);
    for (let i = 0; i < count; i++) node.core.tick();
    this.#checkFault(node);
  }

  #checkProposal(result: ProposeResult): void {
    if (result.ok || result.reason === "confChangeRefused") return;
    throw new DirectiveError(
      result.reason === "proposalDropped" ? STEP_ERROR.proposalDropped : result.reason,
    );
  }

  #proposeConfChange(directive: Directive, args: Args): void {
    const change = parseChange(directive.input, args.value("transition") ?? "auto");
    const type = args.bool("v1") ? "confChange" : "confChangeV2";
    this.#checkProposal(this.#node(args.id(0)).core.proposeConfChange(change, type));
  }

  /** One id: flush left; several: each with a heading, indented. */
  #each(ids: readonly number[], heading: string, body: (id: number) => void): void {
    for (const id of ids) {
      if (ids.length === 1) body(id);
      else this.#headed(id, heading, () => body(id));
    }
  }

  #headed(id: number, heading: string, body: () => void): void {
    this.#output.write(`> ${id} ${heading}\n`);
    this.#output.indented(body);
  }

  #handleReady(node: TranscriptNode): void {
    const ready = node.core.ready();
    this.#checkFault(node);
    this.#output.write(formatReady(ready));
    if (!node.asyncWrites) {
      const problem = node.persist(ready.hardState, ready.entries, ready.snapshot);
      if (problem !== "") throw new DirectiveError(problem);
      node.apply(ready.committedEntries);
    }
    for (const m of ready.messages) {
      if (m.type === "storageAppend") node.appendWork.push(m);
      else if (m.type === "storageApply") node.applyWork.push(m);
      else this.#messages.push(m);
    }
    if (!node.asyncWrites) node.core.advance();
    this.#checkFault(node);
  }

  #processAppend(node: TranscriptNode): void {
    const work = node.appendWork.shift();
    if (work === undefined) return this.#output.write("no append work to perform");
    this.#output.write(`Processing:\n${formatMessage({ ...work, responses: [] })}\n`);
    const { term, vote, commit } = work;
    const hardState = term === 0 && vote === 0 && commit === 0 ? undefined : { term, vote, commit };
    const problem = node.persist(hardState, work.entries, work.snapshot);
    if (problem !== "") throw new DirectiveError(problem);
    this.#respond(work);
  }

  #processApply(node: TranscriptNode): void {
    const work = node.applyWork.shift();
    if (work === undefined) return this.#output.write("no apply work to perform");
    this.#output.write(`Processing:\n${formatMessage({ ...work, responses: [] })}\n`);
    node.apply(work.entries);
    this.#respond(work);
  }

  #respond(work: Message): void {
    this.#output.write("Responses:\n");
    for (const response of work.responses) this.#output.write(`${formatMessage(response)}\n`);
    this.#messages.push(...work.responses);
  }

  #deliverMessages(directive: Directive, args: Args): void {
    const recipients: Recipient[] = [];
    for (const arg of directive.args) {
      if (arg.values.length === 0) recipients.push({ id: Number(arg.key), drop: false });
      else if (arg.key === "drop")
        for (const id of arg.values) recipients.push({ id: Number(id), drop: true });
    }
    const ids = recipients.map((recipient) => recipient.id);
    if (new Set(ids).size !== ids.length) throw new Error("the same recipient twice");
    const delivery: Delivery = {
      type: args.value("type"),
      reverse: args.value("order") === "reverse",
      limit: args.number("limit", Number.POSITIVE_INFINITY),
      keep: args.bool("keep"),
    };
    if (this.#deliver(recipients, delivery) === 0) this.#output.write("no messages\n");
  }

  #deliver(recipients: readonly Recipient[], delivery: Delivery): number {
    let count = 0;
    for (const { id, drop } of recipients) {
      const taken = this.#take(id, drop, delivery);
      count += taken.length;
      for (const m of taken) {
        this.#output.write(`${drop ? "dropped: " : ""}${formatMessage(m)}\n`);
        if (drop) continue;
        const node = this.#node(m.to);
        const result = node.core.step(m);
        this.#checkFault(node);
        if (!result.ok) this.#output.write(`${STEP_ERROR[result.reason]}\n`);
      }
    }
    return count;
  }

  #take(id: number, drop: boolean, { type, reverse, limit, keep }: Delivery): Message[] {
    const matching = this.#messages.filter((m) => {
      const local = m.from === m.to || m.from < 0 || m.to < 0;
      return m.to === id && !(drop && local) && (type === undefined || MESSAGE_NAME[m.type] === type);
    });
    if (reverse) matching.reverse();
    const taken = matching.slice(0, limit);
    if (!keep) {
      const gone = new Set(taken);
      this.#messages = this.#messages.filter((m) => !gone.has(m));
    }
    return taken;
  }

  #stabilizeAt(args: Args): void {
    const before = this.#output.level;
    const level = args.value("log-level");
    if (level !== undefined) this.#setLevel(level);
    try {
      const ids = args.ids.length > 0 ? args.ids : this.#nodes.map((node) => node.id);
      this.#stabilize(ids.map((id) => this.#node(id)));
    } finally {
      this.#output.level = before;
    }
  }

  #stabilize(nodes: readonly TranscriptNode[]): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const node of nodes) {
        if (!node.core.hasReady()) continue;
        busy = true;
        this.#headed(node.id, "handling Ready", () => this.#handleReady(node));
      }
      for (const { id } of nodes) {
        if (!this.#messages.some((m) => m.to === id)) continue;
        busy = true;
        this.#headed(id, "receiving messages", () => this.#deliver([{ id, drop: false }], DELIVER_ALL));
      }
      for (const node of nodes) {
        if (node.appendWork.length === 0) continue;
        busy = true;
        this.#output.write(`> ${node.id} processing append thread\n`);
        while (node.appendWork.length > 0) this.#output.indented(() => this.#processAppend(node));
      }
      for (const node of nodes) {
        if (node.applyWork.length === 0) continue;
        busy = true;
        this.#output.write(`> ${node.id} processing apply thread\n`);
        while (node.applyWork.length > 0) this.#output.indented(() => this.#processApply(node));
      }
    }
  }

  #printLog({ storage }: TranscriptNode): void {
    const first = storage.firstIndex();
    const last = storage.lastIndex();
    if (first > last) return this.#output.write(`log is empty: first index=${first}, last index=${last}`);
    const entries = storage.entries(first, last + 1);
    if (typeof entries === "string") throw new Error(entries);
    this.#output.write(formatEntries(entries));
  }

  #compact(node: TranscriptNode, index: number): void {
    const problem = node.storage.compact(index);
    if (problem !== undefined) throw new DirectiveError(ERROR_TEXT[problem]);
    this.#printLog(node);
  }

  #printStatus(node: TranscriptNode): void {
    for (const peer of node.core.progress()) this.#output.write(`${peer.id}: ${describeProgress(peer)}\n`);
  }

  #printStates(): void {
    for (const { id, core } of this.#nodes) {
      const { voters, votersOutgoing } = core.confState;
      const voter = voters.includes(id) || votersOutgoing.includes(id) ? "(Voter)" : "(Non-Voter)";
      this.#output.write(
        `${id}: ${describeRole(core.role)} ${voter} Term:${core.term} Lead:${core.leader}\n`,
      );
    }
  }

  #sendSnapshot(from: TranscriptNode, to: number): void {
    const m = makeMessage("snapshot", from.id, to, from.core.term);
    m.snapshot = from.storage.snapshot();
    this.#messages.push(m);
    this.#output.write(formatMessage(m));
  }
}

function nodeOptions(args: Args): NodeOptions {
  const maxSizePerMessage = args.number("max-size-per-msg", Number.POSITIVE_INFINITY);
  return {
    heartbeatTicks: 1,
    maxSizePerMessage,
    maxInflightMessages: args.number("inflight", 2 ** 31 - 1),
    maxInflightBytes: args.number("max-inflight-bytes", 0),
    maxUncommittedBytes: args.number("max-uncommitted-size", 0),
    maxCommittedBytesPerReady: args.number("max-committed-size-per-ready", 0),
    checkQuorum: args.bool("checkquorum"),
    preVote: args.bool("prevote"),
    readOnly: args.value("read-only") === "lease-based" ? "leaseBased" : "safe",
    disableProposalForwarding: args.bool("disable-proposal-forwarding"),
    disableConfChangeValidation: args.bool("disable-conf-change-validation"),
    stepDownOnRemoval: args.bool("step-down-on-removal"),
    asyncStorageWrites: args.bool("async-storage-writes"),
    strict: false,
    leaseDurationMs: 0,
    leaseDriftMarginMs: 0,
    batchAppends: false,
  };
}
