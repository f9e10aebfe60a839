/** As much of HTTP/2 as a load generator and a sink need who trust their peer. RFC 9113. */

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const;
export const settings = { tableSize: 1, push: 2, maxStreams: 3, window: 4, maxFrame: 5 } as const;
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
export const headSize = 9;
export const defaultWindow = 65_535;

/** One frame. */
export function frame(type: number, flag: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const out = Buffer.allocUnsafe(headSize + payload.length);
  writeHead(out, 0, payload.length, type, flag, streamId);
  out.set(payload, headSize);
  return out;
}

/** The nine bytes before a payload. */
export function writeHead(out: Buffer, at: number, length: number, type: number, flag: number, streamId: number): void {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flag;
  out.writeUInt32BE(streamId, at + 5);
}

export function settingsFrame(values: Readonly<Record<number, number>>): Buffer {
  const entries = Object.entries(values);
  const payload = Buffer.alloc(entries.length * 6);
  for (const [index, [key, value]] of entries.entries()) {
    payload.writeUInt16BE(Number(key), index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(frameTypes.settings, 0, 0, payload);
}

export function readSettings(payload: Buffer): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) found.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  return found;
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(frameTypes.windowUpdate, 0, streamId, payload);
}

/** A header without the dynamic table: by the index of its name in the static table, or by its name. */
export function literal(name: string | number, value: string): Buffer {
  if (typeof name === "string") return Buffer.concat([Buffer.of(0), string(name), string(value)]);
  return Buffer.concat([name < 15 ? Buffer.of(name) : Buffer.of(15, name - 15), string(value)]);
}

function string(value: string): Buffer {
  if (value.length > 126) throw new Error(`header of more than 126 bytes: ${value}`);
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value, "latin1")]);
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
  readonly #head = Buffer.alloc(headSize);
  #headRead = 0;
  #left = 0;
  #gathered: Buffer[] = [];

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length || (this.#headRead === headSize && this.#left === 0)) {
      if (this.#headRead < headSize) {
        const taken = bytes.copy(this.#head, this.#headRead, at, at + headSize - this.#headRead);
        at += taken;
        this.#headRead += taken;
        if (this.#headRead < headSize) return;
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
    if (type === frameTypes.data) {
      if ((flag & flags.padded) !== 0) throw new Error("padded DATA is not read here");
      this.#handler.onData(streamId, piece, complete && (flag & flags.endStream) !== 0);
    } else if (!complete) {
      this.#gathered.push(Buffer.from(piece));
    } else {
      const payload = this.#gathered.length === 0 ? piece : Buffer.concat([...this.#gathered, piece]);
      this.#gathered = [];
      this.#handler.onFrame(type, flag, streamId, payload);
    }
  }
}
