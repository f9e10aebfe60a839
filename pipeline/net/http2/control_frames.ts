import { ErrorCode, Http2Error } from "./errors.ts";
import { Flag, FrameType, frame, maxStreamId, maxWindowBytes, Setting, standardFrameBytes } from "./frames.ts";
import { tableBytes } from "./hpack.ts";
import type { PeerLimits } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { Sender } from "./sender.ts";
import type { Stream } from "./stream.ts";

/** What the frames that carry neither fields nor data are about. */
export interface Controlled {
  readonly role: "server" | "client";
  readonly out: Outbox;
  readonly sender: Sender;
  readonly limits: PeerLimits;
  readonly streams: ReadonlyMap<number, Stream>;
  /** Whether a stream of that number has not been yet. */
  isIdle(streamId: number): boolean;
  /** The peer has ended a stream. */
  ended(stream: Stream, code: number): void;
  /** A stream is ended for what the peer did; it may be one that never was. */
  refuse(streamId: number, code: number): void;
  settings(): void;
  ping(): void;
  pong(): void;
  goaway(lastStreamId: number, code: number, text: string): void;
}

/** Takes SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM and PRIORITY of the peer. Each throws an `Http2Error`. */
export class ControlFrames {
  readonly #about: Controlled;
  #unackedSettings = 1;
  /** Whether the peer's first settings have come. */
  isSettled = false;
  /** Streams that the peer takes at a time; a guess until it says so. */
  peerStreams = 100;

  constructor(about: Controlled) {
    this.#about = about;
  }

  take(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    if (type === FrameType.settings) {
      this.#takeSettings(flags, streamId, bytes, start, end);
      return;
    }
    this.requireSettings();
    const { limits } = this.#about;
    const length = end - start;
    switch (type) {
      case FrameType.ping:
        expectOnConnection(streamId, length === 8, "PING");
        limits.idleFrame();
        if ((flags & Flag.ack) !== 0) this.#about.pong();
        else this.#answerPing(bytes.subarray(start, end));
        return;
      case FrameType.goaway: {
        limits.idleFrame();
        expectOnConnection(streamId, length >= 8, "GOAWAY");
        const code = bytes.readUInt32BE(start + 4);
        this.#about.goaway(bytes.readUInt32BE(start) & maxStreamId, code, bytes.toString("latin1", start + 8, end));
        return;
      }
      case FrameType.windowUpdate:
        expect(length === 4, ErrorCode.frameSize, "WINDOW_UPDATE");
        this.#openWindow(streamId, bytes.readUInt32BE(start) & maxStreamId);
        return;
      case FrameType.resetStream:
        expect(length === 4, ErrorCode.frameSize, "RST_STREAM");
        this.#takeReset(streamId, bytes.readUInt32BE(start));
        return;
      case FrameType.priority:
        limits.idleFrame();
        expect(streamId !== 0, ErrorCode.protocol, "PRIORITY on stream 0");
        if (length !== 5) this.#about.refuse(streamId, ErrorCode.frameSize);
        else if ((bytes.readUInt32BE(start) & maxStreamId) === streamId) {
          this.#about.refuse(streamId, ErrorCode.protocol);
        }
        return;
      case FrameType.pushPromise:
        throw new Http2Error(ErrorCode.protocol, "PUSH_PROMISE");
      default:
        limits.idleFrame(); // of a type nobody knows
    }
  }

  /** @throws {Http2Error} before the peer's first settings: nothing may come before them. */
  requireSettings(): void {
    expect(this.isSettled, ErrorCode.protocol, "the first frame must be SETTINGS");
  }

  #takeSettings(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const { limits, out } = this.#about;
    expect(streamId === 0, ErrorCode.protocol, "SETTINGS on a stream");
    if ((flags & Flag.ack) !== 0) {
      this.requireSettings();
      expect(start === end, ErrorCode.frameSize, "an acknowledgement with settings");
      if (this.#unackedSettings > 0) this.#unackedSettings -= 1;
      else limits.idleFrame();
      return;
    }
    expect((end - start) % 6 === 0, ErrorCode.frameSize, "SETTINGS cut short");
    if (this.isSettled) limits.idleFrame();
    const { sender, streams } = this.#about;
    let windowBytes = sender.streamWindowBytes;
    for (let at = start; at < end; at += 6) {
      const setting = bytes.readUInt16BE(at);
      const value = bytes.readUInt32BE(at + 2);
      if (setting === Setting.initialWindowSize) {
        expect(value <= maxWindowBytes, ErrorCode.flowControl, "INITIAL_WINDOW_SIZE");
        windowBytes = value;
      } else this.#apply(setting, value);
    }
    this.isSettled = true;
    out.copy(frame(FrameType.settings, Flag.ack, 0));
    limits.wrote();
    // Once, however often it was set, and behind the acknowledgement: DATA may leave because of it.
    const isPossible = sender.resize(windowBytes, streams.values());
    expect(isPossible, ErrorCode.flowControl, "INITIAL_WINDOW_SIZE");
    this.#about.settings();
  }

  #apply(setting: number, value: number): void {
    const { role, sender } = this.#about;
    if (setting === Setting.enablePush) {
      expect(value === 0 || (value === 1 && role === "server"), ErrorCode.protocol, "ENABLE_PUSH");
    } else if (setting === Setting.maxConcurrentStreams) {
      this.peerStreams = value;
    } else if (setting === Setting.headerTableSize) {
      if (value < tableBytes) sender.dropTable();
    } else if (setting === Setting.maxFrameSize) {
      expect(value >= standardFrameBytes && value < 1 << 24, ErrorCode.protocol, "MAX_FRAME_SIZE");
      sender.frameBytes = value;
    }
  }

  #answerPing(payload: Buffer): void {
    const { limits, out } = this.#about;
    out.copy(frame(FrameType.ping, Flag.ack, 0, payload));
    limits.wrote();
    this.#about.ping();
  }

  #openWindow(streamId: number, bytes: number): void {
    const { role, limits, sender, streams } = this.#about;
    if (role === "server") limits.idleFrame(); // to a client they are what it waits for
    if (streamId === 0) {
      expect(bytes > 0, ErrorCode.protocol, "WINDOW_UPDATE of 0");
      expect(sender.open(bytes), ErrorCode.flowControl, "a window that is too large");
      return;
    }
    const stream = streams.get(streamId);
    if (stream === undefined) {
      expect(!this.#about.isIdle(streamId), ErrorCode.protocol, "WINDOW_UPDATE on a stream that is not open");
    } else if (bytes === 0) {
      this.#about.refuse(streamId, ErrorCode.protocol);
    } else if (!sender.openStream(stream, bytes)) {
      this.#about.refuse(streamId, ErrorCode.flowControl);
    }
  }

  #takeReset(streamId: number, code: number): void {
    const { role, limits, streams } = this.#about;
    expect(!this.#about.isIdle(streamId), ErrorCode.protocol, "RST_STREAM on a stream that is not open");
    const stream = streams.get(streamId);
    if (stream === undefined) {
      limits.idleFrame();
      return;
    }
    // A server may so end what it has answered before all of it came.
    if (role === "server" || code !== ErrorCode.none) limits.reset();
    this.#about.ended(stream, code);
  }
}

function expect(holds: boolean, code: number, message: string): void {
  if (!holds) throw new Http2Error(code, message);
}

/** A frame that is about the connection, of the right size. */
function expectOnConnection(streamId: number, hasSize: boolean, name: string): void {
  expect(streamId === 0, ErrorCode.protocol, `${name} on a stream`);
  expect(hasSize, ErrorCode.frameSize, name);
}
