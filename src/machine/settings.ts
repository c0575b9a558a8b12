// The cluster's settings in force, a part of the replicated state (docs/adr/0023). In: the founder's values, changes by
// entries, values that came with a snapshot. Out: whom the node listens to is told at the same place of the log on every
// replica. It knows texts only, and no file.

import type { ReplicatedSettings } from "../command/types.ts";
import {
  ACTIVE_EXPIRE,
  type ClusterValues,
  canonicalValue,
  clusterDefaults,
} from "../config/cluster-values.ts";

/** An entry changed these, or all came at once: from the founder, or with a snapshot. */
export type SettingsSource = "entry" | "state";

export class MachineSettings implements ReplicatedSettings {
  onChange: (values: ClusterValues, source: SettingsSource) => void = () => {};
  #values: ReadonlyMap<string, string> = new Map(clusterDefaults);
  #text: Buffer | undefined;
  /** DEBUG SET-ACTIVE-EXPIRE: do the leader's entries remove keys that are due? */
  activeExpire = true;

  /** All or nothing. Undefined when done, else the name of the first that is wrong. */
  change(values: ClusterValues): string | undefined {
    const canonical: [string, string][] = [];
    for (const [name, text] of values) {
      const value = canonicalValue(name, text);
      if (value === undefined) return name;
      canonical.push([name, value]);
    }
    this.#set([...this.#values, ...canonical]);
    this.onChange(canonical, "entry");
    return undefined;
  }

  /** What is not named has its default. Names that this version does not know are kept for those that do. */
  restore(values: ClusterValues): void {
    this.#set([...clusterDefaults, ...values]);
    this.onChange(this.values(), "state");
  }

  #set(values: ClusterValues): void {
    this.#values = new Map(values);
    this.#text = undefined;
    this.activeExpire = this.#values.get(ACTIVE_EXPIRE) !== "0";
  }

  /** In order of their names. */
  values(): ClusterValues {
    return [...this.#values].sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** A line for each: a name, a space, a value. For digests, and for CONFIG GET on other nodes. */
  get text(): Buffer {
    this.#text ??= Buffer.from(
      this.values()
        .map(([name, value]) => `${name} ${value}`)
        .join("\n"),
      "latin1",
    );
    return this.#text;
  }
}
