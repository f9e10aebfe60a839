import { inputTokensOf, isRequest, modelOf, outputTokensOf } from "../../pipeline/llm/request.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";
import type { RequestStore } from "./request_store.ts";

const errorStatus = 2;
const mostTokens = 0xffff_ffff;

/**
 * Adds each request among the spans to `store`. A start in the future counts as now, so that a sender's wrong clock
 * neither hides a request nor keeps it for ever.
 */
export function readRequests(traces: Traces, nowUnixMs: number, store: RequestStore): void {
  for (const span of traces.spans()) {
    if (!isRequest(span)) continue;
    store.add(
      Math.min(span.startUnixMs, nowUnixMs),
      Math.max(0, span.durationNano / 1e6),
      tokens(inputTokensOf(span)),
      tokens(outputTokensOf(span)),
      span.statusCode === errorStatus,
      modelOf(span) ?? "",
    );
  }
}

function tokens(count: number | undefined): number {
  return count === undefined || !(count > 0) ? 0 : Math.min(mostTokens, Math.round(count));
}
