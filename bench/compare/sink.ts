/**
 * Takes OTLP over gRPC and HTTP/1.1 on one port, counts items and bytes, and answers that all is well; a program of its
 * own, steered by messages of its parent. Given a limit, it answers no faster than so many items a second.
 */
import { createServer, Socket } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { okTrailers } from "../../pipeline/net/grpc/wire.ts";
import {
  Flag,
  FrameType,
  frame,
  frameHeadBytes,
  preface,
  Setting,
  settingsFrame,
  streamIdPlace,
} from "../../pipeline/net/http2/frames.ts";
import { indexedField, namedField } from "../../pipeline/net/http2/hpack.ts";
import { staticIndex } from "../../pipeline/net/http2/static_table.ts";
import { countItems } from "./count.ts";
import { type FrameHandler, FrameReader, windowUpdate } from "./http2.ts";
import type { SinkCommand, SinkCounts } from "./messages.ts";
import type { Signal } from "./payloads.ts";

const streamWindow = 1 << 24;
const connectionWindow = 1 << 30;
const largestBody = 1 << 24;

let signal: Signal = "traces";
let itemsPerSecond = 0;
let counts: SinkCounts = { items: 0, bytes: 0, requests: 0, cpuMs: 0 };
/** When the answer to all that came so far is due, with a limit. */
let dueMs = 0;

/** Compressed bodies seen before, by length: comparing one costs a tenth of inflating it. */
const known = new Map<number, { body: Buffer; items: number }>();
const knownAtMost = 64;

function itemsOf(body: Buffer): number {
  const [first, second] = body;
  const gzip = first === 0x1f && second === 0x8b;
  const zstd = first === 0x28 && second === 0xb5;
  if (!gzip && !zstd) return countItems(signal, body);
  const before = known.get(body.length);
  if (before?.body.equals(body)) return before.items;
  const items = countItems(signal, gzip ? gunzipSync(body) : zstdDecompressSync(body));
  if (known.size >= knownAtMost) known.clear();
  known.set(body.length, { body: Buffer.from(body), items });
  return items;
}

/** Counts a request and says when it may be answered: 0 for at once, else the milliseconds to wait. */
function take(body: Buffer, wireBytes: number): number {
  const items = itemsOf(body);
  counts.items += items;
  counts.bytes += wireBytes;
  counts.requests += 1;
  if (itemsPerSecond === 0) return 0;
  const nowMs = performance.now();
  dueMs = Math.max(dueMs, nowMs) + (items / itemsPerSecond) * 1_000;
  return dueMs - nowMs;
}

interface Body {
  buffer: Buffer;
  size: number;
}

/** Buffers are lent to one request at a time; memory that is not written to costs nothing. */
const spare: Buffer[] = [];
const borrow = (): Body => ({ buffer: spare.pop() ?? Buffer.allocUnsafeSlow(largestBody), size: 0 });

const grpcAnswer = Buffer.concat([
  frame(
    FrameType.headers,
    Flag.endHeaders,
    0,
    Buffer.concat([indexedField(staticIndex.status200), namedField(staticIndex.contentType, "application/grpc")]),
  ),
  frame(FrameType.data, 0, 0, Buffer.alloc(5)),
  frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 0, okTrailers),
]);
const streamIdsAt: number[] = [];
for (let at = 0; at < grpcAnswer.length; at += frameHeadBytes + grpcAnswer.readUIntBE(at, 3))
  streamIdsAt.push(at + streamIdPlace);

const httpAnswer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");

type Write = (bytes: Buffer) => void;

/** A connection of a gRPC client. */
class GrpcSide implements FrameHandler {
  readonly #write: Write;
  readonly #reader = new FrameReader(this);
  readonly #bodies = new Map<number, Body>();
  #unacknowledged = 0;

  constructor(write: Write) {
    this.#write = write;
    write(
      settingsFrame([
        [Setting.initialWindowSize, streamWindow],
        [Setting.maxFrameSize, 1 << 20],
        [Setting.maxConcurrentStreams, 1000],
      ]),
    );
    write(windowUpdate(0, connectionWindow));
  }

  read(bytes: Buffer): void {
    this.#reader.read(bytes);
  }

  onData(streamId: number, piece: Buffer, last: boolean): void {
    const body = this.#bodies.get(streamId);
    this.#unacknowledged += piece.length;
    if (this.#unacknowledged > connectionWindow / 4) {
      this.#write(windowUpdate(0, this.#unacknowledged));
      this.#unacknowledged = 0;
    }
    if (body === undefined) return;
    body.size += piece.copy(body.buffer, body.size);
    if (last) this.#answer(streamId, body);
  }

  onFrame(type: number, flag: number, streamId: number, payload: Buffer): void {
    if (type === FrameType.headers) this.#bodies.set(streamId, borrow());
    else if (type === FrameType.settings && flag === 0) this.#write(frame(FrameType.settings, Flag.ack, 0));
    else if (type === FrameType.ping && flag === 0) this.#write(frame(FrameType.ping, Flag.ack, 0, payload));
    else if (type === FrameType.resetStream) this.#bodies.delete(streamId);
  }

  #answer(streamId: number, { buffer, size }: Body): void {
    this.#bodies.delete(streamId);
    const length = buffer.readUInt32BE(1);
    if (size !== length + 5) throw new Error(`a gRPC message of ${length} bytes came in ${size}`);
    const waitMs = take(buffer.subarray(5, size), size);
    spare.push(buffer);
    const answer = Buffer.from(grpcAnswer);
    for (const at of streamIdsAt) answer.writeUInt32BE(streamId, at);
    if (waitMs === 0) this.#write(answer);
    else setTimeout(this.#write, waitMs, answer);
  }
}

/** A connection of an HTTP/1.1 client that says how long its bodies are. */
class HttpSide {
  readonly #write: Write;
  readonly #body = borrow();
  #headSize = 0;
  #size = 0;

  constructor(write: Write) {
    this.#write = write;
  }

  read(bytes: Buffer): void {
    const { buffer } = this.#body;
    this.#body.size += bytes.copy(buffer, this.#body.size);
    while (this.#complete()) {
      const waitMs = take(buffer.subarray(this.#headSize, this.#size), this.#size - this.#headSize);
      buffer.copyWithin(0, this.#size, this.#body.size);
      this.#body.size -= this.#size;
      this.#size = 0;
      if (waitMs === 0) this.#write(httpAnswer);
      else setTimeout(this.#write, waitMs, httpAnswer);
    }
  }

  #complete(): boolean {
    if (this.#size === 0) {
      const end = this.#body.buffer.subarray(0, Math.min(this.#body.size, 16_384)).indexOf("\r\n\r\n");
      if (end < 0) return false;
      const head = this.#body.buffer.toString("latin1", 0, end);
      const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
      if (length === undefined) throw new Error(`a request without content-length:\n${head}`);
      this.#headSize = end + 4;
      this.#size = this.#headSize + Number(length);
    }
    return this.#body.size >= this.#size;
  }
}

/** Reads into one buffer for all connections, as `net.connect` can with `onread` and `net.Server` cannot: a third of the cost. */
function accept(handle: unknown): void {
  let side: GrpcSide | HttpSide | undefined;
  const pending: Buffer[] = [];
  let reading = false;
  const write: Write = (bytes) => {
    if (reading) pending.push(bytes);
    else socket.write(bytes);
  };
  const onBytes = (size: number, buffer: Uint8Array): boolean => {
    let bytes = Buffer.from(buffer.buffer, buffer.byteOffset, size);
    reading = true;
    if (side === undefined) {
      const grpc = bytes.subarray(0, 3).equals(preface.subarray(0, 3));
      side = grpc ? new GrpcSide(write) : new HttpSide(write);
      if (grpc) bytes = bytes.subarray(preface.length);
    }
    side.read(bytes);
    reading = false;
    if (pending.length > 0) socket.write(Buffer.concat(pending.splice(0)));
    return true;
  };
  const socket = new Socket({ handle, onread: { buffer: shared, callback: onBytes } } as object);
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.read(0);
}

const shared = Buffer.allocUnsafeSlow(1 << 18);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const handle = Reflect.get(server, "_handle") as { onconnection: (error: number, handle: unknown) => void };
  handle.onconnection = (error, connection) => {
    if (error === 0) accept(connection);
  };
  const address = server.address();
  process.send?.({ port: typeof address === "object" ? address?.port : 0 });
});

process.on("message", (command: SinkCommand) => {
  if (command.kind === "reset") {
    ({ signal, itemsPerSecond } = command);
    counts = { items: 0, bytes: 0, requests: 0, cpuMs: 0 };
    dueMs = 0;
    known.clear();
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ ...counts, cpuMs: (user + system) / 1_000 });
});
process.on("disconnect", () => process.exit());
