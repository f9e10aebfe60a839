import { encode, type Traces } from "../../pipeline/pdata/index.ts";

/** `count` spans of one service, named `name`, numbered from `first`: small, valid, distinguishable. */
export function someSpans(count: number, name = "span", first = 1): Traces {
  const spans = Array.from({ length: count }, (_, index) => ({
    traceId: Buffer.from(String(first + index).padStart(32, "0"), "hex"),
    spanId: Buffer.from(String(first + index).padStart(16, "0"), "hex"),
    name: `${name}-${first + index}`,
    startTimeUnixNano: 1_000_000_000n,
    endTimeUnixNano: 2_000_000_000n,
  }));
  return encode("traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

/** `count` spans `s0`, `s1`… of one resource of `resourceBytes`, which each piece that is cut off repeats. */
export function spansOfHeavyResource(count: number, resourceBytes: number): Traces {
  const resource = { attributes: [{ key: "k", value: { stringValue: "x".repeat(resourceBytes) } }] };
  const spans = Array.from({ length: count }, (_, index) => ({ name: `s${index}` }));
  return encode("traces", { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

/** The names of all spans, in order. */
export function spanNames(traces: Traces): string[] {
  const names: string[] = [];
  for (const span of traces.spans()) names.push(span.name);
  return names;
}
