import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { FrameReader } from "../../../../pipeline/net/http2/frame_reader.ts";
import { preface, Setting, settingsFrame } from "../../../../pipeline/net/http2/frames.ts";
import { HpackDecoder } from "../../../../pipeline/net/http2/hpack.ts";

const ignore = () => {};

describe("header blocks of node:http2", { timeout: 60_000 }, () => {
  const decoder = new HpackDecoder(64 * 1024);
  const received: (readonly string[])[] = [];
  let wake = ignore;
  let socket: Socket;
  let session: ClientHttp2Session;
  const server = createServer((accepted) => {
    socket = accepted;
    const headerBlock = (_id: number, _isLast: boolean, _on: unknown, bytes: Buffer, start: number, end: number) => {
      received.push(decoder.decode(bytes, start, end).list);
      wake();
    };
    const reader = new FrameReader(
      { dataBegins: ignore, data: ignore, dataEnds: ignore, control: ignore, headerBlock },
      16_384,
    );
    let skip = preface.length;
    accepted.on("error", ignore);
    accepted.write(settingsFrame([[Setting.maxConcurrentStreams, 10_000]]));
    accepted.on("data", (bytes) => {
      const start = Math.min(skip, bytes.length);
      skip -= start;
      reader.read(bytes, start, bytes.length);
    });
  });

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    session.on("error", ignore);
    await once(session, "remoteSettings");
  });

  after(() => {
    session.destroy();
    server.close();
  });

  async function exchange(sent: readonly Readonly<Record<string, string>>[]): Promise<void> {
    received.length = 0;
    for (const headers of sent) session.request({ ":method": "POST", ...headers }).on("error", ignore);
    while (received.length < sent.length) await new Promise<void>((resolve) => void (wake = resolve));
    for (const [place, headers] of sent.entries()) {
      const list = received[place] ?? [];
      for (const [name, value] of Object.entries(headers)) assert.equal(list[list.indexOf(name) + 1], value);
    }
  }

  async function resizeTable(bytes: number): Promise<void> {
    socket.write(settingsFrame([[Setting.headerTableSize, bytes]]));
    await once(session, "remoteSettings");
  }

  /** As many calls as evict all that the table has; some fields are the same and some new each time. */
  const calls = Array.from({ length: 500 }, (_, index) => ({
    ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "content-type": "application/grpc",
    "grpc-timeout": `${4_999_000 + index}u`,
    "x-tenant": `tenant ${"~!?".repeat(index % 40)}`,
  }));

  it("are read while fields are remembered and evicted", () => exchange(calls));

  it("are read with a table of 0, and with one that grows again", async () => {
    await resizeTable(0);
    await exchange(calls.slice(0, 20));
    await resizeTable(200);
    await exchange(calls.slice(0, 50));
    await resizeTable(4096);
    await exchange(calls);
  });
});
