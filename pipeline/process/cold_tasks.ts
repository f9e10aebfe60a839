import { fromJson, memoryOfParts, type Parts, receive, type Signal, toParts, WireError } from "../pdata/index.ts";

/** How a request's body is written. */
export type Encoding = "protobuf" | "json";

/** A body to be read. */
export interface Task {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What reading it came to. */
export type Outcome = { readonly parts: Parts } | { readonly fault: Pick<WireError, "reason" | "path" | "offset"> };

/** Reads a body to its end, however long that takes. Pure. */
export function perform({ signal, encoding, body }: Task): Outcome {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  try {
    return { parts: toParts(encoding === "json" ? fromJson(signal, bytes) : receive(signal, bytes)) };
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
