// How fast a state is sent: a chunk a turn, so that others are served in between, and no faster than the cap.

import assert from "node:assert/strict";
import { test } from "vitest";
import type { SnapshotStreamOut } from "../../src/node/ports.ts";
import { SnapshotSending } from "../../src/node/snapshot-transfer.ts";
import { makeMessage } from "../../src/raft/index.ts";
import { Store } from "../../src/store/store.ts";

const CHUNK_BYTES = 65_536;
const TURN_MS = 10;

class Stream implements SnapshotStreamOut {
  chunks = 0;
  bytes = 0;
  hasEnded = false;
  /** The connection takes no more after each chunk. */
  isSlow = false;

  write(chunk: Uint8Array): boolean {
    this.chunks++;
    this.bytes += chunk.length;
    return !this.isSlow;
  }
  end(): void {
    this.hasEnded = true;
  }
  memory(): undefined {}
  destroy(): void {}
}

function sending(values: number): { sender: SnapshotSending; stream: Stream; turns: () => number } {
  const store = new Store({ databases: 1, hashSeed: [1, 2] });
  const keys = store.databases[0]!;
  const value = Buffer.alloc(1000, "v");
  for (let i = 0; i < values; i++) {
    const key = Buffer.from(`key:${i}`);
    keys.setString(key, 0, key.length, value, 0, value.length, false);
  }
  const stream = new Stream();
  let turns = 0;
  const sender = new SnapshotSending(
    makeMessage("snapshot", 1, 2, 1),
    "",
    {
      store,
      metadata: new Uint8Array(0),
      timeMs: 0,
      table: { clusterId: "", index: 1, members: [], names: [], hashSeed: "", settings: [] },
      chunkBytes: CHUNK_BYTES,
      repair: false,
    },
    { openSnapshot: () => stream },
    () => turns++,
    () => {},
  );
  return { sender, stream, turns: () => turns };
}

test("one chunk a turn, and the next turn is asked for", () => {
  const { sender, stream, turns } = sending(1000);
  sender.proceed(0, 0);
  assert.equal(stream.chunks, 0, "not before the stream is ready");
  sender.drained();
  for (let chunks = 1; !stream.hasEnded; chunks++) {
    assert.equal(turns(), chunks);
    sender.proceed(0, 0);
    assert.ok(stream.hasEnded || stream.chunks === chunks);
  }
  assert.ok(stream.bytes > 1_000_000);
});

test("a full connection is waited for", () => {
  const { sender, stream, turns } = sending(1000);
  stream.isSlow = true;
  sender.drained();
  for (let i = 0; i < 3; i++) sender.proceed(0, 0);
  assert.deepEqual([stream.chunks, turns()], [1, 1]);
  sender.drained();
  sender.proceed(0, 0);
  assert.deepEqual([stream.chunks, turns()], [2, 2]);
});

test("a cap holds in any stretch of time, also after a pause", () => {
  const bytesPerSecond = 1_000_000;
  const { sender, stream } = sending(10_000);
  sender.drained();
  const sent: { readonly nowMs: number; readonly bytes: number }[] = [];
  for (let nowMs = 1000; !stream.hasEnded; nowMs += nowMs === 3000 ? 5000 : TURN_MS) {
    for (let turn = 0; turn < 5; turn++) sender.proceed(nowMs, bytesPerSecond);
    sent.push({ nowMs, bytes: stream.bytes });
  }
  for (const [i, from] of sent.entries()) {
    for (const to of sent.slice(i + 1)) {
      // What it may catch up on, and a chunk that goes whole.
      const allowed = ((to.nowMs - from.nowMs + 100) * bytesPerSecond) / 1000 + CHUNK_BYTES;
      assert.ok(
        to.bytes - from.bytes <= allowed,
        `${to.bytes - from.bytes} from ${from.nowMs} to ${to.nowMs}`,
      );
    }
  }
  assert.ok(sent.at(-1)!.nowMs > 10_000, "ten seconds for ten megabytes, five of them a pause");
});
