import { decode, encode, type Traces } from "../../../pipeline/pdata/index.ts";

/** A batch of spans with these names. */
export function spans(...names: string[]): Traces {
  const items = names.map((name) => ({ name, traceId: Buffer.alloc(16, 1), spanId: Buffer.alloc(8, 2) }));
  return encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: items }] }] });
}

/** `prefix0`, `prefix1`… */
export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

export function namesOf(data: Traces): string[] {
  const groups = decode<"traces">(data).resourceSpans.flatMap((resource) => resource.scopeSpans);
  return groups.flatMap((scope) => scope.spans).map((span) => span.name);
}
