// What must not happen, as it is kept and reported.

import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "../sim/linearizability.ts";
import type { Operation } from "../sim/model.ts";

export interface Anomaly {
  readonly kind: string;
  readonly text: string;
  /** All that was done to the keys in question. */
  readonly history?: readonly Operation[];
  /** The ends of what the nodes logged. */
  readonly logs?: string;
}

/** One line for whoever runs it; all of it is kept in a file. */
export function report({ kind, text, history = [], logs = "" }: Anomaly, name: string): string {
  const file = join(tmpdir(), `seshat-chaos-${name}.txt`);
  const operations = history.map((it) => `${describe(it)}  #${it.connection}.${it.order}\n`);
  writeFileSync(file, `${kind}: ${text}\n${operations.join("")}${logs}`);
  return `${kind}: ${text} (all of it: ${file})`;
}
