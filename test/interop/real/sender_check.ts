import assert from "node:assert/strict";
import { isRequest, type SentSpan } from "./truth.ts";
import type { Work } from "./workload.ts";

/** What the worker and the notebook say they did is what arrived: every request, its outcome, and its parent. */
export function checkSenders(truth: readonly SentSpan[], { worker, notebook, failing }: Work): string[] {
  const said = [...worker.requests, ...failing.requests];
  for (const request of said) {
    const span = truth.find(({ spanId }) => spanId === request.spanId);
    assert.ok(span !== undefined, `${request.kind} ${request.spanId} did not arrive`);
    assert.deepEqual(
      [span.traceId, span.parentSpanId, span.attributes["error.type"] ?? null, span.statusCode === 2],
      [request.traceId, request.parentSpanId, request.errorType, request.outcome === "error"],
    );
    const parent = truth.find(({ spanId }) => spanId === span.parentSpanId);
    assert.match(parent?.name ?? "", /^invoke_agent /);
  }
  const own = truth.filter(({ traceId }) => notebook.traceIds.includes(traceId));
  assert.deepEqual(
    [own.length, own.filter(({ parentSpanId }) => parentSpanId !== "").length, own.filter(isRequest).length],
    [notebook.spans, notebook.edges, notebook.requests],
  );
  const ofWorkers = truth.length - own.length;
  const requests = said.length + notebook.requests;
  assert.equal(truth.filter(isRequest).length, requests);
  const errors = failing.requests.map(({ kind, errorType }) => `${kind} (\`${errorType}\`)`);
  assert.deepEqual(
    failing.requests.map(({ kind, outcome }) => `${kind} ${outcome}`),
    ["context_overflow error", "cancelled error", "wrong_model error"],
  );
  assert.equal(notebook.errors, 1);
  const completions = worker.totals.requests - worker.totals.errors + notebook.requests - notebook.errors;
  assert.ok(completions >= 40, `only ${completions} completions`);
  const streamed = worker.requests.filter(({ streamed: is }) => is).length;
  return [
    `${completions} completions of a real model: ${worker.totals.requests} by the worker (${streamed} streamed), ${notebook.requests - notebook.errors} by the notebook`,
    `${errors.length + 1} failures: ${errors.join(", ")}, and the notebook's context overflow`,
    `${ofWorkers} spans of the worker and ${own.length} of the notebook arrived, every request under its parent`,
  ];
}
