// Settings that CONFIG SET changes on all nodes at once: each node tells the others what it was told, on every link it
// opens and after every change, and the latest change wins. No majority is asked: none of these decides what is in a
// replica's state. In: changes made here, and what peers say. Out: changes to carry out here, and what to say to peers.

import type { ClusterSetting } from "../../wire/cluster-setting.ts";

/** More settings than there are can only come from a peer that is broken, or of a much later version. */
const SETTINGS_MAX = 256;

export class ClusterSettings {
  readonly #known = new Map<string, ClusterSetting>();
  readonly #untold = new Map<number, Set<string>>();
  /** False: nobody is to be told anything. */
  #hasNews = false;

  /** CONFIG SET has changed it on this node. `origin`: this node's incarnation. */
  changed(name: string, value: string, wallMs: number, origin: number): void {
    // Later than all that is known, whatever the clocks say.
    const version = Math.max(wallMs, (this.#known.get(name)?.version ?? 0) + 1);
    this.#note({ name, value, version, origin });
  }

  /** A peer says so. True: it is news, to be carried out here. */
  told(setting: ClusterSetting): boolean {
    const known = this.#known.get(setting.name);
    if (known === undefined ? this.#known.size >= SETTINGS_MAX : !isLater(setting, known)) return false;
    this.#note(setting);
    return true;
  }

  opened(member: number): void {
    this.#untold.set(member, new Set(this.#known.keys()));
    this.#hasNews = true;
  }

  closed(member: number): void {
    this.#untold.delete(member);
  }

  /** What each peer is to hear now. Asked in every turn: costs nothing while there is no news. */
  take(tell: (member: number, settings: readonly ClusterSetting[]) => void): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    for (const [member, untold] of this.#untold) {
      if (untold.size === 0) continue;
      const settings = [...untold].map((name) => this.#known.get(name)).filter((it) => it !== undefined);
      untold.clear();
      tell(member, settings);
    }
  }

  #note(setting: ClusterSetting): void {
    this.#known.set(setting.name, setting);
    this.#hasNews = true;
    for (const untold of this.#untold.values()) untold.add(setting.name);
  }
}

function isLater(a: ClusterSetting, b: ClusterSetting): boolean {
  return a.version !== b.version ? a.version > b.version : a.origin > b.origin;
}
