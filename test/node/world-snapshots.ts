// The world's connections for snapshots: chunks arrive in order, one a delivery, unless an end gives up.

import type {
  SnapshotReceiver,
  SnapshotSender,
  SnapshotStreamIn,
  SnapshotStreamOut,
} from "../../src/node/ports.ts";
import type { Host } from "./world.ts";

export class SimSnapshot implements SnapshotStreamOut {
  readonly #from: Host;
  readonly #sender: SnapshotSender;
  #receiver: SnapshotReceiver | undefined;
  #dead = false;
  #gone: Buffer | undefined;

  constructor(from: Host, address: string, header: Uint8Array, sender: SnapshotSender) {
    this.#from = from;
    this.#sender = sender;
    from.world.later(() => {
      if (this.#dead) return;
      const target = [...from.world.hosts.values()].find((host) => host.identity.address === address);
      const stream: SnapshotStreamIn = {
        remote: from.identity,
        pause() {},
        resume() {},
        destroy: () => this.#fail(),
      };
      this.#receiver = target?.node.snapshotOffered(stream, Buffer.from(header));
      if (this.#receiver === undefined) this.#fail();
      else sender.drained();
    });
  }

  write(chunk: Uint8Array): boolean {
    const copy = Buffer.from(chunk);
    this.#gone = Buffer.from(chunk.buffer as ArrayBuffer);
    this.#from.world.later(() => {
      if (this.#dead) return;
      this.#receiver?.chunk(copy);
      this.#sender.drained();
    });
    return false;
  }

  memory(): Buffer | undefined {
    return this.#gone?.fill(0xa5);
  }

  end(): void {
    this.#from.world.later(() => {
      if (this.#dead) return;
      this.#dead = true;
      if (this.#receiver?.ended() === true) this.#sender.finished();
      else this.#sender.failed("refused", "refused");
    });
  }

  destroy(): void {
    if (!this.#dead) this.#receiver?.failed("closed");
    this.#dead = true;
  }

  #fail(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#sender.failed("refused", "refused");
  }
}
