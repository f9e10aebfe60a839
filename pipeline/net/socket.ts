import type { Socket } from "node:net";

/** Takes bytes that have come; they are valid during the call only. `false` stops reading until the socket is resumed. */
export type TakeBytes = (bytes: Buffer, start: number, end: number) => unknown;

/** What one read takes at most. */
const readBytes = 256 * 1024;

/** All sockets read into it, since whoever takes bytes keeps none of them. */
let shared: Buffer | undefined;

interface Internals {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/**
 * Gives all that comes on a socket to `take`. Node would allocate 64 KiB for every read; so its sockets read into one
 * buffer, as the public option `onread` has it for those that are dialled. For sockets that were accepted, or speak TLS,
 * there is no such option: their fields of that option are set. Where this Node has no such fields the socket is read as usual.
 */
export function readSocket(socket: Socket, take: TakeBytes): void {
  const early: unknown = socket.read();
  if (Buffer.isBuffer(early)) take(early, 0, early.length);
  if (shareReads(socket, take)) return;
  socket.on("data", (bytes: Buffer) => take(bytes, 0, bytes.length));
}

/** Whether the socket now reads into the shared buffer. */
export function shareReads(socket: Socket, take: TakeBytes): boolean {
  const internals = internalsOf(socket);
  const { _handle: handle } = socket as Socket & { _handle?: { useUserBuffer?: (buffer: Buffer) => void } };
  if (internals === undefined || typeof handle?.useUserBuffer !== "function") return false;
  shared ??= Buffer.allocUnsafeSlow(readBytes);
  const callback = (length: number, buffer: Buffer): unknown => take(buffer, 0, length);
  Object.assign(socket, { [internals.buffer]: shared, [internals.callback]: callback });
  handle.useUserBuffer(shared);
  return true;
}

function internalsOf(socket: Socket): Internals | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const named = (name: string) => symbols.find(({ description }) => description === name);
  const buffer = named("kBuffer");
  const callback = named("kBufferCb");
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
