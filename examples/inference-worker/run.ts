import { type Span, trace } from "@opentelemetry/api";
import { InferenceError } from "./inference_error.ts";
import type { Job } from "./jobs.ts";
import type { ChatResponse } from "./openai.ts";
import type { InferenceWorker } from "./worker.ts";

/** What became of one request, from the server's answer and not from the telemetry: a test compares the two. */
export interface RequestTruth {
  readonly kind: Job["kind"];
  readonly workflow: string;
  readonly traceId: string;
  readonly spanId: string;
  /** The agent's span, under which the request's span belongs. */
  readonly parentSpanId: string;
  readonly requestModel: string;
  readonly responseModel: string | null;
  readonly streamed: boolean;
  readonly outcome: "ok" | "error";
  readonly errorType: string | null;
  readonly finishReasons: readonly string[];
  /** Null when the server did not say, as for a failed request. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** How the jobs are laid out. */
export interface RunSettings {
  readonly workflow: string;
  readonly agent: string;
  readonly requestsPerWorkflow: number;
  /** Workflows that run at once. */
  readonly concurrency: number;
  /** Told after each request. */
  readonly onRequest?: (truth: RequestTruth) => void;
}

/**
 * Runs the jobs in traces of `requestsPerWorkflow` requests: a workflow, its agent, and the agent's requests one after
 * another. A request that fails does not stop its agent.
 */
export async function runJobs(
  worker: InferenceWorker,
  jobs: readonly Job[],
  settings: RunSettings,
): Promise<RequestTruth[]> {
  const groups = inGroups(jobs, settings.requestsPerWorkflow);
  const results: RequestTruth[][] = groups.map(() => []);
  let next = 0;
  const takeGroups = async (): Promise<void> => {
    for (let index = next++; index < groups.length; index = next++) {
      results[index] = await runGroup(worker, groups[index] ?? [], settings);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, settings.concurrency) }, takeGroups));
  return results.flat();
}

async function runGroup(worker: InferenceWorker, jobs: readonly Job[], settings: RunSettings): Promise<RequestTruth[]> {
  return await worker.runWorkflow(settings.workflow, async () =>
    worker.runAgent(settings.agent, async () => {
      const truths: RequestTruth[] = [];
      for (const job of jobs) {
        const truth = await runJob(worker, job, settings.workflow);
        settings.onRequest?.(truth);
        truths.push(truth);
      }
      return truths;
    }),
  );
}

async function runJob(worker: InferenceWorker, job: Job, workflow: string): Promise<RequestTruth> {
  const parentSpanId = trace.getActiveSpan()?.spanContext().spanId ?? "";
  const cancellation = new AbortController();
  let span: Span | undefined;
  let response: ChatResponse | undefined;
  let failure: unknown;
  try {
    response = await worker.chat(job.request, {
      signal: cancellation.signal,
      onSpan: (started) => {
        span = started;
      },
      ...(job.kind === "cancelled" ? { onText: () => cancellation.abort() } : {}),
    });
  } catch (error) {
    failure = error;
    if (error instanceof InferenceError) response = error.partial;
  }
  return {
    kind: job.kind,
    workflow,
    traceId: span?.spanContext().traceId ?? "",
    spanId: span?.spanContext().spanId ?? "",
    parentSpanId,
    requestModel: job.request.model,
    responseModel: response?.model ?? null,
    streamed: job.request.stream === true,
    outcome: failure === undefined ? "ok" : "error",
    errorType: failure === undefined ? null : failure instanceof InferenceError ? failure.errorType : "_OTHER",
    finishReasons: response?.finishReasons ?? [],
    inputTokens: response?.usage?.inputTokens ?? null,
    outputTokens: response?.usage?.outputTokens ?? null,
  };
}

function inGroups<Item>(items: readonly Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
