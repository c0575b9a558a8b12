// The thread itself: orders of the event loop in, pulses out. It ends with the process.

import { parentPort, workerData } from "node:worker_threads";
import { KEEPALIVE_MS } from "./peer-socket.ts";
import { PulseMemory } from "./pulse-memory.ts";
import { PulseSender } from "./pulse-sender.ts";
import type { PulseOrder, PulseWorkerData } from "./pulse-thread.ts";

const { shared, intervalMs, silentBeatsMax } = workerData as PulseWorkerData;
const sender = new PulseSender(new PulseMemory(shared), intervalMs, silentBeatsMax);

parentPort?.on("message", (order: PulseOrder) => {
  if (order.kind === "close") return sender.close(order.id);
  const { self, versions, key, sharedSettings } = order.terms;
  sender.open(order.id, order.target, {
    self,
    versions,
    sharedSettings,
    key: key === undefined ? undefined : Buffer.from(key),
    // The link has shaken hands with this peer: what must be the same was compared there.
    sharedDifferences: () => [],
  });
});
const look = (): void => {
  setTimeout(look, sender.look());
};
look();
setInterval(() => sender.beat(), KEEPALIVE_MS);
