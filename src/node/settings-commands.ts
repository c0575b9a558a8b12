// CONFIG SET and CONFIG GET where they are about settings of the cluster (docs/adr/0023), and DEBUG SET-ACTIVE-EXPIRE, which is
// a switch of the cluster: translated into words of the log, and answered by this node when the log has. Also what this node does when the log puts a setting in force: its own copy
// follows. It decides nothing about a value: the settings' table does.

import { Args } from "../base/args.ts";
import { assert } from "../base/assert.ts";
import { wantsActiveExpire } from "../command/debug.ts";
import { NAMES_MAX, utf8Argument } from "../command/local-arguments.ts";
import type { ConfigSetProblem } from "../command/local-context.ts";
import { ACTIVE_EXPIRE, type ClusterValues } from "../config/cluster-values.ts";
import { quoteWord } from "../config/grammar.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { encodeArguments } from "../resp/request-parser.ts";
import { DONE, HOLD_ORDER } from "./holds.ts";
import type { SeshatNode } from "./node.ts";
import { MODE_LEADER, MODE_NONE } from "./replica.ts";
import { rowIds } from "./row-facts.ts";
import type { Session } from "./session.ts";

const NOTHING = Buffer.alloc(0);
const MINUS = 0x2d;
const NOT_ASKED = "the cluster was not asked: set it in a command of its own";

export class SettingsCommands {
  readonly #node: SeshatNode;
  /** While a CONFIG GET is answered: what the log said is in force. */
  #inForce: ReadonlyMap<string, string> | undefined;
  /** While a CONFIG SET is answered: the log has done its part. */
  #isLogDone = false;

  constructor(node: SeshatNode) {
    this.#node = node;
    const { settings } = node.replica.machine.sessions;
    settings.onChange = (values, source) => {
      node.configuration.adopt(values);
      if (source === "state") this.#warn(values);
    };
  }

  /** DONE or HELD; undefined when this node can answer by itself. */
  begin(session: Session, id: number, args: Args): number | undefined {
    const { replica, isLeaderless, dispatch, server } = this.#node;
    const form = this.form(session, id, args);
    if (form === undefined) return undefined;
    if (session.outstanding > 0) return session.setHold(HOLD_ORDER);
    if (id === rowIds.configGet) {
      // What it holds is what is in force, or the best that can be had.
      if (replica.mode === MODE_LEADER && replica.readsAllowed) return undefined;
      if (replica.mode === MODE_NONE && isLeaderless) return undefined;
    }
    const bytes = encodeArguments(args);
    const queued = { id, start: 0, end: bytes.length, isLocal: true, hasForm: true };
    const isSilent = session.muted;
    session.plan = { bytes, queue: [queued], reply: undefined, isTransaction: false, isSilent, claims: [] };
    const formId = id === rowIds.configGet ? rowIds.settings : rowIds.config;
    const outcome = dispatch.logForm(session, formId, Args.of(...form), NOTHING, 0, 0);
    if (outcome !== DONE)
      session.plan = undefined; // it is sent again, from the start
    else {
      server.commandStatistics.count(id);
      if (this.#node.monitoring) this.#node.feedMonitors(session, id, args);
    }
    return outcome;
  }

  /** The word of the log for it; undefined when it does not need the cluster, or is wrong. */
  form(session: Session, id: number, args: Args): string[] | undefined {
    const { configuration, server } = this.#node;
    if (id === rowIds.activeExpire) {
      const isOn = server.debugAllowed(session) ? wantsActiveExpire(args) : undefined;
      return isOn === undefined ? undefined : ["seshat.config", ACTIVE_EXPIRE, isOn ? "1" : "0"];
    }
    if (id === rowIds.configGet) {
      if (args.count - 2 > NAMES_MAX) return undefined;
      const patterns: string[] = [];
      for (let i = 2; i < args.count; i++) patterns.push(args.text(i));
      return configuration.asksCluster(patterns) ? ["seshat.settings"] : undefined;
    }
    if (id !== rowIds.configSet || args.count % 2 !== 0) return undefined;
    const pairs: [string, string][] = [];
    for (let i = 2; i < args.count; i += 2) pairs.push([utf8Argument(args, i), utf8Argument(args, i + 1)]);
    const split = configuration.split(pairs);
    if (split.kind !== "split" || split.cluster.length === 0) return undefined;
    return ["seshat.config", ...split.cluster.flat()];
  }

  /** The log has answered the word that was made of this command. */
  finish(session: Session, id: number, args: Args, answer: Buffer, attach: () => ReplyWriter): void {
    const { server } = this.#node;
    if (answer[0] === MINUS) {
      attach().raw(answer, 0, answer.length);
      server.commandStatistics.countFailed(id);
      server.statistics.errors.count(answer.toString("latin1", 1, answer.length - 2));
      return;
    }
    if (id === rowIds.configGet) this.#inForce = valuesOf(answer);
    else this.#isLogDone = true;
    server.run(session, id, args);
    this.#inForce = undefined;
    this.#isLogDone = false;
  }

  // What the handlers of CONFIG ask.

  get(patterns: readonly string[]): readonly (readonly [name: string, value: string])[] {
    return this.#node.configuration.get(patterns, this.#inForce);
  }

  set(pairs: readonly (readonly [name: string, value: string])[]): ConfigSetProblem | undefined {
    const { configuration } = this.#node;
    const split = configuration.split(pairs);
    if (split.kind !== "split") return split;
    const [first] = split.cluster;
    // It was wrong when the log would have been asked: what went before it in the transaction made it right.
    if (first !== undefined && !this.#isLogDone) return { kind: "failed", name: first[0], reason: NOT_ASKED };
    return split.node.length === 0 ? undefined : configuration.set(split.node);
  }

  /** The cluster has the say: whoever wrote the file should know. */
  #warn(values: ClusterValues): void {
    for (const { name, file, cluster } of this.#node.configuration.overruled(values)) {
      this.#node.ports.log.warn(
        { setting: name, file, cluster },
        `${name} is a setting of the cluster, whose value ${quoteWord(cluster)} is in force, and not ${quoteWord(file)} as this node's file or flags say; ` +
          "CONFIG SET changes it on all nodes",
      );
    }
  }
}

/** The answer to seshat.settings, a bulk string. */
function valuesOf(answer: Buffer): Map<string, string> {
  const from = answer.indexOf("\r\n") + 2;
  assert(from > 1, `no bulk string: ${answer.toString("latin1", 0, 32)}`);
  const lines = answer.toString("latin1", from, answer.length - 2).split("\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]));
}
