import type { NestedCalls } from "../../pipeline/llm/nested_calls.ts";
import { inputTokensOf, isRequest, modelOf, outputTokensOf } from "../../pipeline/llm/request.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";
import type { RequestStore } from "./request_store.ts";

const errorStatus = 2;
const mostTokens = 0xffff_ffff;

/**
 * Adds each request among the spans to `store`. A start in the future counts as now, so that a sender's wrong clock
 * neither hides a request nor keeps it for ever. All spans go to `calls`, which finds those of one and the same call.
 */
export function readRequests(traces: Traces, nowUnixMs: number, store: RequestStore, calls: NestedCalls): void {
  for (const span of traces.spans()) {
    if (!isRequest(span)) {
      calls.add(span, -1, false);
      continue;
    }
    const [input, output] = [tokens(inputTokensOf(span)), tokens(outputTokensOf(span))];
    const row = store.add(
      Math.min(span.startUnixMs, nowUnixMs),
      Math.max(0, span.durationNano / 1e6),
      input,
      output,
      span.statusCode === errorStatus,
      modelOf(span) ?? "",
    );
    calls.add(span, row, input + output > 0);
  }
}

function tokens(count: number | undefined): number {
  return count === undefined || !(count > 0) ? 0 : Math.min(mostTokens, Math.round(count));
}
