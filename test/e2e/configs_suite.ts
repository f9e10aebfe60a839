import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import type { Truth } from "../../cmd/generate/truth.ts";
import { encode } from "../../pipeline/pdata/index.ts";
import { type Command, Daemon, type Stopped } from "../support/daemon.ts";

const freePorts = Object.fromEntries(
  ["GRPC", "HTTP", "HEALTH", "DASHBOARD", "METRICS"].map((name) => [`OTELPIPE_${name}_PORT`, "0"]),
);

/** A daemon that writes what it gets: the backend behind the config under test. */
async function startBackend(command: Command, folder: string) {
  const path = join(folder, "received.jsonl");
  return await Daemon.start({
    command,
    yaml: `
receivers: { otlp: { protocols: { grpc: { endpoint: "localhost:0" }, http: { endpoint: "localhost:0" } } } }
exporters: { file: { path: ${path} } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
    metrics: { receivers: [otlp], exporters: [file] }
    logs: { receivers: [otlp], exporters: [file] }
`,
  });
}

/** Sends a small seeded workload and gives back what it adds up to. */
async function generate(command: Command, folder: string, endpoint: string): Promise<Truth> {
  const truth = join(folder, "truth.json");
  const args = [
    "generate",
    "--endpoint",
    endpoint,
    "--spans",
    "300",
    "--rate",
    "100000",
    "--seed",
    "7",
    "--send",
    "whole",
  ];
  const sender = Daemon.launch({ command, args: [...args, "--quiet", "--no-metrics", "--truth", truth] });
  assert.equal(await sender.ended(), 0, sender.log);
  return JSON.parse(readFileSync(truth, "utf8")) as Truth;
}

async function post(daemon: Daemon, signal: "metrics" | "logs"): Promise<number> {
  const data =
    signal === "metrics"
      ? encode("metrics", {
          resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "m", gauge: { dataPoints: [{ asDouble: 1 }] } }] }] }],
        })
      : encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "line" } }] }] }] });
  const headers = { "content-type": "application/x-protobuf" };
  const body = new Uint8Array(data.toBuffer());
  return (await fetch(`${daemon.http}/v1/${signal}`, { method: "POST", headers, body })).status;
}

function spansIn(path: string): number {
  let spans = 0;
  for (const line of readFileSync(path, "utf8")
    .split("\n")
    .filter((text) => text !== "")) {
    for (const resource of JSON.parse(line).resourceSpans ?? []) {
      for (const scope of resource.scopeSpans ?? []) spans += scope.spans?.length ?? 0;
    }
  }
  return spans;
}

/** The figures and the graph lie where the config was told to, whole. */
function checkFiles(folder: string): void {
  const figures = readdirSync(join(folder, "figures"));
  assert.ok(figures.length >= 5, figures.join());
  for (const file of figures) JSON.parse(readFileSync(join(folder, "figures", file), "utf8"));
  assert.deepEqual(readdirSync(join(folder, "graph")).sort(), ["edges.arrow", "graph.json", "nodes.arrow"]);
}

/** What each config must show of the workload once it has stopped. */
interface Check {
  /** The signals of its pipelines, besides traces. */
  readonly signals: readonly ("metrics" | "logs")[];
  readonly check: (truth: Truth, books: Stopped["books"], folder: string) => void;
}

const checks: Record<string, Check> = {
  "quickstart.yaml": {
    signals: ["metrics"],
    check: (truth, books, folder) => {
      assert.equal(books["exporter:traces:plotly"]?.out, truth.spans);
      assert.equal(books["exporter:traces:graphistry"]?.out, truth.spans);
      checkFiles(folder);
      const sampler = books["processor:traces/sampled:probabilistic_sampler"];
      assert.ok(sampler !== undefined && sampler.out > 0 && (sampler.dropped["sampled_out"] ?? 0) > 0);
    },
  },
  "llm-observability.yaml": {
    signals: ["metrics", "logs"],
    check: (truth, books, folder) => {
      assert.equal(books["exporter:traces:otlp_grpc/jaeger"]?.out, truth.spans);
      assert.equal(books["exporter:traces:otlp_http/downstream"]?.out, truth.spans);
      assert.equal(books["exporter:metrics:otlp_http/downstream"]?.out, 1);
      assert.equal(books["exporter:logs:otlp_http/downstream"]?.out, 1);
      checkFiles(folder);
      assert.equal(spansIn(join(folder, "received.jsonl")), 2 * truth.spans);
    },
  },
  "gateway.yaml": {
    signals: ["metrics", "logs"],
    check: (truth, books, folder) => {
      assert.equal(books["exporter:traces:otlp_grpc"]?.out, truth.spans);
      assert.equal(books["exporter:logs:otlp_grpc"]?.out, 1);
      assert.equal(spansIn(join(folder, "received.jsonl")), truth.spans);
      assert.match(readFileSync(join(folder, "received.jsonl"), "utf8"), /"collector.gateway"/);
    },
  },
  "gpu-aggregation.yaml": {
    signals: [],
    check: (truth, books) => {
      assert.equal(books["connector:traces_to_metrics:aggregate/gpu"]?.in, truth.spans);
      assert.ok((books["exporter:metrics:debug"]?.out ?? 0) > 0);
    },
  },
};

/** What the ready configs in the folder `configs` must do, however otelpipe was installed. */
export function configsSuite(command: Command, configs: string): void {
  it("are all run here", () => {
    assert.deepEqual(
      Object.keys(checks).sort(),
      readdirSync(configs)
        .filter((file) => file.endsWith(".yaml"))
        .sort(),
    );
  });

  for (const [file, { signals, check }] of Object.entries(checks)) {
    it(`${file} validates, and delivers a workload with balanced books`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "otelpipe-configs-"));
      const backend = await startBackend(command, folder);
      const env = {
        ...freePorts,
        GATEWAY_HOST: "127.0.0.1",
        BACKEND_ENDPOINT: backend.grpc,
        JAEGER_ENDPOINT: backend.grpc,
        DOWNSTREAM_ENDPOINT: backend.http,
        FIGURE_DIRECTORY: join(folder, "figures"),
        GRAPH_DIRECTORY: join(folder, "graph"),
      };
      const config = ["--config", join(configs, file)];
      const validated = Daemon.launch({ command, args: ["validate", ...config], env });
      assert.equal(await validated.ended(), 0, validated.log);
      const daemon = await Daemon.start({ command, args: config, env });
      const truth = await generate(command, folder, daemon.grpc);
      for (const signal of signals) assert.equal(await post(daemon, signal), 200);
      const { code, books } = await daemon.stop();
      const behind = await backend.stop();
      assert.deepEqual([code, behind.code], [0, 0]);
      assert.equal(books["receiver:otlp"]?.refused, 0);
      check(truth, books, folder);
    });
  }
}
