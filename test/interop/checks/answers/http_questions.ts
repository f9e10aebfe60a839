import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Question } from "./ask.ts";
import { goodTraces, json } from "./bodies.ts";

const protobuf = "application/x-protobuf";
const path = "/v1/traces";

function http(name: string, rest: Omit<Question, "name" | "protocol" | "path"> & { path?: string }): Question {
  return { name: `HTTP: ${name}`, protocol: "http", path, ...rest };
}

function typed(name: string, contentType: string, body: Uint8Array, headers: Question["headers"] = {}): Question {
  return http(name, { headers: { "content-type": contentType, ...headers }, body });
}

/** The body limit both programs are given, in bytes. */
export const largestBody = 100_000;

/** Zeros within the limit once compressed, beyond it before. */
export const bomb = Buffer.concat([
  goodTraces(),
  Buffer.from([0xfa, 0xff, 0x7f, 0xc0, 0x9a, 0x0c]),
  Buffer.alloc(200_000),
]);
const nothing = Buffer.alloc(0);

/** Requests over HTTP: good, odd and bad. */
export const httpQuestions: readonly Question[] = [
  typed("protobuf", protobuf, goodTraces()),
  typed("protobuf, content type with parameters", `${protobuf}; charset=utf-8`, goodTraces()),
  typed("protobuf, content type in capitals", "Application/X-Protobuf", goodTraces()),
  typed("JSON", "application/json", json({})),
  typed("JSON, charset", "application/json; charset=utf-8", json({})),
  typed("empty protobuf", protobuf, nothing),
  typed("empty JSON object", "application/json", Buffer.from("{}")),
  typed("empty JSON body", "application/json", nothing),
  typed("gzip", protobuf, gzipSync(goodTraces()), { "content-encoding": "gzip" }),
  typed("gzip of nothing", protobuf, gzipSync(""), { "content-encoding": "gzip" }),
  typed("deflate", protobuf, deflateSync(goodTraces()), { "content-encoding": "deflate" }),
  typed("zlib", protobuf, deflateSync(goodTraces()), { "content-encoding": "zlib" }),
  typed("zstd", protobuf, zstdCompressSync(goodTraces()), { "content-encoding": "zstd" }),
  typed("gzip, two members", protobuf, Buffer.concat([gzipSync(goodTraces()), gzipSync(goodTraces())]), {
    "content-encoding": "gzip",
  }),
  typed("identity", protobuf, goodTraces(), { "content-encoding": "identity" }),
  typed("brotli", protobuf, brotliCompressSync(goodTraces()), { "content-encoding": "br" }),
  typed("unknown encoding", protobuf, goodTraces(), { "content-encoding": "rot13" }),
  typed("unknown encoding, JSON", "application/json", json({}), { "content-encoding": "rot13" }),
  typed("unknown encoding and content type", "text/plain", goodTraces(), { "content-encoding": "rot13" }),
  typed("two encodings", protobuf, gzipSync(gzipSync(goodTraces())), { "content-encoding": "gzip, gzip" }),
  typed("truncated gzip", protobuf, gzipSync(goodTraces()).subarray(0, -12), { "content-encoding": "gzip" }),
  typed("gzip header only", protobuf, gzipSync(goodTraces()).subarray(0, 10), { "content-encoding": "gzip" }),
  typed("gzip with a wrong checksum", protobuf, wrongChecksum(), { "content-encoding": "gzip" }),
  typed("bytes that are no gzip", protobuf, goodTraces(), { "content-encoding": "gzip" }),
  typed("bytes that are no zstd", protobuf, goodTraces(), { "content-encoding": "zstd" }),
  typed("gzip bytes without saying so", protobuf, gzipSync(goodTraces())),
  typed("too large", protobuf, bomb),
  typed("too large, JSON", "application/json", json({ name: "x".repeat(200_000) })),
  typed("too large once decompressed", protobuf, gzipSync(bomb), { "content-encoding": "gzip" }),
  typed("malformed protobuf", protobuf, Buffer.from([0x0a, 0x05, 0x01])),
  typed("protobuf with a wrong wire type", protobuf, Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8])),
  typed("protobuf with field number 0", protobuf, Buffer.from([0x02, 0x00])),
  typed("protobuf with an unknown field", protobuf, Buffer.concat([goodTraces(), Buffer.from([0xa8, 0x1f, 0x01])])),
  typed("invalid UTF-8 in a name", protobuf, goodTraces({ name: Buffer.from([0xc3, 0x28]) })),
  typed("trace id of 15 bytes", protobuf, goodTraces({ traceIdBytes: 15 })),
  typed("empty ids", protobuf, goodTraces({ traceIdBytes: 0, spanIdBytes: 0 })),
  typed("text instead of protobuf", protobuf, Buffer.from("hello")),
  typed("malformed JSON", "application/json", Buffer.from('{"resourceSpans": [')),
  typed("text instead of JSON", "application/json", Buffer.from("hello")),
  typed("JSON array", "application/json", Buffer.from("[]")),
  typed("JSON null", "application/json", Buffer.from("null")),
  typed("protobuf instead of JSON", "application/json", goodTraces()),
  typed("wrong content type", "text/plain", goodTraces()),
  typed("gRPC's content type", "application/grpc", goodTraces()),
  typed("unreadable content type", "a/b/c", goodTraces()),
  http("no content type", { body: goodTraces() }),
  ...["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"].map((method) => http(`method ${method}`, { method })),
  http("GET with a content type", { method: "GET", headers: { "content-type": protobuf } }),
  ...["/", "/v1/trace", "/v1/traces/", "/V1/traces", "/v1/metrics", "/v1/spans", "/v1development/profiles"].map(
    (each) => http(`path ${each}`, { path: each, headers: { "content-type": protobuf }, body: nothing }),
  ),
  http("path with a query", { path: `${path}?a=b`, headers: { "content-type": protobuf }, body: goodTraces() }),
  http("path with a double slash", { path: "//v1/traces", headers: { "content-type": protobuf }, body: goodTraces() }),
  http("logs, empty", { path: "/v1/logs", headers: { "content-type": protobuf }, body: nothing }),
  http("wrong method on another path", { path: "/nothing", method: "GET" }),
];

function wrongChecksum(): Buffer {
  const bytes = Buffer.from(gzipSync(goodTraces()));
  bytes.writeUInt32LE(0x12345678, bytes.length - 8);
  return bytes;
}
