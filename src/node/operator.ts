// What an operator asks for, on the node that can do it: members added, removed, promoted, leadership handed over, a
// cluster started over from a survivor. Each change is a small state machine that is asked once a turn until it is in
// force; errors say what to do. Raft and the table of members do the work.

import { MEMBERS_MAX } from "../base/limits.ts";
import type { MemberStatus, OperatorChange, OperatorControl } from "../command/operator-context.ts";
import { isLoopback, NODE_NAME, NODE_NAME_RULE, parseAddress } from "../config/special-kinds.ts";
import { type ConfChangeStep, isVoter, type RaftCore } from "../raft/index.ts";
import type { TableChange } from "../wire/cluster-messages.ts";
import type { SeshatNode } from "./node.ts";
import { MODE_LEADER } from "./replica.ts";

const BUSY = "TRYAGAIN not executed: another change of the members is under way";
const UNCERTAIN =
  "UNCERTAIN the change was proposed and its outcome is not known here: see RAFT.STATUS, and repeat it if need be";
const NOT_LEADER = "TRYAGAIN not executed: this node does not lead any more";
/** A leader that is to be removed tries to hand over once in so long. */
const HAND_OVER_AGAIN_MS = 2000;

const failed = (problem: string): OperatorChange => ({ poll: () => problem, late: () => problem });
export class Operator implements OperatorControl {
  readonly #node: SeshatNode;
  #handedOverMs = Number.NEGATIVE_INFINITY;

  constructor(node: SeshatNode) {
    this.#node = node;
  }

  members(): MemberStatus[] {
    const { membership } = this.#node.cluster;
    const found = membership.list().map((member): MemberStatus => this.#statusOf(member.incarnation));
    for (const { name, address } of membership.names()) {
      if (membership.named(name).length > 0) continue;
      found.push({ ...nobody, name, peerAddress: address, connected: false });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #statusOf(incarnation: number): MemberStatus {
    const { cluster, replica } = this.#node;
    const { raft } = replica;
    const member = cluster.membership.member(incarnation);
    const isSelf = incarnation === cluster.membership.self.incarnation;
    const progress = raft?.progressOf(incarnation);
    const isLearner = raft?.confState.learners.includes(incarnation) === true;
    const isLeader = raft?.leader === incarnation;
    const isCandidate = isSelf && (raft?.role === "candidate" || raft?.role === "preCandidate");
    return {
      name: member?.name ?? "",
      role: isLearner ? "learner" : isLeader ? "leader" : isCandidate ? "candidate" : "follower",
      incarnation: String(incarnation),
      peerAddress: member?.address ?? "",
      clientAddress: member?.clientAddress ?? "",
      connected: isSelf || cluster.links.isUp(incarnation),
      state: progress?.state ?? "unknown",
      matchIndex: progress?.match ?? 0,
      lag: progress === undefined ? -1 : Math.max(0, (raft?.lastIndex ?? 0) - progress.match),
    };
  }

  add(name: string, peerAddress: string): OperatorChange {
    const { membership } = this.#node.cluster;
    const names = membership.names();
    const problem = this.#additionProblem(name, peerAddress);
    if (problem !== undefined) return failed(problem);
    if (membership.addressOf(name) === undefined && names.length >= MEMBERS_MAX) {
      return failed(`ERR there can be at most ${MEMBERS_MAX} members: remove one first`);
    }
    return this.#change(
      () => membership.addressOf(name) !== undefined,
      () => ({ steps: [], table: { nameAdded: { name, address: peerAddress } } }),
    );
  }

  #additionProblem(name: string, peerAddress: string): string | undefined {
    const { cluster, settings } = this.#node;
    const { membership } = cluster;
    if (!NODE_NAME.test(name)) return `ERR a member's name must be ${NODE_NAME_RULE}`;
    const at = parseAddress(peerAddress);
    if (at === undefined) return "ERR the address of a member's peer port is like 127.0.0.1:16379";
    if (settings.members.length === 0) {
      return "ERR this node was started without a member line and has no peer port: start it with one for itself";
    }
    if (settings.clusterSecret === "" && !isLoopback(at.host)) {
      return "ERR a member on another machine needs a cluster-secret: start all nodes with one";
    }
    const known = membership.addressOf(name);
    if (known !== undefined && known !== peerAddress) {
      return `ERR ${name} is a member already, at ${known}: remove it first, or start it there`;
    }
    const other = membership.names().find((member) => member.name !== name && member.address === peerAddress);
    return other === undefined ? undefined : `ERR ${peerAddress} is the address of ${other.name}`;
  }

  remove(name: string): OperatorChange {
    const { membership } = this.#node.cluster;
    const problem = this.#removalProblem(name);
    if (problem !== undefined) return failed(problem);
    if (name === membership.self.name) {
      return failed(
        "TRYAGAIN not executed: this node leads, and no other voter has taken over: see RAFT.STATUS for their lag",
      );
    }
    return this.#change(
      () => membership.addressOf(name) === undefined && membership.named(name).length === 0,
      () => ({
        steps: membership
          .named(name)
          .map(({ incarnation }): ConfChangeStep => ({ type: "remove", id: incarnation })),
        table: { nameRemoved: name },
      }),
    );
  }

  #removalProblem(name: string): string | undefined {
    const { cluster, replica } = this.#node;
    const { membership, links } = cluster;
    const unknown = this.#unknown(name);
    if (unknown !== undefined) return unknown;
    const left = replica.raft!.confState.voters.filter((id) => membership.member(id)?.name !== name);
    if (left.length === 0) return `ERR ${name} is the last voter: a cluster cannot be without one`;
    const connected = left.filter((id) => id === membership.self.incarnation || links.isUp(id)).length;
    if (2 * connected > left.length) return undefined;
    return `ERR without ${name} there would be ${left.length} voters of which ${connected} can be reached, no majority: start the others first`;
  }

  /**
   * For a removal of this node while it leads: leadership goes first, and the command with it, to the next leader.
   * False when the removal cannot be, or handing over has just failed: then remove() says why.
   */
  handsOver(name: string): boolean {
    const { cluster, replica } = this.#node;
    if (name !== cluster.membership.self.name || replica.mode !== MODE_LEADER) return false;
    if (replica.monotonicMs - this.#handedOverMs < HAND_OVER_AGAIN_MS) return false;
    if (this.#removalProblem(name) !== undefined) return false;
    const successor = replica.bestSuccessor();
    if (successor === 0) return false;
    this.#handedOverMs = replica.monotonicMs;
    replica.transferTo(successor);
    return true;
  }

  promote(name: string): OperatorChange {
    const { cluster, replica } = this.#node;
    const { membership, admission } = cluster;
    const unknown = this.#unknown(name);
    if (unknown !== undefined) return failed(unknown);
    const raft = replica.raft!;
    const learner = membership
      .named(name)
      .find(({ incarnation }) => raft.confState.learners.includes(incarnation));
    if (learner === undefined) {
      const isPresent = membership.named(name).length > 0;
      return failed(
        isPresent
          ? `ERR ${name} is a voter already`
          : `ERR ${name} has not joined yet: start it with a member line for itself and for one that is there`,
      );
    }
    const id = learner.incarnation;
    const lag = admission.lag(raft, id);
    if (lag === undefined)
      return failed(`ERR ${name} is not heard of: see RAFT.STATUS whether it is connected`);
    if (lag > 0)
      return failed(`ERR ${name} is ${lag} entries behind: it becomes a voter when it has caught up`);
    let isProposed = false;
    return {
      poll: () => {
        if (isVoter(raft.confState, id)) return raft.changeUnderWay ? undefined : "";
        if (replica.mode !== MODE_LEADER) return isProposed ? UNCERTAIN : NOT_LEADER;
        if (!isProposed) isProposed = admission.promote(raft, id);
        return undefined;
      },
      late: () => (isProposed ? UNCERTAIN : BUSY),
    };
  }

  transfer(name: string): OperatorChange {
    const { cluster, replica } = this.#node;
    const { membership, links } = cluster;
    const unknown = this.#unknown(name);
    if (unknown !== undefined) return failed(unknown);
    const raft = replica.raft!;
    const voters = membership.named(name).map(({ incarnation }) => incarnation);
    const target = voters.find(
      (id) => raft.confState.voters.includes(id) && (id === raft.id || links.isUp(id)),
    );
    if (target === undefined) {
      return failed(
        `ERR ${name} cannot lead: ${voters.length === 0 ? "it has not joined" : "it is a learner, or not connected"}`,
      );
    }
    if (target === raft.id) return failed("");
    replica.transferTo(target);
    let hasBegun = false;
    const failure = `TRYAGAIN ${name} has not taken over in time`;
    return {
      poll: () => {
        if (raft.leader === target) return "";
        hasBegun ||= raft.transferring;
        return hasBegun && raft.role === "leader" && !raft.transferring ? failure : undefined;
      },
      late: () => failure,
    };
  }

  recoveryNotes(): string {
    const { cluster, replica } = this.#node;
    const { membership } = cluster;
    const { raft } = replica;
    if (raft === undefined)
      return `${membership.self.name} has no data: there is nothing to recover from here.`;
    const others = this.members().filter(({ name }) => name !== membership.self.name);
    const reached = others.filter(({ connected }) => connected).map(({ name }) => name);
    return [
      `RAFT.RECOVER FORCE on ${membership.self.name} would start a new cluster from what this node has:`,
      `- its log to index ${raft.lastIndex}, of which ${raft.lastIndex - raft.commit} entries are not known to be agreed on and would count as agreed;`,
      "- acknowledged writes that reached only the members that are lost would be lost;",
      `- it would be the only member, and ${others.map(({ name }) => name).join(", ") || "nobody"} could join it empty;`,
      `- another survivor of cluster ${membership.clusterId} must be stopped and started anew to join.`,
      `Members of the present configuration it reaches now: ${reached.join(", ") || "none"}.`,
      ...(replica.repair.isUnderWay
        ? [
            "- ITS STATE DIFFERS from that of the others and was being replaced: recover from another survivor if there is one;",
          ]
        : []),
      raft.leader === 0
        ? "Choose the survivor with the highest last-index (RAFT.STATUS). Nothing was done."
        : "There is a leader, so nothing needs recovering. Nothing was done.",
    ].join("\n");
  }

  /** Done between commands: it decides what was in flight, and with that writes replies to other clients. */
  recover(): OperatorChange {
    const problem = this.#recoveryProblem();
    if (problem !== undefined) return failed(problem);
    const { cluster } = this.#node;
    let isDue = false;
    return {
      poll: () => {
        if (isDue) {
          const late = this.#recoveryProblem();
          if (late !== undefined) return late;
          cluster.recover();
          return "";
        }
        isDue = true;
        this.#node.requestTurn();
        return undefined;
      },
      late: () => BUSY,
    };
  }

  #recoveryProblem(): string | undefined {
    const { cluster, replica } = this.#node;
    const { raft } = replica;
    if (raft === undefined)
      return "ERR this node has no data: recover on one that was in the cluster and still runs";
    if (raft.leader !== 0) {
      const leader = cluster.membership.member(raft.leader)?.name ?? "somebody";
      return `ERR ${leader} leads this cluster: there is nothing to recover`;
    }
    if (raft.confState.voters.length === 0) return "ERR this node has not received the cluster's state yet";
    return undefined;
  }

  #unknown(name: string): string | undefined {
    const { membership } = this.#node.cluster;
    if (membership.addressOf(name) !== undefined || membership.named(name).length > 0) return undefined;
    const names = membership.names().map((member) => member.name);
    return `ERR no member is called ${NODE_NAME.test(name) ? name : "so"}: there are ${names.join(", ")}`;
  }

  /** Proposes what is wanted as soon as Raft takes it, and waits until it is so. */
  #change(
    isDone: () => boolean,
    wanted: () => { readonly steps: readonly ConfChangeStep[]; readonly table: TableChange },
  ): OperatorChange {
    const { cluster, replica } = this.#node;
    const raft: RaftCore = replica.raft!;
    let isProposed = false;
    return {
      poll: () => {
        if (isDone()) return raft.confState.votersOutgoing.length > 0 ? undefined : "";
        if (replica.mode !== MODE_LEADER) return isProposed ? UNCERTAIN : NOT_LEADER;
        if (isProposed) return undefined;
        const { steps, table } = wanted();
        isProposed = cluster.admission.propose(raft, steps, table);
        if (isProposed) this.#node.requestTurn();
        return undefined;
      },
      late: () => (isProposed ? UNCERTAIN : BUSY),
    };
  }
}

const nobody = {
  role: "absent",
  incarnation: "",
  clientAddress: "",
  state: "unknown",
  matchIndex: 0,
  lag: -1,
} as const;
