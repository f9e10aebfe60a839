import assert from "node:assert/strict";
import { type ClientHttp2Session, connect } from "node:http2";
import { after, describe, it } from "node:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { z } from "../../../pipeline/config/schema.ts";
import { compress } from "../../../pipeline/net/compression.ts";
import { GrpcJsServer } from "../../../pipeline/net/grpc_js_server.ts";
import { otlpServices } from "../../../pipeline/net/grpc_services.ts";
import { parseHostPort } from "../../../pipeline/net/listener.ts";
import { exportPath } from "../../../pipeline/net/otlp_paths.ts";
import { grpcServerShape } from "../../../pipeline/net/settings.ts";
import { decodeStatus } from "../../../pipeline/net/status.ts";
import type { Problem, RpcAnswer, TransportRequest } from "../../../pipeline/net/transport.ts";
import { eventually } from "../../support/turns.ts";
import { RawClient, RecordingHandler, surroundings, testdata, testdataText } from "./servers.ts";

const schema = z.strictObject(grpcServerShape("localhost:0"));
const path = exportPath("traces");
const cleanup: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const close of cleanup.reverse()) await close();
});

const codes = { busy: 14, too_large: 8, broken: 3, unsupported_encoding: 3, unauthenticated: 16 };
const refusal = ({ kind, message }: Problem): RpcAnswer => ({
  status: { code: codes[kind], message, retryDelayMs: 1000 },
});
const echo = (received: TransportRequest, answer: (answer: RpcAnswer) => void) => answer({ body: received.body });

async function serve(settings: object = {}, options: { budgetBytes?: number; reply?: typeof echo } = {}) {
  const around = surroundings(options.budgetBytes);
  const handler = new RecordingHandler<RpcAnswer>(options.reply ?? echo, refusal);
  const server = new GrpcJsServer(schema.parse(settings), otlpServices(["traces", "profiles"]), handler, around);
  await server.start();
  cleanup.push(() => server.stop(0));
  return { server, handler, address: server.addresses[0] as string, budget: around.budget };
}

interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly body: Buffer | undefined;
  readonly error: ServiceError | null;
}

function call(
  address: string,
  body: Buffer,
  options: ChannelOptions = {},
  method = path,
  metadata = new Metadata(),
  creds = credentials.createInsecure(),
) {
  const client = new Client(address, creds, { "grpc.use_local_subchannel_pool": 1, ...options });
  const same = (bytes: Buffer) => bytes;
  return new Promise<Outcome>((resolve) => {
    client.makeUnaryRequest(method, same, same, body, metadata, {}, (error, reply) => {
      client.close();
      resolve({ code: error?.code ?? 0, message: error?.details ?? "", body: reply, error });
    });
  });
}

/** One call over bare HTTP/2, with exactly these bytes as its body. */
async function rawCall(
  address: string,
  bytes: Buffer,
  headers: Record<string, string> = {},
  session?: ClientHttp2Session,
) {
  const own = session ?? connect(`http://${address}`);
  const stream = own.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => {}); // judged by what arrived before
  let answer: Record<string, unknown> = {};
  stream.on("response", (received) => Object.assign(answer, received));
  stream.on("trailers", (received) => Object.assign(answer, received));
  stream.resume();
  stream.end(bytes);
  await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  if (session === undefined) own.close();
  answer = { ...answer };
  return {
    code: Number(answer["grpc-status"]),
    message: decodeURI(String(answer["grpc-message"] ?? "")),
    headers: answer,
  };
}

function message(body: Buffer, flag = 0, length = body.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

const spans = Buffer.from("span ".repeat(200_000));

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

describe("stopping", () => {
  it("answers what is in flight, takes nothing new", async () => {
    const pending: ((answer: RpcAnswer) => void)[] = [];
    const { server, address } = await serve({}, { reply: (_request, answer) => void pending.push(answer) });
    const outcome = call(address, Buffer.from("x"));
    await eventually(() => pending.length === 1);
    const stopped = server.stop(60_000);
    assert.equal((await call(address, Buffer.from("y"))).code, 14);
    pending[0]?.({ body: Buffer.from("late") });
    assert.equal((await outcome).body?.toString(), "late");
    await stopped;
    await server.stop(60_000);
  });

  it("does not wait for clients that keep unused connections", async () => {
    const { server, address } = await serve();
    const session = connect(`http://${address}`);
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    const closed = new Promise((resolve) => session.once("close", resolve));
    await server.stop(600_000);
    await closed;
  });

  it("cuts what is not answered within the grace, and silent connections", async () => {
    const { server, address, handler } = await serve({}, { reply: () => {} });
    const silent = new RawClient(address);
    const outcome = call(address, Buffer.from("x"));
    await eventually(() => handler.requests.length === 1);
    await server.stop(1);
    assert.notEqual((await outcome).code, 0);
    await silent.closed;
  });
});

describe("TLS", () => {
  const tls = { cert_file: testdata("server.pem"), key_file: testdata("server_key.pem") };
  const ca = Buffer.from(testdataText("ca.pem"));
  const port = (address: string) => parseHostPort(address).port;

  it("serves with the configured certificate", async () => {
    const { address } = await serve({ tls });
    const creds = credentials.createSsl(ca);
    assert.equal((await call(`localhost:${port(address)}`, Buffer.from("x"), {}, path, new Metadata(), creds)).code, 0);
  });

  it("asks for a client certificate when client_ca_file is set", async () => {
    const { address } = await serve({ tls: { ...tls, client_ca_file: testdata("ca.pem") } });
    const target = `localhost:${port(address)}`;
    const anonymous = await call(target, Buffer.from("x"), {}, path, new Metadata(), credentials.createSsl(ca));
    assert.equal(anonymous.code, 14);
    const [key, cert] = ["client_key.pem", "client.pem"].map((name) => Buffer.from(testdataText(name)));
    const creds = credentials.createSsl(ca, key, cert);
    assert.equal((await call(target, Buffer.from("x"), {}, path, new Metadata(), creds)).code, 0);
  });
});
