// The connected clients of this node, in order of id. Sessions register themselves; CLIENT LIST, CLIENT KILL
// and INFO read. Never touches a socket.

import { assert } from "../../base/assert.ts";
import type { Client, ClientsView } from "../../command/local-context.ts";

export class ClientRegistry<C extends Client = Client> implements ClientsView {
  readonly #byId = new Map<number, C>();

  /** Ids come from outside and are never used twice. */
  add(client: C): void {
    assert(!this.#byId.has(client.id), `client ${client.id} registered twice`);
    this.#byId.set(client.id, client);
  }

  /** Harmless for a client that is gone already. */
  remove(client: C): void {
    this.#byId.delete(client.id);
  }

  get count(): number {
    return this.#byId.size;
  }

  /** Live iteration without a copy, for periodic work such as idle timeouts. */
  values(): IterableIterator<C> {
    return this.#byId.values();
  }

  list(): readonly C[] {
    return [...this.#byId.values()].sort((a, b) => a.id - b.id);
  }

  byId(id: number): C | undefined {
    return this.#byId.get(id);
  }
}
