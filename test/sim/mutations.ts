import type { SimulationOptions } from "./simulation.ts";

interface Mutation {
  readonly options?: SimulationOptions;
  /** Breaks the program; returns what mends it. */
  install(): () => void;
}

export const MUTATIONS = {
  none: { install: () => () => {} },
} as const satisfies Record<string, Mutation> as Readonly<Record<string, Mutation>>;
export type MutationName = keyof typeof MUTATIONS;

export function withMutation<T>(name: MutationName, run: () => T): T {
  const mend = MUTATIONS[name]!.install();
  try {
    return run();
  } finally {
    mend();
  }
}
