// /health, /ready and /metrics over HTTP, for whoever watches the process: orchestrators and Prometheus. It reads
// figures and changes nothing. Anybody who reaches the port may ask, so it listens on loopback unless told otherwise.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { listen } from "./listen.ts";
import type { Metrics } from "./metrics.ts";

const BACKLOG = 128;
/** A request here is one short line; who is slower than this is not one of ours. */
const REQUEST_MS_MAX = 10_000;

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
  const http = createServer(
    { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX },
    (request, response) => {
      answer(request, response, metrics, readinessProblem).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(`${error instanceof Error ? error.message : String(error)}\n`);
      });
    },
  );
  const listening = await listen("http port", addresses, port, BACKLOG, (socket) => {
    http.emit("connection", socket);
    socket.resume();
  });
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
