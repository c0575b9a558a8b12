// A shop of three web servers, each with express-session and connect-redis through a node of its own: a visitor's
// session is the same on all of them, at once, and outlives the death of the leader.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { createClient } from "redis";
import { test } from "vitest";
import type { NodeProcess } from "../e2e/processes.ts";
import { until } from "../until.ts";
import { stage, urlOf } from "./stage.ts";

declare module "express-session" {
  interface SessionData {
    basket?: string[];
  }
}

const nodes = stage();

const clientOf = (node: NodeProcess) => createClient({ url: urlOf(node), socket: { reconnectStrategy: 50 } });
type RedisClient = ReturnType<typeof clientOf>;

class Shop {
  readonly store: RedisStore;
  readonly #client: RedisClient;
  readonly #server: Server;

  private constructor(client: RedisClient) {
    this.#client = client;
    this.store = new RedisStore({ client, prefix: "shop:" });
    const app = express();
    app.use(session({ store: this.store, secret: "s", resave: false, saveUninitialized: false }));
    app.post("/buy/:what", (request, response) => {
      request.session.basket = [...(request.session.basket ?? []), request.params.what];
      response.json(request.session.basket);
    });
    app.get("/basket", (request, response) => {
      response.json(request.session.basket ?? []);
    });
    app.post("/leave", (request, response) => {
      request.session.destroy((error) => response.json(error === undefined || error === null));
    });
    this.#server = app.listen(0, "127.0.0.1");
  }

  static async open(node: NodeProcess): Promise<Shop> {
    const client = clientOf(node);
    client.on("error", () => {});
    await client.connect();
    const shop = new Shop(client);
    await once(shop.#server, "listening");
    return shop;
  }

  async ask(method: "GET" | "POST", path: string, cookie = ""): Promise<{ body: unknown; cookie: string }> {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no address");
    const response = await fetch(`http://127.0.0.1:${address.port}${path}`, {
      method,
      headers: { cookie },
    });
    const set = response.headers.get("set-cookie")?.split(";")[0];
    return { body: response.ok ? await response.json() : response.status, cookie: set ?? cookie };
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#client.destroy();
  }
}

test("a session is one on all servers, and outlives the leader", async () => {
  const { cluster } = nodes;
  const shops = await Promise.all(cluster.nodes.map((node) => Shop.open(node)));
  const { cookie } = await shops[0]!.ask("POST", "/buy/tea");
  assert.match(cookie, /^connect\.sid=/);
  for (const [i, what] of ["cup", "milk"].entries()) {
    assert.deepEqual(
      (await shops[i + 1]!.ask("GET", "/basket", cookie)).body,
      i === 0 ? ["tea"] : ["tea", "cup"],
    );
    await shops[i + 1]!.ask("POST", `/buy/${what}`, cookie);
  }
  assert.deepEqual((await shops[0]!.ask("GET", "/basket", cookie)).body, ["tea", "cup", "milk"]);
  // Others' sessions, as an administrator sees them.
  const other = await shops[1]!.ask("POST", "/buy/pot");
  assert.equal(await shops[2]!.store.length(), 2);
  assert.deepEqual(
    (await shops[0]!.store.all()).map((it: { basket: string[] }) => it.basket.length).sort(),
    [1, 3],
  );

  const leader = await cluster.leader();
  const lost = cluster.nodes.indexOf(leader);
  await leader.stop("SIGKILL");
  for (const [i, shop] of shops.entries()) {
    if (i === lost) continue;
    const found = await until("the basket is there", async () => {
      const { body } = await shop.ask("GET", "/basket", cookie);
      // 500 while nobody leads: the store says why, and the page is asked for again.
      return Array.isArray(body) ? body : undefined;
    });
    assert.deepEqual(found, ["tea", "cup", "milk"]);
  }
  cluster.restart(leader);
  await until("the shop at the restarted node sells again", async () => {
    const { body } = await shops[lost]!.ask("GET", "/basket", cookie).catch(() => ({ body: undefined }));
    return Array.isArray(body) && body.length === 3 ? true : undefined;
  });

  assert.equal((await shops[0]!.ask("POST", "/leave", cookie)).body, true);
  for (const shop of shops) assert.deepEqual((await shop.ask("GET", "/basket", cookie)).body, []);
  assert.deepEqual((await shops[2]!.ask("GET", "/basket", other.cookie)).body, ["pot"]);
  await shops[0]!.store.clear();
  assert.equal(await shops[1]!.store.length(), 0);
  for (const shop of shops) shop.close();
});
