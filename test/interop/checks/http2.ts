import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { Http2Connection } from "../../../pipeline/net/http2/connection.ts";
import { indexedField } from "../../../pipeline/net/http2/hpack.ts";
import { staticIndex } from "../../../pipeline/net/http2/static_table.ts";
import type { Stream } from "../../../pipeline/net/http2/stream.ts";
import { readSocket } from "../../../pipeline/net/socket.ts";
import { check, type Findings, type Row } from "../check.ts";
import { type Peer, run } from "../peers/peer.ts";

const certificates = join(import.meta.dirname, "../../pipeline/net/testdata");

/**
 * h2spec against our HTTP/2, behind a server that answers each request when all of it has come, as h2spec expects of
 * one: gRPC refuses what is no call at once. No failure is allowed.
 */
export const http2 = check({
  name: "http2",
  area: "HTTP/2: h2spec",
  needs: ["h2spec"],
  async run({ h2spec }): Promise<Findings> {
    const tls = {
      cert: readFileSync(join(certificates, "server.pem")),
      key: readFileSync(join(certificates, "server_key.pem")),
      ALPNProtocols: ["h2"],
    };
    return {
      rows: [
        await rowOf(h2spec, "in clear text", createServer(answer), []),
        await rowOf(h2spec, "over TLS", createTlsServer(tls, answer), ["--tls", "--insecure"]),
      ],
    };
  },
});

async function rowOf(h2spec: Peer, way: string, server: Server, flags: readonly string[]): Promise<Row> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const target = ["--host", "127.0.0.1", "--port", String(port), "--timeout", "2", "--strict", ...flags];
    const said = await run(h2spec.executable, [...target, "generic", "hpack", "http2"], { timeoutMs: 300_000 });
    const [, tests = "", passed = "", skipped = "", failed = ""] =
      /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(said) ?? [];
    assert.deepEqual([passed, skipped, failed], [tests, "0", "0"], said);
    const checked = `generic, HPACK and HTTP/2 tests ${way}, the strict ones too`;
    return {
      peer: "h2spec",
      checked,
      result: `${passed} of ${tests} passed`,
      scenarios: Number(tests),
      equal: Number(passed),
    };
  } finally {
    server.close();
  }
}

function answer(socket: Socket): void {
  const streams = new Map<number, Stream>();
  let opening = 0;
  const connection = new Http2Connection(
    socket,
    {
      role: "server",
      maxConcurrentStreams: 100,
      streamWindowBytes: 65_535,
      maxFrameBytes: 16_384,
      nowMs: () => performance.now(),
    },
    {
      open(id) {
        opening = id;
        return {
          headers() {},
          data() {},
          end() {
            const stream = streams.get(id) as Stream;
            connection.headers(stream, indexedField(staticIndex.status200), false);
            connection.send(stream, [Buffer.from("hello")], undefined);
          },
          aborted() {},
        };
      },
      opened: (stream) => void streams.set(opening, stream),
      closed: ({ id }) => void streams.delete(id),
      settings() {},
      ping() {},
      pong() {},
      goaway() {},
      failed() {
        connection.flush();
        socket.destroySoon();
      },
    },
  );
  socket.on("error", () => {}); // h2spec leaves as it likes
  socket.once("close", () => connection.abort());
  readSocket(socket, (bytes, start, end) => connection.read(bytes, start, end));
}
