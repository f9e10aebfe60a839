import type { SpanContext } from "./span_context.ts";

/** How a trace is carried in headers. */
export interface Propagation {
  /** What the headers of a request say; undefined when they say nothing, or nothing that can be. */
  extract(header: (name: string) => string | undefined): SpanContext | undefined;
  inject(context: SpanContext): Readonly<Record<string, string>>;
}

const formats: Readonly<Record<string, Propagation>> = {
  tracecontext: { extract: extractTraceContext, inject: injectTraceContext },
  b3: { extract: extractB3, inject: injectB3 },
};

/** All of `names` (tracecontext, b3): of what they extract the last counts, as in Go's SDK. */
export function propagationOf(names: readonly string[]): Propagation {
  const used = names.flatMap((name) => formats[name] ?? []);
  return {
    extract: (header) =>
      used.reduceRight<SpanContext | undefined>((found, one) => found ?? one.extract(header), undefined),
    inject: (context) => Object.assign({}, ...used.map((one) => one.inject(context))),
  };
}

const noTrace = "0".repeat(32);
const noSpan = "0".repeat(16);

/** @see W3C Trace Context, level 1. */
function extractTraceContext(header: (name: string) => string | undefined): SpanContext | undefined {
  const parent = header("traceparent") ?? "";
  const [, version, traceId = noTrace, spanId = noSpan, flags = "", rest = ""] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(parent.trim()) ?? [];
  if (version === undefined || version === "ff" || traceId === noTrace || spanId === noSpan) return undefined;
  if (version === "00" && rest !== "") return undefined;
  const traceState = header("tracestate");
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1, isRemote: true, traceState };
}

function injectTraceContext({ traceId, spanId, isSampled, traceState }: SpanContext): Record<string, string> {
  const traceparent = `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
  return { traceparent, ...(traceState !== undefined && { tracestate: traceState }) };
}

/** The one header `b3`, else the many. @see openzipkin/b3-propagation. */
function extractB3(header: (name: string) => string | undefined): SpanContext | undefined {
  const [one = "", spanOfOne = "", stateOfOne] = header("b3")?.split("-") ?? [];
  const isOne = one !== "" && spanOfOne !== "";
  const traceId = (isOne ? one : (header("x-b3-traceid") ?? "")).toLowerCase().padStart(32, "0");
  const spanId = (isOne ? spanOfOne : (header("x-b3-spanid") ?? "")).toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId)) return undefined;
  if (traceId === noTrace || spanId === noSpan) return undefined;
  const state = isOne ? stateOfOne : header("x-b3-flags") === "1" ? "d" : header("x-b3-sampled");
  return { traceId, spanId, isSampled: state === "1" || state === "d" || state === "true", isRemote: true };
}

function injectB3({ traceId, spanId, isSampled }: SpanContext): Record<string, string> {
  return { "x-b3-traceid": traceId, "x-b3-spanid": spanId, "x-b3-sampled": isSampled ? "1" : "0" };
}
