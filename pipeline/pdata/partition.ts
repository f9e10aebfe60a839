import type { Attributes } from "./attributes.ts";
import { Chunk } from "./chunk.ts";
import { ResourceView } from "./group_views.ts";
import { type Logs, type Metrics, type Pdata, pdataOf, type Traces } from "./pdata.ts";
import { resourceColumn } from "./rows.ts";
import { lengthBefore } from "./wire.ts";

/**
 * The batch by what `keyOf` says of each resource: a resource goes whole, with all that is in it, in the order of the
 * batch. Those without a key are left out. A request all of whose resources have one key is shared, not copied; of one
 * that is cut, what is no resource goes with none.
 */
export function partition<T extends Traces | Metrics | Logs>(
  data: T,
  keyOf: (resource: Attributes) => string | undefined,
): ReadonlyMap<string, T> {
  const parts = new Map<string, Chunk[]>();
  const put = (key: string, chunk: Chunk) => {
    const chunks = parts.get(key);
    if (chunks === undefined) parts.set(key, [chunk]);
    else chunks.push(chunk);
  };
  for (const chunk of data.chunks) {
    const pieces = piecesOf(chunk, keyOf);
    const [only] = pieces.keys();
    if (pieces.size === 1 && only !== undefined) put(only, chunk);
    else for (const [key, piece] of pieces) if (key !== undefined) put(key, pieceOf(chunk, piece));
  }
  return new Map([...parts].map(([key, chunks]) => [key, pdataOf(data.signal, chunks) as Pdata as T]));
}

interface Piece {
  readonly bytes: Buffer[];
  itemCount: number;
}

function piecesOf(chunk: Chunk, keyOf: (resource: Attributes) => string | undefined): Map<string | undefined, Piece> {
  const { resources } = chunk.rows;
  const { width, start, end, firstItem } = resourceColumn;
  const view = new ResourceView(chunk);
  const pieces = new Map<string | undefined, Piece>();
  for (let row = 0; row < resources.length; row += width) {
    const key = keyOf(view.moveTo(row / width));
    let piece = pieces.get(key);
    if (piece === undefined) {
      piece = { bytes: [], itemCount: 0 };
      pieces.set(key, piece);
    }
    const tagAt = lengthBefore(resources[row + start]!, resources[row + end]!) - 1;
    piece.bytes.push(chunk.bytes.subarray(tagAt, resources[row + end]!));
    const next = row + width < resources.length ? resources[row + width + firstItem]! : chunk.itemCount;
    piece.itemCount += next - resources[row + firstItem]!;
  }
  return pieces;
}

function pieceOf({ signal }: Chunk, { bytes, itemCount }: Piece): Chunk {
  return new Chunk(signal, Buffer.concat(bytes), itemCount);
}
