import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Flag, FrameType, frame, preface, Setting, settingsFrame } from "../../../../pipeline/net/http2/frames.ts";
import { indexedField, literalField } from "../../../../pipeline/net/http2/hpack.ts";
import type { Stream } from "../../../../pipeline/net/http2/stream.ts";

import { conversation, data, headers, hello, padded, reset, server, whole, windowUpdate } from "./server_side.ts";

describe("an HTTP/2 connection of a server", () => {
  const told = [
    "open 1 /a.B/C",
    "open 3 /a.B/C",
    "end 3 ",
    "ping",
    "trailers 1 x y",
    "end 1 abcdef",
    "open 5 /a.B/C",
    "aborted 5 8",
    "goaway 0 0",
  ];

  it("hears the same however the bytes arrive", () => {
    assert.deepEqual(server().read(conversation).events, told);
    for (let cut = 1; cut < conversation.length; cut++) {
      const split = server();
      split.read(conversation.subarray(0, cut));
      assert.deepEqual(split.read(conversation.subarray(cut)).events, told, `cut at ${cut}`);
    }
    const bytewise = server();
    for (const byte of conversation) bytewise.read(Buffer.from([byte]));
    assert.deepEqual(bytewise.events, told);
  });

  it("refuses streams beyond those it takes at a time, so that they may be repeated", () => {
    const { sent } = server({ maxConcurrentStreams: 1 }).read(hello, headers(1), headers(3));
    const [refused] = sent.filter(({ type }) => type === FrameType.resetStream);
    assert.deepEqual([refused?.streamId, refused?.payload.readUInt32BE(0)], [3, 7]);
  });

  it("counts padding, and grants it again at once", () => {
    const { read, streams } = server({ streamWindowBytes: 300 });
    const { events, sent } = read(hello, headers(1), padded(1, "a", 200), padded(1, "b", 200), data(1, "", 1));
    assert.deepEqual(events, ["open 1 /a.B/C", "end 1 ab"]);
    assert.ok(sent.some(({ type, streamId }) => type === FrameType.windowUpdate && streamId === 1));
    assert.equal(streams[0]?.isRemoteClosed, true);
  });

  it("grants a connection again what it has read, also of streams nobody listens to", () => {
    const { read, connection, streams } = server({ streamWindowBytes: 2 ** 30 });
    read(hello, headers(1));
    connection.reset(streams[0] as Stream, 0);
    const block = data(1, "x".repeat(16_384));
    for (let sentBytes = 0; sentBytes <= 128 * 1024 * 1024; sentBytes += 16_384) read(block);
    const { sent, events } = read(headers(3, whole));
    assert.ok(sent.some(({ type, streamId }) => type === FrameType.windowUpdate && streamId === 0));
    assert.equal(events.at(-1), "end 3 ");
  });

  // Scenario: the client's windows are tiny, open later, shrink below what was sent, and open again.
  // Guarantees: never more is sent than they allow, and all of it in the end.
  it("sends as much as the client takes", () => {
    const { read, connection, streams, sent } = server();
    const sentData = () =>
      Buffer.concat(
        sent()
          .filter(({ type }) => type === FrameType.data)
          .map(({ payload }) => payload),
      );
    read(preface, settingsFrame([[Setting.initialWindowSize, 1]]), headers(1, whole));
    const [stream] = streams as [Stream];
    connection.headers(stream, indexedField(8), false);
    connection.send(stream, [Buffer.from("ab"), Buffer.from("cdef")], literalField("grpc-status", "0"));
    connection.flush();
    assert.equal(sentData().toString(), "a");
    read(windowUpdate(1, 2));
    assert.equal(sentData().toString(), "abc");
    read(settingsFrame([[Setting.initialWindowSize, 0]]));
    read(windowUpdate(1, 1));
    assert.equal(sentData().toString(), "abc");
    read(settingsFrame([[Setting.initialWindowSize, 100]]));
    assert.equal(sentData().toString(), "abcdef");
    const last = sent().findLast(({ type }) => type === FrameType.headers);
    assert.deepEqual([last?.type, (last?.flags ?? 0) & Flag.endStream], [FrameType.headers, Flag.endStream]);
    assert.equal(connection.openStreams, 0);
  });

  it("forgives what is seldom: pings of hours, resets of hours", () => {
    const { read, events, pass } = server();
    read(hello);
    for (let at = 0; at < 3000; at++) {
      pass(100);
      read(headers(at * 2 + 1), reset(at * 2 + 1, 8), frame(FrameType.ping, 0, 0, Buffer.alloc(8)));
    }
    assert.ok(!events.some((event) => event.startsWith("failed")));
  });

  it("leaves out what it has answered when bytes still come for it", () => {
    const { read, connection, streams } = server();
    read(hello, headers(1));
    connection.headers(streams[0] as Stream, indexedField(8), true);
    connection.reset(streams[0] as Stream, 0);
    const { events } = read(data(1, "late"), headers(1, whole, literalField("a", "b")), reset(1, 8), headers(3, whole));
    assert.deepEqual(events, ["open 1 /a.B/C", "open 3 /a.B/C", "end 3 "]);
  });
});
