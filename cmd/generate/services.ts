import type { DialectName } from "./dialects/names.ts";
import type { Attributes } from "./span.ts";

/** An instrumentation scope. */
export interface Scope {
  readonly name: string;
  readonly version: string;
}

/** A process that sends spans. */
export interface Service {
  readonly name: string;
  readonly resource: Attributes;
}

/** A model, how fast it answers and who serves it. */
export interface Model {
  readonly name: string;
  /** What the answer calls it. */
  readonly responseName: string;
  readonly provider: string;
  /** Tokens per second of prefill; absent for a remote API, whose wait is drawn as a whole. */
  readonly prefillRate?: number;
  /** Median seconds per output token. */
  readonly secondsPerToken: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** Our own engine that serves it and traces what it does. */
  readonly engine?: Service;
}

function service(name: string, version: string, host: string, more: Attributes = {}): Service {
  return {
    name,
    resource: {
      "service.name": name,
      "service.version": version,
      "service.instance.id": `${host}-1`,
      "deployment.environment.name": "production",
      "host.name": host,
      "telemetry.sdk.name": "opentelemetry",
      ...more,
    },
  };
}

function gpu(model: string, count: number, memoryMib: number, capability: string): Attributes {
  return {
    "gpu.model": model,
    "gpu.count": count,
    "gpu.memory.total": memoryMib,
    "gpu.compute_capability": capability,
  };
}

const vllm70b = service("vllm-70b", "0.11.0", "gpu-h100-0", gpu("NVIDIA H100 80GB HBM3", 4, 81559, "9.0"));
const vllm8b = service("vllm-8b", "0.11.0", "gpu-h100-1", gpu("NVIDIA H100 80GB HBM3", 1, 81559, "9.0"));

/** The models: on a T4 (`t4` is what the notebook calls by no name), on H100s, and remote APIs. */
export const models = {
  large: {
    name: "llama-3.3-70b-instruct",
    responseName: "meta-llama/Llama-3.3-70B-Instruct",
    provider: "vllm",
    prefillRate: 6_000,
    secondsPerToken: 0.025,
    serverAddress: "gpu-h100-0",
    serverPort: 8000,
    engine: vllm70b,
  },
  small: {
    name: "llama-3.1-8b-instruct",
    responseName: "meta-llama/Llama-3.1-8B-Instruct",
    provider: "vllm",
    prefillRate: 15_000,
    secondsPerToken: 0.01,
    serverAddress: "gpu-h100-1",
    serverPort: 8000,
    engine: vllm8b,
  },
  frontier: {
    name: "gpt-4.1",
    responseName: "gpt-4.1-2025-04-14",
    provider: "openai",
    secondsPerToken: 0.028,
    serverAddress: "api.openai.com",
    serverPort: 443,
  },
  frontierAgent: {
    name: "claude-sonnet-4-5",
    responseName: "claude-sonnet-4-5-20250929",
    provider: "anthropic",
    secondsPerToken: 0.028,
    serverAddress: "api.anthropic.com",
    serverPort: 443,
  },
  t4: {
    name: "unknown",
    responseName: "Qwen2.5-3B-Instruct-Q4_K_M",
    provider: "llama.cpp",
    prefillRate: 900,
    secondsPerToken: 0.014,
    serverAddress: "127.0.0.1",
    serverPort: 8090,
  },
  t4Named: {
    name: "Qwen2.5-3B-Instruct-Q4_K_M",
    responseName: "Qwen2.5-3B-Instruct-Q4_K_M",
    provider: "llama.cpp",
    prefillRate: 900,
    secondsPerToken: 0.014,
    serverAddress: "127.0.0.1",
    serverPort: 8090,
  },
  embedding: {
    name: "bge-m3",
    responseName: "BAAI/bge-m3",
    provider: "vllm",
    prefillRate: 15_000,
    secondsPerToken: 0,
    serverAddress: "gpu-h100-1",
    serverPort: 8001,
  },
  reranker: {
    name: "bge-reranker-v2-m3",
    responseName: "BAAI/bge-reranker-v2-m3",
    provider: "vllm",
    prefillRate: 15_000,
    secondsPerToken: 0,
    serverAddress: "gpu-h100-1",
    serverPort: 8002,
  },
} as const satisfies Record<string, Model>;

/** One application for each dialect: a process is instrumented in one way. */
export const applications: Readonly<Record<DialectName, Service>> = {
  current: service("assistant-api", "3.2.0", "app-0", { "telemetry.sdk.language": "python" }),
  older: service("summarizer", "1.9.4", "app-1", { "telemetry.sdk.language": "python" }),
  openllmetry: service("support-bot", "2.4.1", "app-2", { "telemetry.sdk.language": "python" }),
  openinference: service("docs-search", "0.8.0", "app-3", { "telemetry.sdk.language": "python" }),
  vercel: service("web-chat", "5.0.2", "app-4", { "telemetry.sdk.language": "nodejs" }),
  llamatelemetry: service("llamatelemetry-inference", "0.1.1", "kaggle-gpu-0", {
    "service.instance.id": "kaggle-t4-worker-1",
    "deployment.environment": "kaggle-notebook",
    "telemetry.sdk.language": "python",
    "gpu.model": "Tesla T4",
    "gpu.memory.total": 15360,
    "gpu.compute_capability": "7.5",
  }),
  langsmith: service("contract-review", "1.1.0", "app-5", { "telemetry.sdk.language": "python" }),
  langfuse: service("sales-copilot", "4.0.3", "app-6", { "telemetry.sdk.language": "python" }),
};

export const toolServer: Service = service("mcp-tools", "0.6.2", "app-7", { "telemetry.sdk.language": "nodejs" });
export const backOffice: Service = service("orders-api", "7.7.0", "app-8", { "telemetry.sdk.language": "java" });
