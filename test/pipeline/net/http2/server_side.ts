import { Duplex } from "node:stream";
import { Http2Connection } from "../../../../pipeline/net/http2/connection.ts";
import { ErrorCode } from "../../../../pipeline/net/http2/errors.ts";
import {
  Flag,
  FrameType,
  frame,
  preface,
  Setting,
  settingsFrame,
  uint32,
} from "../../../../pipeline/net/http2/frames.ts";
import { indexedField, literalField, namedField } from "../../../../pipeline/net/http2/hpack.ts";
import type { Stream } from "../../../../pipeline/net/http2/stream.ts";

/** Frames as they were written, one after the other. */
function* framesIn(bytes: Buffer): Generator<{ type: number; flags: number; streamId: number; payload: Buffer }> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    yield {
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      streamId: bytes.readUInt32BE(at + 5),
      payload,
    };
    at += 9 + length;
  }
}

/** A server's side of a connection that writes down what happens to it; a client that is `deaf` reads nothing. */
export function server(
  options: {
    maxConcurrentStreams?: number;
    streamWindowBytes?: number;
    isDeaf?: boolean;
    answersAtOnce?: boolean;
  } = {},
) {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk));
      if (options.isDeaf !== true) done();
    },
  });
  let nowMs = 0;
  const events: string[] = [];
  const streams: Stream[] = [];
  const connection = new Http2Connection(
    socket,
    {
      role: "server",
      maxConcurrentStreams: options.maxConcurrentStreams ?? 100,
      streamWindowBytes: options.streamWindowBytes ?? 65_535,
      maxFrameBytes: 16_384,
      nowMs: () => nowMs,
    },
    {
      open: (id, { path }) => {
        events.push(`open ${id} ${path}`);
        let body = "";
        return {
          headers: (fields) => void events.push(`trailers ${id} ${fields.list.join(" ")}`),
          data: (bytes, start, end) => void (body += bytes.toString("latin1", start, end)),
          end: () => void events.push(`end ${id} ${body}`),
          aborted: (code) => void events.push(`aborted ${id} ${code}`),
        };
      },
      opened: (stream) => {
        streams.push(stream);
        if (options.answersAtOnce !== true) return;
        connection.headers(stream, indexedField(8), true);
        if (!stream.isRemoteClosed) connection.reset(stream, ErrorCode.none);
      },
      closed: () => {},
      settings: () => {},
      ping: () => void events.push("ping"),
      pong: () => void events.push("pong"),
      goaway: (last, code) => void events.push(`goaway ${last} ${code}`),
      failed: ({ code }) => void events.push(`failed ${code}`),
    },
  );
  connection.flush();
  written.length = 0;
  const sent = () => [...framesIn(Buffer.concat(written))];
  const read = (...parts: readonly Buffer[]) => {
    const bytes = Buffer.concat(parts);
    connection.read(bytes, 0, bytes.length);
    return {
      events,
      get sent() {
        return sent();
      },
    };
  };
  return {
    connection,
    events,
    streams,
    sent,
    read,
    written,
    pass: (milliseconds: number) => void (nowMs += milliseconds),
  };
}

export const path: Buffer = namedField(4, "/a.B/C");
export const request: Buffer = Buffer.concat([indexedField(3), indexedField(6), path]);
export const hello: Buffer = Buffer.concat([preface, settingsFrame([])]);
export const headers = (id: number, flags: number = Flag.endHeaders, block: Buffer = request) =>
  frame(FrameType.headers, flags, id, block);
export const data = (id: number, text: string, flags = 0) => frame(FrameType.data, flags, id, Buffer.from(text));
export const whole = Flag.endHeaders | Flag.endStream;
export const reset = (id: number, code: number) => frame(FrameType.resetStream, 0, id, uint32(code));
export const windowUpdate = (id: number, bytes: number) => frame(FrameType.windowUpdate, 0, id, uint32(bytes));
export const padded = (id: number, text: string, padding: number, flags = 0) =>
  frame(
    FrameType.data,
    Flag.padded | flags,
    id,
    Buffer.concat([Buffer.from([padding]), Buffer.from(text), Buffer.alloc(padding)]),
  );

/** What a client may send: frames of every kind. */
export const conversation: Buffer = Buffer.concat([
  hello,
  headers(1, 0, request.subarray(0, 3)),
  frame(FrameType.continuation, 0, 1, request.subarray(3, 5)),
  frame(FrameType.continuation, Flag.endHeaders, 1, request.subarray(5)),
  data(1, "abc"),
  headers(3, whole),
  frame(FrameType.ping, 0, 0, Buffer.alloc(8, 7)),
  padded(1, "def", 5),
  frame(99, 0, 1, Buffer.from("unknown")),
  data(1, ""),
  frame(FrameType.priority, 0, 1, Buffer.alloc(5)),
  padded(1, "", 0),
  headers(1, whole, literalField("x", "y")),
  headers(5, Flag.endHeaders),
  reset(5, 8),
  windowUpdate(0, 10),
  settingsFrame([[Setting.initialWindowSize, 5]]),
  frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0)),
  frame(FrameType.goaway, 0, 0, Buffer.alloc(8)),
]);
