import type { BodyEncoding } from "../host.ts";
import { fromJson, memoryOfParts, type Parts, receive, type Signal, toParts, WireError } from "../pdata/index.ts";

/** A body to be read. */
export interface Task {
  readonly signal: Signal;
  readonly encoding: BodyEncoding;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What reading it came to. */
export type Outcome = { readonly parts: Parts } | { readonly fault: Pick<WireError, "reason" | "path" | "offset"> };

/** Reads a body to its end, however long that takes. Pure. */
export function perform({ signal, encoding, body }: Task): Outcome {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    const isStrict = encoding === "strict_json";
    return { parts: toParts(encoding === "protobuf" ? receive(signal, bytes) : fromJson(signal, bytes, isStrict)) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const { reason, path, offset } = error;
    return { fault: { reason, path, offset } };
  }
}

/** What of an outcome can be handed to another thread instead of being copied. */
export function transferred(outcome: Outcome): ArrayBuffer[] {
  return "parts" in outcome ? memoryOfParts(outcome.parts) : [];
}
