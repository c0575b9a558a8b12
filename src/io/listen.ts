// Opens listening sockets on several addresses, written as redis.conf does: "*" and "::*" for all, a leading "-"
// for an address that may be missing on this machine. Answers with the servers or with one line for the operator.

import { createServer, type Server, type Socket } from "node:net";

export type Listening =
  | { readonly ok: true; readonly servers: readonly Server[]; readonly port: number }
  | { readonly ok: false; readonly error: string };

/** @param port 0: one that is free, the same on all addresses */
export async function listen(
  what: string,
  addresses: readonly string[],
  port: number,
  backlog: number,
  accept: (socket: Socket) => void,
): Promise<Listening> {
  // noDelay and keepAlive are set by whoever takes the handle.
  const make = (): Server => createServer({ pauseOnConnect: true, allowHalfOpen: false }, accept);
  return listenWith(what, addresses, port, backlog, make);
}

/** The same with servers of another kind, one for each address. */
export async function listenWith(
  what: string,
  addresses: readonly string[],
  port: number,
  backlog: number,
  make: () => Server,
): Promise<Listening> {
  const servers: Server[] = [];
  let chosen = port;
  for (const address of addresses) {
    const isOptional = address.startsWith("-");
    const host = hostOf(isOptional ? address.slice(1) : address);
    const outcome = await listenOn(host, chosen, backlog, make());
    if (typeof outcome !== "string") {
      servers.push(outcome);
      const bound = outcome.address();
      if (bound !== null && typeof bound === "object") chosen = bound.port;
    } else if (!isOptional || !isMissingAddress(outcome)) {
      for (const server of servers) server.close();
      return { ok: false, error: explain(what, host, chosen, outcome) };
    }
  }
  if (servers.length === 0) {
    return { ok: false, error: `${what}: none of the addresses ${addresses.join(" ")} is on this machine` };
  }
  return { ok: true, servers, port: chosen };
}

function hostOf(address: string): string {
  if (address === "*") return "0.0.0.0";
  if (address === "::*") return "::";
  return address;
}

/** The server, or the code of the error. */
function listenOn(host: string, port: number, backlog: number, server: Server): Promise<Server | string> {
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, backlog, ipv6Only: host.includes(":") }, () => {
      server.removeAllListeners("error");
      // Out of file descriptors, say: the connection is lost, the server goes on.
      server.on("error", () => {});
      resolve(server);
    });
  });
}

const isMissingAddress = (code: string): boolean =>
  code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT" || code === "ENOTFOUND" || code === "EINVAL";

function explain(what: string, host: string, port: number, code: string): string {
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  if (code === "EADDRINUSE")
    return `${what} ${place}: the port is taken; stop what uses it or choose another port`;
  if (code === "EACCES") return `${what} ${place}: not allowed; ports below 1024 need privileges`;
  if (isMissingAddress(code)) return `${what} ${place}: this machine has no such address`;
  return `${what} ${place}: cannot listen (${code})`;
}
