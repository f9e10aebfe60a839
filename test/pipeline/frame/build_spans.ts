import { encode, type Traces } from "../../../pipeline/pdata/index.ts";

/** A span as tests write it down; what is left out is ordinary. */
export interface SpanSketch {
  readonly service?: string;
  readonly name?: string;
  readonly kind?: number;
  /** 0 UNSET, 1 OK, 2 ERROR. */
  readonly status?: number;
  readonly startUnixMs?: number;
  readonly endUnixMs: number;
  readonly traceId?: string;
  readonly scope?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** One batch; a resource and a scope per span. */
export function tracesOf(spans: readonly SpanSketch[]): Traces {
  return encode("traces", {
    resourceSpans: spans.map((span) => ({
      resource: { attributes: span.service === undefined ? [] : attributesOf({ "service.name": span.service }) },
      scopeSpans: [{ scope: { name: span.scope ?? "tests", version: "1" }, spans: [spanOf(span)] }],
    })),
  });
}

function spanOf(span: SpanSketch) {
  return {
    traceId: Buffer.from(span.traceId ?? "00000000000000000000000000000001", "hex"),
    spanId: Buffer.from("0000000000000001", "hex"),
    name: span.name ?? "chat",
    kind: span.kind ?? 3,
    startTimeUnixNano: nanoseconds(span.startUnixMs ?? span.endUnixMs - 100),
    endTimeUnixNano: nanoseconds(span.endUnixMs),
    status: { code: span.status ?? 1 },
    attributes: attributesOf(span.attributes ?? {}),
  };
}

function attributesOf(attributes: Readonly<Record<string, string | number | boolean>>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | boolean) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isInteger(value) ? { intValue: BigInt(value) } : { doubleValue: value };
}

function nanoseconds(unixMs: number): bigint {
  return BigInt(Math.round(unixMs * 1000)) * 1000n;
}
