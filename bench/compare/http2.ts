import { Flag, FrameType, frame, frameHeadBytes, uint32 } from "../../pipeline/net/http2/frames.ts";

/** As much of reading HTTP/2 as a load generator and a sink need who trust their peer. RFC 9113. */

export function readSettings(payload: Buffer): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) found.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  return found;
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(FrameType.windowUpdate, 0, streamId, uint32(increment));
}

/** What the frames of a connection are told to. Payloads are valid during the call only. */
export interface FrameHandler {
  /** A piece of DATA; `last` on the final piece of a frame that ends its stream. */
  onData(streamId: number, piece: Buffer, last: boolean): void;
  onFrame(type: number, flag: number, streamId: number, payload: Buffer): void;
}

/** Cuts the bytes of a connection into frames. */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #head = Buffer.alloc(frameHeadBytes);
  #headRead = 0;
  #left = 0;
  #gathered: Buffer[] = [];

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length || (this.#headRead === frameHeadBytes && this.#left === 0)) {
      if (this.#headRead < frameHeadBytes) {
        const taken = bytes.copy(this.#head, this.#headRead, at, at + frameHeadBytes - this.#headRead);
        at += taken;
        this.#headRead += taken;
        if (this.#headRead < frameHeadBytes) return;
        this.#left = this.#head.readUIntBE(0, 3);
        if (this.#left > 0) continue;
      }
      const piece = bytes.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      this.#take(piece);
    }
  }

  #take(piece: Buffer): void {
    const [type, flag] = [this.#head[3] ?? 0, this.#head[4] ?? 0];
    const streamId = this.#head.readUInt32BE(5);
    const complete = this.#left === 0;
    if (complete) this.#headRead = 0;
    if (type === FrameType.data) {
      if ((flag & Flag.padded) !== 0) throw new Error("padded DATA is not read here");
      this.#handler.onData(streamId, piece, complete && (flag & Flag.endStream) !== 0);
    } else if (!complete) {
      this.#gathered.push(Buffer.from(piece));
    } else {
      const payload = this.#gathered.length === 0 ? piece : Buffer.concat([...this.#gathered, piece]);
      this.#gathered = [];
      this.#handler.onFrame(type, flag, streamId, payload);
    }
  }
}
