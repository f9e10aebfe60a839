import type { Logs, Metrics, Pdata, PdataOf, Profiles, Traces } from "../pdata.ts";
import { receive } from "../receive.ts";
import type { Signal } from "../signal.ts";
import { decodeChunks } from "./decode.ts";
import { encodeMessage } from "./encode.ts";
import { requestType } from "./requests.ts";
import type { Decoded, DeepPartial } from "./types.ts";

export type { Decoded, DeepPartial } from "./types.ts";

/**
 * The request as plain objects (see `types.ts`), which share no memory with `data`. Costs 10 to 20 us a span: for tests,
 * debug output and the odd transformation, not for the path every batch takes.
 */
export function decode(data: Traces): Decoded["traces"];
export function decode(data: Metrics): Decoded["metrics"];
export function decode(data: Logs): Decoded["logs"];
export function decode(data: Profiles): Decoded["profiles"];
export function decode<S extends Signal>(data: PdataOf[S]): Decoded[S];
export function decode({ signal, chunks }: Pdata): Decoded[Signal] {
  const object = decodeChunks(
    requestType[signal],
    chunks.map((chunk) => chunk.bytes),
  );
  return object as unknown as Decoded[Signal];
}

/**
 * A batch from plain objects of which any member may be missing. 64-bit integers may be bigint, integral number or
 * decimal text; bytes a Uint8Array or base64, ids a Uint8Array or hex.
 *
 * @throws {TypeError} for a member OTLP does not have or a value it cannot hold; the message names the path
 */
export function encode<S extends Signal>(signal: S, request: DeepPartial<Decoded[S]>): PdataOf[S] {
  return receive(signal, encodeRequest(signal, request));
}

/** The same as bytes: a serialized export request. */
export function encodeRequest<S extends Signal>(signal: S, request: DeepPartial<Decoded[S]>): Buffer {
  return encodeMessage(requestType[signal], request as Readonly<Record<string, unknown>>);
}
