import { connect, type Socket } from "node:net";
import { messagePrefix } from "../../pipeline/net/grpc/wire.ts";
import {
  Flag,
  FrameType,
  frame,
  frameHeadBytes,
  preface,
  Setting,
  settingsFrame,
  standardFrameBytes,
  standardWindowBytes,
  writeFrameHead,
} from "../../pipeline/net/http2/frames.ts";
import { indexedField, literalField, namedField } from "../../pipeline/net/http2/hpack.ts";
import { staticIndex } from "../../pipeline/net/http2/static_table.ts";
import { exportPath, httpPath } from "../../pipeline/net/otlp_paths.ts";
import { type FrameHandler, FrameReader, readSettings, windowUpdate } from "./http2.ts";
import type { Coding, Signal } from "./payloads.ts";

/** Connections of the load generator: requests are encoded before, and only copied or pointed at when they are sent. */
export interface Connection {
  /** How many more requests may be in flight. */
  free(): number;
  send(body: Buffer, done: (accepted: boolean) => void): void;
  /** Writes what was sent since the last time. */
  flush(): void;
  close(): void;
}

interface Options {
  readonly port: number;
  readonly signal: Signal;
  readonly coding: Coding;
  readonly window: number;
  /** Called once all that came in one read has been told. */
  readonly afterRead: () => void;
}

/** One buffer for all connections: what is read is looked at before the next read. */
const shared = Buffer.allocUnsafeSlow(1 << 16);

function open(port: number, onBytes: (bytes: Buffer) => void): Socket {
  const callback = (size: number, buffer: Uint8Array) => {
    onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, size));
    return true;
  };
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer: shared, callback } });
  socket.on("error", (error) => {
    throw new Error(`the daemon's connection failed: ${error.message}`, { cause: error });
  });
  return socket;
}

/** Gives back the message with the five bytes that gRPC puts before it. */
export function grpcMessage(body: Buffer, coding: Coding): Buffer {
  return Buffer.concat([messagePrefix(body.length, coding !== "none"), body]);
}

/** What grpc-go, the commonest client, sends at most in one frame, whatever it is offered. */
const frameSize = standardFrameBytes;
/** Smaller ones are copied behind their head: a piece less for the kernel to gather. */
const copyBelow = 4_096;

/** What both kinds of connections have: a socket, and what waits to be written to it. */
abstract class Outgoing {
  protected abstract readonly socket: Socket;
  protected out: Buffer[] = [];
  protected isClosed = false;

  flush(): void {
    if (this.out.length === 0) return;
    this.socket.cork();
    for (const bytes of gathered(this.out)) this.socket.write(bytes);
    this.socket.uncork();
    this.out = [];
  }

  close(): void {
    this.isClosed = true;
    this.socket.destroy();
  }
}

interface Stream {
  readonly id: number;
  readonly body: Buffer;
  readonly done: (accepted: boolean) => void;
  sent: number;
  window: number;
  accepted: boolean;
}

/** A gRPC client's connection; bodies come with their five bytes. */
export class GrpcConnection extends Outgoing implements Connection, FrameHandler {
  protected readonly socket: Socket;
  readonly #reader = new FrameReader(this);
  readonly #headers: Buffer;
  readonly #streams = new Map<number, Stream>();
  #unsent: Stream[] = [];
  #nextId = 1;
  #window = standardWindowBytes;
  #streamWindow = standardWindowBytes;
  #limit: number;

  constructor({ port, signal, coding, window, afterRead }: Options) {
    super();
    this.#limit = window;
    this.#headers = Buffer.concat([
      indexedField(staticIndex.methodPost),
      indexedField(staticIndex.schemeHttp),
      namedField(staticIndex.path, exportPath(signal)),
      namedField(staticIndex.authority, `127.0.0.1:${port}`),
      namedField(staticIndex.contentType, "application/grpc"),
      literalField("te", "trailers"),
      ...(coding === "none" ? [] : [literalField("grpc-encoding", coding)]),
    ]);
    this.socket = open(port, (bytes) => {
      this.#reader.read(bytes);
      this.#pump();
      afterRead();
    });
    // Without a table of its own, the server writes every header out, and a status can be read without one.
    const ours = settingsFrame([
      [Setting.headerTableSize, 0],
      [Setting.enablePush, 0],
      [Setting.initialWindowSize, 1 << 20],
    ]);
    this.out.push(preface, ours, windowUpdate(0, 1 << 30));
  }

  free(): number {
    return this.isClosed ? 0 : this.#limit - this.#streams.size;
  }

  send(body: Buffer, done: (accepted: boolean) => void): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.out.push(frame(FrameType.headers, Flag.endHeaders, id, this.#headers));
    const stream: Stream = { id, body, done, sent: 0, window: this.#streamWindow, accepted: false };
    this.#streams.set(id, stream);
    this.#unsent.push(stream);
    this.#pump();
  }

  onData(): void {}

  onFrame(type: number, flag: number, streamId: number, payload: Buffer): void {
    if (type === FrameType.headers) this.#answered(streamId, payload, (flag & Flag.endStream) !== 0);
    else if (type === FrameType.windowUpdate) this.#grant(streamId, payload.readUInt32BE(0));
    else if (type === FrameType.settings && flag === 0) this.#configure(payload);
    else if (type === FrameType.ping && flag === 0) this.out.push(frame(FrameType.ping, Flag.ack, 0, payload));
    else if (type === FrameType.resetStream) this.#end(streamId);
    else if (type === FrameType.goaway && !this.isClosed)
      throw new Error(`the daemon said GOAWAY: ${payload.toString("latin1", 8)}`);
  }

  #answered(streamId: number, block: Buffer, last: boolean): void {
    if (!last) return;
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) stream.accepted = grpcStatusIsOk(block);
    this.#end(streamId);
  }

  #end(streamId: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return;
    this.#streams.delete(streamId);
    if (stream.sent < stream.body.length) this.#unsent = this.#unsent.filter((other) => other !== stream);
    stream.done(stream.accepted);
  }

  #grant(streamId: number, increment: number): void {
    if (streamId === 0) this.#window += increment;
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) stream.window += increment;
  }

  #configure(payload: Buffer): void {
    const theirs = readSettings(payload);
    this.#limit = Math.min(this.#limit, theirs.get(Setting.maxConcurrentStreams) ?? Number.POSITIVE_INFINITY);
    const window = theirs.get(Setting.initialWindowSize);
    if (window !== undefined) {
      for (const stream of this.#streams.values()) stream.window += window - this.#streamWindow;
      this.#streamWindow = window;
    }
    this.out.push(frame(FrameType.settings, Flag.ack, 0));
  }

  /** Queues as much DATA as both windows allow. */
  #pump(): void {
    let stalled = 0;
    for (const stream of this.#unsent) {
      while (stream.sent < stream.body.length) {
        const size = Math.min(frameSize, this.#window, stream.window, stream.body.length - stream.sent);
        if (size <= 0) break;
        this.#data(stream, size);
      }
      if (stream.sent < stream.body.length) stalled += 1;
      if (this.#window <= 0) break;
    }
    if (this.#unsent.length > stalled) this.#unsent = this.#unsent.filter(({ sent, body }) => sent < body.length);
  }

  #data(stream: Stream, size: number): void {
    const { id, body, sent } = stream;
    const flag = sent + size === body.length ? Flag.endStream : 0;
    const copied = size < copyBelow;
    const head = Buffer.allocUnsafe(copied ? frameHeadBytes + size : frameHeadBytes);
    writeFrameHead(head, 0, size, FrameType.data, flag, id);
    if (copied) body.copy(head, frameHeadBytes, sent, sent + size);
    this.out.push(head);
    if (!copied) this.out.push(body.subarray(sent, sent + size));
    stream.sent += size;
    stream.window -= size;
    this.#window -= size;
  }
}

/** The same bytes with small neighbours joined. */
function gathered(pieces: readonly Buffer[]): Buffer[] {
  const out: Buffer[] = [];
  let small: Buffer[] = [];
  const join = () => {
    if (small.length > 0) out.push(small.length === 1 ? (small[0] as Buffer) : Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < copyBelow + frameHeadBytes) {
      small.push(piece);
      continue;
    }
    join();
    out.push(piece);
  }
  join();
  return out;
}

/** `grpc-status` plain, and in the code of RFC 7541, appendix B. */
const statusNames = [Buffer.from("grpc-status"), Buffer.from("9acac8b21234da8f", "hex")];

/** Reads the status of a call out of a header block that was written without a dynamic table. */
export function grpcStatusIsOk(block: Buffer): boolean {
  for (const name of statusNames) {
    const at = block.indexOf(name);
    if (at < 0) continue;
    const [length, value] = block.subarray(at + name.length);
    // The digit 0, plain or in Huffman's code.
    return (length === 1 && value === 0x30) || (length === 0x81 && value === 0x07);
  }
  throw new Error(`no grpc-status in ${block.toString("hex")}`);
}

/** An HTTP/1.1 client's connection, one request at a time. */
export class HttpConnection extends Outgoing implements Connection {
  protected readonly socket: Socket;
  readonly #head: (length: number) => Buffer;
  #done: ((accepted: boolean) => void) | undefined;
  #read = "";

  constructor({ port, signal, coding, afterRead }: Options) {
    super();
    const lines = [
      `POST ${httpPath(signal)} HTTP/1.1`,
      `host: 127.0.0.1:${port}`,
      "content-type: application/x-protobuf",
      ...(coding === "none" ? [] : [`content-encoding: ${coding}`]),
      "content-length: ",
    ];
    const start = lines.join("\r\n");
    this.#head = (length) => Buffer.from(`${start}${length}\r\n\r\n`, "latin1");
    this.socket = open(port, (bytes) => {
      this.#onBytes(bytes);
      afterRead();
    });
  }

  free(): number {
    return this.isClosed || this.#done !== undefined ? 0 : 1;
  }

  send(body: Buffer, done: (accepted: boolean) => void): void {
    this.#done = done;
    this.out.push(this.#head(body.length), body);
  }

  #onBytes(bytes: Buffer): void {
    this.#read += bytes.toString("latin1");
    const end = this.#read.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(this.#read.slice(0, end + 2)) ?? [];
    if (length === undefined) throw new Error(`an answer without content-length: ${this.#read}`);
    if (this.#read.length < end + 4 + Number(length)) return;
    const accepted = this.#read.startsWith("HTTP/1.1 200");
    this.#read = "";
    const done = this.#done;
    this.#done = undefined;
    done?.(accepted);
  }
}
