// /health, /ready and /metrics over HTTP, for whoever watches the process: orchestrators and Prometheus. It reads
// figures and changes nothing. Anybody who reaches the port may ask, so it listens on loopback unless told otherwise.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Server } from "node:net";
import { listenWith } from "./listen.ts";
import type { Metrics } from "./metrics.ts";
import { HTTP_CONNECTIONS_MAX } from "./open-files.ts";

const BACKLOG = 128;
/** A request here is one short line; who is slower than this is not one of ours. */
const REQUEST_MS_MAX = 5000;
/** How often that is looked at. */
const CHECK_MS = 500;
/** Between two requests of a connection: longer than usual scrape intervals are not worth a connection. */
const KEEP_ALIVE_MS = 30_000;
const HEADER_BYTES_MAX = 8192;

/**
 * Undefined when it listens; else one line for the operator.
 * @param readinessProblem why clients are not served here; "" while they are
 */
export async function startHttpEndpoint(
  addresses: readonly string[],
  port: number,
  metrics: Metrics,
  readinessProblem: () => string,
): Promise<string | undefined> {
  const make = (): Server => {
    const http = createServer(
      {
        requestTimeout: REQUEST_MS_MAX,
        headersTimeout: REQUEST_MS_MAX,
        connectionsCheckingInterval: CHECK_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: HEADER_BYTES_MAX,
      },
      (request, response) => {
        answer(request, response, metrics, readinessProblem).catch((error: unknown) => {
          if (!response.headersSent) response.writeHead(500);
          response.end(`${error instanceof Error ? error.message : String(error)}\n`);
        });
      },
    );
    http.maxConnections = HTTP_CONNECTIONS_MAX;
    return http;
  };
  // The servers listen themselves: one that is only handed connections looks at no time limits.
  const listening = await listenWith("http port", addresses, port, BACKLOG, make);
  return listening.ok ? undefined : listening.error;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Metrics,
  readinessProblem: () => string,
): Promise<void> {
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead) return reply(response, 405, "only GET and HEAD\n", { allow: "GET, HEAD" });
  const { "content-length": length = "0", "transfer-encoding": coding } = request.headers;
  if (length !== "0" || coding !== undefined) {
    // Nothing here takes a body, so nobody waits for the end of one.
    response.once("finish", () => request.destroy());
    return reply(response, 413, "requests have no body here\n", { connection: "close" });
  }
  const [path] = (request.url ?? "").split("?");
  switch (path) {
    case "/health":
      return reply(response, 200, "ok\n");
    case "/ready": {
      const problem = readinessProblem();
      return problem === "" ? reply(response, 200, "ready\n") : reply(response, 503, `${problem}\n`);
    }
    case "/metrics":
      return reply(response, 200, await metrics.text(), { "content-type": metrics.contentType });
    default:
      return reply(response, 404, "there are /health, /ready and /metrics\n");
  }
}

function reply(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": length,
    ...headers,
  });
  response.end(text);
}
