import { promisify } from "node:util";
import zlib from "node:zlib";
import { messageOf } from "../error_text.ts";
import type { OwnEncoding } from "./codecs/index.ts";
import { BodyError } from "./transport.ts";
import { isCutZstd, zstdContentSize } from "./zstd_frames.ts";

/** How a body is coded on the wire. `deflate` is the zlib format, as HTTP means it. */
export type Encoding = "identity" | NodeEncoding | OwnEncoding;

type NodeEncoding = "gzip" | "deflate" | "zstd";

const encodingByName: ReadonlyMap<string, Encoding> = new Map([
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["zstd", "zstd"],
  ["deflate", "deflate"],
  ["zlib", "deflate"],
  ["snappy", "snappy"],
  ["x-snappy-framed", "x-snappy-framed"],
  ["lz4", "lz4"],
]);

/** The coding behind a name of `Content-Encoding`; undefined when it is not one we read. */
export function encodingOf(name: string): Encoding | undefined {
  return encodingByName.get(name.toLowerCase());
}

const grpcEncodings: ReadonlyMap<string, Encoding> = new Map([
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["zstd", "zstd"],
  ["snappy", "x-snappy-framed"], // what the Collector means by it over gRPC
  ["deflate", "deflate"],
]);

/** The coding behind a name of `grpc-encoding`; undefined when it is not one we read. */
export function grpcEncodingOf(name: string): Encoding | undefined {
  return grpcEncodings.get(name);
}

/** What we read over gRPC, as `grpc-accept-encoding` lists it. */
export const acceptedOverGrpc = [...grpcEncodings.keys()].join();

function isOwn(encoding: Encoding): encoding is OwnEncoding {
  return encoding === "snappy" || encoding === "x-snappy-framed" || encoding === "lz4";
}

/** Bodies up to this size are coded in place: on the thread pool a small one costs twenty times as much. */
const inPlaceBytes = 64 * 1024;

/** What is inflated in place at most, about a millisecond of work; a body that grows further moves to the thread pool. */
const inPlaceOutputBytes = 1024 * 1024;

/** Larger windows than 32 MiB are refused before a decoder allocates one. */
const zstdParams = { [zlib.constants.ZSTD_d_windowLogMax]: 25 };

export interface InflateLimits {
  /** The decompressed size that is refused. */
  readonly maxBytes: number;
  /** Asks for memory for that many more decompressed bytes. */
  reserve(bytes: number): boolean;
}

/**
 * The decompressed body: all members of a gzip body and all frames of a zstd body. Small ones come back at once.
 * @throws {BodyError} `broken` when the stream is damaged, truncated or followed by anything; `too_large`; `busy`.
 */
export function decompress(encoding: Encoding, body: Buffer, limits: InflateLimits): Buffer | Promise<Buffer> {
  if (encoding === "identity") return body;
  if (isOwn(encoding)) return decodeOwn(encoding, body, limits);
  if (encoding === "zstd" && body.length === 0) return body; // no frames
  if (encoding === "zstd" && isCutZstd(body)) throw new BodyError("broken", "zstd: the compressed stream is cut short");
  const claim = claimedSize(encoding, body);
  return claim > 0 && claim <= limits.maxBytes
    ? inflateAsClaimed(encoding, body, claim, limits)
    : inflateUnsized(encoding, body, limits);
}

/** Into one buffer of the size that the body claims; twice as cheap as without. What claims a wrong size is read again. */
function inflateAsClaimed(
  encoding: NodeEncoding,
  body: Buffer,
  claim: number,
  limits: InflateLimits,
): Buffer | Promise<Buffer> {
  if (!limits.reserve(claim)) throw busy();
  const options = { chunkSize: Math.max(claim + 1, leastChunk), maxOutputLength: claim, info: true } as const;
  const judged = (result: Inflated | undefined) =>
    result?.engine.bytesWritten === body.length ? result.buffer : inflateUnsized(encoding, body, limits);
  if (Math.max(body.length, claim) > inPlaceOutputBytes) return inflateOncePooled(encoding, body, options).then(judged);
  let result: Inflated | undefined;
  try {
    result = inflateSync[encoding](body, options);
  } catch {
    // What is wrong with it is found out without the claim.
  }
  return judged(result);
}

/** Nothing when it could not be inflated. */
function inflateOncePooled(
  encoding: NodeEncoding,
  body: Buffer,
  options: InflateOptions,
): Promise<Inflated | undefined> {
  return new Promise((resolve) => {
    inflatePooled[encoding](body, options, (error, result) => resolve(error === null ? inflated(result) : undefined));
  });
}

function inflateUnsized(encoding: NodeEncoding, body: Buffer, limits: InflateLimits): Buffer | Promise<Buffer> {
  if (body.length > inPlaceBytes) return inflateOnPool(encoding, body, limits);
  const output = inflateInPlace(encoding, body, Math.min(limits.maxBytes, inPlaceOutputBytes));
  if (output === "did not fit") {
    if (limits.maxBytes <= inPlaceOutputBytes) throw tooLarge(limits.maxBytes);
    return inflateOnPool(encoding, body, limits);
  }
  if (!limits.reserve(output.length)) throw busy();
  return output;
}

async function decodeOwn(encoding: OwnEncoding, body: Buffer, limits: InflateLimits): Promise<Buffer> {
  const { codecs, finish, OutputFull } = await import("./codecs/index.ts");
  let output: Buffer;
  try {
    output = await finish(codecs[encoding].decode(body, limits.maxBytes));
  } catch (error) {
    throw error instanceof OutputFull ? tooLarge(limits.maxBytes) : broken(encoding, error);
  }
  if (!limits.reserve(output.length)) throw busy();
  return output;
}

/** The least that Node takes for the size of its output buffers. */
const leastChunk = 64;

/** Nothing in deflate's format is smaller; of zstd, what would be is not worth a claim's trust. */
const mostBytesForOne = 1032;

/** The size after decompression that the body itself claims, where that is possible; else 0. */
function claimedSize(encoding: NodeEncoding, body: Buffer): number {
  if (encoding === "deflate" || body.length < leastGzipBytes) return 0;
  const claim = encoding === "gzip" ? body.readUInt32LE(body.length - 4) : zstdContentSize(body);
  return claim <= body.length * mostBytesForOne ? claim : 0;
}

/** Head, end and an empty block. */
const leastGzipBytes = 20;

function inflateInPlace(encoding: NodeEncoding, body: Buffer, maxBytes: number): Buffer | "did not fit" {
  const parts: Buffer[] = [];
  let left = maxBytes;
  let consumed = 0;
  do {
    let result: Inflated;
    try {
      const options = { info: true, maxOutputLength: Math.max(left, 1) } as const;
      result = inflateSync[encoding](body.subarray(consumed), options);
    } catch (error) {
      if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") return "did not fit";
      throw broken(encoding, error);
    }
    consumed += consumedBy(encoding, result.engine.bytesWritten, body.length - consumed);
    left -= result.buffer.length;
    if (left < 0) return "did not fit";
    parts.push(result.buffer);
  } while (consumed < body.length);
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

interface InflateOptions {
  readonly info: true;
  readonly maxOutputLength: number;
  readonly chunkSize?: number;
}

/** What one-shot inflating gives with `info: true`; the public types do not know that form. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

const inflateSync = {
  gzip: (body: Buffer, options: InflateOptions) => inflated(zlib.gunzipSync(body, options)),
  deflate: (body: Buffer, options: InflateOptions) => inflated(zlib.inflateSync(body, options)),
  zstd: (body: Buffer, options: InflateOptions) =>
    inflated(zlib.zstdDecompressSync(body, { ...options, params: zstdParams })),
};

type Inflating = (body: Buffer, options: InflateOptions, done: (error: Error | null, result: unknown) => void) => void;

const inflatePooled: Readonly<Record<NodeEncoding, Inflating>> = {
  gzip: (body, options, done) => zlib.gunzip(body, options, done),
  deflate: (body, options, done) => zlib.inflate(body, options, done),
  zstd: (body, options, done) => zlib.zstdDecompress(body, { ...options, params: zstdParams }, done),
};

function inflated(result: unknown): Inflated {
  return result as Inflated;
}

const inflateStream = {
  gzip: () => zlib.createGunzip({ chunkSize: 256 * 1024 }),
  deflate: () => zlib.createInflate({ chunkSize: 256 * 1024 }),
  zstd: () => zlib.createZstdDecompress({ chunkSize: 256 * 1024, params: zstdParams }),
};

/** Judges how much of the input a decoder took: zstd may go on with another frame, the others must have taken it all. */
function consumedBy(encoding: Encoding, consumed: number, available: number): number {
  if (consumed <= 0 || (encoding !== "zstd" && consumed !== available)) {
    throw new BodyError("broken", `${encoding}: data after the end of the compressed stream`);
  }
  return consumed;
}

async function inflateOnPool(encoding: NodeEncoding, body: Buffer, limits: InflateLimits): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  let consumed = 0;
  do {
    const decoder = inflateStream[encoding]();
    decoder.end(body.subarray(consumed));
    try {
      for await (const part of decoder as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > limits.maxBytes) throw tooLarge(limits.maxBytes);
        if (!limits.reserve(part.length)) throw busy();
        parts.push(part);
      }
    } catch (error) {
      throw error instanceof BodyError ? error : broken(encoding, error);
    }
    consumed += consumedBy(encoding, decoder.bytesWritten, body.length - consumed);
  } while (consumed < body.length);
  return Buffer.concat(parts, size);
}

function tooLarge(maxBytes: number): BodyError {
  return new BodyError("too_large", `request body larger than ${maxBytes} bytes after decompression`);
}

function busy(): BodyError {
  return new BodyError("busy", "memory for requests is used up");
}

function broken(encoding: Encoding, cause: unknown): BodyError {
  const error = new BodyError("broken", `${encoding}: ${messageOf(cause)}`);
  error.cause = cause;
  return error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** gzip 5 takes three quarters of the time of zlib's own default, 6, for at most 4 % more bytes of traces and logs than Go's. */
const gzipDefaultLevel = 5;

function zlibOptions(level: number): zlib.ZlibOptions {
  if (level === 0) return { level: gzipDefaultLevel };
  return level === -2 ? { strategy: zlib.constants.Z_HUFFMAN_ONLY } : { level };
}

/** Any level is one of zstd's, the nearest: so says the Collector. */
function zstdOptions(level: number): zlib.ZstdOptions {
  const nearest = Math.max(-100, Math.min(level, 22));
  return level === 0 ? {} : { params: { [zlib.constants.ZSTD_c_compressionLevel]: nearest } };
}

async function encodeOwn(encoding: OwnEncoding, body: Buffer): Promise<Buffer> {
  const { codecs, finish } = await import("./codecs/index.ts");
  return await finish(codecs[encoding].encode(body));
}

const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip);
const deflate = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflate);
const zstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);

/** Room for what OTLP becomes, mostly, so that it is written at once: on the pool, each buffer is a turn of its own. */
function outputChunk(body: Buffer): number {
  return Math.max(1024, Math.ceil(body.length / 3));
}

/** The compressed body, at once when it is small, else from the thread pool. `level` 0 is the default of the coding. */
export function compress(encoding: Encoding, level: number, body: Buffer): Buffer | Promise<Buffer> {
  const inPlace = body.length <= inPlaceBytes;
  const zlibSettings = { ...zlibOptions(level), chunkSize: outputChunk(body) };
  const zstdSettings = { ...zstdOptions(level), chunkSize: outputChunk(body) };
  switch (encoding) {
    case "identity":
      return body;
    case "gzip":
      return inPlace ? zlib.gzipSync(body, zlibSettings) : gzip(body, zlibSettings);
    case "deflate":
      return inPlace ? zlib.deflateSync(body, zlibSettings) : deflate(body, zlibSettings);
    case "zstd":
      return inPlace ? zlib.zstdCompressSync(body, zstdSettings) : zstd(body, zstdSettings);
    case "snappy":
    case "x-snappy-framed":
    case "lz4":
      return encodeOwn(encoding, body);
  }
}
