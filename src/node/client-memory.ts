// maxmemory-clients: what all clients of this node together may make it hold, of half commands and of replies that are not
// read. In: once a tick, their figures. Out: whoever takes most is closed until there is room. Without a limit nothing is
// looked at, and a client with NO-EVICT is left alone.

import { clientBytes } from "../command/client-info.ts";
import type { SeshatNode } from "./node.ts";
import type { Session } from "./session.ts";

/** Room that is reserved and not written takes no memory yet. */
const takenBytes = (client: Session): number => clientBytes(client) - client.queryBufferFreeBytes;

export class ClientMemory {
  readonly #node: SeshatNode;

  constructor(node: SeshatNode) {
    this.#node = node;
  }

  tick(): void {
    const { settings, server, ports } = this.#node;
    const limitBytes = settings.clientsMemoryBytesMax;
    if (limitBytes === 0) return;
    let total = 0;
    for (const client of server.clients.values()) total += takenBytes(client);
    if (total <= limitBytes) return;
    const largestFirst = [...server.clients.values()]
      .filter((client) => !client.noEvict)
      .map((client) => ({ client, bytes: takenBytes(client) }))
      .sort((a, b) => b.bytes - a.bytes);
    for (const { client, bytes } of largestFirst) {
      if (total <= limitBytes) return;
      total -= bytes;
      ports.log.warn(
        { client: client.address, bytes },
        "closed: the clients take more than maxmemory-clients",
      );
      server.statistics.evictedClients++;
      client.close(false);
    }
  }
}
