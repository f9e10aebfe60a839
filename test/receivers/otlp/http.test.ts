import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, describe, it } from "node:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { decodeStatus } from "../../../pipeline/net/status.ts";
import { type Signal, toJson } from "../../../pipeline/pdata/index.ts";
import { RawClient } from "../../pipeline/net/servers.ts";
import { batches } from "../../support/otlp_batches.ts";
import { type PostOptions, startReceiver, stopReceivers } from "./harness.ts";

after(stopReceivers);

const protobuf = "application/x-protobuf";
const json = "application/json";

const paths: Record<Signal, string> = {
  traces: "/v1/traces",
  metrics: "/v1/metrics",
  logs: "/v1/logs",
  profiles: "/v1development/profiles",
};

/** An Export…Request with one span, byte by byte as the protocol says it. */
const knownSpan = Buffer.from(
  ["0a1e", "121c", "121a", `0a10${"01".repeat(16)}`, `2a06${Buffer.from("chat g").toString("hex")}`].join(""),
  "hex",
);

describe("requests that are taken", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    it(`${signal} as protobuf: 200 and the two bytes of an empty partial success`, async () => {
      const { post, offers } = await startReceiver();
      const reply = await post(batches[signal].toBuffer(), { path: paths[signal] });
      assert.deepEqual([reply.status, reply.type, reply.body.toString("hex")], [200, protobuf, "0a00"]);
      assert.equal(offers[0]?.signal, signal);
      assert.ok(offers[0]?.data.toBuffer().equals(batches[signal].toBuffer()));
    });

    it(`${signal} as JSON: 200 and an empty partial success`, async () => {
      const { post, offers } = await startReceiver();
      const reply = await post(toJson(batches[signal]), { path: paths[signal], type: `${json}; charset=utf-8` });
      assert.deepEqual([reply.status, reply.type, reply.text], [200, json, '{"partialSuccess":{}}']);
      assert.equal(offers[0]?.data.itemCount, 1);
    });
  }

  it("known bytes of the protocol", async () => {
    const { post, offers } = await startReceiver();
    assert.equal((await post(knownSpan)).status, 200);
    assert.equal(offers[0]?.data.itemCount, 1);
  });

  for (const [encoding, pack] of Object.entries({
    gzip: gzipSync,
    zstd: zstdCompressSync,
    deflate: deflateSync,
    zlib: deflateSync,
  })) {
    it(`compressed with ${encoding}`, async () => {
      const { post, offers } = await startReceiver();
      const reply = await post(pack(batches.traces.toBuffer()), { headers: { "content-encoding": encoding } });
      assert.equal(reply.status, 200);
      assert.equal(offers.length, 1);
    });
  }

  it("without items, which never reach a pipeline", async () => {
    const { post, offers } = await startReceiver();
    assert.equal((await post(Buffer.alloc(0))).status, 200);
    assert.equal((await post("{}", { type: json })).text, '{"partialSuccess":{}}');
    assert.equal(offers.length, 0);
  });

  it("on a path of the user's", async () => {
    const { post, offers } = await startReceiver({ http: { traces_url_path: "ingest/t" } });
    assert.equal((await post(knownSpan, { path: "/ingest/t?key=1" })).status, 200);
    assert.equal((await post(knownSpan)).status, 404);
    assert.equal(offers.length, 1);
  });

  it("say who sent them, with headers only when asked to", async () => {
    const { post, offers } = await startReceiver({ http: { include_metadata: true } });
    await post(knownSpan, { headers: { "X-Tenant": "a" } });
    const client = offers[0]?.caller.client;
    assert.equal(client?.transport, "http");
    assert.match(client?.address ?? "", /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(client?.metadata?.get("x-tenant"), ["a"]);
  });
});

describe("requests that are not", () => {
  const statusOf = (reply: { readonly body: Buffer }) => decodeStatus(reply.body)?.code;
  const cases: { name: string; body: Buffer | string; options?: PostOptions; status: number; malformed?: string }[] = [
    { name: "GET", body: "", options: { method: "GET" }, status: 405 },
    { name: "PUT", body: knownSpan, options: { method: "PUT" }, status: 405 },
    { name: "another path", body: knownSpan, options: { path: "/v1/spans" }, status: 404 },
    { name: "profiles' stable path", body: knownSpan, options: { path: "/v1/profiles" }, status: 404 },
    { name: "text/plain", body: knownSpan, options: { type: "text/plain" }, status: 415 },
    { name: "no content type", body: knownSpan, options: { type: null }, status: 415 },
    {
      name: "random bytes",
      body: Buffer.from([0xff, 0xff, 0xff, 7, 1]),
      status: 400,
      malformed: "traces http undecodable",
    },
    { name: "half a message", body: knownSpan.subarray(0, 20), status: 400, malformed: "traces http undecodable" },
    {
      name: "truncated gzip",
      body: gzipSync(knownSpan).subarray(0, 20),
      options: { headers: { "content-encoding": "gzip" } },
      status: 400,
      malformed: "traces http broken",
    },
    {
      name: "a gzip bomb",
      body: gzipSync(Buffer.alloc(21 * 1024 * 1024)),
      options: { headers: { "content-encoding": "gzip" } },
      status: 400,
      malformed: "traces http too_large",
    },
    {
      name: "more than 20 MiB",
      body: Buffer.alloc(20 * 1024 * 1024 + 1),
      status: 400,
      malformed: "traces http too_large",
    },
    {
      name: "an unknown coding",
      body: knownSpan,
      options: { headers: { "content-encoding": "br" } },
      status: 400,
      malformed: "traces http unsupported_encoding",
    },
  ];
  for (const { name, body, options, status, malformed: reported } of cases) {
    it(`${name}: ${status}, and the next request is taken`, async () => {
      const { post, offers, malformed, host } = await startReceiver();
      const reply = await post(body, options);
      assert.equal(reply.status, status);
      if (status === 400) assert.deepEqual([reply.type, statusOf(reply)], [protobuf, 3]);
      assert.deepEqual(malformed, reported === undefined ? [] : [reported]);
      assert.equal(offers.length, 0);
      assert.equal((await post(knownSpan)).status, 200);
      assert.equal(host.budget.usedBytes, 0);
    });
  }

  it("are told in the Collector's words", async () => {
    const { post } = await startReceiver();
    const texts = [
      await post("", { method: "GET" }),
      await post("", { type: "text/plain" }),
      await post("", { path: "/" }),
      await post("", { type: "text/plain", headers: { "content-encoding": "br" } }),
    ].map(({ status, type, text }) => [status, type, text]);
    assert.deepEqual(texts, [
      [405, "text/plain", "405 method not allowed, supported: [POST]"],
      [415, "text/plain", "415 unsupported media type, supported: [application/json, application/x-protobuf]"],
      [404, "text/plain; charset=utf-8", "404 page not found\n"],
      [500, json, '{"code": 13, "message": "failed to marshal error message"}'],
    ]);
    const large = await post(Buffer.alloc(20 * 1024 * 1024 + 1));
    assert.equal(decodeStatus(large.body)?.message, "http: request body too large");
    const coded = await post("x", { type: json, headers: { "content-encoding": "br" } });
    assert.deepEqual(JSON.parse(coded.text), { code: 3, message: "unsupported Content-Encoding: br" });
    const untyped = await post("x", { type: null, headers: { "content-encoding": "br" } });
    assert.deepEqual([untyped.status, untyped.type, JSON.parse(untyped.text)], [400, json, JSON.parse(coded.text)]);
  });

  it("from a caller who may not send: 401 with the status UNAUTHENTICATED, in the request's type", async () => {
    const extensions = { gate: { authenticate: () => ({ accepted: false, reason: "who are you", grpcStatus: 7 }) } };
    const { post, malformed } = await startReceiver({ http: { auth: { authenticator: "gate" } }, extensions });
    const want = { code: 16, message: "who are you" };
    const asProtobuf = await post(knownSpan);
    assert.deepEqual([asProtobuf.status, decodeStatus(asProtobuf.body)], [401, want]);
    const asJson = await post("{}", { type: json });
    assert.deepEqual([asJson.status, asJson.type, JSON.parse(asJson.text)], [401, json, want]);
    assert.equal((await post("{}", { type: "text/plain" })).status, 500);
    assert.deepEqual(malformed, [
      "traces http unauthenticated",
      "traces http unauthenticated",
      "traces http unauthenticated",
    ]);
  });

  it("with slashes too many in the path: sent on to where it belongs", async () => {
    const { post } = await startReceiver();
    const replies = [await post(knownSpan, { path: "//v1//traces" }), await post(knownSpan, { path: "//v1/spans" })];
    assert.deepEqual(
      replies.map(({ status, headers }) => [status, headers["location"]]),
      [
        [307, "/v1/traces"],
        [404, undefined],
      ],
    );
  });

  for (const { name, text } of [
    { name: "no bytes at all", text: "" },
    { name: "broken JSON", text: '{"resourceSpans":[' },
    { name: "an id of the wrong length", text: '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102"}]}]}]}' },
    { name: "an unknown enum name", text: '{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_ODD"}]}]}]}' },
  ]) {
    it(`JSON with ${name}: 400 with a JSON Status`, async () => {
      const { post, malformed } = await startReceiver();
      const reply = await post(text, { type: json });
      assert.deepEqual([reply.status, reply.type, JSON.parse(reply.text).code], [400, json, 3]);
      assert.deepEqual(malformed, ["traces http undecodable"]);
    });
  }

  it("for a signal no pipeline takes: 404", async () => {
    const { post } = await startReceiver({ signals: ["traces"] });
    assert.equal((await post(batches.logs.toBuffer(), { path: "/v1/logs" })).status, 404);
  });
});

describe("what the pipeline says", () => {
  for (const { name, error, status, retryAfter } of [
    {
      name: "come back",
      error: new ConsumeError("sending queue is full", { retryable: true, delayMs: 1900 }),
      status: 503,
      retryAfter: "1",
    },
    {
      name: "come back some time",
      error: new ConsumeError("busy", { retryable: true }),
      status: 503,
      retryAfter: undefined,
    },
    { name: "never", error: new ConsumeError("bad", { retryable: false }), status: 500, retryAfter: undefined },
    {
      name: "a downstream's quota",
      error: new ConsumeError("quota", { retryable: true, grpcStatus: 8, delayMs: 3000 }),
      status: 429,
      retryAfter: "3",
    },
    {
      name: "a downstream's refusal",
      error: new ConsumeError("key", { retryable: false, grpcStatus: 16 }),
      status: 401,
      retryAfter: undefined,
    },
  ]) {
    it(`${name}: ${status}`, async () => {
      const { post, malformed } = await startReceiver({ answer: (_offer, answer) => answer(error) });
      const reply = await post(knownSpan);
      assert.deepEqual([reply.status, reply.headers["retry-after"]], [status, retryAfter]);
      assert.ok(decodeStatus(reply.body)?.message.endsWith(error.message));
      assert.deepEqual(malformed, []);
    });
  }

  it("is waited for while the receiver stops", async () => {
    const pending: ((error?: ConsumeError) => void)[] = [];
    let offered: () => void = () => {};
    const arrival = new Promise<void>((resolve) => {
      offered = resolve;
    });
    const { post, receiver } = await startReceiver({
      answer: (_offer, answer) => {
        pending.push(answer);
        offered();
      },
    });
    const reply = post(knownSpan);
    await arrival;
    const stopped = receiver.stop();
    pending[0]?.();
    assert.equal((await reply).status, 200);
    await stopped;
    await receiver.stop();
  });
});

it("stops taking gRPC at once while it waits for HTTP requests in flight", async () => {
  const { promise: arrival, resolve: offered } = Promise.withResolvers<(error?: ConsumeError) => void>();
  const { post, receiver } = await startReceiver({ answer: (_offer, answer) => offered(answer) });
  const [address = ""] = receiver.addresses.grpc;
  const reply = post(knownSpan);
  const answer = await arrival;
  const stopped = receiver.stop();
  await assert.rejects(once(connect(Number(address.split(":").at(-1)), "127.0.0.1"), "connect"), /ECONNREFUSED/);
  answer();
  assert.equal((await reply).status, 200);
  await stopped;
});

it("turns a request away with Retry-After when memory is used up", async () => {
  const { post, host, malformed } = await startReceiver({ budgetBytes: 100 });
  host.budget.take(90);
  const reply = await post(knownSpan);
  assert.deepEqual([reply.status, reply.headers["retry-after"], decodeStatus(reply.body)?.code], [503, "1", 14]);
  assert.deepEqual(malformed, ["traces http busy"]);
});

it("answers one client while others stay in the middle of their requests", async () => {
  const { post, http } = await startReceiver();
  const slow = Array.from({ length: 50 }, () =>
    new RawClient(http).write(
      `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${protobuf}\r\nContent-Length: 99\r\n\r\nx`,
    ),
  );
  assert.equal((await post(knownSpan)).status, 200);
  for (const { socket } of slow) socket.destroy();
});
