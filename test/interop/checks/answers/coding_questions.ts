import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { compress } from "../../../../pipeline/net/compression.ts";
import { frame, type Question } from "./ask.ts";
import { field, goodTraces } from "./bodies.ts";
import { bomb } from "./http_questions.ts";

type Pack = (body: Buffer) => Buffer | Promise<Buffer>;

const framed: Pack = (body) => compress("x-snappy-framed", 0, body);

/** How to write each coding, by its name over HTTP and over gRPC. */
const overHttp: Readonly<Record<string, Pack>> = {
  gzip: gzipSync,
  zlib: deflateSync,
  deflate: deflateSync,
  zstd: zstdCompressSync,
  snappy: (body) => compress("snappy", 0, body),
  "x-snappy-framed": framed,
  lz4: (body) => compress("lz4", 0, body),
};
const overGrpc: Readonly<Record<string, Pack>> = { gzip: gzipSync, zstd: zstdCompressSync, snappy: framed };

/** Larger than one piece of any coding, and still within the limits: one unknown field that is as long. */
const long = Buffer.concat([
  goodTraces(),
  Buffer.from([0xfa, 0x01]),
  field(0, Buffer.alloc(16_000, "words and words ")).subarray(1),
]);

/** A bomb for the limit of 1 MiB of gRPC. */
const largeBomb = Buffer.concat([
  goodTraces(),
  Buffer.from([0xfa, 0xff, 0x7f, 0x80, 0x80, 0x80, 0x01]),
  Buffer.alloc(2 << 20),
]);

async function variants(pack: Pack, tooLarge: Buffer): Promise<readonly (readonly [name: string, body: Buffer])[]> {
  const good = await pack(goodTraces());
  const damaged = Buffer.from(good);
  damaged.fill(0xaa, good.length >> 1);
  return [
    ["good", good],
    ["long", await pack(long)],
    ["of nothing", await pack(Buffer.alloc(0))],
    ["nothing at all", Buffer.alloc(0)],
    ["cut by a byte", good.subarray(0, -1)],
    ["cut in the middle", good.subarray(0, good.length >> 1)],
    ["damaged", damaged],
    ["something behind", Buffer.concat([good, Buffer.from("xyz")])],
    ["twice", Buffer.concat([good, good])],
    ["not that coding at all", goodTraces()],
    ["a bomb", await pack(tooLarge)],
  ];
}

async function http(name: string, coding: string, body: Buffer): Promise<Question> {
  const headers = { "content-type": "application/x-protobuf", "content-encoding": coding };
  return { name: `HTTP, ${coding}: ${name}`, protocol: "http", path: "/v1/traces", headers, body };
}

async function grpc(name: string, coding: string, body: Buffer): Promise<Question> {
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const headers = { "grpc-encoding": coding };
  return { name: `gRPC, ${coding}: ${name}`, protocol: "grpc", path, headers, body: frame(body, { compressed: true }) };
}

/** Requests in every coding, whole and broken, and codings under each other's names. */
export const codingQuestions: readonly Question[] = await Promise.all([
  ...(
    await Promise.all(
      Object.entries(overHttp).map(async ([coding, pack]) =>
        (await variants(pack, bomb)).map(([name, body]) => http(name, coding, body)),
      ),
    )
  ).flat(),
  ...(
    await Promise.all(
      Object.entries(overGrpc).map(async ([coding, pack]) =>
        (await variants(pack, largeBomb)).map(([name, body]) => grpc(name, coding, body)),
      ),
    )
  ).flat(),
  http("frames under the name of blocks", "snappy", await framed(goodTraces())),
  http("a block under the name of frames", "x-snappy-framed", await compress("snappy", 0, goodTraces())),
  http("without a head", "deflate", deflateRawSync(goodTraces())),
  http("in capitals", "SNAPPY", await compress("snappy", 0, goodTraces())),
  grpc("a block", "snappy", await compress("snappy", 0, goodTraces())),
  grpc("in capitals", "GZIP", gzipSync(goodTraces())),
  grpc("which it does not have", "lz4", await compress("lz4", 0, goodTraces())),
]);
