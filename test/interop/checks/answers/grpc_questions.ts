import { gzipSync, zstdCompressSync } from "node:zlib";
import { frame, type Question } from "./ask.ts";
import { goodTraces } from "./bodies.ts";

const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

function grpc(name: string, body: Uint8Array, rest: Partial<Question> = {}): Question {
  return { name: `gRPC: ${name}`, protocol: "grpc", path, body, ...rest };
}

function encoded(name: string, encoding: string, message: Uint8Array): Question {
  return grpc(name, frame(message, { compressed: true }), { headers: { "grpc-encoding": encoding } });
}

const bomb = Buffer.concat([
  goodTraces(),
  Buffer.from([0xfa, 0xff, 0x7f, 0x80, 0x80, 0x80, 0x01]),
  Buffer.alloc(2 << 20),
]);

/** Requests over gRPC: good, odd and bad. The limit of both programs is 1 MiB. */
export const grpcQuestions: readonly Question[] = [
  grpc("one span", frame(goodTraces())),
  grpc("empty request", frame(new Uint8Array())),
  grpc("content type with +proto", frame(goodTraces()), { headers: { "content-type": "application/grpc+proto" } }),
  grpc("a deadline", frame(goodTraces()), { headers: { "grpc-timeout": "10S" } }),
  encoded("gzip", "gzip", gzipSync(goodTraces())),
  encoded("zstd", "zstd", zstdCompressSync(goodTraces())),
  grpc("gzip announced, not used", frame(goodTraces()), { headers: { "grpc-encoding": "gzip" } }),
  encoded("truncated gzip", "gzip", gzipSync(goodTraces()).subarray(0, -12)),
  encoded("bytes that are no gzip", "gzip", goodTraces()),
  encoded("unknown encoding", "rot13", goodTraces()),
  grpc("compressed without an encoding", frame(gzipSync(goodTraces()), { compressed: true })),
  encoded("too large once decompressed", "gzip", gzipSync(bomb)),
  grpc("too large", frame(bomb)),
  grpc("malformed protobuf", frame(Buffer.from([0x0a, 0x05, 0x01]))),
  grpc("text instead of protobuf", frame(Buffer.from("hello"))),
  grpc("invalid UTF-8 in a name", frame(goodTraces({ name: Buffer.from([0xc3, 0x28]) }))),
  grpc("trace id of 15 bytes", frame(goodTraces({ traceIdBytes: 15 }))),
  grpc("span id of 7 bytes", frame(goodTraces({ spanIdBytes: 7 }))),
  grpc("empty ids", frame(goodTraces({ traceIdBytes: 0, spanIdBytes: 0 }))),
  grpc("no message", new Uint8Array()),
  grpc("two messages", Buffer.concat([frame(goodTraces()), frame(goodTraces())])),
  grpc("half a message", frame(goodTraces(), { length: 10_000 })),
  grpc("unknown method", frame(goodTraces()), { path: path.replace("Export", "Import") }),
  grpc("unknown service", frame(goodTraces()), { path: "/no.such.Service/Export" }),
  grpc("signal not in a pipeline", frame(new Uint8Array()), {
    path: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  }),
  grpc("profiles not in a pipeline", frame(new Uint8Array()), {
    path: "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
  }),
  grpc("logs, empty request", frame(new Uint8Array()), {
    path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  }),
  grpc("path without a method", frame(goodTraces()), { path: "/nothing" }),
  grpc("wrong content type", frame(goodTraces()), { headers: { "content-type": "application/json" } }),
  grpc("method GET", new Uint8Array(), { method: "GET" }),
];
