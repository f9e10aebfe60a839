/**
 * Sends prompts to an OpenAI-compatible server and their telemetry to an OTLP/gRPC endpoint, then prints as JSON what
 * really happened. `node examples/inference-worker/main.ts --help`
 */
import { parseArgs } from "node:util";
import { gpuAttributes, isLocal } from "./gpu.ts";
import { planJobs } from "./jobs.ts";
import { type RequestTruth, runJobs } from "./run.ts";
import { contextTokens, firstModel } from "./server_facts.ts";
import { startTelemetry } from "./telemetry.ts";
import { InferenceWorker } from "./worker.ts";

const options = {
  server: { type: "string", default: "http://127.0.0.1:8090" },
  provider: { type: "string", default: "llama_cpp" },
  model: { type: "string" },
  otlp: { type: "string", default: "http://127.0.0.1:4317" },
  service: { type: "string", default: "inference-worker" },
  requests: { type: "string", default: "10" },
  concurrency: { type: "string", default: "2" },
  "requests-per-workflow": { type: "string", default: "5" },
  workflow: { type: "string", default: "answer-questions" },
  agent: { type: "string", default: "answerer" },
  "max-tokens": { type: "string", default: "32" },
  stream: { type: "string", default: "mixed" },
  failures: { type: "boolean", default: false },
  "capture-content": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const usage = `Usage: node examples/inference-worker/main.ts [options]
  --server URL               OpenAI-compatible server (${options.server.default})
  --provider NAME            gen_ai.provider.name: llama_cpp, vllm, ollama, ... (${options.provider.default})
  --model NAME               model to ask for (the first that the server lists)
  --otlp URL                 OTLP/gRPC endpoint (${options.otlp.default})
  --service NAME             service.name (${options.service.default})
  --requests N               plain requests (${options.requests.default})
  --concurrency N            workflows at once (${options.concurrency.default})
  --requests-per-workflow N  requests in one trace (${options["requests-per-workflow"].default})
  --workflow NAME            gen_ai.workflow.name (${options.workflow.default})
  --agent NAME               gen_ai.agent.name (${options.agent.default})
  --max-tokens N             longest answer (${options["max-tokens"].default})
  --stream WHEN              always, never or mixed (${options.stream.default})
  --failures                 also overflow the context, cancel in mid-stream, and ask for a model that is not there
  --capture-content          put prompts and answers on the spans
The bearer token, if the server wants one, is read from OPENAI_API_KEY.`;

const { values } = parseArgs({ options });
if (values.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const model = values.model ?? (await firstModel(values.server));
  const jobs = planJobs({
    model,
    requests: wholeNumber("requests", 0),
    maxTokens: wholeNumber("max-tokens", 1),
    stream: streaming(values.stream),
    failures: values.failures,
    contextTokens: values.failures ? await contextTokens(values.server, model) : 0,
  });
  const attributes = isLocal(values.server) ? await gpuAttributes() : {};
  const telemetry = startTelemetry({ endpoint: values.otlp, service: values.service, attributes });
  const apiKey = process.env["OPENAI_API_KEY"];
  const captured = process.env["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"];
  const worker = new InferenceWorker({
    ...telemetry,
    serverUrl: values.server,
    provider: values.provider,
    captureContent: values["capture-content"] || captured?.toLowerCase() === "true",
    ...(apiKey === undefined ? {} : { apiKey }),
  });
  const requests = await runJobs(worker, jobs, {
    workflow: values.workflow,
    agent: values.agent,
    requestsPerWorkflow: wholeNumber("requests-per-workflow", 1),
    concurrency: wholeNumber("concurrency", 1),
    onRequest: report,
  });
  await telemetry.shutdown();
  console.log(JSON.stringify({ service: values.service, model, totals: totals(requests), requests }, null, 2));
}

function report({ kind, outcome, errorType, inputTokens, outputTokens, traceId }: RequestTruth): void {
  const said = outcome === "ok" ? `${inputTokens ?? "?"} + ${outputTokens ?? "?"} tokens` : errorType;
  console.error(`${traceId} ${kind}: ${outcome}, ${said}`);
}

function totals(requests: readonly RequestTruth[]): Record<string, number> {
  const sum = (of: (truth: RequestTruth) => number): number => requests.reduce((total, truth) => total + of(truth), 0);
  return {
    requests: requests.length,
    errors: sum(({ outcome }) => (outcome === "error" ? 1 : 0)),
    traces: new Set(requests.map(({ traceId }) => traceId)).size,
    inputTokens: sum(({ inputTokens }) => inputTokens ?? 0),
    outputTokens: sum(({ outputTokens }) => outputTokens ?? 0),
  };
}

function wholeNumber(name: "requests" | "max-tokens" | "requests-per-workflow" | "concurrency", least: number): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name}: a whole number of at least ${least}`);
  return value;
}

function streaming(value: string): "always" | "never" | "mixed" {
  if (value === "always" || value === "never" || value === "mixed") return value;
  throw new Error(`--stream ${value}: always, never or mixed`);
}
