/** The version of the conversation with a worker, described in `docs/aggregation-workers.md`. */
export const protocolVersion = 1;

/** What a frame holds. JSON, but for `table`, an Arrow IPC stream that belongs to the frame before it. */
export const frameKind = { hello: 1, request: 2, table: 3, answer: 4, error: 5, cancel: 6 } as const;

/** Length (4 bytes) and kind (1 byte). */
const headerBytes = 5;

/** A worker that announces more is out of step. */
export const maximumFrameBytes = 2 ** 30;

export interface Frame {
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** The header of a frame: `u32 little-endian length of what follows | u8 kind`; the payload is written after it. */
export function frameHeader(kind: number, payloadBytes: number): Uint8Array {
  const header = Buffer.allocUnsafe(headerBytes);
  header.writeUInt32LE(payloadBytes + 1);
  header[4] = kind;
  return header;
}

/** Cuts a stream of bytes into frames, however it arrives. */
export class FrameReader {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  /**
   * The frames that `part` completes.
   * @throws {Error} when a length makes no sense: the stream cannot be read any further.
   */
  push(part: Uint8Array): Frame[] {
    this.#parts.push(part);
    this.#size += part.length;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#size < headerBytes) return frames;
      const length = this.#header().readUInt32LE(0);
      if (length < 1 || length > maximumFrameBytes) throw new Error(`a frame of ${length} bytes`);
      if (this.#size < length + 4) return frames;
      const bytes = this.#take(length + 4);
      frames.push({ kind: bytes[4]!, payload: bytes.subarray(headerBytes) });
    }
  }

  /** The first bytes in one piece. */
  #header(): Buffer {
    while (this.#parts[0]!.length < headerBytes) {
      const [first, second] = this.#parts.splice(0, 2);
      this.#parts.unshift(Buffer.concat([first!, second!]));
    }
    const [first] = this.#parts;
    return Buffer.from(first!.buffer, first!.byteOffset, headerBytes);
  }

  #take(size: number): Uint8Array {
    const all = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#parts.length = 0;
    this.#size = all.length - size;
    if (this.#size > 0) this.#parts.push(all.subarray(size));
    return all.subarray(0, size);
  }
}
