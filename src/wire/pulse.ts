// A pulse as it travels: one small frame (docs/adr/0020). Value in, frame out, and back, checked.

import { type Decoded, decoded, safeInteger } from "./decode.ts";
import { FRAME_PREFIX_BYTES, FrameWriter } from "./frame-writer.ts";
import { seshat } from "./generated/seshat.js";

export interface PulseMessage {
  readonly term: number;
  readonly leader: number;
}

const PULSE_BYTES_MAX = 32;

/** A frame, length prefix included. */
export function encodePulse(pulse: PulseMessage): Buffer {
  const writer = new FrameWriter(PULSE_BYTES_MAX);
  seshat.Pulse.encode({ ...pulse }, writer);
  return writer.frame();
}

/** @param frame as it arrived, length prefix included */
export function decodePulse(frame: Buffer): Decoded<PulseMessage> {
  return decoded(() => {
    const { term, leader }: seshat.Pulse.$Properties = seshat.Pulse.decode(
      frame.subarray(FRAME_PREFIX_BYTES),
    );
    return { term: safeInteger(term, "term"), leader: safeInteger(leader, "leader") };
  });
}
