import { Chunk } from "../chunk.ts";
import { type Pdata, type PdataOf, pdataOf } from "../pdata.ts";
import { receive } from "../receive.ts";
import type { Signal } from "../signal.ts";
import { parseJson } from "./from_json.ts";
import { toJsonBytes, toJsonBytesInSteps } from "./to_json.ts";

/**
 * A batch from the OTLP/JSON text of an export request; `from_json.ts` has the rules.
 *
 * @throws {WireError} with the JSON path and byte offset of the first fault
 */
export function fromJson<S extends Signal>(signal: S, body: Buffer, isStrict = false): PdataOf[S] {
  const { bytes, itemCount, isOrdinary } = parseJson(signal, body, isStrict);
  return isOrdinary ? pdataOf(signal, [new Chunk(signal, bytes, itemCount)]) : receive(signal, bytes);
}

/** A batch as the OTLP/JSON text of one export request; `to_json.ts` has the rules. */
export function toJson(data: Pdata): Buffer {
  return toJsonBytes(
    data.signal,
    data.chunks.map((chunk) => chunk.bytes),
  );
}

/** The same text in pieces, with `end` behind it, made with pauses when it is long: `pause` lets others run. */
export function toJsonInSteps(data: Pdata, pause: () => Promise<void>, end = ""): Promise<Buffer[]> {
  const chunks = data.chunks.map((chunk) => chunk.bytes);
  return toJsonBytesInSteps(data.signal, chunks, pause, end);
}
