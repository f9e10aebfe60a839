import type { Duplex } from "node:stream";

/** What is written at once at most when many small frames wait. */
const bufferBytes = 64 * 1024;

/**
 * Gathers what goes out on a connection: the small frames of one turn leave in one write, bodies beside them without
 * being copied.
 */
export class Outbox {
  readonly #socket: Duplex;
  #buffer = Buffer.allocUnsafeSlow(1024);
  #used = 0;
  #isCorked = false;
  #isHeld = false;
  #isFlushDue = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#used + this.#socket.writableLength;
  }

  /** Room for `bytes` to be written at the place that `buffer` and the result name. */
  reserve(bytes: number): number {
    if (this.#used + bytes > this.#buffer.length) this.#grow(bytes);
    const at = this.#used;
    this.#used += bytes;
    this.#flushLater();
    return at;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  #grow(bytes: number): void {
    if (this.#used + bytes > bufferBytes) this.#write();
    if (this.#used + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(bufferBytes, 2 * (this.#used + bytes))));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }

  copy(bytes: Buffer): void {
    const at = this.reserve(bytes.length);
    bytes.copy(this.#buffer, at);
  }

  /** Sends bytes that must not change until they are written. */
  send(bytes: Buffer): void {
    if (!this.#isCorked) this.#socket.cork();
    this.#isCorked = true;
    this.#write();
    this.#socket.write(bytes);
    this.#flushLater();
  }

  #write(): void {
    if (this.#used === 0) return;
    this.#socket.write(Buffer.from(this.#buffer.subarray(0, this.#used)));
    this.#used = 0;
  }

  /** While `run` runs nothing leaves; then all at once. */
  hold(run: () => void): void {
    this.#isHeld = true;
    try {
      run();
    } finally {
      this.#isHeld = false;
      this.flush();
    }
  }

  #flushLater(): void {
    if (this.#isHeld || this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(this.#flushDue);
  }

  readonly #flushDue = (): void => {
    this.#isFlushDue = false;
    this.flush();
  };

  flush(): void {
    this.#write();
    if (this.#isCorked) this.#socket.uncork();
    this.#isCorked = false;
  }
}
