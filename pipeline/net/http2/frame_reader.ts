import { ErrorCode, Http2Error } from "./errors.ts";
import { Flag, FrameType, frameHeadBytes, maxStreamId } from "./frames.ts";
import { maxBlockBytes } from "./hpack.ts";

/** More pieces than this of one header block are an attack. */
const maxContinuations = 8;

/** Longest frame of those that are read whole, other than header blocks: GOAWAY with its text, SETTINGS. */
const maxControlBytes = 16_384;

/** What a reader finds. Bytes are valid during the call only. */
export interface FrameSink {
  /** A DATA frame begins: `length` of it counts against windows. */
  dataBegins(streamId: number, length: number): void;
  data(bytes: Buffer, start: number, end: number): void;
  dataEnds(streamId: number, isLast: boolean): void;
  /** A whole header block. `dependency` is the stream that its priority names. */
  headerBlock(
    streamId: number,
    isLast: boolean,
    dependency: number | undefined,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /** Any other frame, whole. */
  control(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
}

/** Cuts what comes from a connection into frames. Sizes and order are judged here, before anything is kept. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxFrameBytes: number;
  readonly #head = Buffer.alloc(frameHeadBytes);
  #headBytes = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Of the current frame's payload, what has not come yet. */
  #left = 0;
  #padding = 0;
  #isPaddingKnown = true;
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;
  /** A header block that goes on in CONTINUATION frames. */
  #block: Buffer[] | undefined;
  #blockBytes = 0;
  #blockStreamId = 0;
  #blockIsLast = false;
  #blockDependency: number | undefined;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** @throws {Http2Error} when the connection cannot go on. */
  read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#headBytes < frameHeadBytes) {
        at = this.#readHead(bytes, at, end);
        if (this.#headBytes < frameHeadBytes) return;
        this.#begin();
        if (this.#headBytes === 0 || at === end) continue; // no payload, or none yet
      }
      at = this.#type === FrameType.data ? this.#readData(bytes, at, end) : this.#readWhole(bytes, at, end);
    }
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    if (this.#headBytes === 0 && end - at >= frameHeadBytes) {
      this.#parseHead(bytes, at);
      return at + frameHeadBytes;
    }
    const taken = Math.min(frameHeadBytes - this.#headBytes, end - at);
    bytes.copy(this.#head, this.#headBytes, at, at + taken);
    this.#headBytes += taken;
    if (this.#headBytes === frameHeadBytes) this.#parseHead(this.#head, 0);
    return at + taken;
  }

  #parseHead(bytes: Buffer, at: number): void {
    this.#headBytes = frameHeadBytes;
    this.#length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    this.#type = bytes[at + 3] as number;
    this.#flags = bytes[at + 4] as number;
    this.#streamId = bytes.readUInt32BE(at + 5) & maxStreamId;
  }

  /** Judges a frame by its head. */
  #begin(): void {
    const type = this.#type;
    const length = this.#length;
    if (this.#block !== undefined && (type !== FrameType.continuation || this.#streamId !== this.#blockStreamId)) {
      throw new Http2Error(ErrorCode.protocol, "a frame inside a header block");
    }
    const most = type === FrameType.data ? this.#maxFrameBytes : Math.min(maxControlBytes, this.#maxFrameBytes);
    if (length > this.#maxFrameBytes) throw new Http2Error(ErrorCode.frameSize, `a frame of ${length} bytes`);
    if (type <= FrameType.continuation && length > most && !isHeaders(type)) {
      throw new Http2Error(ErrorCode.frameSize, `a control frame of ${length} bytes`);
    }
    this.#left = length;
    if (type === FrameType.data) this.#beginData();
    else if (isHeaders(type) && this.#blockBytes + length > maxBlockBytes) throw tooManyFields();
    if (length === 0) this.#finishEmpty();
  }

  #beginData(): void {
    if (this.#streamId === 0) throw new Http2Error(ErrorCode.protocol, "DATA on stream 0");
    this.#padding = 0;
    this.#isPaddingKnown = (this.#flags & Flag.padded) === 0;
    if (!this.#isPaddingKnown && this.#length === 0) throw padded();
    this.#sink.dataBegins(this.#streamId, this.#length);
  }

  /** A frame without a payload is over with its head. */
  #finishEmpty(): void {
    if (this.#type === FrameType.data) this.#endData();
    else this.#take(empty, 0, 0);
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    let at = start;
    if (!this.#isPaddingKnown) {
      this.#padding = bytes[at++] as number;
      this.#left -= 1;
      this.#isPaddingKnown = true;
      if (this.#padding > this.#left) throw padded();
    }
    const data = Math.min(this.#left - this.#padding, end - at);
    if (data > 0) this.#sink.data(bytes, at, at + data);
    const skipped = Math.min(this.#left - data, end - at - data);
    // Padding only comes when all data has.
    const padding = this.#left - data > this.#padding ? 0 : skipped;
    this.#padding -= padding;
    this.#left -= data + padding;
    if (this.#left === 0) this.#endData();
    return at + data + padding;
  }

  #endData(): void {
    this.#headBytes = 0;
    this.#sink.dataEnds(this.#streamId, (this.#flags & Flag.endStream) !== 0);
  }

  /** Frames that are read whole: in place when they lie in `bytes`, else gathered. */
  #readWhole(bytes: Buffer, at: number, end: number): number {
    const length = this.#length;
    if (this.#type > FrameType.continuation) {
      // Of a type nobody knows: skipped.
      const skipped = Math.min(this.#left, end - at);
      this.#left -= skipped;
      if (this.#left === 0) this.#take(empty, 0, 0);
      return at + skipped;
    }
    if (this.#gathered === undefined && end - at >= length) {
      this.#take(bytes, at, at + length);
      return at + length;
    }
    this.#gathered ??= Buffer.allocUnsafe(length);
    const taken = Math.min(length - this.#gatheredBytes, end - at);
    bytes.copy(this.#gathered, this.#gatheredBytes, at, at + taken);
    this.#gatheredBytes += taken;
    if (this.#gatheredBytes === length) {
      const whole = this.#gathered;
      this.#gathered = undefined;
      this.#gatheredBytes = 0;
      this.#take(whole, 0, length);
    }
    return at + taken;
  }

  #take(bytes: Buffer, start: number, end: number): void {
    this.#headBytes = 0;
    if (this.#type === FrameType.headers) this.#takeHeaders(bytes, start, end);
    else if (this.#type === FrameType.continuation) this.#takeContinuation(bytes, start, end);
    else this.#sink.control(this.#type, this.#flags, this.#streamId, bytes, start, end);
  }

  #takeHeaders(bytes: Buffer, from: number, to: number): void {
    if (this.#streamId === 0) throw new Http2Error(ErrorCode.protocol, "HEADERS on stream 0");
    let start = from;
    let end = to;
    if ((this.#flags & Flag.padded) !== 0) {
      if (start === end) throw padded();
      end -= bytes[start++] as number;
    }
    let dependency: number | undefined;
    if ((this.#flags & Flag.priority) !== 0) {
      if (end - start < 5) throw new Http2Error(ErrorCode.frameSize, "HEADERS cut short");
      dependency = bytes.readUInt32BE(start) & maxStreamId;
      start += 5;
    }
    if (start > end) throw padded();
    const isLast = (this.#flags & Flag.endStream) !== 0;
    if ((this.#flags & Flag.endHeaders) !== 0) {
      this.#sink.headerBlock(this.#streamId, isLast, dependency, bytes, start, end);
      return;
    }
    this.#block = [Buffer.from(bytes.subarray(start, end))];
    this.#blockBytes = end - start;
    this.#blockStreamId = this.#streamId;
    this.#blockIsLast = isLast;
    this.#blockDependency = dependency;
  }

  #takeContinuation(bytes: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === undefined) throw new Http2Error(ErrorCode.protocol, "CONTINUATION without HEADERS");
    if (block.length > maxContinuations) throw tooManyFields();
    block.push(Buffer.from(bytes.subarray(start, end)));
    this.#blockBytes += end - start;
    if ((this.#flags & Flag.endHeaders) === 0) return;
    const whole = Buffer.concat(block);
    this.#block = undefined;
    this.#blockBytes = 0;
    this.#sink.headerBlock(this.#blockStreamId, this.#blockIsLast, this.#blockDependency, whole, 0, whole.length);
  }
}

const empty = Buffer.alloc(0);

function isHeaders(type: number): boolean {
  return type === FrameType.headers || type === FrameType.continuation;
}

function padded(): Http2Error {
  return new Http2Error(ErrorCode.protocol, "more padding than there is room for");
}

function tooManyFields(): Http2Error {
  return new Http2Error(ErrorCode.enhanceYourCalm, "a header block that is too long");
}
