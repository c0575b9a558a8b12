// Memory of one server: what a key costs, and what an idle connection costs. Resident bytes as the system
// counts them, minus those of the same process when it was empty.

import { Client, encode } from "./client.ts";
import { residentBytes, sleep } from "./processes.ts";
import type { Server } from "./servers.ts";

const KEYS = 1_000_000;
const CONNECTIONS = 10_000;
const SETTLE_MS = 3000;
const BATCH = 1000;
const WRITERS = 4;
const CONNECTING_AT_ONCE = 200;

export interface MemoryFigure {
  readonly server: string;
  readonly count: number;
  readonly emptyBytes: number;
  readonly fullBytes: number;
  /** (full - empty) / count */
  readonly bytesEach: number;
}

async function figureOf(server: Server, count: number, work: () => Promise<void>): Promise<MemoryFigure> {
  const process = server.children[0]!;
  await sleep(SETTLE_MS);
  const emptyBytes = residentBytes(process);
  await work();
  await sleep(SETTLE_MS);
  const fullBytes = residentBytes(process);
  return { server: server.name, count, emptyBytes, fullBytes, bytesEach: (fullBytes - emptyBytes) / count };
}

/** "key:000000000042": 16 bytes; the value has 32. */
const keyOf = (i: number): string => `key:${String(i).padStart(12, "0")}`;
const payloadOf = (i: number): string => `value:${String(i).padStart(26, "0")}`;

export function measureKeys(server: Server, scale: number): Promise<MemoryFigure> {
  const keys = Math.round(KEYS * scale);
  return figureOf(server, keys, async () => {
    const part = Math.ceil(keys / WRITERS);
    await Promise.all(
      Array.from({ length: WRITERS }, (_, writer) =>
        fill(server.port, writer * part, Math.min(keys, (writer + 1) * part)),
      ),
    );
    await checkFilled(server.port, keys);
  });
}

async function fill(port: number, from: number, to: number): Promise<void> {
  const client = await Client.open(port);
  for (let at = from; at < to; at += BATCH) {
    const end = Math.min(to, at + BATCH);
    let text = "";
    for (let i = at; i < end; i++) text += encode(["SET", keyOf(i), payloadOf(i)]);
    const replies = await Promise.all(client.sendEncoded(text, end - at));
    if (replies.some((reply) => reply !== "OK")) throw new Error("a SET was not answered with OK");
  }
  client.close();
}

async function checkFilled(port: number, keys: number): Promise<void> {
  const client = await Client.open(port);
  for (let sample = 0; sample < 100; sample++) {
    const i = Math.floor((sample * keys) / 100);
    const value = await client.send("GET", keyOf(i));
    if (value !== payloadOf(i)) throw new Error(`${keyOf(i)} holds ${String(value)}`);
  }
  const size = Number(await client.send("DBSIZE"));
  // The start-up check of a Seshat server leaves a key of its own.
  if (size < keys || size > keys + 1) throw new Error(`DBSIZE is ${size} after ${keys} keys`);
  client.close();
}

/** Connections that said PING once and nothing since. */
export async function measureConnections(server: Server, scale: number): Promise<MemoryFigure> {
  const wanted = Math.round(CONNECTIONS * scale);
  const clients: Client[] = [];
  const open = async (): Promise<void> => {
    const client = await Client.open(server.port);
    clients.push(client);
    await client.send("PING");
  };
  try {
    return await figureOf(server, wanted, async () => {
      for (let at = 0; at < wanted; at += CONNECTING_AT_ONCE) {
        const some = Math.min(CONNECTING_AT_ONCE, wanted - at);
        await Promise.all(Array.from({ length: some }, open)).catch((error: Error) => {
          throw new Error(
            `after ${clients.length} connections: ${error.message} (is ulimit -n above ${wanted + 100}?)`,
          );
        });
      }
    });
  } finally {
    for (const client of clients) client.close();
  }
}
