// Two lanes on one connection (docs/adr/0021): order within each, urgent frames between the pieces of long ones, bounds on what
// is on its way and what waits, and whatever a hostile peer may send.

import assert from "node:assert/strict";
import { describe, test } from "vitest";
import { FRAME_BYTES_MAX, PEER_QUEUE_BYTES_MAX } from "../../src/base/limits.ts";
import { LaneReader } from "../../src/io/lane-reader.ts";
import {
  LANE_WINDOW_BYTES,
  UNIT_BYTES_MAX,
  UNIT_FRAME,
  UNIT_PIECE,
  UNIT_TAKEN,
  unitHead,
} from "../../src/io/lane-units.ts";
import { type LaneSink, LaneWriter } from "../../src/io/lane-writer.ts";

function frameOf(bytes: number, filler: number): Buffer {
  const frame = Buffer.alloc(bytes, filler);
  frame.writeUInt32BE(bytes - 4, 0);
  return frame;
}

/** Takes everything at once, or nothing any more. */
class Wire implements LaneSink {
  queuedBytes = 0;
  isFull = false;
  readonly written: Buffer[] = [];

  write(bytes: Uint8Array): void {
    this.written.push(Buffer.from(bytes));
    if (this.isFull) this.queuedBytes += bytes.length;
  }

  get bytes(): number {
    return this.written.reduce((sum, { length }) => sum + length, 0);
  }

  take(): Buffer {
    return Buffer.concat(this.written.splice(0));
  }
}

class Receiver {
  readonly frames: Buffer[] = [];
  takenBytes = 0;
  readonly reader = new LaneReader({
    frame: (frame) => void this.frames.push(frame),
    taken: (bytes) => {
      this.takenBytes += bytes;
      return undefined;
    },
  });

  push(bytes: Buffer): string | undefined {
    return this.reader.push(bytes, 0, bytes.length);
  }
}

describe("sending", () => {
  test("frames of all sizes arrive as they were, in order, wherever the bytes are cut", () => {
    const sizes = [5, 100, UNIT_BYTES_MAX, UNIT_BYTES_MAX + 1, 7, 3 * UNIT_BYTES_MAX + 17, 8];
    const frames = sizes.map((bytes, i) => frameOf(bytes, i + 1));
    const wire = new Wire();
    const writer = new LaneWriter(wire);
    for (const frame of frames)
      assert.equal(writer.send([frame.subarray(0, 3), frame.subarray(3)]), undefined);
    assert.equal(writer.waitingBytes, 0);
    const stream = wire.take();
    for (const step of [7, 1000, UNIT_BYTES_MAX, stream.length]) {
      const receiver = new Receiver();
      for (let at = 0; at < stream.length; at += step) {
        assert.equal(receiver.push(stream.subarray(at, at + step)), undefined);
      }
      assert.deepEqual(receiver.frames, frames);
    }
  });

  test("short ones, byte by byte", () => {
    const frames = [5, 6, 100, 7].map((bytes, i) => frameOf(bytes, i + 1));
    const wire = new Wire();
    const writer = new LaneWriter(wire);
    for (const frame of frames) writer.send([frame.subarray(0, 3), frame.subarray(3)]);
    const receiver = new Receiver();
    for (const byte of wire.take()) assert.equal(receiver.push(Buffer.from([byte])), undefined);
    assert.deepEqual(receiver.frames, frames);
  });

  test("an urgent frame goes between the pieces of a long one, and a short one of the same lane behind it", () => {
    const wire = new Wire();
    const writer = new LaneWriter(wire);
    const long = frameOf(2 * LANE_WINDOW_BYTES, 1);
    writer.send([long]);
    const onItsWay = wire.bytes;
    assert.ok(onItsWay <= LANE_WINDOW_BYTES + 1024, `${onItsWay} bytes on their way`);
    writer.send([frameOf(10, 2)]);
    assert.equal(wire.bytes, onItsWay, "nothing more before some is taken");
    writer.sendUrgent(frameOf(10, 3));
    const receiver = new Receiver();
    for (let round = 0; round < 100 && writer.waitingBytes > 0; round++) {
      assert.equal(receiver.push(wire.take()), undefined);
      assert.equal(writer.taken(receiver.reader.untoldBytes), undefined);
      receiver.reader.untoldBytes = 0;
    }
    receiver.push(wire.take());
    assert.deepEqual(
      receiver.frames.map((frame) => [frame.length, frame[9]]),
      [
        [10, 3],
        [2 * LANE_WINDOW_BYTES, 1],
        [10, 2],
      ],
    );
    assert.equal(writer.takenBytes, 2 * LANE_WINDOW_BYTES);
  });

  test("while the kernel takes nothing, no piece is added, and an urgent frame is", () => {
    const wire = new Wire();
    const writer = new LaneWriter(wire);
    wire.isFull = true;
    writer.send([frameOf(4 * UNIT_BYTES_MAX, 1)]);
    assert.ok(wire.bytes <= UNIT_BYTES_MAX + 4);
    const before = wire.bytes;
    writer.sendUrgent(frameOf(10, 2));
    assert.equal(wire.bytes, before + 10);
  });

  test("one frame of any size is taken, and behind it no more than the limit", () => {
    const wire = new Wire();
    const writer = new LaneWriter(wire);
    wire.isFull = true;
    // Memory that is not touched costs none.
    const huge = Buffer.allocUnsafeSlow(2 * PEER_QUEUE_BYTES_MAX);
    assert.equal(writer.send([huge]), undefined);
    assert.equal(writer.send([frameOf(100, 1)]), undefined);
    const part = Buffer.allocUnsafeSlow(PEER_QUEUE_BYTES_MAX / 2);
    assert.equal(writer.send([part]), undefined);
    assert.match(writer.send([part]) ?? "", /bytes are queued and the peer does not take them/);
  });
});

describe("a hostile peer", () => {
  const cases: readonly [string, Buffer, RegExp][] = [
    ["a frame longer than a unit", unitHead(UNIT_FRAME, UNIT_BYTES_MAX), /a frame of 262148 bytes/],
    ["a piece longer than a unit", unitHead(UNIT_PIECE, UNIT_BYTES_MAX + 1), /a piece of 262145 bytes/],
    ["a unit of no kind", Buffer.from([0xff, 0xff, 0xff, 0xff]), /a unit of kind 3/],
    [
      "a long frame beyond all limits",
      Buffer.concat([unitHead(UNIT_PIECE, 4), Buffer.from([0xff, 0xff, 0xff, 0xff])]),
      /a frame of 4294967299 bytes, [0-9]+ allowed/,
    ],
  ];
  for (const [name, bytes, problem] of cases) {
    test(`${name} is told before anything is allocated`, () => {
      const receiver = new Receiver();
      assert.match(receiver.push(bytes) ?? "", problem);
      assert.equal(receiver.frames.length, 0);
    });
  }

  test("a word that more was taken than was sent", () => {
    const writer = new LaneWriter(new Wire());
    writer.send([frameOf(2 * UNIT_BYTES_MAX, 1)]);
    assert.equal(writer.taken(UNIT_BYTES_MAX), undefined);
    assert.match(writer.taken(UNIT_BYTES_MAX + 1) ?? "", /it took 262145 bytes and 262144 were on their way/);
  });

  test("empty pieces and frames bring nothing", () => {
    const receiver = new Receiver();
    const nothing = Buffer.concat([
      unitHead(UNIT_PIECE, 0),
      unitHead(UNIT_FRAME, 0),
      unitHead(UNIT_TAKEN, 0),
    ]);
    for (let i = 0; i < 1000; i++) assert.equal(receiver.push(nothing), undefined);
    assert.deepEqual(receiver.frames, []);
    assert.ok(FRAME_BYTES_MAX > UNIT_BYTES_MAX);
  });
});
