import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import otlpHttp from "../../../exporters/otlp_http/index.ts";
import type { ConsumeError } from "../../../pipeline/delivery.ts";
import { decompress } from "../../../pipeline/net/compression.ts";
import { bytesField, varintField } from "../../../pipeline/net/protobuf.ts";
import { encodeStatus } from "../../../pipeline/net/status.ts";
import { encode, type Signal } from "../../../pipeline/pdata/index.ts";
import { testdata } from "../../pipeline/net/servers.ts";
import { acceptHttp, cleanup, httpBackend } from "../../support/otlp_backends.ts";
import { batches } from "../../support/otlp_batches.ts";
import { simulatedHost } from "../../support/simulated_host.ts";
import { startedExporter } from "../started_exporter.ts";

async function exporterTo(settings: object, signal: Signal = "traces") {
  const started = await startedExporter(otlpHttp, settings, signal);
  cleanup.push(() => started.exporter.stop?.());
  return started;
}

describe("otlp_http sends", () => {
  for (const [signal, path] of Object.entries({
    traces: "/v1/traces",
    metrics: "/v1/metrics",
    logs: "/v1/logs",
    profiles: "/v1development/profiles",
  }) as [Signal, string][]) {
    it(`${signal} to ${path}`, async () => {
      const { received, endpoint } = await httpBackend();
      const { send, host } = await exporterTo({ endpoint: `${endpoint}/`, compression: "none" }, signal);
      assert.equal(await send(), "ack");
      assert.equal(received[0]?.path, path);
      assert.ok(received[0]?.body.equals(batches[signal].toBuffer()));
      assert.equal(received[0]?.headers["content-type"], "application/x-protobuf");
      assert.equal(host.books.sent, 1);
    });
  }

  it("to a signal's own endpoint as it is written", async () => {
    const { received, endpoint } = await httpBackend();
    const { send } = await exporterTo({ endpoint: "http://unused:1", traces_endpoint: `${endpoint}/api/otlp?key=1` });
    assert.equal(await send(), "ack");
    assert.equal(received[0]?.path, "/api/otlp?key=1");
  });

  it("JSON when told to", async () => {
    const { received, endpoint } = await httpBackend();
    const { send } = await exporterTo({ endpoint, encoding: "json" });
    assert.equal(await send(), "ack");
    assert.equal(received[0]?.headers["content-type"], "application/json");
    const sent = JSON.parse(gunzipSync(received[0]?.body ?? "").toString());
    assert.equal(sent.resourceSpans[0].scopeSpans[0].spans[0].name, "chat");
  });

  const large = encode("traces", {
    resourceSpans: [
      { scopeSpans: [{ spans: Array.from({ length: 5000 }, (_, index) => ({ name: `span ${index}` })) }] },
    ],
  });
  for (const { compression, unpack } of [
    { compression: "gzip", unpack: gunzipSync },
    { compression: "zstd", unpack: zstdDecompressSync },
    { compression: "deflate", unpack: inflateSync },
    { compression: "zlib", unpack: inflateSync },
    ...(["snappy", "x-snappy-framed", "lz4"] as const).map((compression) => ({
      compression,
      unpack: (body: Buffer) => decompress(compression, body, { maxBytes: 1e7, reserve: () => true }),
    })),
  ]) {
    it(`with ${compression}, small and large`, async () => {
      const { received, endpoint } = await httpBackend();
      const level = /snappy|lz4/.test(compression) ? 0 : 5;
      const { send } = await exporterTo({ endpoint, compression, compression_params: { level } });
      for (const data of [batches.traces, large]) {
        assert.equal(await send(data), "ack");
        assert.equal(received.at(-1)?.headers["content-encoding"], compression);
        assert.ok((await unpack(received.at(-1)?.body ?? Buffer.alloc(0))).equals(data.toBuffer()));
      }
    });
  }

  it("its name and the configured headers", async () => {
    const { received, endpoint } = await httpBackend();
    const { send } = await exporterTo({ endpoint, headers: { "API-Key": "k", Host: "tenant.test" } });
    await send();
    assert.equal(received[0]?.headers["api-key"], "k");
    assert.equal(received[0]?.headers.host, "tenant.test");
    assert.match(
      received[0]?.headers["user-agent"] ?? "",
      /^otelpipe\/0\.0\.0-test \((linux|darwin)\/(amd64|arm64)\)$/,
    );
  });

  it("many requests over one connection", async () => {
    const ports = new Set<number | undefined>();
    const { endpoint } = await httpBackend((response) => {
      ports.add(response.socket?.remotePort);
      response.writeHead(200).end();
    });
    const { send } = await exporterTo({ endpoint });
    for (let count = 0; count < 5; count++) assert.equal(await send(), "ack");
    assert.equal(ports.size, 1);
  });

  // Scenario: the server closes a kept connection in the moment the next request leaves.
  // Guarantees: the request is sent again over a new one; nobody sees an error.
  it("again at once when a kept connection was closed under it", async () => {
    let answers = 0;
    const { endpoint, received } = await httpBackend((response, one) => {
      if (++answers === 2) response.socket?.destroy();
      else acceptHttp(response, one);
    });
    const { send } = await exporterTo({ endpoint });
    assert.equal(await send(), "ack");
    assert.equal(await send(), "ack");
    assert.equal(received.length, 3);
  });

  it("over TLS, with the certificate checked", async () => {
    const { port } = await httpBackend(acceptHttp, true);
    const ca_file = testdata("ca.pem");
    const trusting = await exporterTo({ endpoint: `https://localhost:${port}`, tls: { ca_file } });
    assert.equal(await trusting.send(), "ack");
    const wrong = await exporterTo({
      endpoint: `https://localhost:${port}`,
      tls: { ca_file, server_name_override: "evil.test" },
    });
    assert.notEqual(await wrong.send(), "ack");
    const careless = await exporterTo({ endpoint: `https://localhost:${port}`, tls: { insecure_skip_verify: true } });
    assert.equal(await careless.send(), "ack");
  });
});

describe("otlp_http hears", () => {
  for (const { status, retryAfter, retryable, delayMs, grpcStatus } of [
    { status: 429, retryAfter: "3", retryable: true, delayMs: 3000, grpcStatus: 8 },
    { status: 503, retryAfter: undefined, retryable: true, delayMs: undefined, grpcStatus: 14 },
    { status: 502, retryAfter: "3", retryable: true, delayMs: undefined, grpcStatus: 14 },
    { status: 400, retryAfter: undefined, retryable: false, delayMs: undefined, grpcStatus: 3 },
    { status: 302, retryAfter: undefined, retryable: false, delayMs: undefined, grpcStatus: 2 },
  ]) {
    it(`${status}${retryAfter === undefined ? "" : ` with Retry-After ${retryAfter}`}: ${retryable ? "retried" : "permanent"}`, async () => {
      const body = encodeStatus({ code: grpcStatus, message: "because" });
      const { endpoint } = await httpBackend((response) => {
        response
          .writeHead(status, { location: "http://127.0.0.1:1/", ...(retryAfter && { "retry-after": retryAfter }) })
          .end(body);
      });
      const { send, host } = await exporterTo({ endpoint });
      const answer = (await send()) as ConsumeError;
      assert.deepEqual([answer.retryable, answer.delayMs, answer.grpcStatus], [retryable, delayMs, grpcStatus]);
      assert.ok(answer.message.includes(`HTTP Status Code ${status}, Message=because`));
      assert.equal(host.books.refused, 1);
    });
  }

  it("a partial success in either encoding, which is logged", async () => {
    const partial = bytesField(1, Buffer.concat([varintField(1, 2), bytesField(2, "old")]));
    const { endpoint } = await httpBackend((response) => {
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end(partial);
    });
    const first = await exporterTo({ endpoint });
    assert.equal(await first.send(), "ack");
    const second = await httpBackend((response) => {
      const body = '{"partialSuccess":{"rejectedLogRecords":"4","errorMessage":"odd"}}';
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    const json = await exporterTo({ endpoint: second.endpoint, encoding: "json" }, "logs");
    assert.equal(await json.send(), "ack");
    assert.deepEqual(
      [...first.host.logs, ...json.host.logs].map((line) => line.fields),
      [
        { message: "old", dropped_spans: 2 },
        { message: "odd", dropped_log_records: 4 },
      ],
    );
  });

  it("a success that is no OTLP response: permanent; of another type: fine", async () => {
    const { endpoint } = await httpBackend((response) => {
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end("<html>");
    });
    const { send } = await exporterTo({ endpoint });
    const answer = (await send()) as ConsumeError;
    assert.equal(answer.retryable, false);
    const other = await httpBackend(
      (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    );
    assert.equal(await (await exporterTo({ endpoint: other.endpoint })).send(), "ack");
  });

  it("an endless body: only its start is read", async () => {
    const { endpoint } = await httpBackend((response) => {
      response.writeHead(503);
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) {}
      };
      response.on("drain", pour);
      pour();
    });
    const answer = (await (await exporterTo({ endpoint })).send()) as ConsumeError;
    assert.equal(answer.retryable, true);
  });

  it("nothing in time, or nobody: retryable", async () => {
    const silent = await httpBackend(() => {});
    const late = (await (await exporterTo({ endpoint: silent.endpoint, timeout: "50ms" })).send()) as ConsumeError;
    assert.equal(late.retryable, true);
    const nobody = (await (await exporterTo({ endpoint: "http://127.0.0.1:1" })).send()) as ConsumeError;
    assert.equal(nobody.retryable, true);
    assert.match(nobody.message, /^failed to make an HTTP request: .*ECONNREFUSED/);
  });
});

describe("otlp_http configurations that are refused", () => {
  for (const { config, want } of [
    { config: {}, want: "at least one endpoint must be specified" },
    {
      config: { endpoint: "localhost:4318" },
      want: 'endpoint "localhost:4318" is not a URL: use a form such as http://localhost:4318',
    },
    { config: { endpoint: "http://a", encoding: "xml" }, want: "invalid encoding type: xml" },
    {
      config: { endpoint: "http://a", compression: "br" },
      want: 'unsupported compression type "br": use gzip, zstd, deflate, zlib, snappy, x-snappy-framed, lz4, none',
    },
    {
      config: { endpoint: "http://a", compression: "snappy", compression_params: { level: 1 } },
      want: 'unsupported parameters {Level:1} for compression type "snappy"',
    },
    {
      config: { endpoint: "http://a", compression_params: { level: 10 } },
      want: 'unsupported parameters {Level:10} for compression type "gzip"',
    },
    {
      config: { endpoint: "http://a", proxy_url: "socks5://p" },
      want: "otelpipe speaks to HTTP proxies only: use a URL such as http://proxy:3128",
    },
  ]) {
    it(JSON.stringify(config), () => {
      const issues = otlpHttp.config.safeParse(config).error?.issues ?? [];
      assert.deepEqual(
        issues.map((issue) => issue.message),
        [want],
      );
    });
  }

  it("no endpoint for a signal that is used", () => {
    const config = otlpHttp.config.parse({ logs_endpoint: "http://a/logs" });
    const create = () => otlpHttp.traces?.(config, simulatedHost() as never);
    assert.throws(create, /^Error: either endpoint or traces_endpoint must be specified$/);
  });
});
