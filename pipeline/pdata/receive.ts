import { check } from "./check.ts";
import { Chunk } from "./chunk.ts";
import { requests } from "./messages.ts";
import { toOrdinary } from "./ordinary.ts";
import { type PdataOf, pdataOf } from "./pdata.ts";
import { spanColumn } from "./rows_traces.ts";
import type { Signal } from "./signal.ts";
import { refused } from "./walk_bytes.ts";
import { planOf, walkRequest } from "./walk_table.ts";
import { walkTraces } from "./walk_traces.ts";

/**
 * Checks a serialized `Export…ServiceRequest` in one walk (see `check.ts` for the rules) and makes it a batch that
 * everything else trusts. The batch keeps `body` itself: nobody may write into it afterwards. A body in an odd
 * encoding is rewritten into ordinary form first; its chunk says so in `isRewritten`.
 *
 * @throws {WireError} when a standard decoder would refuse it; names the field and the byte
 */
export function receive<S extends Signal>(signal: S, body: Buffer): PdataOf[S] {
  return pdataOf(signal, [walkFast(signal, body) ?? walkSlowly(signal, body)]);
}

/** Bytes of a body that the slow walk, with the rewriting, may have in place: some milliseconds. */
const longestSlowWalk = 32 * 1024;

/** Bytes, and elements of two bytes or more, that the fast walk may have in place. */
const longestWalk = 4 * 1024 * 1024;
const mostElementsInPlace = 250_000;

/**
 * As `receive`, if that surely takes but a few milliseconds; undefined when it may take longer.
 *
 * @throws {WireError} as `receive` does
 */
export function receiveShort<S extends Signal>(signal: S, body: Buffer): PdataOf[S] | undefined {
  if (body.length <= longestSlowWalk) return receive(signal, body);
  if (body.length > longestWalk) return undefined;
  const chunk = walkFast(signal, body, { most: mostElementsInPlace });
  return chunk && pdataOf(signal, [chunk]);
}

interface WalkOptions {
  readonly isRewritten?: boolean;
  /** Elements that are walked before giving up. */
  readonly most?: number;
}

function walkFast(signal: Signal, body: Buffer, options: WalkOptions = {}): Chunk | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const { isRewritten = false, most } = options;
  if (signal === "traces") {
    const rows = walkTraces(body, view, most);
    return rows && new Chunk(signal, body, rows.items.length / spanColumn.width, { rows, isRewritten });
  }
  const itemCount = walkRequest(body, view, planOf(requests[signal]), most);
  return itemCount === refused ? undefined : new Chunk(signal, body, itemCount, { isRewritten });
}

function walkSlowly(signal: Signal, body: Buffer): Chunk {
  const request = requests[signal];
  const { itemCount, isOrdinary } = check(body, request);
  if (isOrdinary) return new Chunk(signal, body, itemCount);
  const bytes = toOrdinary(body, request);
  const chunk = walkFast(signal, bytes, { isRewritten: true });
  return chunk ?? new Chunk(signal, bytes, check(bytes, request).itemCount, { isRewritten: true });
}
