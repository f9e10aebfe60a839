import type { Duplex } from "node:stream";
import { ControlFrames } from "./control_frames.ts";
import { connectionLost, ErrorCode, Http2Error } from "./errors.ts";
import type { ConnectionEvents, Http2Options } from "./events.ts";
import { checkHeaders, MalformedError, requestOf } from "./fields.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";
import {
  FrameType,
  frame,
  frameHeadBytes,
  maxStreamId,
  preface,
  Setting,
  settingsFrame,
  standardWindowBytes,
  uint32,
  writeFrameHead,
} from "./frames.ts";
import { GoneStreams } from "./gone_streams.ts";
import { type HeaderFields, HpackDecoder } from "./hpack.ts";
import { PeerLimits } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import { Sender } from "./sender.ts";
import { Stream, type StreamEvents } from "./stream.ts";

/** The window of a connection: never what a stream waits for, since streams have small ones. */
const connectionWindowBytes = 256 * 1024 * 1024;

/** Names and values of one head, in all. */
const maxHeaderBytes = 16 * 1024;

/**
 * HTTP/2 on one connection, for both sides: frames, windows, settings, and what keeps a peer from making work. It knows
 * nothing of gRPC. @see RFC 9113.
 */
export class Http2Connection implements FrameSink {
  readonly #options: Http2Options;
  readonly #events: ConnectionEvents;
  readonly #out: Outbox;
  readonly #reader: FrameReader;
  readonly #hpack = new HpackDecoder(maxHeaderBytes);
  readonly #streams = new Map<number, Stream>();
  readonly #limits: PeerLimits;
  readonly #control: ControlFrames;
  readonly #gone = new GoneStreams();
  readonly #sender: Sender;
  #prefaceBytes = 0;
  #isOver = false;
  #highestPeerId = 0;
  #nextId = 1;
  #receiveWindow = connectionWindowBytes;
  #current: Stream | undefined;
  #currentLength = 0;

  constructor(socket: Duplex, options: Http2Options, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#out = new Outbox(socket);
    this.#sender = new Sender(this.#out, (stream) => this.#endLocal(stream));
    this.#reader = new FrameReader(this, options.maxFrameBytes);
    this.#limits = new PeerLimits(this.#out, options.role === "server", options.nowMs);
    this.#control = new ControlFrames({
      role: options.role,
      out: this.#out,
      sender: this.#sender,
      limits: this.#limits,
      streams: this.#streams,
      isIdle: (streamId) => this.#isIdle(streamId),
      ended: (stream, code) => {
        this.#gone.add(stream.id, false);
        this.#drop(stream, code);
      },
      refuse: (streamId, code) => this.#refuse(streamId, code),
      settings: () => events.settings(),
      ping: () => events.ping(),
      pong: () => events.pong(),
      goaway: (lastStreamId, code, text) => events.goaway(lastStreamId, code, text),
    });
    const isClient = options.role === "client";
    if (isClient) this.#out.copy(preface);
    this.#out.copy(
      settingsFrame([
        ...(isClient ? [[Setting.enablePush, 0] as const] : []),
        ...(Number.isFinite(options.maxConcurrentStreams)
          ? [[Setting.maxConcurrentStreams, options.maxConcurrentStreams] as const]
          : []),
        [Setting.initialWindowSize, options.streamWindowBytes],
        [Setting.maxFrameSize, options.maxFrameBytes],
        [Setting.maxHeaderListSize, maxHeaderBytes],
      ]),
    );
    this.#grant(0, connectionWindowBytes - standardWindowBytes);
  }

  /** Whether the peer has introduced itself. */
  get isSettled(): boolean {
    return this.#control.isSettled;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Streams that may be opened now. */
  get freeStreams(): number {
    return Math.min(this.#control.peerStreams, maxStreams) - this.#streams.size;
  }

  /** Whether ids are used up: a new connection has to be made. */
  get isSpent(): boolean {
    return this.#nextId > maxStreamId;
  }

  get unsentBytes(): number {
    return this.#out.unsentBytes;
  }

  /** The highest stream of the peer that was looked at. */
  get lastPeerId(): number {
    return this.#highestPeerId;
  }

  /** Takes what has come. `bytes` may be used for something else afterwards. */
  read(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.#out.hold(() => {
      try {
        const at = this.#prefaceBytes < preface.length ? this.#readPreface(bytes, start, end) : start;
        this.#reader.read(bytes, at, end);
      } catch (error) {
        if (!(error instanceof Http2Error)) throw error;
        if (this.#isOver) return;
        this.goaway(this.#highestPeerId, error.code, error.message);
        this.#isOver = true;
        this.#events.failed(error);
      }
    });
  }

  #readPreface(bytes: Buffer, start: number, end: number): number {
    if (this.#options.role === "client") {
      this.#prefaceBytes = preface.length;
      return start;
    }
    const length = Math.min(preface.length - this.#prefaceBytes, end - start);
    const from = this.#prefaceBytes;
    if (bytes.compare(preface, from, from + length, start, start + length) !== 0) {
      throw new Http2Error(ErrorCode.protocol, "this is not HTTP/2");
    }
    this.#prefaceBytes += length;
    return start + length;
  }

  /** Ends all streams: the connection is gone. */
  abort(): void {
    this.#isOver = true;
    this.abortAbove(0, connectionLost);
  }

  /** Ends the streams above one, such as those that a peer which goes away has not looked at. */
  abortAbove(streamId: number, code: number): void {
    for (const stream of [...this.#streams.values()]) if (stream.id > streamId) this.#drop(stream, code);
  }

  dataBegins(streamId: number, length: number): void {
    this.#control.requireSettings();
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) throw new Http2Error(ErrorCode.flowControl, "more DATA than was granted");
    if (length === 0) this.#limits.idleFrame();
    const stream = this.#streams.get(streamId);
    this.#current = stream;
    this.#currentLength = length;
    if (stream === undefined) this.#judgeGone(streamId);
    else if (stream.isRemoteClosed) this.#reset(stream, ErrorCode.streamClosed);
    else if (length > stream.receiveWindow) this.#reset(stream, ErrorCode.flowControl);
    else stream.receiveWindow -= length;
  }

  data(bytes: Buffer, start: number, end: number): void {
    const stream = this.#current;
    if (stream === undefined || stream.isRemoteClosed) return;
    this.#currentLength -= end - start;
    if (stream.announcedBytes !== undefined) stream.announcedBytes -= end - start;
    stream.events.data(bytes, start, end);
  }

  dataEnds(_streamId: number, isLast: boolean): void {
    if (this.#receiveWindow < connectionWindowBytes / 2) {
      this.#grant(0, connectionWindowBytes - this.#receiveWindow);
      this.#receiveWindow = connectionWindowBytes;
    }
    const stream = this.#current;
    this.#current = undefined;
    if (stream === undefined || stream.isRemoteClosed) return;
    if (isLast) this.#endRemote(stream);
    else if (this.#currentLength > 0) {
      this.grant(stream, this.#currentLength); // padding is used up at once
      this.#limits.padded();
    }
  }

  headerBlock(
    streamId: number,
    isLast: boolean,
    dependency: number | undefined,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    this.#control.requireSettings();
    const fields = this.#hpack.decode(bytes, start, end);
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#moreHeaders(stream, fields, isLast);
    else if (this.#options.role === "client" || streamId <= this.#highestPeerId) {
      this.#judgeGone(streamId);
      this.#limits.idleFrame();
    } else this.#open(streamId, fields, isLast, dependency);
  }

  #open(streamId: number, fields: HeaderFields, isLast: boolean, dependency: number | undefined): void {
    if ((streamId & 1) === 0) throw new Http2Error(ErrorCode.protocol, "a stream of a client has an odd number");
    this.#highestPeerId = streamId;
    if (dependency === streamId) {
      this.#refuse(streamId, ErrorCode.protocol);
      return;
    }
    const request = requestOf(fields);
    if (request instanceof MalformedError || fields.isTooLarge || (isLast && (request.contentLength ?? 0) > 0)) {
      this.#refuse(streamId, fields.isTooLarge ? ErrorCode.enhanceYourCalm : ErrorCode.protocol);
      return;
    }
    this.#limits.wrote();
    const isFull = this.#streams.size >= this.#options.maxConcurrentStreams;
    const events = isFull ? undefined : this.#events.open(streamId, request);
    if (events === undefined) {
      this.#refuse(streamId, ErrorCode.refusedStream);
      return;
    }
    const stream = new Stream(streamId, events, this.#options.streamWindowBytes, this.#sender.streamWindowBytes);
    stream.announcedBytes = request.contentLength;
    this.#streams.set(streamId, stream);
    stream.isRemoteClosed = isLast; // or one that is answered at once would be reset
    this.#events.opened(stream);
    if (isLast && this.#streams.has(streamId)) this.#endRemote(stream);
  }

  #moreHeaders(stream: Stream, fields: HeaderFields, isLast: boolean): void {
    if (stream.isRemoteClosed) {
      this.#reset(stream, ErrorCode.streamClosed);
      return;
    }
    const isTrailers = this.#options.role === "server";
    if (fields.isTooLarge || (isTrailers && (!isLast || checkHeaders(fields.list) !== undefined))) {
      this.#reset(stream, fields.isTooLarge ? ErrorCode.enhanceYourCalm : ErrorCode.protocol);
      return;
    }
    stream.events.headers(fields, isLast);
    if (isLast && !stream.isRemoteClosed) this.#endRemote(stream);
  }

  #endRemote(stream: Stream): void {
    if (stream.announcedBytes !== undefined && stream.announcedBytes !== 0) {
      this.#reset(stream, ErrorCode.protocol);
      return;
    }
    stream.isRemoteClosed = true;
    this.#limits.served();
    stream.events.end();
    // A server that answers before it has all of a request reads no more of it.
    if (this.#options.role === "client" && !stream.isLocalClosed) this.reset(stream, ErrorCode.cancel);
    else this.#forgetClosed(stream);
  }

  control(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#control.take(type, flags, streamId, bytes, start, end);
  }

  /** A frame for a stream that is not there: of one that was, and how that ended, depends what it means. */
  #judgeGone(streamId: number): void {
    if (this.#isIdle(streamId)) throw new Http2Error(ErrorCode.protocol, `stream ${streamId} is not open`);
    if (this.#gone.wasResetHere(streamId)) return;
    if (this.#gone.hasEnded(streamId)) throw new Http2Error(ErrorCode.streamClosed, `stream ${streamId} is closed`);
    if (this.#gone.covers(streamId, this.#highestPeerId)) {
      throw new Http2Error(ErrorCode.protocol, `stream ${streamId} was skipped`);
    }
  }

  #isIdle(streamId: number): boolean {
    const isOurs = (streamId & 1) === (this.#options.role === "client" ? 1 : 0);
    return streamId === 0 || streamId > (isOurs ? this.#nextId - 2 : this.#highestPeerId);
  }

  /** Opens a stream with a request's header block. For clients, when `freeStreams` allows. */
  request(block: Buffer, events: StreamEvents): Stream {
    const stream = new Stream(this.#nextId, events, this.#options.streamWindowBytes, this.#sender.streamWindowBytes);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    this.#sender.headers(stream, block, false);
    return stream;
  }

  /** Sends a header block, an answer's head or trailers; `isLast` ends the stream. */
  headers(stream: Stream, block: Buffer, isLast: boolean): void {
    if (!stream.isLocalClosed) this.#sender.headers(stream, block, isLast);
  }

  /** @see Sender.send */
  send(stream: Stream, parts: readonly Buffer[], trailers: Buffer | undefined): void {
    if (!stream.isLocalClosed) this.#sender.send(stream, parts, trailers);
  }

  /** @see Sender.sendMade */
  sendMade(stream: Stream, frames: Buffer, idPlaces: readonly number[], dataBytes: number): boolean {
    return stream.isLocalClosed || this.#sender.sendMade(stream, frames, idPlaces, dataBytes);
  }

  /** Lets the peer send more on a stream. */
  grant(stream: Stream, bytes: number): void {
    if (stream.isRemoteClosed) return;
    stream.receiveWindow += bytes;
    this.#grant(stream.id, bytes);
  }

  #grant(streamId: number, bytes: number): void {
    const at = this.#out.reserve(frameHeadBytes + 4);
    writeFrameHead(this.#out.buffer, at, 4, FrameType.windowUpdate, 0, streamId);
    this.#out.buffer.writeUInt32BE(bytes, at + frameHeadBytes);
  }

  /** Ends a stream from here: nothing more of it is heard. */
  reset(stream: Stream, code: number): void {
    if (!this.#streams.has(stream.id)) return;
    this.#writeReset(stream.id, code);
    this.#close(stream);
  }

  /** Ends a stream for what its peer did. */
  #reset(stream: Stream, code: number): void {
    this.#limits.reset();
    this.#writeReset(stream.id, code);
    this.#drop(stream, code);
  }

  /** Ends a stream that never was, or whose state does not matter. */
  #refuse(streamId: number, code: number): void {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) {
      this.#reset(stream, code);
      return;
    }
    this.#limits.reset();
    this.#writeReset(streamId, code);
  }

  #writeReset(streamId: number, code: number): void {
    this.#gone.add(streamId, true);
    this.#out.copy(frame(FrameType.resetStream, 0, streamId, uint32(code)));
    this.#limits.wrote();
  }

  #endLocal(stream: Stream): void {
    stream.isLocalClosed = true;
    this.#forgetClosed(stream);
  }

  #forgetClosed(stream: Stream): void {
    if (!stream.isLocalClosed || !stream.isRemoteClosed || !this.#streams.has(stream.id)) return;
    this.#gone.add(stream.id, false);
    this.#close(stream);
  }

  #drop(stream: Stream, code: number): void {
    this.#close(stream);
    stream.events.aborted(code);
  }

  #close(stream: Stream): void {
    stream.isLocalClosed = true;
    stream.isRemoteClosed = true;
    this.#sender.forget(stream);
    if (this.#streams.delete(stream.id)) this.#events.closed(stream);
  }

  /** Writes what waits, now. */
  flush(): void {
    this.#out.flush();
  }

  ping(): void {
    this.#out.copy(frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
  }

  goaway(lastStreamId: number, code: number, text: string): void {
    const payload = Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(text, "latin1")]);
    this.#out.copy(frame(FrameType.goaway, 0, 0, payload));
  }
}

/** What a client opens at most at a time on one connection, however many the server allows. */
const maxStreams = 1000;
