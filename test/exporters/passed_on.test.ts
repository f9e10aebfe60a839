import assert from "node:assert/strict";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import zlib from "node:zlib";
import otlpGrpc from "../../exporters/otlp_grpc/index.ts";
import otlpHttp from "../../exporters/otlp_http/index.ts";
import type { ExporterDefinition } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import { grpcClientShape } from "../../pipeline/net/client_settings.ts";
import { compress, decompress, type Encoding } from "../../pipeline/net/compression.ts";
import { exportPath } from "../../pipeline/net/otlp_paths.ts";
import {
  attributeKeys,
  concat,
  editSpans,
  encode,
  filterSpans,
  type Pdata,
  split,
  type Traces,
} from "../../pipeline/pdata/index.ts";
import { forEachGrpcEngine, makeGrpcClient, surroundings } from "../pipeline/net/servers.ts";
import { startReceiver, stopReceivers } from "../receivers/otlp/harness.ts";
import { cleanup, httpBackend } from "../support/otlp_backends.ts";
import { startedExporter } from "./started_exporter.ts";

after(stopReceivers);

const spans = Array.from({ length: 40 }, (_, index) => ({
  name: `chat ${index}`,
  traceId: Buffer.alloc(16, index + 1),
  spanId: Buffer.alloc(8, 1),
}));
const body = encode("traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] }).toBuffer();
const path = exportPath("traces");
const limits = { maxBytes: 1e8, reserve: () => true };

/** A gRPC server that shows messages as they came. */
async function grpcBackend() {
  const messages: Buffer[] = [];
  const server = createServer();
  server.on("stream", (stream) => {
    void buffer(stream).then((framed) => {
      assert.equal(framed[0], 1);
      messages.push(framed.subarray(5));
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.alloc(5));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanup.push(() => void server.close());
  return { endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`, bodies: () => messages };
}

async function httpBodies() {
  const { endpoint, received } = await httpBackend();
  return { endpoint, bodies: () => received.map((request) => request.body) };
}

const destinations: Record<string, readonly [ExporterDefinition, typeof grpcBackend]> = {
  gRPC: [otlpGrpc, grpcBackend],
  HTTP: [otlpHttp, httpBodies],
};

/** What leaves an exporter to which a receiver gives what comes, after `change`. */
async function passing(to: "gRPC" | "HTTP", settings: object, change: (data: Pdata) => Pdata = (data) => data) {
  const [definition, open] = destinations[to] as (typeof destinations)[string];
  const { endpoint, bodies } = await open();
  const { exporter, send } = await startedExporter(definition, { endpoint, tls: { insecure: true }, ...settings });
  cleanup.push(() => exporter.stop?.());
  const receiver = await startReceiver({
    answer: ({ data }, answer) =>
      void send(change(data)).then((result) => answer(result === "ack" ? undefined : result)),
  });
  return { ...receiver, bodies };
}

async function sendOverGrpc(endpoint: string, compression: string, encoding: Encoding, bytes: Buffer) {
  const shape = z.strictObject(grpcClientShape({ compression: "gzip" }));
  const client = makeGrpcClient(shape.parse({ endpoint, compression, tls: { insecure: true } }), surroundings());
  cleanup.push(() => client.close());
  assert.equal((await client.send(path, body, { encoded: { encoding, bytes } })).status, undefined);
}

/** What our own compressing never gives, so that it is seen whether something was compressed anew. */
const gzip = zlib.gzipSync(body, { level: 1, memLevel: 3 });
const zstd = zlib.zstdCompressSync(body, {
  params: { [zlib.constants.ZSTD_c_compressionLevel]: 1, [zlib.constants.ZSTD_c_checksumFlag]: 1 },
});

forEachGrpcEngine(() => {
  for (const { coding, encoding, bytes } of [
    { coding: "gzip", encoding: "gzip", bytes: gzip },
    { coding: "zstd", encoding: "zstd", bytes: zstd },
  ] as const) {
    for (const to of ["gRPC", "HTTP"] as const) {
      it(`${coding}, from HTTP to ${to}, leaves byte for byte as it came`, async () => {
        const { post, bodies } = await passing(to, { compression: coding });
        assert.equal((await post(bytes, { headers: { "content-encoding": coding } })).status, 200);
        assert.deepEqual(bodies(), [bytes]);
      });
      it(`${coding}, from gRPC to ${to}, leaves byte for byte as it came`, async () => {
        const { grpc, bodies } = await passing(to, { compression: coding });
        await sendOverGrpc(grpc, coding, encoding, bytes);
        assert.deepEqual(bodies(), [bytes]);
      });
    }
  }
});

describe("a compressed request that nothing changed leaves byte for byte as it came", () => {
  it("deflate over HTTP; snappy over gRPC, whose frames are not what HTTP means by it", async () => {
    const deflated = zlib.deflateSync(body, { level: 1, memLevel: 3 });
    const http = await passing("HTTP", { compression: "zlib" });
    await http.post(deflated, { headers: { "content-encoding": "deflate" } });
    assert.deepEqual(http.bodies(), [deflated]);

    const padding = Buffer.from([0xfe, 3, 0, 0, 1, 2, 3]);
    const framed = Buffer.concat([await compress("x-snappy-framed", 0, body), padding]);
    const grpc = await passing("gRPC", { compression: "snappy" });
    await sendOverGrpc(grpc.grpc, "snappy", "x-snappy-framed", framed);
    assert.deepEqual(grpc.bodies(), [framed]);
    const block = await passing("HTTP", { compression: "snappy" });
    await sendOverGrpc(block.grpc, "snappy", "x-snappy-framed", framed);
    assert.deepEqual(block.bodies(), [await compress("snappy", 0, body)]);
  });

  it("also a request too long to be read in place", async () => {
    const long = Buffer.concat(Array.from({ length: Math.ceil((5 << 20) / body.length) }, () => body));
    const bytes = zlib.gzipSync(long, { level: 1, memLevel: 3 });
    const { post, bodies } = await passing("HTTP", {});
    assert.equal((await post(bytes, { headers: { "content-encoding": "gzip" } })).status, 200);
    assert.ok(bodies()[0]?.equals(bytes));
  });
});

describe("a request is compressed anew", () => {
  const keys = attributeKeys({ team: "team" });
  const traces = (change: (data: Traces) => Traces) => (data: Pdata) => change(data as Traces);
  for (const { name, change, sent } of [
    {
      name: "when an attribute was set",
      change: traces((data) => editSpans(data, (span) => span.set(keys.team, "a"))),
      sent: undefined,
    },
    {
      name: "when spans were filtered",
      change: traces((data) => filterSpans(data, (span) => span.name !== "chat 3")),
      sent: undefined,
    },
    {
      name: "when it was split",
      change: traces((data) => [...split(data, { items: 7 })][1] as Traces),
      sent: undefined,
    },
    { name: "when it was merged", change: traces((data) => concat([data, data])), sent: Buffer.concat([body, body]) },
  ]) {
    it(name, async () => {
      let changed: Buffer | undefined;
      const { post, bodies } = await passing("HTTP", {}, (data) => {
        const made = change(data);
        changed = made.toBuffer();
        return made;
      });
      await post(gzip, { headers: { "content-encoding": "gzip" } });
      const [left = Buffer.alloc(0)] = bodies();
      const inflated = await decompress("gzip", left, limits);
      assert.ok(inflated.equals(changed as Buffer) && !inflated.equals(body));
      if (sent !== undefined) assert.ok(inflated.equals(sent));
    });
  }

  for (const { name, bytes, coding, settings = {} } of [
    { name: "when it came in another coding", bytes: zstd, coding: "zstd" },
    { name: "when it came without one", bytes: body, coding: "identity" },
    { name: "when it came in two members", bytes: Buffer.concat([zlib.gzipSync(""), gzip]), coding: "gzip" },
  ]) {
    it(name, async () => {
      const { post, bodies } = await passing("HTTP", settings);
      await post(bytes, { headers: { "content-encoding": coding } });
      assert.deepEqual(bodies(), [await compress("gzip", 0, body)]);
    });
  }

  it("when its encoding was odd: what was checked is what is sent", async () => {
    const [tag, ...rest] = encode("traces", {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: "x" }] }] }],
    }).toBuffer();
    const padded = Buffer.from([tag as number, (rest[0] as number) | 0x80, 0, ...rest.slice(1)]);
    const { post, bodies } = await passing("HTTP", {});
    await post(zlib.gzipSync(padded), { headers: { "content-encoding": "gzip" } });
    const [left = Buffer.alloc(0)] = bodies();
    assert.deepEqual([...(await decompress("gzip", left, limits))], [tag, ...rest]);
  });

  it("when it came as JSON", async () => {
    const { post, bodies } = await passing("HTTP", {});
    const json = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"chat"}]}]}]}';
    await post(zlib.gzipSync(json), { type: "application/json", headers: { "content-encoding": "gzip" } });
    const [left = Buffer.alloc(0)] = bodies();
    assert.ok(
      (await decompress("gzip", left, limits)).equals(
        encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ name: "chat" }] }] }] }).toBuffer(),
      ),
    );
  });

  it("as JSON where the exporter writes that", async () => {
    const { post, bodies } = await passing("HTTP", { encoding: "json" });
    await post(gzip, { headers: { "content-encoding": "gzip" } });
    const [left = Buffer.alloc(0)] = bodies();
    assert.match((await decompress("gzip", left, limits)).toString(), /^\{"resourceSpans"/);
  });
});

it("the bytes it came as stand in the budget while they are kept", async () => {
  const { post, offers } = await startReceiver();
  await post(body);
  await post(gzip, { headers: { "content-encoding": "gzip" } });
  const [plain, packed] = offers.map(({ data }) => data.memoryBytes);
  assert.equal((packed as number) - (plain as number), gzip.length);
});
