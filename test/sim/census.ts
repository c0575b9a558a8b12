// Who is a member now, and who may be lost without losing a majority: the simulation's own count, from what every living
// process knows of the configuration, and the worst case of the changes that are under way.

import type { SimProcess } from "./process.ts";
import type { Simulation } from "./simulation.ts";

const idOf = (process: SimProcess): number => process.node.cluster.membership.self.incarnation;

/** Has it state, and a place in the cluster as far as it knows? */
export const isCitizen = ({ node }: SimProcess): boolean => {
  const { raft } = node.replica;
  return raft !== undefined && raft.confState.voters.length > 0 && raft.confState.voters.includes(raft.id);
};

export class Census {
  readonly #simulation: Simulation;
  /** Names that an operator has told to go, whether or not it was done. */
  readonly leaving = new Set<string>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Living voters by the leader's word, without those that are about to stop; none while nobody leads. */
  get members(): SimProcess[] {
    const { leader, living } = this.#simulation;
    const confState = leader?.node.replica.raft?.confState;
    if (confState === undefined) return [];
    return living.filter((process) => !process.isStopping && confState.voters.includes(idOf(process)));
  }

  /** Names of the table, by the leader's word. */
  get names(): string[] {
    return this.#simulation.leader?.node.cluster.membership.names().map(({ name }) => name) ?? [];
  }

  /** Of the names in the table that have a living process: is each a voter, and is no change under way? */
  get isWhole(): boolean {
    const { leader } = this.#simulation;
    const raft = leader?.node.replica.raft;
    if (raft === undefined || raft.confState.learners.length > 0) return false;
    if (raft.confState.votersOutgoing.length > 0) return false;
    const { members } = this;
    return this.names.every((name) => {
      const process = this.#simulation.processOn(name);
      return process === undefined || process.isStopping || members.includes(process);
    });
  }

  /** Is a majority left, whatever becomes of changes under way, if this machine's process is lost and that name goes? */
  isSafe(lost: string | undefined, goes?: string): boolean {
    const citizens = this.#simulation.living.filter(
      (process) => isCitizen(process) && process.machine !== lost,
    );
    return citizens.length > 0 && citizens.every((process) => this.#isSafeFor(process, lost, goes));
  }

  #isSafeFor({ node }: SimProcess, lost: string | undefined, goes: string | undefined): boolean {
    const { confState } = node.replica.raft!;
    const { membership } = node.cluster;
    const nameOf = (id: number): string => membership.member(id)?.name ?? String(id);
    const isThere = (id: number): boolean => {
      const process = this.#simulation.living.find((it) => idOf(it) === id);
      return process !== undefined && !process.isStopping && process.machine !== lost;
    };
    // A learner may become a voter at any moment, and be dead then.
    const learners = [...confState.learners, ...confState.learnersNext].filter((id) => !isThere(id));
    const all = [...confState.voters, ...confState.votersOutgoing, ...learners];
    const dead = new Set(all.filter((id) => !isThere(id)).map(nameOf));
    // The worst: those that live go, the dead are still counted.
    const isMajority = (of: readonly string[]): boolean => {
      const alive = of.filter((name) => !dead.has(name) && !this.leaving.has(name));
      const gone = of.filter((name) => dead.has(name));
      return alive.length > gone.length;
    };
    return [confState.voters, confState.votersOutgoing].every((half) => {
      const names = [...new Set([...half, ...learners].map(nameOf))];
      return half.length === 0 || (isMajority(names) && isMajority(names.filter((name) => name !== goes)));
    });
  }

  /** Has every living member heard that this name is none any more? */
  isForgotten(name: string): boolean {
    return this.#simulation.living.every(
      ({ machine, node }) =>
        machine === name ||
        node.replica.raft === undefined ||
        node.cluster.problem !== undefined ||
        node.cluster.membership.named(name).length === 0,
    );
  }
}
