import assert from "node:assert/strict";
import { connect } from "node:http2";
import { describe, it } from "node:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { compressionAlgorithms, Metadata } from "@grpc/grpc-js";
import { compress } from "../../../pipeline/net/compression.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { decodeStatus } from "../../../pipeline/net/status.ts";
import type { TransportRequest } from "../../../pipeline/net/transport.ts";
import { eventually } from "../../support/turns.ts";
import { call, message, path, rawCall, serve, spans } from "./grpc_calls.ts";
import { forEachGrpcEngine, RawClient } from "./servers.ts";

forEachGrpcEngine(() => {
  describe("messages", () => {
    for (const { name, body } of [
      { name: "empty", body: Buffer.alloc(0) },
      { name: "small", body: Buffer.from("abc") },
      { name: "a megabyte", body: spans },
    ]) {
      for (const algorithm of ["identity", "gzip", "deflate"] as const) {
        it(`${name}, ${algorithm}, from a @grpc/grpc-js client`, async () => {
          const { address, budget } = await serve();
          const options = { "grpc.default_compression_algorithm": compressionAlgorithms[algorithm] };
          const outcome = await call(address, body, options);
          assert.equal(outcome.code, 0);
          assert.ok(outcome.body?.equals(body));
          assert.equal(budget.usedBytes, 0);
        });
      }
    }

    const snappy = (body: Buffer) => compress("x-snappy-framed", 0, body);
    for (const [encoding, pack] of Object.entries({
      gzip: gzipSync,
      deflate: deflateSync,
      zstd: zstdCompressSync,
      snappy,
    })) {
      it(`compressed with ${encoding}, seen on the wire`, async () => {
        const { address, handler } = await serve();
        const outcome = await rawCall(address, message(await pack(spans), 1), { "grpc-encoding": encoding });
        assert.equal(outcome.code, 0);
        assert.ok(handler.requests[0]?.body.equals(spans));
        assert.equal(outcome.headers["grpc-accept-encoding"], "identity,gzip,zstd,snappy,deflate");
      });
    }

    it("uncompressed although an encoding is named", async () => {
      const { address, handler } = await serve();
      assert.equal((await rawCall(address, message(Buffer.from("abc")), { "grpc-encoding": "gzip" })).code, 0);
      assert.equal(handler.requests[0]?.body.toString(), "abc");
    });

    it("of every service, and of no others", async () => {
      const { address } = await serve();
      assert.equal((await call(address, Buffer.from("x"), {}, exportPath("profiles"))).code, 0);
      assert.equal((await call(address, Buffer.from("x"), {}, exportPath("logs"))).code, 12);
      assert.equal((await call(address, Buffer.from("x"), {}, `${path}All`)).code, 12);
    });
  });

  describe("bad messages are refused, and hurt no other call of the connection", () => {
    const limit = 4 * 1024 * 1024;
    for (const { name, bytes, headers, code } of [
      {
        name: "larger than the limit, known from its prefix",
        bytes: message(Buffer.alloc(10), 0, limit + 1),
        headers: {},
        code: 8,
      },
      { name: "claiming 4 GiB", bytes: message(Buffer.alloc(0), 0, 0xffff_ffff), headers: {}, code: 8 },
      {
        name: "a gzip bomb",
        bytes: message(gzipSync(Buffer.alloc(limit + 1)), 1),
        headers: { "grpc-encoding": "gzip" },
        code: 8,
      },
      {
        name: "truncated gzip",
        bytes: message(gzipSync(spans).subarray(0, 300), 1),
        headers: { "grpc-encoding": "gzip" },
        code: 3,
      },
      { name: "compressed without an encoding", bytes: message(gzipSync("abc"), 1), headers: {}, code: 13 },
      {
        name: "an unknown encoding",
        bytes: message(Buffer.from("abc"), 1),
        headers: { "grpc-encoding": "br" },
        code: 12,
      },
      { name: "no message", bytes: Buffer.alloc(0), headers: {}, code: 12 },
      {
        name: "two messages",
        bytes: Buffer.concat([message(Buffer.from("a")), message(Buffer.from("b"))]),
        headers: {},
        code: 12,
      },
    ]) {
      it(name, async () => {
        const { address, handler, budget } = await serve();
        const session = connect(`http://${address}`);
        assert.equal((await rawCall(address, bytes, headers, session)).code, code);
        assert.equal(handler.requests.length, 0);
        assert.equal((await rawCall(address, message(Buffer.from("good")), {}, session)).code, 0);
        session.close();
        assert.equal(budget.usedBytes, 0);
      });
    }

    it("every refusal of the transport is reported to the handler, once", async () => {
      const { address, handler } = await serve();
      await rawCall(address, message(Buffer.alloc(10), 0, limit + 1));
      await rawCall(address, message(gzipSync("abc").subarray(0, 9), 1), { "grpc-encoding": "gzip" });
      await rawCall(address, message(Buffer.from("abc"), 1), { "grpc-encoding": "br" });
      assert.deepEqual(
        handler.problems.map((problem) => problem.kind),
        ["too_large", "broken", "unsupported_encoding"],
      );
    });

    it("bytes that are no HTTP/2 end the connection", async () => {
      const { address } = await serve();
      await new RawClient(address).write("POST / HTTP/1.1\r\nHost: x\r\n\r\n").closed;
    });

    it("half a message whose sender goes away gives its memory back", async () => {
      const { address, handler, budget } = await serve();
      const session = connect(`http://${address}`);
      session.on("error", () => {});
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
      stream.on("error", () => {});
      stream.write(message(Buffer.from("half"), 0, 5000));
      await eventually(() => budget.usedBytes === 4);
      session.destroy();
      await eventually(() => budget.usedBytes === 0);
      assert.equal(handler.requests.length, 0);
    });
  });

  it("holds what has come of a long message, not what it claims", async () => {
    const { address, budget } = await serve();
    const session = connect(`http://${address}`);
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.write(message(Buffer.alloc(0), 0, 4_000_000));
    stream.write(Buffer.alloc(1_000_000));
    await eventually(() => budget.usedBytes === 1_000_000);
    session.destroy();
    await eventually(() => budget.usedBytes === 0);
  });

  // Scenario: other data holds all of the budget but 1000 bytes.
  // Guarantees: a message that fits is taken; a longer one is told when to come back, before its bytes are read.
  it("reserves a message's memory by its prefix", async () => {
    const { address, budget, handler } = await serve({}, { budgetBytes: 2000 });
    budget.take(1000);
    assert.equal((await call(address, Buffer.alloc(1000))).code, 0);
    const refused = await call(address, Buffer.alloc(1001));
    assert.equal(refused.code, 14);
    const [details] = refused.error?.metadata.get("grpc-status-details-bin") ?? [];
    assert.deepEqual(decodeStatus(details as Buffer), {
      code: 14,
      message: "memory for requests is used up",
      retryDelayMs: 1000,
    });
    assert.equal(handler.requests.length, 1);
    assert.equal(budget.usedBytes, 1000);
  });

  it("answers with a status and its details", async () => {
    const status = { code: 14, message: "sending queue is full: 100 %", retryDelayMs: 1500 };
    const { address } = await serve({}, { reply: (_request, answer) => answer({ status }) });
    const outcome = await call(address, Buffer.from("x"));
    assert.deepEqual([outcome.code, outcome.message], [14, status.message]);
    const [details] = outcome.error?.metadata.get("grpc-status-details-bin") ?? [];
    assert.deepEqual(decodeStatus(details as Buffer), status);
  });

  it("opens windows that a large request fits through without waiting for updates", async () => {
    const { address } = await serve();
    const session = connect(`http://${address}`);
    await eventually(() => session.remoteSettings?.initialWindowSize === 1024 * 1024);
    assert.equal(session.remoteSettings.maxFrameSize, 1024 * 1024);
    await eventually(() => (session.state.remoteWindowSize ?? 0) > 8 * 1024 * 1024);
    session.close();
  });

  it("tells the handler when its caller goes away or its deadline passes", async () => {
    const { address, handler } = await serve({}, { reply: () => {} });
    const session = connect(`http://${address}`);
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.end(message(Buffer.from("abc")));
    await eventually(() => handler.requests.length === 1);
    const first = handler.requests[0] as TransportRequest;
    assert.equal(first.signal.aborted, false);
    stream.close(8);
    await eventually(() => first.signal.aborted);
    const late = await rawCall(address, message(Buffer.from("abc")), { "grpc-timeout": "20m" }, session);
    assert.equal(late.code, 4);
    await eventually(() => (handler.requests[1] as TransportRequest).signal.aborted);
    session.destroy();
  });

  it("shows who calls, and the metadata only when asked to", async () => {
    const metadata = new Metadata();
    metadata.add("X-Tenant", "a");
    metadata.add("otelpipe-call", "99");
    const { address, handler } = await serve();
    assert.equal((await call(address, Buffer.from("x"), {}, path, metadata)).code, 0);
    const [first] = handler.requests;
    assert.match(first?.client.address ?? "", /^(127\.0\.0\.1|\[::1\]):\d+$/);
    assert.equal(first?.client.metadata, undefined);
    const asking = await serve({ include_metadata: true });
    await call(asking.address, Buffer.from("x"), {}, path, metadata);
    assert.deepEqual(asking.handler.requests[0]?.client.metadata?.get("x-tenant"), ["a"]);
    assert.deepEqual(asking.handler.requests[0]?.client.metadata?.get("host"), [asking.address]);
  });

  it("refuses by judgement before the message is read", async () => {
    const { address, handler } = await serve();
    handler.judge = () => ({ status: { code: 16, message: "who are you" } });
    const outcome = await call(address, spans);
    assert.deepEqual([outcome.code, outcome.message, handler.requests.length], [16, "who are you", 0]);
  });

  // Scenario: the call is refused at once, and the library has a reason of its own to refuse it in the same turn.
  // Guarantees: the caller gets one answer, and the server goes on.
  it("refuses a call once when there is more than one reason", async () => {
    const { address, handler } = await serve();
    handler.judge = () => ({ status: { code: 16, message: "who are you" } });
    const session = connect(`http://${address}`);
    assert.equal((await rawCall(address, message(spans), { "grpc-timeout": "soon" }, session)).code, 16);
    const other = await rawCall(address, message(spans), { "content-type": "text/plain" }, session);
    assert.equal(other.headers[":status"], 415);
    handler.judge = () => undefined;
    assert.equal((await rawCall(address, message(Buffer.from("good")), {}, session)).code, 0);
    session.close();
  });
});
