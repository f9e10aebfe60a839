import { prefixBytes } from "./wire.ts";

/** A message longer than this gets its memory when so much of it has come: a length is only a claim. */
const trustedBytes = 1024 * 1024;

/** The one message of a call while it comes in: five bytes that say how long it is, and its bytes, copied once. */
export class MessageReader {
  readonly #prefix = Buffer.allocUnsafe(prefixBytes);
  #prefixRead = 0;
  #body: Buffer = empty;
  #read = 0;
  /** Of the message, as it says; -1 while that is not known. */
  length = -1;
  /** Whether more than one message has come. */
  isExceeded = false;

  get isCompressed(): boolean {
    return this.#prefix[0] !== 0;
  }

  /** Whether the byte in front is one of the two that gRPC knows. */
  get isValid(): boolean {
    return (this.#prefix[0] as number) <= 1;
  }

  get isComplete(): boolean {
    return this.#read === this.length;
  }

  /** Bytes of the message that have come. */
  get read(): number {
    return this.#read;
  }

  /** Whether nothing has come yet. */
  get isEmpty(): boolean {
    return this.#prefixRead === 0;
  }

  /** Reads from the prefix what lies in `bytes` and returns where the message goes on. */
  takePrefix(bytes: Buffer, start: number, end: number): number {
    const taken = Math.min(prefixBytes - this.#prefixRead, end - start);
    if (taken === 0) return start;
    for (let at = 0; at < taken; at++) this.#prefix[this.#prefixRead + at] = bytes[start + at] as number;
    this.#prefixRead += taken;
    if (this.#prefixRead === prefixBytes) this.length = this.#prefix.readUInt32BE(1);
    return start + taken;
  }

  /** Copies bytes of the message. To be called once its length is known and found right. */
  take(bytes: Buffer, start: number, end: number): void {
    const taken = Math.min(this.length - this.#read, end - start);
    if (taken < end - start) this.isExceeded = true;
    while (this.#read + taken > this.#body.length) this.#makeRoom();
    bytes.copy(this.#body, this.#read, start, start + taken);
    this.#read += taken;
  }

  #makeRoom(): void {
    const isTrusted = this.length <= trustedBytes || this.#body.length > 0;
    const size = isTrusted ? this.length : trustedBytes;
    // Small ones share a slab; larger ones have memory of their own, which nobody else keeps alive.
    const room = size <= slabBytes ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
    this.#body.copy(room, 0, 0, this.#read);
    this.#body = room;
  }

  /** The message, when it is complete. */
  get body(): Buffer {
    return this.#body;
  }
}

const empty = Buffer.alloc(0);

/** Half of what Node takes from a slab. */
const slabBytes = 2048;
