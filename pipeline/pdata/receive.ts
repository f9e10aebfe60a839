import { check } from "./check.ts";
import { Chunk } from "./chunk.ts";
import { requests } from "./messages.ts";
import { toOrdinary } from "./ordinary.ts";
import { type PdataOf, pdataOf } from "./pdata.ts";
import type { Signal } from "./signal.ts";

/**
 * Checks a serialized `Export…ServiceRequest` in one walk (see `check.ts` for the rules) and makes it a batch that
 * everything else trusts. The batch keeps `body` itself: nobody may write into it afterwards. A body in an odd
 * encoding is rewritten into ordinary form first; its chunk says so in `isRewritten`.
 *
 * @throws {WireError} when a standard decoder would refuse it; names the field and the byte
 */
export function receive<S extends Signal>(signal: S, body: Buffer): PdataOf[S] {
  const request = requests[signal];
  const { itemCount, isOrdinary } = check(body, request);
  if (isOrdinary) return pdataOf(signal, [new Chunk(signal, body, itemCount)]);
  const bytes = toOrdinary(body, request);
  return pdataOf(signal, [new Chunk(signal, bytes, check(bytes, request).itemCount, { isRewritten: true })]);
}
