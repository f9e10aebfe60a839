import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import otlpGrpc from "../../../exporters/otlp_grpc/index.ts";
import { bytesField, varintField } from "../../../pipeline/net/protobuf.ts";
import { encodeStatus } from "../../../pipeline/net/status.ts";
import { encode } from "../../../pipeline/pdata/index.ts";
import { cleanup, grpcBackend } from "../../support/otlp_backends.ts";
import { eventually } from "../../support/turns.ts";
import { assertBackoff, assertConcurrency, client, comesBackAfter } from "./client_support.ts";
import type { grpcClient } from "./requirements.ts";
import { suite } from "./suite.ts";

async function to(endpoint: string, settings: object = {}) {
  return await client(otlpGrpc, { endpoint, tls: { insecure: true }, ...settings });
}

/** A destination that refuses everything with a code, and an exporter that sends there. */
async function refusing(code: number, retryDelayMs?: number) {
  const metadata = new Metadata();
  const delay = retryDelayMs === undefined ? {} : { retryDelayMs };
  metadata.set("grpc-status-details-bin", encodeStatus({ code, message: "no", ...delay }));
  const status: Partial<StatusObject> = { code, details: "no", ...(retryDelayMs !== undefined && { metadata }) };
  const { calls, endpoint } = await grpcBackend((_call, callback) => callback(status));
  return { calls, ...(await to(endpoint)) };
}

/** How many bytes it takes to send a batch that says the same thing over and over. */
async function bytesSent(compression: string): Promise<number> {
  const { calls, port } = await grpcBackend();
  let bytes = 0;
  const wire = createServer((socket) => {
    const onward = connect(port, "127.0.0.1");
    for (const end of [socket, onward]) end.on("error", () => {});
    socket.on("data", (part) => void (bytes += part.length));
    socket.pipe(onward).pipe(socket);
  });
  await once(wire.listen(0, "127.0.0.1"), "listening");
  cleanup.push(() => void wire.close());
  const spans = Array.from({ length: 2000 }, () => ({ name: "the same name again" }));
  const data = encode("traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const { send } = await to(`127.0.0.1:${(wire.address() as AddressInfo).port}`, { compression });
  assert.equal(await send(data), "taken");
  assert.ok(calls[0]?.body.equals(data.toBuffer()));
  return bytes;
}

suite<keyof typeof grpcClient>("OTLP 1.11: the exporter over gRPC", {
  async "sends requests plain and with gzip"() {
    const [plain, zipped] = [await bytesSent("none"), await bytesSent("gzip")];
    assert.ok(plain > 40_000 && zipped < plain / 10, `${plain} and ${zipped} bytes`);
  },

  async "does not repeat a request that was too large"() {
    const { calls, send } = await refusing(8);
    assert.equal(await send(), "dropped");
    assert.equal(calls.length, 1);
  },

  async "does not repeat a request that was taken in part"() {
    const partial = bytesField(1, Buffer.concat([varintField(1, 1), bytesField(2, "too old")]));
    const { calls, endpoint } = await grpcBackend((_call, callback) => callback(null, partial));
    const { send, host } = await to(endpoint);
    assert.equal(await send(), "taken");
    host.advance(600_000);
    assert.equal(calls.length, 1);
    const line = host.logs.find(({ message }) => message === "Partial success response");
    assert.deepEqual(line?.fields, { message: "too old", dropped_spans: 1 });
  },

  async "drops what can never be taken, and counts it"() {
    const { calls, endpoint } = await grpcBackend((_call, callback) => callback({ code: 3, details: "bad" }));
    const { consume, host } = await to(endpoint, { sending_queue: { enabled: true } });
    const answers = consume();
    await eventually(() => host.books.failed > 0);
    assert.deepEqual([answers, host.books.failed, calls.length], [["ack"], 1, 1]);
    assert.deepEqual([...host.dropped], [["not_retryable", 1]]);
  },

  async "retries CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE and DATA_LOSS, and no other code"() {
    const retried: number[] = [];
    for (let code = 1; code <= 16; code++) {
      const { calls, send } = await refusing(code);
      if ((await send()) === "waits") retried.push(code);
      assert.equal(calls.length, 1);
    }
    assert.deepEqual(retried, [1, 4, 10, 11, 14, 15]);
  },

  async "retries RESOURCE_EXHAUSTED only with RetryInfo"() {
    assert.equal(await (await refusing(8)).send(), "dropped");
    assert.equal(await (await refusing(8, 60_000)).send(), "waits");
  },

  async "waits as long as RetryInfo says"() {
    for (const code of [8, 14]) {
      const exporter = await refusing(code, 60_000);
      assert.equal(await exporter.send(), "waits");
      await comesBackAfter(60_000, exporter, () => exporter.calls.length);
    }
  },

  async "waits longer and longer, and not twice the same"() {
    const exporter = await refusing(14);
    exporter.consume();
    await assertBackoff(exporter);
  },

  async "sends several requests at once, as many as told to"() {
    const waiting: (() => void)[] = [];
    const { endpoint } = await grpcBackend((_call, callback) => waiting.push(() => callback(null, Buffer.alloc(0))));
    await assertConcurrency(await to(endpoint, { sending_queue: { num_consumers: 4 } }), waiting);
  },
});
