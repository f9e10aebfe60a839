import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A server of HTTP/2 whose every frame a test decides, with code of its own for frames and fields. */

export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const setting = { headerTableSize: 1, maxConcurrentStreams: 3, initialWindowSize: 4, maxFrameSize: 5 } as const;

export const endStream = 1;
export const endHeaders = 4;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const prefaceBytes = 24;

/** One connection of a client. It introduces itself with `settings`, unless those are undefined. */
export class Peer {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** What has come and was not asked for yet. */
  readonly frames: Frame[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #skip = prefaceBytes;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => {}); // a reset is a way of being closed
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
  }

  #take(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(skipped)]);
    while (this.#bytes.length >= 9 && this.#bytes.length >= 9 + this.#bytes.readUIntBE(0, 3)) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      this.frames.push({
        type: this.#bytes[3] as number,
        flags: this.#bytes[4] as number,
        streamId: this.#bytes.readUInt32BE(5),
        payload: this.#bytes.subarray(9, end),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
    this.#wake();
  }

  /** The first frame of that type, of those that were not asked for yet. */
  async next(type: number): Promise<Frame> {
    for (;;) {
      const place = this.frames.findIndex((frame) => frame.type === type);
      const [frame] = place < 0 ? [] : this.frames.splice(place, 1);
      if (frame !== undefined) return frame;
      await new Promise<void>((resolve) => void (this.#wake = resolve));
    }
  }

  /** The message of a call, once all its DATA has come; its head must have been asked for before. */
  async message(streamId: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const frame = await this.next(frameType.data);
      if (frame.streamId !== streamId) throw new Error(`DATA of stream ${frame.streamId} and not ${streamId}`);
      parts.push(frame.payload);
      if ((frame.flags & endStream) !== 0) return Buffer.concat(parts).subarray(5);
    }
  }

  /** Introduces the server. */
  settings(values: readonly (readonly [id: number, value: number])[] = []): this {
    const payload = Buffer.alloc(values.length * 6);
    for (const [place, [id, value]] of values.entries()) {
      payload.writeUInt16BE(id, place * 6);
      payload.writeUInt32BE(value, place * 6 + 2);
    }
    return this.send(frameType.settings, 0, 0, payload);
  }

  send(type: number, flags: number, streamId: number, payload: Buffer | string = ""): this {
    this.socket.write(frameOf(type, flags, streamId, payload));
    return this;
  }

  sendUint32(type: number, streamId: number, ...values: readonly number[]): this {
    const payload = Buffer.alloc(values.length * 4);
    for (const [place, value] of values.entries()) payload.writeUInt32BE(value, place * 4);
    return this.send(type, 0, streamId, payload);
  }

  headers(streamId: number, fields: Readonly<Record<string, string>>, isLast: boolean): this {
    return this.send(frameType.headers, endHeaders | (isLast ? endStream : 0), streamId, fieldBlock(fields));
  }

  /** Answers a call OK, with `message`. */
  answer(streamId: number, message: Buffer | string = ""): this {
    return this.head(streamId)
      .send(frameType.data, 0, streamId, grpcMessage(message))
      .headers(streamId, { "grpc-status": "0" }, true);
  }

  head(streamId: number): this {
    return this.headers(streamId, { ":status": "200", "content-type": "application/grpc" }, false);
  }
}

export function frameOf(type: number, flags: number, streamId: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, bytes]);
}

/** Literals that no table remembers; texts of 126 bytes at most. */
function fieldBlock(fields: Readonly<Record<string, string>>): Buffer {
  const texts = Object.entries(fields).flatMap(([name, value]) => [
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
  return Buffer.concat(texts);
}

export function grpcMessage(message: Buffer | string, flag = 0): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

export class ScriptedServer {
  readonly #server: Server;
  readonly #peers: Peer[] = [];
  #accepted = 0;
  #wake: () => void = () => {};

  constructor() {
    this.#server = createServer((socket) => {
      this.#peers.push(new Peer(socket));
      this.#wake();
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection. */
  async accept(): Promise<Peer> {
    for (;;) {
      const peer = this.#peers[this.#accepted];
      if (peer !== undefined) {
        this.#accepted += 1;
        return peer;
      }
      await new Promise<void>((resolve) => void (this.#wake = resolve));
    }
  }

  get connections(): number {
    return this.#peers.length;
  }

  close(): void {
    this.#server.close();
    for (const { socket } of this.#peers) socket.destroy();
  }
}
