import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expectedRequests } from "../../../cmd/generate/expected.ts";
import type { Truth } from "../../../cmd/generate/truth.ts";
import { Daemon } from "../../support/daemon.ts";
import { check, type Findings } from "../check.ts";
import { startOtelpipe } from "../otelpipe.ts";
import type { CollectorPorts } from "../peers/collector.ts";
import { run } from "../peers/peer.ts";
import { eventually, runFolder } from "../peers/server.ts";
import { withServers } from "../with_servers.ts";

const sources = ["openinference", "openllmetry", "llamatelemetry", "older_gen_ai"];

/** What the script prints of a figure. */
interface Read {
  readonly meta: Readonly<Record<"requests" | "failed" | "input_tokens" | "output_tokens" | "total_tokens", number>>;
  readonly traces: readonly {
    readonly type: string;
    readonly name: string;
    readonly points: number;
    readonly sumX: number;
    readonly sumY: number;
    readonly last: number | null;
  }[];
}

const names = ["dashboard", "input_against_output", "request_latency", "request_rate", "tokens_over_time"];

/** The files of the plotly exporter, read by Python's `plotly.io.from_json`, hold what `otelpipe generate` says it sent. */
export const figures = check({
  name: "figures",
  area: "plotly, graphistry, pyarrow",
  needs: ["python_sdk"],
  async run(peers): Promise<Findings> {
    const folder = await runFolder("figures");
    return await withServers(async (started) => {
      const otelpipe = started(await startOtelpipe((ports) => configOf(ports, folder)));
      const truth = await generate(otelpipe.grpcPort);
      const { all } = expectedRequests(truth, sources);
      assert.ok(all.requests > 100 && all.failed > 0);
      await eventually(async () => {
        const { layout } = JSON.parse(await readFile(join(folder, "dashboard.json"), "utf8"));
        return layout.meta.requests === all.requests || undefined;
      });
      const script = join(import.meta.dirname, "figures.py");
      const read = JSON.parse(await run(peers.python_sdk.executable, [script, folder], { timeoutMs: 120_000 }));
      const drawn = read.figures as Record<string, Read>;
      assert.deepEqual(Object.keys(drawn).sort(), names);
      for (const name of names) compareMeta(drawn[name], all, name);
      compareTraces(drawn, all);
      return {
        rows: [
          {
            peer: `plotly ${read.version} (Python)`,
            checked: "from_json on every figure file of a generated workload, against its ground truth",
            result: `${names.length} figures: ${all.requests} requests, ${all.failed} failed, ${all.inputTokens} + ${all.outputTokens} tokens equal`,
          },
        ],
      };
    });
  },
});

type Totals = ReturnType<typeof expectedRequests>["all"];

function compareMeta(figure: Read | undefined, all: Totals, name: string): void {
  assert.ok(figure !== undefined, name);
  const { requests, failed, input_tokens, output_tokens, total_tokens } = figure.meta;
  assert.deepEqual(
    { requests, failed, inputTokens: input_tokens, outputTokens: output_tokens, total_tokens },
    { ...all, total_tokens: all.inputTokens + all.outputTokens },
    name,
  );
}

/** What is drawn, as plotly understood it: a point for each request, at its tokens. */
function compareTraces(drawn: Record<string, Read>, all: Totals): void {
  const trace = (figure: string, place = 0) => drawn[figure]?.traces[place];
  assert.deepEqual([trace("request_latency")?.type, trace("request_latency")?.points], ["histogram", all.requests]);
  const scatter = trace("input_against_output");
  assert.deepEqual([scatter?.points, scatter?.sumX, scatter?.sumY], [all.requests, all.inputTokens, all.outputTokens]);
  assert.equal(trace("tokens_over_time")?.sumY, all.inputTokens + all.outputTokens);
  assert.equal(trace("request_rate")?.last, all.requests);
  assert.deepEqual(
    drawn["dashboard"]?.traces.map(({ points }) => points),
    Array(4).fill(all.requests),
  );
}

async function generate(grpcPort: number): Promise<Truth> {
  const truthFile = join(await runFolder("truth"), "truth.json");
  const limits = ["--rate", "1500", "--spans", "6000", "--send", "whole", "--seed", "20", "--no-metrics", "--quiet"];
  const generator = Daemon.launch({
    args: ["generate", "--endpoint", `127.0.0.1:${grpcPort}`, "--truth", truthFile, ...limits],
  });
  assert.equal(await generator.ended(), 0, generator.log);
  return JSON.parse(await readFile(truthFile, "utf8"));
}

function configOf(ports: CollectorPorts, folder: string): string {
  return `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${ports.grpcPort}" } } }
processors:
  gen_ai_normalizer: { sources: [${sources.map((name) => `{ name: ${name} }`).join(", ")}] }
exporters:
  plotly: { directory: ${JSON.stringify(folder)}, refresh_interval: 200ms }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [gen_ai_normalizer], exporters: [plotly] } }
`;
}
