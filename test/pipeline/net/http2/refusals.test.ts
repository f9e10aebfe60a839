import assert from "node:assert/strict";
import { describe, it } from "node:test";
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

import { data, headers, hello, path, request, reset, server, whole, windowUpdate } from "./server_side.ts";

describe("an HTTP/2 connection of a server", () => {
  // Each is what a connection begins with, behind the preface and SETTINGS, and the code it ends with.
  const large = Buffer.alloc(16_385);
  for (const { name, bytes, code } of [
    { name: "DATA on stream 0", bytes: data(0, "x"), code: 1 },
    { name: "DATA on a stream that was never opened", bytes: data(1, "x"), code: 1 },
    { name: "HEADERS on stream 0", bytes: headers(0), code: 1 },
    { name: "HEADERS on an even stream", bytes: headers(2), code: 1 },
    { name: "a stream that was skipped", bytes: Buffer.concat([headers(5), headers(3)]), code: 1 },
    {
      name: "HEADERS on a stream that has ended",
      bytes: Buffer.concat([headers(1, whole), reset(1, 8), headers(1)]),
      code: 5,
    },
    { name: "a frame that is too long", bytes: frame(FrameType.data, 0, 1, large), code: 6 },
    { name: "SETTINGS of a length that cannot be", bytes: frame(FrameType.settings, 0, 0, Buffer.alloc(5)), code: 6 },
    { name: "SETTINGS on a stream", bytes: frame(FrameType.settings, 0, 1, Buffer.alloc(6)), code: 1 },
    {
      name: "an acknowledgement with settings",
      bytes: frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(6)),
      code: 6,
    },
    { name: "a push setting that is none", bytes: settingsFrame([[Setting.enablePush, 2]]), code: 1 },
    {
      name: "a window setting that is too large",
      bytes: settingsFrame([[Setting.initialWindowSize, 2 ** 31]]),
      code: 3,
    },
    { name: "a frame setting that is too small", bytes: settingsFrame([[Setting.maxFrameSize, 16_383]]), code: 1 },
    { name: "PING of a length that cannot be", bytes: frame(FrameType.ping, 0, 0, Buffer.alloc(6)), code: 6 },
    { name: "PING on a stream", bytes: frame(FrameType.ping, 0, 1, Buffer.alloc(8)), code: 1 },
    { name: "GOAWAY on a stream", bytes: frame(FrameType.goaway, 0, 1, Buffer.alloc(8)), code: 1 },
    { name: "WINDOW_UPDATE of 0", bytes: windowUpdate(0, 0), code: 1 },
    { name: "WINDOW_UPDATE cut short", bytes: frame(FrameType.windowUpdate, 0, 0, Buffer.alloc(3)), code: 6 },
    { name: "WINDOW_UPDATE on a stream that was never opened", bytes: windowUpdate(7, 1), code: 1 },
    { name: "a window that is too large", bytes: windowUpdate(0, 2 ** 31 - 1), code: 3 },
    { name: "RST_STREAM on a stream that was never opened", bytes: reset(1, 8), code: 1 },
    {
      name: "RST_STREAM cut short",
      bytes: Buffer.concat([headers(1), frame(FrameType.resetStream, 0, 1, Buffer.alloc(3))]),
      code: 6,
    },
    { name: "PRIORITY on stream 0", bytes: frame(FrameType.priority, 0, 0, Buffer.alloc(5)), code: 1 },
    { name: "PUSH_PROMISE", bytes: frame(FrameType.pushPromise, 0, 1, Buffer.alloc(4)), code: 1 },
    {
      name: "CONTINUATION without HEADERS",
      bytes: frame(FrameType.continuation, Flag.endHeaders, 1, request),
      code: 1,
    },
    { name: "DATA inside a header block", bytes: Buffer.concat([headers(1, 0), data(1, "x")]), code: 1 },
    {
      name: "CONTINUATION of another stream",
      bytes: Buffer.concat([headers(1, 0), frame(FrameType.continuation, 4, 3, request)]),
      code: 1,
    },
    {
      name: "more padding than data",
      bytes: Buffer.concat([headers(1), frame(FrameType.data, Flag.padded, 1, Buffer.from([9, 1]))]),
      code: 1,
    },
    {
      name: "more padding than fields",
      bytes: frame(FrameType.headers, Flag.padded | Flag.endHeaders, 1, Buffer.from([9, 1])),
      code: 1,
    },
    { name: "a header block that cannot be read", bytes: headers(1, Flag.endHeaders, Buffer.from([0x80])), code: 9 },
    {
      name: "a header block without end",
      bytes: Buffer.concat([
        headers(1, 0),
        ...Array.from({ length: 20 }, () => frame(FrameType.continuation, 0, 1, Buffer.alloc(0))),
      ]),
      code: 11,
    },
    {
      name: "a header block of 40 000 bytes",
      bytes: Buffer.concat([
        headers(1, 0, large.subarray(1)),
        frame(FrameType.continuation, 0, 1, large.subarray(1)),
        frame(FrameType.continuation, 0, 1, large.subarray(1)),
      ]),
      code: 11,
    },
    {
      name: "a flood of PING",
      bytes: Buffer.concat(Array(10_001).fill(frame(FrameType.ping, 0, 0, Buffer.alloc(8)))),
      code: 11,
    },
    { name: "a flood of SETTINGS", bytes: Buffer.concat(Array(10_001).fill(settingsFrame([]))), code: 11 },
    { name: "a flood of empty DATA", bytes: Buffer.concat([headers(1), ...Array(10_001).fill(data(1, ""))]), code: 11 },
    {
      name: "a flood of unknown frames",
      bytes: Buffer.concat(Array(10_001).fill(frame(200, 0, 0, Buffer.alloc(0)))),
      code: 11,
    },
    {
      name: "streams that are reset at once",
      bytes: Buffer.concat(
        Array.from({ length: 1001 }, (_, at) => Buffer.concat([headers(at * 2 + 1), reset(at * 2 + 1, 8)])),
      ),
      code: 11,
    },
    {
      name: "streams that make the server reset them",
      bytes: Buffer.concat(
        Array.from({ length: 1001 }, (_, at) => Buffer.concat([headers(at * 2 + 1), windowUpdate(at * 2 + 1, 0)])),
      ),
      code: 11,
    },
  ]) {
    it(`ends for ${name}`, () => {
      const { events, sent } = server().read(hello, bytes, frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
      assert.equal(events.at(-1), `failed ${code}`);
      const goaway = sent.at(-1);
      assert.deepEqual([goaway?.type, goaway?.payload.readUInt32BE(4)], [FrameType.goaway, code]);
    });
  }

  it("ends for what is no HTTP/2, and for frames before SETTINGS", () => {
    assert.equal(server().read(Buffer.from("GET / HTTP/1.1\r\n\r\n")).events[0], "failed 1");
    assert.equal(server().read(preface, headers(1)).events[0], "failed 1");
    assert.equal(server().read(preface, frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0))).events[0], "failed 1");
  });

  // Each ends one stream; the connection goes on.
  const fields = (...pairs: readonly (readonly [string, string])[]) =>
    Buffer.concat([request, ...pairs.map(([name, value]) => literalField(name, value))]);
  for (const { name, bytes, code } of [
    { name: "a name in upper case", bytes: headers(1, whole, fields(["X-A", "1"])), code: 1 },
    { name: "a pseudo field nobody knows", bytes: headers(1, whole, fields([":x", "1"])), code: 1 },
    {
      name: "a pseudo field behind others",
      bytes: headers(1, whole, fields(["a", "1"], [":authority", "x"])),
      code: 1,
    },
    { name: "a pseudo field twice", bytes: headers(1, whole, Buffer.concat([request, path])), code: 1 },
    { name: "no path", bytes: headers(1, whole, Buffer.concat([indexedField(3), indexedField(6)])), code: 1 },
    {
      name: "an empty path",
      bytes: headers(1, whole, Buffer.concat([indexedField(3), indexedField(6), namedField(4, "")])),
      code: 1,
    },
    { name: "a header of the connection", bytes: headers(1, whole, fields(["connection", "close"])), code: 1 },
    { name: "te that is not trailers", bytes: headers(1, whole, fields(["te", "gzip"])), code: 1 },
    { name: "a line break in a value", bytes: headers(1, whole, fields(["a", "1\r\nb: 2"])), code: 1 },
    {
      name: "less data than announced",
      bytes: Buffer.concat([headers(1, 4, fields(["content-length", "2"])), data(1, "x", 1)]),
      code: 1,
    },
    {
      name: "more data than announced",
      bytes: Buffer.concat([headers(1, 4, fields(["content-length", "1"])), data(1, "xy", 1)]),
      code: 1,
    },
    {
      name: "trailers that are not the end",
      bytes: Buffer.concat([headers(1), headers(1, 4, literalField("a", "1"))]),
      code: 1,
    },
    { name: "DATA behind its end", bytes: Buffer.concat([headers(1, whole), data(1, "x")]), code: 5 },
    { name: "HEADERS behind its end", bytes: Buffer.concat([headers(1, whole), headers(1, whole)]), code: 5 },
    {
      name: "a stream that depends on itself",
      bytes: frame(FrameType.headers, Flag.priority | whole, 1, Buffer.concat([uint32(1), Buffer.from([0]), request])),
      code: 1,
    },
    { name: "PRIORITY of a length that cannot be", bytes: frame(FrameType.priority, 0, 1, Buffer.alloc(4)), code: 6 },
    { name: "WINDOW_UPDATE of 0", bytes: Buffer.concat([headers(1), windowUpdate(1, 0)]), code: 1 },
    { name: "a window that is too large", bytes: Buffer.concat([headers(1), windowUpdate(1, 2 ** 31 - 1)]), code: 3 },
    {
      name: "more data than was granted",
      bytes: Buffer.concat([headers(1), ...Array(5).fill(data(1, "x".repeat(16_000)))]),
      code: 3,
    },
    {
      name: "fields of more than 16 KiB",
      bytes: headers(1, whole, fields(["a", "x".repeat(9_000)], ["b", "x".repeat(7_200)])),
      code: 11,
    },
  ]) {
    it(`resets a stream for ${name}`, () => {
      const { read, events } = server();
      const { sent } = read(hello, bytes, headers(3, whole));
      const [first] = sent.filter(({ type }) => type === FrameType.resetStream);
      assert.deepEqual([first?.streamId, first?.payload.readUInt32BE(0)], [1, code]);
      assert.equal(events.at(-1), "end 3 ");
    });
  }
});
