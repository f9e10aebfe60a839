import { Chunk } from "./chunk.ts";
import { type Pdata, type PdataOf, pdataOf } from "./pdata.ts";
import type { Rows } from "./rows.ts";
import type { Signal } from "./signal.ts";

/** A batch of one request in parts that another thread can have: plain, each array with memory of its own. */
export interface Parts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly itemCount: number;
  readonly isRewritten: boolean;
  /** Absent for profiles, which have none, and for an empty request. */
  readonly rows?: Rows;
}

/** Takes a batch of one request apart, with everything that reading it needs. The batch must not be used any more. */
export function toParts(data: Pdata): Parts {
  const [chunk] = data.chunks;
  if (chunk === undefined) return { bytes: new Uint8Array(0), itemCount: 0, isRewritten: false };
  const { itemCount, isRewritten } = chunk;
  const parts = { bytes: own(chunk.bytes), itemCount, isRewritten };
  if (data.signal === "profiles") return parts;
  const { resources, scopes, metrics, items } = chunk.rows;
  return {
    ...parts,
    rows: { resources: own(resources), scopes: own(scopes), metrics: own(metrics), items: own(items) },
  };
}

/** A batch's requests in parts of their own; the batch stays as it is. */
export function copiesOf(data: Pdata): Parts[] {
  return data.chunks.map(({ bytes, itemCount, isRewritten, foundRows }) => ({
    bytes: new Uint8Array(bytes),
    itemCount,
    isRewritten,
    ...(foundRows !== undefined && { rows: copyOf(foundRows) }),
  }));
}

function copyOf({ resources, scopes, metrics, items }: Rows): Rows {
  return { resources: resources.slice(), scopes: scopes.slice(), metrics: metrics.slice(), items: items.slice() };
}

/** The memory of the parts, for handing it over. */
export function memoryOfParts({ bytes, rows }: Parts): ArrayBuffer[] {
  const arrays = rows === undefined ? [bytes] : [bytes, rows.resources, rows.scopes, rows.metrics, rows.items];
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}

/** The batch again, without a look at its bytes: of one request, or of several. */
export function fromParts<S extends Signal>(signal: S, ...requests: readonly Parts[]): PdataOf[S] {
  const chunks = requests.map(({ bytes, itemCount, isRewritten, rows }) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Chunk(signal, buffer, itemCount, { isRewritten, ...(rows !== undefined && { rows }) });
  });
  return pdataOf(signal, chunks);
}

/** The array when it has its memory for itself, else a copy; much unused memory is not worth keeping either. */
function own(array: Uint8Array): Uint8Array<ArrayBuffer>;
function own(array: Int32Array): Int32Array<ArrayBuffer>;
function own(array: Uint8Array | Int32Array): Uint8Array | Int32Array {
  const isWhole = array.byteOffset === 0 && array.buffer.byteLength === array.byteLength;
  return isWhole && array.byteLength > 0 ? array : array instanceof Int32Array ? array.slice() : new Uint8Array(array);
}
