import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import otlpHttp from "../../../exporters/otlp_http/index.ts";
import { bytesField, varintField } from "../../../pipeline/net/protobuf.ts";
import { encode, signals } from "../../../pipeline/pdata/index.ts";
import { httpBackend } from "../../support/otlp_backends.ts";
import { batches } from "../../support/otlp_batches.ts";
import { eventually } from "../../support/turns.ts";
import { assertBackoff, assertConcurrency, client, comesBackAfter } from "./client_support.ts";
import type { httpClient } from "./requirements.ts";
import { suite } from "./suite.ts";

const protobuf = "application/x-protobuf";

async function to(endpoint: string, settings: object = {}) {
  return await client(otlpHttp, { endpoint, ...settings });
}

/** A destination that refuses everything with a status, and an exporter that sends there. */
async function refusing(status: number, headers: Record<string, string> = {}) {
  const { received, endpoint } = await httpBackend((response) => void response.writeHead(status, headers).end());
  return { received, ...(await to(endpoint)) };
}

async function assertNotRepeated(status: number): Promise<void> {
  const { received, send, host } = await refusing(status);
  assert.equal(await send(), "dropped", `${status}`);
  host.advance(600_000);
  assert.equal(received.length, 1);
}

suite<keyof typeof httpClient>("OTLP 1.11: the exporter over HTTP", {
  async "posts each signal to its standard path"() {
    const { received, endpoint } = await httpBackend();
    for (const signal of signals) assert.equal(await (await client(otlpHttp, { endpoint }, signal)).send(), "taken");
    assert.deepEqual(
      received.map(({ path }) => path),
      ["/v1/traces", "/v1/metrics", "/v1/logs", "/v1development/profiles"],
    );
  },

  async "says what it sends: application/x-protobuf or application/json"() {
    const { received, endpoint } = await httpBackend();
    await (await to(endpoint, { compression: "none" })).send();
    await (await to(endpoint, { compression: "none", encoding: "json" })).send();
    const [first, second] = received;
    assert.deepEqual([first?.headers["content-type"], second?.headers["content-type"]], [protobuf, "application/json"]);
    assert.ok(first?.body.equals(batches.traces.toBuffer()));
    assert.equal(typeof JSON.parse(second?.body.toString() ?? ""), "object");
  },

  async "says when a body is gzipped"() {
    const { received, endpoint } = await httpBackend();
    await (await to(endpoint, { compression: "gzip" })).send();
    await (await to(endpoint, { compression: "none" })).send();
    assert.equal(received[0]?.headers["content-encoding"], "gzip");
    assert.ok(gunzipSync(received[0].body).equals(batches.traces.toBuffer()));
    assert.equal(received[1]?.headers["content-encoding"], undefined);
  },

  async "writes ids as hex, enums and 64-bit integers as JSON wants them, names in lowerCamelCase"() {
    const traceId = Buffer.from("5b8efff798038103d269b633813fc60c", "hex");
    const span = { traceId, kind: 2, startTimeUnixNano: 1544712660300000000n, droppedAttributesCount: 3 };
    const { received, endpoint } = await httpBackend();
    const { send } = await to(endpoint, { compression: "none", encoding: "json" });
    await send(encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
    const sent = JSON.parse(received[0]?.body.toString() ?? "").resourceSpans[0].scopeSpans[0].spans[0];
    const { kind, startTimeUnixNano, droppedAttributesCount } = sent;
    assert.equal(sent.traceId, "5b8efff798038103d269b633813fc60c");
    assert.deepEqual([kind, startTimeUnixNano, droppedAttributesCount], [2, "1544712660300000000", 3]);
  },

  async "does not repeat a request that was taken in part"() {
    const partial = bytesField(1, Buffer.concat([varintField(1, 1), bytesField(2, "too old")]));
    const asJson = '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}';
    for (const [type, body] of [
      [protobuf, partial],
      ["application/json", asJson],
    ] as const) {
      const { received, endpoint } = await httpBackend((response) =>
        response.writeHead(200, { "content-type": type }).end(body),
      );
      const { send, host } = await to(endpoint);
      assert.equal(await send(), "taken");
      host.advance(600_000);
      assert.equal(received.length, 1);
      const line = host.logs.find(({ message }) => message === "Partial success response");
      assert.deepEqual(line?.fields, { message: "too old", dropped_spans: 1 });
    }
  },

  async "does not repeat after 400"() {
    await assertNotRepeated(400);
  },

  async "does not repeat after 413"() {
    await assertNotRepeated(413);
  },

  async "does not repeat after any other 4xx or 5xx"() {
    for (const status of [401, 403, 404, 405, 408, 409, 415, 422, 500, 501, 505, 511]) await assertNotRepeated(status);
  },

  async "repeats after 429, 502, 503 and 504"() {
    for (const status of [429, 502, 503, 504]) {
      const { received, send, host, waits } = await refusing(status);
      assert.equal(await send(), "waits", `${status}`);
      host.advance(waits()[0] ?? 0);
      await eventually(() => received.length === 2);
      assert.ok(received[0]?.body.equals(received[1]?.body ?? Buffer.alloc(0)));
    }
  },

  async "waits as long as Retry-After says"() {
    for (const status of [429, 503]) {
      const exporter = await refusing(status, { "retry-after": "120" });
      assert.equal(await exporter.send(), "waits");
      await comesBackAfter(120_000, exporter, () => exporter.received.length);
      const at = new Date(Date.UTC(2026, 0, 1, 0, 1)).toUTCString(); // a minute after simulated time begins
      const dated = await refusing(status, { "retry-after": at });
      assert.equal(await dated.send(), "waits");
      await comesBackAfter(60_000, dated, () => dated.received.length);
    }
  },

  async "waits longer and longer, and not twice the same"() {
    const exporter = await refusing(503);
    exporter.consume();
    await assertBackoff(exporter);
  },

  async "repeats when the server hangs up without an answer"() {
    let requests = 0;
    const { endpoint } = await httpBackend((response) => {
      requests += 1;
      if (requests === 1) response.socket?.destroy();
      else response.writeHead(200).end();
    });
    const { consume, host, waits } = await to(endpoint);
    const answers = consume();
    await eventually(() => waits().length === 1);
    host.advance(waits()[0] ?? 0);
    await eventually(() => answers.length > 0);
    assert.deepEqual([answers, requests], [["ack"], 2]);
  },

  async "repeats when there is no server"() {
    const closed = createServer();
    await once(closed.listen(0, "127.0.0.1"), "listening");
    const { port } = closed.address() as AddressInfo;
    await once(closed.close(), "close");
    const { send } = await to(`http://127.0.0.1:${port}`);
    assert.equal(await send(), "waits");
  },

  async "goes where 307 and 308 send it"() {
    const destination = await httpBackend();
    for (const status of [307, 308]) {
      const location = `${destination.endpoint}/elsewhere`;
      const { received, endpoint } = await httpBackend(
        (response) => void response.writeHead(status, { location }).end(),
      );
      assert.equal(await (await to(endpoint)).send(), "taken");
      assert.equal(received.length, 1);
      assert.equal(destination.received.at(-1)?.path, "/elsewhere");
      assert.ok(destination.received.at(-1)?.body.equals(received[0]?.body ?? Buffer.alloc(0)));
    }
    const moved = await refusing(301, { location: destination.endpoint });
    assert.equal(await moved.send(), "dropped", "301 would make a GET of it");
    assert.equal(destination.received.length, 2);
  },

  async "keeps its connection open between requests"() {
    const { server, endpoint } = await httpBackend();
    let connections = 0;
    server.on("connection", () => connections++);
    const { send } = await to(endpoint);
    for (let request = 0; request < 5; request++) assert.equal(await send(), "taken");
    assert.equal(connections, 1);
  },

  async "sends several requests at once, as many as told to"() {
    const waiting: (() => void)[] = [];
    const { endpoint } = await httpBackend((response) => waiting.push(() => response.writeHead(200).end()));
    await assertConcurrency(await to(endpoint, { sending_queue: { num_consumers: 4 } }), waiting);
  },

  async "takes answers with fields that it does not know"() {
    for (const [type, body] of [
      [protobuf, bytesField(900, "news")],
      ["application/json", '{"news":{"count":1}}'],
    ] as const) {
      const { endpoint } = await httpBackend((response) => response.writeHead(200, { "content-type": type }).end(body));
      assert.equal(await (await to(endpoint)).send(), "taken");
    }
  },
});
