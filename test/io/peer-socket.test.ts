// Keepalives: silence is noticed, idleness is not silence.

import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, describe, test } from "vitest";
import {
  AcceptorHandshake,
  DiallerHandshake,
  type PeerTerms,
  VERSIONS,
} from "../../src/io/peer-handshake.ts";
import { PeerSocket, type PeerSocketOwner } from "../../src/io/peer-socket.ts";
import { until } from "../until.ts";

const terms = (incarnation: number): PeerTerms => ({
  self: {
    clusterId: "",
    name: "n",
    address: "127.0.0.1:1",
    clientAddress: "",
    clientHostname: "",
    incarnation,
  },
  versions: VERSIONS,
  key: undefined,
  sharedSettings: "",
  sharedDifferences: () => [],
});

class Owner implements PeerSocketOwner {
  readonly news: string[] = [];
  up(): void {
    this.news.push("up");
  }
  frame(): void {
    this.news.push("frame");
  }
  drained(): void {}
  down(_socket: PeerSocket, how: string): void {
    this.news.push(`down ${how}`);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("keepalive", () => {
  let server: Server;
  afterEach(() => server.close());

  async function pair(): Promise<{ dialled: PeerSocket; accepted: PeerSocket; owners: [Owner, Owner] }> {
    const owners: [Owner, Owner] = [new Owner(), new Owner()];
    let accepted: PeerSocket | undefined;
    server = createServer({ pauseOnConnect: true }, (socket) => {
      accepted = PeerSocket.accept(owners[1], new AcceptorHandshake(terms(2)), socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const handshake = new DiallerHandshake(terms(1), "frames", 0);
    const { port } = server.address() as AddressInfo;
    const dialled = PeerSocket.dial(owners[0], handshake, "127.0.0.1", port);
    await until("both up", () => owners[0].news.length === 1 && owners[1].news.length === 1);
    assert.ok(accepted);
    return { dialled, accepted, owners };
  }

  test("two that beat stay up; empty frames are not delivered", async () => {
    const { dialled, accepted, owners } = await pair();
    for (let i = 0; i < 40; i++) {
      dialled.beat();
      accepted.beat();
      await turn();
    }
    assert.deepEqual(
      owners.map(({ news }) => news),
      [["up"], ["up"]],
    );
    dialled.destroy("local", "");
    await until("down", () => owners[1].news.length === 2);
  });

  test("one that is silent is given up, and one that we do not read from is not", async () => {
    const { dialled, accepted, owners } = await pair();
    accepted.pause();
    for (let i = 0; i < 40 && owners[0].news.length === 1; i++) {
      dialled.beat();
      await turn();
    }
    assert.deepEqual(owners[0].news, ["up", "down timeout"]);
    assert.deepEqual(owners[1].news, ["up"], "paused: it has not even read that the other is gone");
    for (let i = 0; i < 40; i++) accepted.beat();
    assert.ok(!owners[1].news.includes("down timeout"));
    accepted.destroy("local", "");
  });

  test("one that never shakes hands is given up", async () => {
    server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const owner = new Owner();
    const handshake = new DiallerHandshake(terms(1), "frames", 0);
    const dialled = PeerSocket.dial(owner, handshake, "127.0.0.1", port);
    for (let i = 0; i < 20 && owner.news.length === 0; i++) {
      dialled.beat();
      await turn();
    }
    assert.deepEqual(owner.news, ["down timeout"]);
  });
});
