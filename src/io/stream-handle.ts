// The part of Node's own stream handles that the hot path uses directly, past net.Socket: a write that the kernel
// takes at once costs no request object, no callback and no tick. Everything here is guarded: where a version of
// Node has it otherwise, sockets are written the ordinary way.
//
// The ordinary socket.write() costs about 2 µs more per call (docs/adr/0005-io.md).

import type { Socket } from "node:net";

/** What a TCP handle has; only the members used here. */
export interface StreamHandle {
  /** 0, or a negative errno; see wasQueued(). */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  useUserBuffer(buffer: Uint8Array): void;
}

/** Whose write it was. */
export interface WriteOwner {
  /** `bytes` of `buffer` that had to wait are with the kernel now, or will never be. */
  written(buffer: Uint8Array, bytes: number): void;
}

export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void;
  owner: WriteOwner | undefined;
  buffer: Uint8Array | undefined;
  bytes: number;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: ArrayLike<number>;
  readonly kLastWriteWasAsync: number;
}

/** Undefined where this Node does not offer it. */
const binding = loadBinding();

function loadBinding(): StreamBinding | undefined {
  try {
    const load: unknown = Reflect.get(process, "binding");
    if (typeof load !== "function") return undefined;
    const found = load.call(process, "stream_wrap") as Partial<StreamBinding>;
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = found;
    if (typeof WriteWrap !== "function" || streamBaseState === undefined) return undefined;
    if (typeof kLastWriteWasAsync !== "number") return undefined;
    return { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return undefined;
  }
}

/** The handle of a socket, if it is one that can be used directly. */
export function handleOf(socket: Socket): StreamHandle | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return undefined;
  const candidate = handle as Partial<StreamHandle>;
  if (typeof candidate.useUserBuffer !== "function") return undefined;
  return candidate as StreamHandle;
}

/** The system's number of the socket; -1 when it has none any more. */
export function fileDescriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  const number: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : -1;
  return typeof number === "number" ? number : -1;
}

/** Takes the handle away from an accepted, paused socket, which then is an empty shell. */
export function takeHandle(socket: Socket): StreamHandle | undefined {
  const handle = handleOf(socket);
  if (handle === undefined) return undefined;
  return Reflect.set(socket, "_handle", null) ? handle : undefined;
}

export const canWriteDirectly = (handle: StreamHandle | undefined): boolean =>
  binding !== undefined && typeof handle?.writeBuffer === "function";

export const WRITE_DONE = 0;
/** Not all of it: `bytes` is pinned until `owner.written`. */
export const WRITE_QUEUED = 1;
export const WRITE_FAILED = -1;

/** Used until a write has to wait; then it belongs to that write and the next gets a new one. */
let spareRequest: WriteRequest | undefined;

function completed(this: WriteRequest): void {
  const { owner, buffer, bytes } = this;
  this.owner = undefined;
  this.buffer = undefined;
  if (buffer !== undefined) owner?.written(buffer, bytes);
}

/**
 * Writes `bytes`, of which the kernel takes all at once if it can.
 * @param buffer what `owner.written` gets back if not: the whole buffer that `bytes` is a view of
 */
export function writeDirectly(
  handle: StreamHandle,
  bytes: Uint8Array,
  owner: WriteOwner,
  buffer: Uint8Array,
): number {
  if (binding === undefined) return WRITE_FAILED;
  const request = spareRequest ?? new binding.WriteWrap();
  const status = handle.writeBuffer(request, bytes);
  if (status !== 0 || binding.streamBaseState[binding.kLastWriteWasAsync] === 0) {
    spareRequest = request;
    return status === 0 ? WRITE_DONE : WRITE_FAILED;
  }
  spareRequest = undefined;
  request.oncomplete = completed;
  request.owner = owner;
  request.buffer = buffer;
  request.bytes = bytes.length;
  return WRITE_QUEUED;
}

/** The ordinary way, with the same outcome. */
export function writeThroughSocket(
  socket: Socket,
  bytes: Uint8Array,
  owner: WriteOwner,
  buffer: Uint8Array,
): number {
  let isQueued = false;
  socket.write(bytes, () => {
    if (isQueued) owner.written(buffer, bytes.length);
  });
  // Done synchronously: the stream counts nothing any more.
  if (socket.writableLength === 0) return WRITE_DONE;
  isQueued = true;
  return WRITE_QUEUED;
}
