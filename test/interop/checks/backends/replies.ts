import type { Reply } from "../../backend.ts";

/** What the backend says to the first attempts of a request; from then on it takes it. */
export interface Case {
  readonly name: string;
  readonly replies: readonly Reply[];
}

const json = { "content-type": "application/json" };

function http(status: number, headers: Readonly<Record<string, string>> = {}, what = ""): Case {
  return { name: `${status}${what}`, replies: [{ status, headers }] };
}

function grpc(code: number, name: string): Case {
  return { name: `code ${code} ${name}`, replies: [{ code, message: "told so" }] };
}

/** What a proxy before the backend says. */
function page(status: number): Case {
  const reply = { status, headers: { "content-type": "text/html" }, body: Buffer.from("<p>proxy</p>") };
  return { name: `a proxy's page, status ${status}`, replies: [reply] };
}

/** `google.rpc.Status` with one detail: `google.rpc.RetryInfo` of so many seconds. */
function retryInfo(code: number, seconds: number): Uint8Array {
  const info = Buffer.from([0x0a, 0x02, 0x08, seconds]);
  const type = Buffer.from("type.googleapis.com/google.rpc.RetryInfo");
  const any = Buffer.concat([Buffer.from([0x0a, type.length]), type, Buffer.from([0x12, info.length]), info]);
  return Buffer.concat([
    Buffer.from([0x08, code, 0x12, 0x04]),
    Buffer.from("told"),
    Buffer.from([0x1a, any.length]),
    any,
  ]);
}

function grpcWithRetryInfo(code: number, name: string, seconds = 1): Case {
  const message = "told";
  return { name: `code ${code} ${name}, RetryInfo`, replies: [{ code, message, details: retryInfo(code, seconds) }] };
}

/** An `ExportTraceServiceResponse` that says that one span was refused. */
const partial = Buffer.from([0x0a, 0x07, 0x08, 0x01, 0x12, 0x03, 0x62, 0x61, 0x64]);
const protobuf = { "content-type": "application/x-protobuf" };

/** What a backend over HTTP may say. */
export const httpCases: readonly Case[] = [
  ...[201, 202, 204].map((status) => http(status)),
  ...[300, 304, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 418, 429, 499].map((status) => http(status)),
  ...[500, 501, 502, 503, 504, 505, 599].map((status) => http(status)),
  http(429, { "retry-after": "1" }, ", Retry-After"),
  http(502, { "retry-after": "1" }, ", Retry-After"),
  http(503, { "retry-after": "1" }, ", Retry-After"),
  http(504, { "retry-after": "1" }, ", Retry-After"),
  http(500, { "retry-after": "1" }, ", Retry-After"),
  http(503, { "retry-after": "0" }, ", Retry-After of 0"),
  http(503, { "retry-after": "soon" }, ", unreadable Retry-After"),
  { name: "503 three times", replies: [503, 503, 503].map((status) => ({ status })) },
  { name: "200, partial success", replies: [{ status: 200, headers: protobuf, body: partial }] },
  { name: "200, text", replies: [{ status: 200, headers: { "content-type": "text/plain" }, body: Buffer.from("ok") }] },
  { name: "200, unreadable body", replies: [{ status: 200, headers: protobuf, body: Buffer.from([0xff]) }] },
  { name: "200, JSON for protobuf", replies: [{ status: 200, headers: json, body: Buffer.from("{}") }] },
  { name: "400, a status as JSON", replies: [{ status: 400, headers: json, body: Buffer.from('{"message":"told"}') }] },
  { name: "no answer within the timeout", replies: ["stall"] },
  { name: "the connection is cut", replies: ["cut"] },
  { name: "the connection is cut twice", replies: ["cut", "cut"] },
];

/** What a backend over gRPC may say. */
export const grpcCases: readonly Case[] = [
  grpc(1, "CANCELLED"),
  grpc(2, "UNKNOWN"),
  grpc(3, "INVALID_ARGUMENT"),
  grpc(4, "DEADLINE_EXCEEDED"),
  grpc(5, "NOT_FOUND"),
  grpc(6, "ALREADY_EXISTS"),
  grpc(7, "PERMISSION_DENIED"),
  grpc(8, "RESOURCE_EXHAUSTED"),
  grpc(9, "FAILED_PRECONDITION"),
  grpc(10, "ABORTED"),
  grpc(11, "OUT_OF_RANGE"),
  grpc(12, "UNIMPLEMENTED"),
  grpc(13, "INTERNAL"),
  grpc(14, "UNAVAILABLE"),
  grpc(15, "DATA_LOSS"),
  grpc(16, "UNAUTHENTICATED"),
  grpc(99, "unknown to all"),
  grpcWithRetryInfo(8, "RESOURCE_EXHAUSTED"),
  grpcWithRetryInfo(14, "UNAVAILABLE"),
  grpcWithRetryInfo(13, "INTERNAL"),
  grpcWithRetryInfo(3, "INVALID_ARGUMENT"),
  { name: "code 14 three times", replies: [14, 14, 14].map((code) => ({ code })) },
  ...[400, 401, 403, 404, 429, 500, 502, 503, 504].map((status) => page(status)),
  { name: "no answer within the timeout", replies: ["stall"] },
  { name: "the connection is cut", replies: ["cut"] },
];
