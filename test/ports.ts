// Ports for the servers that tests start. A port that was asked of the system and given back can be gone a
// moment later: the system hands it to the next connection of anybody. So test processes share out a range
// below those of outgoing connections: who listens on the first port of a block has the block, and the
// system takes it back when the process ends, however it ends.

import { once } from "node:events";
import { createServer, type Server } from "node:net";

const FIRST = 24_000;
const LAST = 31_999;
const BLOCK = 100;
const HOST = "127.0.0.1";

let claim: Server | undefined;
let first = 0;
let given = 0;

/** Ports one after the other that nobody listens on, and that no other test process is given. */
export async function freePorts(count: number): Promise<number[]> {
  if (claim === undefined) {
    [claim, first] = await claimBlock();
    claim.unref();
  }
  for (let tries = 0; tries < BLOCK; tries++) {
    // In turns, so that a port rests for as long as possible after it was used.
    if (given + count >= BLOCK) given = 0;
    const ports = Array.from({ length: count }, (_, i) => first + given + 1 + i);
    const areFree = await Promise.all(ports.map(isFree));
    given += areFree.includes(false) ? 1 : count;
    if (!areFree.includes(false)) return ports;
  }
  throw new Error(`no ${count} free ports in the block from ${first} on`);
}

export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

async function claimBlock(): Promise<[Server, number]> {
  for (let port = FIRST; port + BLOCK - 1 <= LAST; port += BLOCK) {
    const server = await listening(port);
    if (server !== undefined) return [server, port];
  }
  throw new Error(`all blocks of ports from ${FIRST} to ${LAST} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server === undefined) return false;
  await once(server.close(), "close");
  return true;
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: HOST, exclusive: true }, () => resolve(server));
  });
}
