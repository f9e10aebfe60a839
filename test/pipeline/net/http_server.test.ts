import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { buffer } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { z } from "../../../pipeline/config/schema.ts";
import { httpServerShape } from "../../../pipeline/net/settings.ts";
import type { HttpAnswer, Problem, TransportRequest, TransportServer } from "../../../pipeline/net/transport.ts";
import { eventually } from "../../support/turns.ts";
import { forEachHttpEngine, makeHttpServer } from "./http_engines.ts";
import { RawClient, RecordingHandler, surroundings, testdata, testdataText } from "./servers.ts";

const schema = z.strictObject(httpServerShape("localhost:0", { header: "0s", write: "0s", idle: "0s" }));
const agent = new Agent({ keepAlive: true });
const running: TransportServer[] = [];
after(async () => {
  agent.destroy();
  for (const server of running) await server.stop(0);
});

const refusal = (problem: Problem): HttpAnswer => ({ status: problem.kind === "busy" ? 503 : 400, body: problem.kind });
const echo = (received: TransportRequest, answer: (answer: HttpAnswer) => void) =>
  answer({ status: 200, body: received.body });

async function serve(settings: object = {}, options: { budgetBytes?: number; reply?: typeof echo } = {}) {
  const around = surroundings(options.budgetBytes);
  const handler = new RecordingHandler<HttpAnswer>(options.reply ?? echo, refusal);
  const server = makeHttpServer(schema.parse(settings), handler, around);
  await server.start();
  running.push(server);
  const address = server.addresses[0] as string;
  return {
    server,
    handler,
    address,
    budget: around.budget,
    logs: around.logs,
    post: (body: Buffer, headers = {}) => post(address, body, headers),
  };
}

interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Record<string, string | string[] | undefined>;
}

function post(address: string, body: Buffer, headers: object = {}, options: object = {}): Promise<Reply> {
  const secure = "ca" in options;
  const url = `${secure ? "https" : "http"}://${address}/v1/traces`;
  return new Promise((resolve, reject) => {
    const sent = (secure ? tlsRequest : request)(url, { method: "POST", headers: { ...headers }, agent, ...options });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const reply = async () => ({
        status: response.statusCode ?? 0,
        body: await buffer(response),
        headers: response.headers,
      });
      void reply().then(resolve, reject);
    });
    sent.end(body);
  });
}

forEachHttpEngine(() => {
  const head = (...lines: string[]) => `${["POST /v1/traces HTTP/1.1", "Host: x", ...lines].join("\r\n")}\r\n\r\n`;

  describe("bodies", () => {
    const body = Buffer.from("spans ".repeat(1000));
    for (const { name, coded, encoding } of [
      { name: "plain", coded: body, encoding: undefined },
      { name: "gzip", coded: gzipSync(body), encoding: "gzip" },
      { name: "gzip of several members", coded: Buffer.concat([gzipSync(body), gzipSync(body)]), encoding: "gzip" },
      { name: "zstd", coded: zstdCompressSync(body), encoding: "zstd" },
    ]) {
      it(`${name}: reach the handler decompressed, and give their memory back`, async () => {
        const { post, budget } = await serve();
        const reply = await post(coded, encoding === undefined ? {} : { "content-encoding": encoding });
        assert.equal(reply.status, 200);
        assert.equal(reply.body.toString(), name.includes("several") ? body.toString().repeat(2) : body.toString());
        assert.equal(budget.usedBytes, 0);
      });
    }

    it("may come in chunks without a length", async () => {
      const { address } = await serve();
      const client = new RawClient(address).write(head("Transfer-Encoding: chunked", "Connection: close"));
      client.write("3\r\nabc\r\n").write("2\r\nde\r\n0\r\n\r\n");
      assert.match(await client.closed, /200 OK[\s\S]*abcde$/);
    });

    it("several on one connection are answered in order", async () => {
      const { address } = await serve();
      const client = new RawClient(address).write(`${head("Content-Length: 1")}a`);
      client.write(`${head("Content-Length: 1", "Connection: close")}b`);
      assert.match(await client.closed, /200 OK[\s\S]*a[\s\S]*200 OK[\s\S]*b$/);
    });
  });

  describe("bad bodies are refused and hurt nobody else", () => {
    const limit = { max_request_body_size: 10_000 };
    for (const { name, body, headers, kind } of [
      {
        name: "truncated gzip",
        body: gzipSync("abc".repeat(99)).subarray(0, 20),
        headers: { "content-encoding": "gzip" },
        kind: "broken",
      },
      {
        name: "a gzip bomb",
        body: gzipSync(Buffer.alloc(1e7)),
        headers: { "content-encoding": "gzip" },
        kind: "too_large",
      },
      {
        name: "a zstd bomb",
        body: zstdCompressSync(Buffer.alloc(1e7)),
        headers: { "content-encoding": "zstd" },
        kind: "too_large",
      },
      {
        name: "an unknown coding",
        body: Buffer.from("x"),
        headers: { "content-encoding": "br" },
        kind: "unsupported_encoding",
      },
      {
        name: "bytes that are no snappy",
        body: Buffer.from("x"),
        headers: { "content-encoding": "snappy" },
        kind: "broken",
      },
      {
        name: "gzip within gzip",
        body: gzipSync(gzipSync("x")),
        headers: { "content-encoding": "gzip, gzip" },
        kind: "unsupported_encoding",
      },
      { name: "a body over the limit", body: Buffer.alloc(10_001), headers: {}, kind: "too_large" },
    ]) {
      it(name, async () => {
        const { post, handler, budget } = await serve(limit);
        const reply = await post(body, headers);
        assert.deepEqual([reply.status, reply.body.toString()], [400, kind]);
        assert.deepEqual(
          handler.problems.map((problem) => problem.kind),
          [kind],
        );
        assert.equal(handler.requests.length, 0);
        assert.equal(budget.usedBytes, 0);
        assert.equal((await post(Buffer.from("good"))).status, 200);
      });
    }

    it("an honest length over the limit is refused before a byte of the body is sent", async () => {
      const { address } = await serve(limit);
      const answer = await new RawClient(address).write(head("Content-Length: 10001")).closed;
      assert.match(answer, /^HTTP\/1\.1 400[\s\S]*connection: close[\s\S]*too_large$/i);
    });

    it("a body of unknown length is cut off at the limit, and its sender reads why", async () => {
      const { address } = await serve(limit);
      const client = new RawClient(address).write(head("Transfer-Encoding: chunked"));
      const piece = `1000\r\n${"x".repeat(4096)}\r\n`;
      client.write(piece.repeat(5_000)); // 20 MB: most of it is unread when the answer is written
      assert.match(await client.closed, /^HTTP\/1\.1 400[\s\S]*too_large$/);
      assert.deepEqual(client.errors, []);
    });

    for (const { name, bytes } of [
      {
        name: "a length and chunks at once",
        bytes: `${head("Content-Length: 5", "Transfer-Encoding: chunked")}0\r\n\r\n`,
      },
      { name: "two lengths", bytes: `${head("Content-Length: 1", "Content-Length: 2")}ab` },
      { name: "a negative length", bytes: head("Content-Length: -1") },
      { name: "a head over 16 KiB", bytes: head(`X: ${"y".repeat(20_000)}`) },
      { name: "no HTTP at all", bytes: Buffer.from([0x16, 3, 1, 0, 0xff, 0xfe, 0, 0, 13, 10, 13, 10]) },
    ]) {
      it(`${name}: answered 4xx and closed`, async () => {
        const { address, handler } = await serve();
        assert.match(await new RawClient(address).write(bytes).closed, /^HTTP\/1\.1 4\d\d /);
        assert.equal(handler.requests.length, 0);
      });
    }

    it("half a request whose sender goes away never reaches the handler and gives its memory back", async () => {
      const { address, handler, budget } = await serve();
      const client = new RawClient(address).write(`${head("Content-Length: 1000")}half`);
      await eventually(() => budget.usedBytes === 4);
      client.socket.destroy();
      await eventually(() => budget.usedBytes === 0);
      assert.deepEqual([handler.requests.length, handler.problems.length], [0, 0]);
    });

    it("a request that never ends is closed at read_timeout", async () => {
      const { address, budget } = await serve({ read_timeout: "10ms" });
      const client = new RawClient(address).write(`${head("Content-Length: 1000")}half`);
      assert.match(await client.closed, /^HTTP\/1\.1 408 /);
      assert.equal(budget.usedBytes, 0);
    });
  });

  describe("memory", () => {
    it("is refused by length before the body is read, with 503, once others hold it all", async () => {
      const { post, budget, handler } = await serve({}, { budgetBytes: 1000 });
      budget.take(900);
      assert.deepEqual((await post(Buffer.alloc(101))).status, 503);
      assert.equal((await post(Buffer.alloc(100))).status, 200);
      assert.deepEqual(
        handler.problems.map((problem) => problem.kind),
        ["busy"],
      );
      assert.equal(budget.usedBytes, 900);
    });

    it("is held for what has come of a long body, not for what it claims", async () => {
      const { address, budget } = await serve();
      const client = new RawClient(address).write(head("Content-Length: 10000000"));
      client.write(Buffer.alloc(1_000_000));
      await eventually(() => budget.usedBytes === 1_000_000);
      client.socket.destroy();
      await eventually(() => budget.usedBytes === 0);
    });

    it("is not held by senders that stop behind the head, however many they are", async () => {
      const { address, budget, post } = await serve({}, { budgetBytes: 1000 });
      const silent = Array.from({ length: 50 }, () => new RawClient(address).write(head("Content-Length: 900")));
      const last = new RawClient(address).write(`${head("Content-Length: 2")}a`);
      await eventually(() => budget.usedBytes === 1);
      assert.equal((await post(Buffer.alloc(999))).status, 200);
      for (const client of [...silent, last]) client.socket.destroy();
    });

    it("is refused while a body of unknown length grows, and while one inflates", async () => {
      const { post, budget } = await serve({}, { budgetBytes: 1000 });
      const chunked = { "transfer-encoding": "chunked" };
      assert.equal((await post(Buffer.alloc(2000), chunked)).status, 503);
      assert.equal((await post(gzipSync(Buffer.alloc(2000)), { "content-encoding": "gzip" })).status, 503);
      assert.equal(budget.usedBytes, 0);
    });
  });

  describe("answers", () => {
    it("count once, whatever the handler does", async () => {
      const reply = (_request: TransportRequest, answer: (answer: HttpAnswer) => void) => {
        answer({ status: 200, body: "first" });
        answer({ status: 500, body: "second" });
      };
      const { post } = await serve({}, { reply });
      assert.equal((await post(Buffer.from("x"))).body.toString(), "first");
    });

    it("of judge spare reading the body", async () => {
      const { handler, address } = await serve();
      handler.judge = (asked) => (asked.path === "/v1/traces" ? { status: 404 } : undefined);
      const client = new RawClient(address).write(`${head("Content-Length: 1000000")}start`);
      assert.match(await client.until("\r\n\r\n"), /^HTTP\/1\.1 404 /);
      client.socket.destroy();
      assert.equal(handler.requests.length, 0);
    });
  });

  it("tells the handler when its caller goes away", async () => {
    const { handler, address } = await serve({}, { reply: () => {} });
    const client = new RawClient(address).write(`${head("Content-Length: 1")}a`);
    await eventually(() => handler.requests.length === 1);
    const { signal } = handler.requests[0] as TransportRequest;
    assert.equal(signal.aborted, false);
    client.socket.destroy();
    await eventually(() => signal.aborted);
  });

  it("shows who sent a request, and its headers only when asked to", async () => {
    const { post, handler } = await serve();
    await post(Buffer.from("x"), { "x-tenant": "a" });
    assert.match(handler.requests[0]?.client.address ?? "", /^127\.0\.0\.1:\d+$/);
    assert.equal(handler.requests[0]?.client.metadata, undefined);
    const asking = await serve({ include_metadata: true });
    await asking.post(Buffer.from("x"), { "X-Tenant": ["a", "b"] });
    assert.deepEqual(asking.handler.requests[0]?.client.metadata?.get("x-tenant"), ["a", "b"]);
    assert.equal(asking.handler.requests[0]?.client.metadata?.get("host")?.length, 1);
  });

  describe("stopping", () => {
    it("answers what is in flight, takes nothing new", async () => {
      const pending: ((answer: HttpAnswer) => void)[] = [];
      const { server, address } = await serve({}, { reply: (_request, answer) => void pending.push(answer) });
      const reply = post(address, Buffer.from("x"));
      await eventually(() => pending.length === 1);
      const stopped = server.stop(60_000);
      await assert.rejects(post(address, Buffer.from("y"), {}, { agent: undefined }), { code: "ECONNREFUSED" });
      pending[0]?.({ status: 200, body: "late" });
      assert.equal((await reply).body.toString(), "late");
      await stopped;
      await server.stop(60_000);
    });

    it("cuts what is not answered within the grace", async () => {
      const { server, address, handler } = await serve({}, { reply: () => {} });
      const reply = post(address, Buffer.from("x"));
      await Promise.all([
        assert.rejects(reply),
        eventually(() => handler.requests.length === 1).then(() => server.stop(1)),
      ]);
    });
  });

  describe("CORS", () => {
    const cors = {
      allowed_origins: ["https://*.example.com"],
      allowed_headers: ["X-Key", "Content-Type"],
      max_age: 60,
    };
    const preflight = (address: string, ...lines: string[]) =>
      new RawClient(address).write(
        `${["OPTIONS /v1/traces HTTP/1.1", "Host: x", "Connection: close", ...lines].join("\r\n")}\r\n\r\n`,
      ).closed;

    it("allows a known origin what it asks for", async () => {
      const { address } = await serve({ cors });
      const asked = ["Origin: https://a.example.com", "Access-Control-Request-Method: POST"];
      const answer = await preflight(address, ...asked, "Access-Control-Request-Headers: content-type, x-key");
      assert.match(answer, /^HTTP\/1\.1 204 /);
      assert.match(answer, /access-control-allow-origin: https:\/\/a\.example\.com\r\n/);
      assert.match(answer, /access-control-allow-credentials: true\r\n/);
      assert.match(answer, /access-control-allow-headers: content-type, x-key\r\n/);
      assert.match(answer, /access-control-max-age: 60\r\n/);
    });

    for (const { name, lines } of [
      { name: "another origin", lines: ["Origin: https://evil.test", "Access-Control-Request-Method: POST"] },
      {
        name: "an origin that only ends alike",
        lines: ["Origin: https://evil.test/a.example.com.evil", "Access-Control-Request-Method: POST"],
      },
      { name: "another method", lines: ["Origin: https://a.example.com", "Access-Control-Request-Method: DELETE"] },
      {
        name: "another header",
        lines: [
          "Origin: https://a.example.com",
          "Access-Control-Request-Method: POST",
          "Access-Control-Request-Headers: x-other",
        ],
      },
    ]) {
      it(`allows nothing to ${name}`, async () => {
        const { address } = await serve({ cors });
        assert.doesNotMatch(await preflight(address, ...lines), /access-control-allow/i);
      });
    }

    it("marks the answer to a request itself, and is off without origins", async () => {
      const { post } = await serve({ cors });
      const headers = { origin: "https://a.example.com" };
      assert.equal(
        (await post(Buffer.from("x"), headers)).headers["access-control-allow-origin"],
        "https://a.example.com",
      );
      const off = await serve({ cors: { allowed_headers: ["x"] } });
      assert.equal((await off.post(Buffer.from("x"), headers)).headers["access-control-allow-origin"], undefined);
      assert.match(off.logs[0]?.message ?? "", /allowed headers but no allowed origins, and is therefore ignored/);
    });
  });

  describe("TLS", () => {
    const server = { cert_file: testdata("server.pem"), key_file: testdata("server_key.pem") };
    const ca = testdataText("ca.pem");
    const client = { cert: testdataText("client.pem"), key: testdataText("client_key.pem") };

    it("serves with the configured certificate", async () => {
      const { address } = await serve({ tls: server });
      const reply = await post(address, Buffer.from("x"), {}, { ca, agent: new TlsAgent() });
      assert.equal(reply.status, 200);
    });

    it("asks for a client certificate when client_ca_file is set", async () => {
      const { address } = await serve({ tls: { ...server, client_ca_file: testdata("ca.pem") } });
      await assert.rejects(post(address, Buffer.from("x"), {}, { ca, agent: new TlsAgent() }));
      assert.equal((await post(address, Buffer.from("x"), {}, { ca, ...client, agent: new TlsAgent() })).status, 200);
    });

    it("refuses versions below min_version", async () => {
      const { address } = await serve({ tls: { ...server, min_version: "1.3" } });
      const old = { ca, maxVersion: "TLSv1.2", agent: new TlsAgent() };
      await assert.rejects(post(address, Buffer.from("x"), {}, old), /version/i);
    });

    it("names a file that cannot be read", () => {
      const settings = schema.parse({ tls: { cert_file: "/no/such/file", key_file: "/no/such/key" } });
      const handler = new RecordingHandler<HttpAnswer>(echo, refusal);
      return assert.rejects(makeHttpServer(settings, handler, surroundings()).start(), /cannot read \/no\/such\/file/);
    });
  });
});
