// Who is a member now, and who may be lost without losing a majority: the simulation's own count, from what every living
// process knows of the configuration, and the worst case of the changes that are under way.

import type { ConfState } from "../../src/raft/index.ts";
import type { SimProcess } from "./process.ts";
import type { Simulation } from "./simulation.ts";

const idOf = (process: SimProcess): number => process.node.cluster.membership.self.incarnation;

export const isInConfiguration = (process: SimProcess, { voters, learners }: ConfState): boolean =>
  voters.includes(idOf(process)) || learners.includes(idOf(process));

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
    const citizens = this.#simulation.living.filter((process) => isCitizen(process) && process.machine !== lost);
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
    // A learner may become a voter at any moment.
    const dead = new Set(
      [confState.voters, confState.votersOutgoing, confState.learners, confState.learnersNext]
        .flat()
        .filter((id) => !isThere(id))
        .map(nameOf),
    );
    return [confState.voters, confState.votersOutgoing].every((half) => {
      const names = new Set(half.map(nameOf));
      const going = [...names].filter((name) => this.leaving.has(name) || name === goes);
      const deadAfter = [...dead].filter((name) => !going.includes(name));
      const isMajority = (gone: number, of: number): boolean => gone < of / 2;
      return (
        names.size === 0 ||
        (isMajority(dead.size, names.size) && isMajority(deadAfter.length, names.size - going.length))
      );
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
