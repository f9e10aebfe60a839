import {
  Flag,
  FrameType,
  frameHeadBytes,
  maxWindowBytes,
  standardFrameBytes,
  standardWindowBytes,
  writeFrameHead,
} from "./frames.ts";
import { tableSize } from "./hpack.ts";
import type { Outbox } from "./outbox.ts";
import type { Pending, Stream } from "./stream.ts";

/** Parts up to this size are copied beside the small frames; a write of their own would cost more. */
const copiedBytes = 16 * 1024;

const emptyTable = tableSize(0);

/** Sends heads and DATA of streams, as fast as the peer's windows allow. */
export class Sender {
  readonly #out: Outbox;
  readonly #ended: (stream: Stream) => void;
  /** Streams that wait for the connection's window. */
  readonly #blocked = new Set<Stream>();
  #window = standardWindowBytes;
  #isTableDropped = false;
  #mustDropTable = false;
  /** The window that streams begin with. */
  streamWindowBytes = standardWindowBytes;
  /** The longest frame that the peer takes. */
  frameBytes = standardFrameBytes;

  /** `ended` hears of each stream on which all is sent. */
  constructor(out: Outbox, ended: (stream: Stream) => void) {
    this.#out = out;
    this.#ended = ended;
  }

  /** Tells the peer with the next header block that there is no table: it keeps a smaller one than the standard's. */
  dropTable(): void {
    this.#mustDropTable = !this.#isTableDropped;
    this.#isTableDropped = true;
  }

  /** Sends a header block; `isLast` ends the stream. */
  headers(stream: Stream, fields: Buffer, isLast: boolean): void {
    const block = this.#mustDropTable ? Buffer.concat([emptyTable, fields]) : fields;
    this.#mustDropTable = false;
    let flags = isLast ? Flag.endStream : 0;
    let type: number = FrameType.headers;
    for (let at = 0; ; at += this.frameBytes) {
      const piece = block.subarray(at, at + this.frameBytes);
      const isWhole = at + this.frameBytes >= block.length;
      const place = this.#out.reserve(frameHeadBytes + piece.length);
      writeFrameHead(this.#out.buffer, place, piece.length, type, flags | (isWhole ? Flag.endHeaders : 0), stream.id);
      piece.copy(this.#out.buffer, place + frameHeadBytes);
      if (isWhole) break;
      type = FrameType.continuation;
      flags = 0;
    }
    if (isLast) this.#ended(stream);
  }

  /**
   * Sends `parts` as DATA, then `trailers`; without those the last DATA ends the stream. The parts must not change until
   * the stream is over.
   */
  send(stream: Stream, parts: readonly Buffer[], trailers: Buffer | undefined): void {
    const left = parts.reduce((sum, part) => sum + part.length, 0);
    stream.pending = { parts, part: 0, offset: 0, left, trailers };
    this.#pump(stream);
  }

  /**
   * Sends frames that were made before and end a stream, whose number is written at `idPlaces`; `dataBytes` of them are
   * DATA. False when there is no window for those, or they are not what has to come next: nothing was sent then.
   */
  sendMade(stream: Stream, frames: Buffer, idPlaces: readonly number[], dataBytes: number): boolean {
    if (this.#window < dataBytes || stream.sendWindow < dataBytes || this.#mustDropTable) return false;
    this.#window -= dataBytes;
    const at = this.#out.reserve(frames.length);
    const { buffer } = this.#out;
    frames.copy(buffer, at);
    for (const place of idPlaces) buffer.writeUInt32BE(stream.id, at + place);
    this.#ended(stream);
    return true;
  }

  /** The peer takes more on the connection. False when that is more than there can be. */
  open(bytes: number): boolean {
    this.#window += bytes;
    if (this.#window > maxWindowBytes) return false;
    for (const stream of this.#blocked) {
      if (this.#window <= 0) break;
      this.#pump(stream);
    }
    return true;
  }

  /** The peer takes more on a stream. */
  openStream(stream: Stream, bytes: number): boolean {
    stream.sendWindow += bytes;
    if (stream.sendWindow > maxWindowBytes) return false;
    this.#pump(stream);
    return true;
  }

  /** Streams begin with another window now, and those that are open have as much more or less. */
  resize(bytes: number, streams: Iterable<Stream>): boolean {
    const delta = bytes - this.streamWindowBytes;
    this.streamWindowBytes = bytes;
    for (const stream of streams) if (!this.openStream(stream, delta)) return false;
    return true;
  }

  /** Nothing more is sent on a stream. */
  forget(stream: Stream): void {
    stream.pending = undefined;
    this.#blocked.delete(stream);
  }

  #pump(stream: Stream): void {
    const { pending } = stream;
    if (pending === undefined) return;
    while (pending.left > 0) {
      const length = Math.min(pending.left, this.#window, stream.sendWindow, this.frameBytes);
      if (length <= 0) {
        if (stream.sendWindow > 0) this.#blocked.add(stream);
        return;
      }
      this.#window -= length;
      stream.sendWindow -= length;
      pending.left -= length;
      const flags = pending.left === 0 && pending.trailers === undefined ? Flag.endStream : 0;
      const place = this.#out.reserve(frameHeadBytes);
      writeFrameHead(this.#out.buffer, place, length, FrameType.data, flags, stream.id);
      this.#writePayload(pending, length);
    }
    this.forget(stream);
    if (pending.trailers === undefined) this.#ended(stream);
    else this.headers(stream, pending.trailers, true);
  }

  #writePayload(pending: Pending, length: number): void {
    for (let left = length; left > 0; ) {
      const part = pending.parts[pending.part] as Buffer;
      const taken = Math.min(left, part.length - pending.offset);
      const piece = taken === part.length ? part : part.subarray(pending.offset, pending.offset + taken);
      if (taken <= copiedBytes) this.#out.copy(piece);
      else this.#out.send(piece);
      left -= taken;
      pending.offset += taken;
      if (pending.offset === part.length) {
        pending.part += 1;
        pending.offset = 0;
      }
    }
  }
}
