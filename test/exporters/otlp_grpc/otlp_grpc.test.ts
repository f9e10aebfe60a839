import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Metadata, ServerCredentials } from "@grpc/grpc-js";
import otlpGrpc from "../../../exporters/otlp_grpc/index.ts";
import type { ConsumeError } from "../../../pipeline/delivery.ts";
import { bytesField, varintField } from "../../../pipeline/net/protobuf.ts";
import { encodeStatus } from "../../../pipeline/net/status.ts";
import type { Signal } from "../../../pipeline/pdata/index.ts";
import { testdata, testdataText } from "../../pipeline/net/servers.ts";
import { acceptGrpc, cleanup, grpcBackend } from "../../support/otlp_backends.ts";
import { batches } from "../../support/otlp_batches.ts";
import { eventually } from "../../support/turns.ts";
import { startedExporter } from "../started_exporter.ts";

async function exporterTo(endpoint: string, settings: object = {}, signal: Signal = "traces") {
  const started = await startedExporter(otlpGrpc, { endpoint, tls: { insecure: true }, ...settings }, signal);
  cleanup.push(() => started.exporter.stop?.());
  return started;
}

describe("otlp_grpc sends", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    it(`${signal}, unchanged`, async () => {
      const { calls, endpoint } = await grpcBackend();
      const { send, host } = await exporterTo(endpoint, {}, signal);
      assert.equal(await send(), "ack");
      assert.ok(calls[0]?.body.equals(batches[signal].toBuffer()));
      assert.match(calls[0]?.path ?? "", new RegExp(`${signal.replace(/s$/, "")}s?\\.v1(development)?\\.`, "i"));
      assert.equal(host.books.sent, 1);
    });
  }

  it("its name, configured headers, and a deadline", async () => {
    let deadline: unknown;
    const { calls, endpoint } = await grpcBackend((call, callback) => {
      deadline = call.getDeadline();
      acceptGrpc(call, callback);
    });
    const { send } = await exporterTo(endpoint, { headers: { "API-Key": "k" }, timeout: "30s" });
    await send();
    assert.deepEqual(calls[0]?.metadata.get("api-key"), ["k"]);
    assert.match(
      String(calls[0]?.metadata.get("user-agent")[0]),
      /^otelpipe\/0\.0\.0-test \((linux|darwin)\/(amd64|arm64)\)/,
    );
    assert.ok(Number.isFinite(Number(deadline)));
  });

  it("to http:// and dns:/// endpoints, with each compression", async () => {
    const { calls, endpoint } = await grpcBackend();
    for (const [target, compression] of [
      [`http://${endpoint}`, "none"],
      [`dns:///${endpoint}`, "gzip"],
      [`passthrough:///${endpoint}`, ""],
    ] as const) {
      const { send } = await exporterTo(target, { compression });
      assert.equal(await send(), "ack");
    }
    assert.equal(calls.length, 3);
  });

  it("over TLS, with the server's name checked", async () => {
    const pair = {
      private_key: Buffer.from(testdataText("server_key.pem")),
      cert_chain: Buffer.from(testdataText("server.pem")),
    };
    const { port } = await grpcBackend(acceptGrpc, ServerCredentials.createSsl(null, [pair]));
    const ca_file = testdata("ca.pem");
    const named = await exporterTo(`localhost:${port}`, { tls: { ca_file } });
    assert.equal(await named.send(), "ack");
    const overridden = await exporterTo(`127.0.0.1:${port}`, {
      tls: { ca_file, server_name_override: "collector.test" },
    });
    assert.equal(await overridden.send(), "ack");
    const wrong = await exporterTo(`localhost:${port}`, { tls: { ca_file, server_name_override: "evil.test" } });
    assert.notEqual(await wrong.send(), "ack");
    const unknown = await exporterTo(`localhost:${port}`, { tls: {} });
    assert.notEqual(await unknown.send(), "ack");
    const careless = await exporterTo(`https://localhost:${port}`, { tls: { insecure_skip_verify: true } });
    assert.equal(await careless.send(), "ack");
  });
});

describe("otlp_grpc hears", () => {
  it("a refusal to come back from later, with the delay", async () => {
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", encodeStatus({ code: 14, message: "full", retryDelayMs: 2000 }));
    const { endpoint } = await grpcBackend((_call, callback) => callback({ code: 14, details: "full", metadata }));
    const { send, host } = await exporterTo(endpoint);
    const answer = (await send()) as ConsumeError;
    assert.deepEqual([answer.retryable, answer.delayMs, answer.grpcStatus], [true, 2000, 14]);
    assert.equal(answer.message, "rpc error: code = Unavailable desc = full");
    assert.equal(host.books.refused, 1);
  });

  it("a refusal for good", async () => {
    const { endpoint } = await grpcBackend((_call, callback) => callback({ code: 3, details: "bad" }));
    const { send } = await exporterTo(endpoint);
    const answer = (await send()) as ConsumeError;
    assert.deepEqual([answer.retryable, answer.grpcStatus], [false, 3]);
  });

  it("a partial success, which is logged and not retried", async () => {
    const partial = Buffer.concat([varintField(1, 3), bytesField(2, "too old")]);
    const { endpoint, calls } = await grpcBackend((_call, callback) => callback(null, bytesField(1, partial)));
    const { send, host } = await exporterTo(endpoint);
    assert.equal(await send(), "ack");
    assert.deepEqual(host.logs, [
      { level: "warn", fields: { message: "too old", dropped_spans: 3 }, message: "Partial success response" },
    ]);
    assert.equal(calls.length, 1);
  });

  it("nothing in time: a retryable timeout", async () => {
    const { endpoint } = await grpcBackend(() => {});
    const { send } = await exporterTo(endpoint, { timeout: "50ms" });
    const answer = (await send()) as ConsumeError;
    assert.deepEqual([answer.retryable, answer.grpcStatus], [true, 4]);
  });

  it("nobody at all: retryable, and no error of the start", async () => {
    const { send } = await exporterTo("127.0.0.1:1");
    const answer = (await send()) as ConsumeError;
    assert.deepEqual([answer.retryable, answer.grpcStatus], [true, 14]);
  });
});

it("retries through its queue until the backend takes the data", async () => {
  let refusals = 2;
  const { endpoint, calls } = await grpcBackend((call, callback) => {
    if (refusals-- > 0) callback({ code: 14, details: "not yet" });
    else acceptGrpc(call, callback);
  });
  const retry_on_failure = { initial_interval: "1ms" };
  const { send, host } = await exporterTo(endpoint, { sending_queue: {}, retry_on_failure });
  assert.equal(await send(), "ack");
  await eventually(() => host.books.sent === 1);
  assert.equal(calls.length, 3);
  assert.equal(host.budget.usedBytes, 0);
});

describe("otlp_grpc configurations that are refused", () => {
  for (const { config, want } of [
    { config: {}, want: 'requires a non-empty "endpoint"' },
    { config: { endpoint: "https://" }, want: 'requires a non-empty "endpoint"' },
    { config: { endpoint: "localhost" }, want: "address localhost: missing port in address" },
    { config: { endpoint: "localhost:http" }, want: 'invalid port "http"' },
    { config: { endpoint: "unix://" }, want: "unix socket path cannot be empty" },
    { config: { endpoint: "a:1", balancer_name: "random" }, want: "invalid balancer_name: random" },
    {
      config: { endpoint: "a:1", compression: "br" },
      want: 'unsupported compression type "br": use gzip, snappy, zstd, none',
    },
    {
      config: { endpoint: "a:1", compression: "deflate" },
      want: 'unsupported compression type "deflate": use gzip, snappy, zstd, none',
    },
    { config: { endpoint: "a:1", timeout: "-1s" }, want: "'timeout' must be non-negative" },
    { config: { endpoint: "a:1", read_buffer_size: -1 }, want: "invalid read_buffer_size value: -1" },
  ]) {
    it(JSON.stringify(config), () => {
      const issues = otlpGrpc.config.safeParse(config).error?.issues ?? [];
      assert.deepEqual(
        issues.map((issue) => issue.message),
        [want],
      );
    });
  }
});
