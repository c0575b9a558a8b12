// The links this node keeps open to other members: one for each address it knows of, as the table of members changes.
// Addresses in, links opened and closed at the transport. Who answers there is the cluster's business.

import { MEMBERS_MAX } from "../base/limits.ts";
import { parseAddress } from "../config/special-kinds.ts";
import type { PeerLink, PeerTransport } from "./ports.ts";

/** Names and members may differ for a while, and others call from addresses of which the table knows nothing yet. */
const DIALLED_MAX = 3 * MEMBERS_MAX;

export class Dialled {
  readonly #peers: PeerTransport;
  readonly #links = new Map<string, PeerLink>();

  constructor(peers: PeerTransport) {
    this.#peers = peers;
  }

  /** Dials these addresses from now on, and no others. */
  keep(addresses: ReadonlySet<string>): void {
    for (const [address, link] of this.#links) {
      if (addresses.has(address)) continue;
      this.#links.delete(address);
      link.close();
    }
    for (const address of addresses) {
      if (this.#links.has(address) || this.#links.size >= DIALLED_MAX) continue;
      if (parseAddress(address) !== undefined) this.#links.set(address, this.#peers.open(address, 0));
    }
  }
}
