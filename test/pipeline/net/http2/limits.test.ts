import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode } from "../../../../pipeline/net/http2/errors.ts";
import { Flag, FrameType, frame, Setting, settingsFrame, uint32 } from "../../../../pipeline/net/http2/frames.ts";
import { indexedField, literalField } from "../../../../pipeline/net/http2/hpack.ts";
import type { Stream } from "../../../../pipeline/net/http2/stream.ts";
import { data, headers, hello, padded, request, reset, server, whole, windowUpdate } from "./server_side.ts";

const ping = frame(FrameType.ping, 0, 0, Buffer.alloc(8));
const pingAck = frame(FrameType.ping, Flag.ack, 0, Buffer.alloc(8));
const goaway = frame(FrameType.goaway, 0, 0, Buffer.alloc(8));
const settingsAck = frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0));
const calm = `failed ${ErrorCode.enhanceYourCalm}`;

describe("work that serves no request", () => {
  // Each costs its sender next to nothing, so there may be only so many in a row.
  for (const { name, first, bytes } of [
    { name: "answers to pings nobody sent", first: undefined, bytes: pingAck },
    { name: "acknowledgements of settings nobody sent", first: undefined, bytes: settingsAck },
    { name: "farewells", first: headers(1), bytes: goaway },
    { name: "windows of one byte", first: headers(1), bytes: windowUpdate(1, 1) },
    { name: "windows of a stream that is over", first: [headers(1), reset(1, 8)], bytes: windowUpdate(1, 1) },
    { name: "resets of a stream that is over", first: [headers(1), reset(1, 8)], bytes: reset(1, 8) },
    { name: "frames of padding alone", first: headers(1), bytes: padded(1, "", 1) },
    { name: "priorities", first: undefined, bytes: frame(FrameType.priority, 0, 1, Buffer.alloc(5)) },
  ]) {
    it(`ends a connection that sends too many ${name}`, () => {
      const { read } = server();
      read(hello, ...[first ?? []].flat());
      assert.notEqual(read(...Array(10_000).fill(bytes)).events.at(-1), calm);
      assert.equal(read(bytes, bytes).events.at(-1), calm);
    });
  }

  it("ends a connection that goes on about requests that were refused", () => {
    const { read } = server();
    const { sent } = read(hello, headers(1, Flag.endHeaders, literalField("a", "b")));
    assert.deepEqual([sent.at(-1)?.type, sent.at(-1)?.streamId], [FrameType.resetStream, 1]);
    const late = headers(1, whole, literalField("a", "b"));
    assert.equal(read(...Array(10_001).fill(late)).events.at(-1), calm);
  });

  it("counts streams that are reset without an error too", () => {
    const { read } = server();
    read(hello);
    const pairs = Array.from({ length: 1001 }, (_, at) => [headers(at * 2 + 1), reset(at * 2 + 1, 0)]).flat();
    assert.equal(read(...pairs).events.at(-1), calm);
  });

  it("lets a client ping and open windows with every request, however long", () => {
    const { read, connection, streams } = server();
    read(hello);
    for (let at = 0; at < 5_000; at++) {
      const { events } = read(headers(at * 2 + 1), data(at * 2 + 1, "x", 1), windowUpdate(0, 5), ping);
      connection.headers(streams.pop() as Stream, indexedField(8), true);
      assert.equal(events.pop(), "ping");
    }
  });

  // Scenario: a client provokes answers and reads none of them.
  // Guarantees: it is cut off when a megabyte waits, however it goes about it.
  for (const { name, bytes } of [
    { name: "pings", bytes: () => ping },
    { name: "settings", bytes: () => settingsFrame([]) },
    { name: "padding", bytes: (at: number) => (at === 0 ? headers(1) : padded(1, "x", 1)) },
    { name: "requests", bytes: (at: number) => headers(at * 2 + 1, whole) },
    { name: "refused requests", bytes: (at: number) => headers(at * 2 + 1, Flag.endHeaders, literalField("a", "b")) },
  ]) {
    it(`keeps little for a client that reads nothing: ${name}`, () => {
      const { read, connection, streams, events } = server({ isDeaf: true, streamWindowBytes: 2 ** 30 });
      read(hello);
      for (let at = 0; at < 200_000 && events.at(-1) !== calm; at++) {
        read(bytes(at));
        const stream = streams.pop();
        if (stream?.isRemoteClosed === true) connection.headers(stream, Buffer.alloc(30), true);
      }
      assert.equal(events.at(-1), calm);
      assert.ok(connection.unsentBytes < 1.1 * 1024 * 1024);
    });
  }
});

describe("windows", () => {
  it("acknowledges settings before it sends what they allow", () => {
    const { read, connection, streams } = server();
    read(hello, settingsFrame([[Setting.initialWindowSize, 0]]), headers(1, whole));
    connection.send(streams[0] as Stream, [Buffer.from("a")], undefined);
    const { sent } = read(settingsFrame([[Setting.initialWindowSize, 1]]));
    assert.deepEqual(
      sent.slice(-2).map(({ type }) => type),
      [FrameType.settings, FrameType.data],
    );
  });

  it("takes the last of several windows in one frame, and refuses an impossible one among them", () => {
    const { read, connection, streams, sent } = server();
    read(
      hello,
      settingsFrame([
        [Setting.initialWindowSize, 2 ** 31 - 1],
        [Setting.initialWindowSize, 2],
      ]),
      headers(1, whole),
    );
    connection.send(streams[0] as Stream, [Buffer.from("abc")], undefined);
    connection.flush();
    assert.equal(sent().at(-1)?.payload.toString(), "ab");
    const impossible = settingsFrame([
      [Setting.initialWindowSize, 2 ** 31],
      [Setting.initialWindowSize, 2],
    ]);
    assert.equal(read(impossible).events.at(-1), `failed ${ErrorCode.flowControl}`);
  });

  // Scenario: 256 answers wait for the connection's window, for their stream's, or both, and those open byte by byte.
  // Guarantees: every answer arrives whole, and never more is sent than both windows allow.
  it("finishes 256 answers through windows of one byte", () => {
    const { read, connection, streams, sent } = server({ maxConcurrentStreams: 257 });
    const ids = Array.from({ length: 256 }, (_, at) => at * 2 + 1);
    read(hello, settingsFrame([[Setting.initialWindowSize, 0]]), ...ids.map((id) => headers(id, whole)));
    for (const stream of streams) connection.send(stream, [Buffer.from("abc")], Buffer.alloc(1, 0x88));
    const used = 65_535 - 300;
    read(headers(601, whole), windowUpdate(601, used));
    connection.send(streams.at(-1) as Stream, [Buffer.alloc(used)], undefined);
    connection.flush();
    const textOf = (id: number) =>
      sent()
        .filter(({ type, streamId }) => type === FrameType.data && streamId === id)
        .map(({ payload }) => payload.toString())
        .join("");
    for (let round = 1; round <= 3; round++) {
      read(...ids.map((id) => windowUpdate(id, 1)));
      const sum = ids.reduce((bytes, id) => bytes + textOf(id).length, 0);
      assert.equal(sum, Math.min(round * 256, 300));
    }
    read(...ids.map(() => windowUpdate(0, 2)));
    assert.ok(ids.every((id) => textOf(id) === "abc"));
    assert.equal(connection.openStreams, 0);
  });
});

describe("a request that is over with its head", () => {
  it("is answered without a reset, and may not be heard of again", () => {
    const { read, connection, streams, sent } = server({ answersAtOnce: true });
    read(hello, headers(1, whole));
    assert.deepEqual(
      sent().flatMap(({ type, streamId }) => (streamId === 1 ? [type] : [])),
      [FrameType.headers],
    );
    assert.equal(connection.openStreams, 0);
    assert.equal(streams.length, 1);
    assert.equal(read(data(1, "x")).events.at(-1), `failed ${ErrorCode.streamClosed}`);
  });

  it("is malformed when it announces a body", () => {
    const { events, sent } = server().read(
      hello,
      headers(1, whole, Buffer.concat([request, literalField("content-length", "3")])),
    );
    assert.deepEqual(events, []);
    assert.deepEqual(sent.at(-1)?.payload, uint32(ErrorCode.protocol));
  });
});
