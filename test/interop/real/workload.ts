import { join } from "node:path";
import type { RequestTruth } from "../../../examples/inference-worker/run.ts";
import { run } from "../peers/peer.ts";
import type { Peers, Stage } from "./stage.ts";

const examples = join(import.meta.dirname, "..", "..", "..", "examples");
const longestAnswer = "24";

/** What the worker printed. */
export interface WorkerSaid {
  readonly service: string;
  readonly totals: Said;
  readonly requests: readonly RequestTruth[];
}

/** What the notebook's script printed. */
export interface NotebookSaid extends Said {
  readonly traceIds: readonly string[];
  readonly spans: number;
  readonly edges: number;
}

interface Said {
  readonly requests: number;
  readonly errors: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** llama-server's own counts since the model was loaded. */
export interface Counters {
  /** Prompt tokens that were computed: those found in the cache are not among them. */
  readonly promptTokens: number;
  readonly cachedPromptTokens: number;
  readonly predictedTokens: number;
}

/** What was done, by those who did it; nothing here comes through otelpipe. */
export interface Work {
  readonly worker: WorkerSaid;
  readonly notebook: NotebookSaid;
  /** The worker's second run: nothing but requests that fail. */
  readonly failing: WorkerSaid;
  /** After the worker's and the notebook's requests, and after the failing ones too. */
  readonly counters: { readonly before: Counters; readonly after: Counters };
}

/** Sends the requests: the worker's, the notebook's, then those that fail in mid-work. */
export async function doWork(peers: Peers, stage: Stage): Promise<Work> {
  const worker = await runWorker(stage, ["--requests", "28", "--requests-per-workflow", "4", "--service", "worker"]);
  const notebook = await runNotebook(peers, stage);
  const before = await readCounters(stage);
  const failing = await runWorker(stage, ["--requests", "0", "--failures", "--service", "failing-worker"]);
  return { worker, notebook, failing, counters: { before, after: await readCounters(stage) } };
}

async function runWorker(stage: Stage, options: readonly string[]): Promise<WorkerSaid> {
  const common = [
    "--server",
    stage.llama.url,
    "--otlp",
    stage.otlp,
    "--max-tokens",
    longestAnswer,
    "--stream",
    "mixed",
  ];
  const script = join(examples, "inference-worker", "main.ts");
  return JSON.parse(await run(process.execPath, [script, ...common, ...options], { timeoutMs: 300_000 }));
}

/** The script names the model, which a router wants; its failing request overflows the context. */
async function runNotebook(peers: Peers, stage: Stage): Promise<NotebookSaid> {
  const options = ["--server", stage.llama.url, "--otlp", stage.otlp, "--requests", "10", "--failure"];
  const more = ["--max-tokens", longestAnswer, "--model", stage.llama.model];
  const script = join(examples, "notebook-14", "main.py");
  return JSON.parse(await run(peers.python.executable, [script, ...options, ...more], { timeoutMs: 300_000 }));
}

async function readCounters({ llama }: Stage): Promise<Counters> {
  const response = await fetch(`${llama.url}/metrics?model=${llama.model}`, { signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  const counter = (name: string): number => {
    const value = new RegExp(`^llamacpp:${name} (\\S+)$`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`llama-server has no counter ${name}:\n${text}`);
    return Number(value);
  };
  return {
    promptTokens: counter("prompt_tokens_total"),
    cachedPromptTokens: counter("prompt_tokens_cached_total"),
    predictedTokens: counter("tokens_predicted_total"),
  };
}
