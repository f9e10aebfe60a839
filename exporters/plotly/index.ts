import { exporter } from "../../pipeline/component.ts";
import { duration, z } from "../../pipeline/config/schema.ts";
import { PlotlyExporter } from "./plotly_exporter.ts";
import { bytesPerRequest } from "./request_store.ts";

const config = z.strictObject({
  directory: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Where the figures are written as JSON, one file each and dashboard.json. Without it they are only published.",
    ),
  window: duration()
    .refine((milliseconds) => milliseconds >= 1000, "must be at least 1s")
    .prefault("15m")
    .describe("How far back the figures reach, by the start of a request."),
  refresh_interval: duration()
    .refine((milliseconds) => milliseconds >= 100, "must be at least 100ms")
    .prefault("1s")
    .describe("Least time between two versions of a figure."),
  max_points: z
    .int()
    .min(100)
    .default(5000)
    .describe(
      "Points of a trace; above it requests are thinned, failed and slow ones kept first, and latencies drawn as bars. " +
        "Totals in layout.meta stay exact.",
    ),
  max_requests: z
    .int()
    .min(1)
    .default(1_000_000)
    .describe(`Requests kept, ${bytesPerRequest} bytes each; further ones displace the oldest.`),
  tables: z
    .array(z.string())
    .default([])
    .describe("Ids of aggregate processors or connectors whose tables are drawn too, a figure per column."),
});

export default exporter({
  type: "plotly",
  stability: { traces: "alpha" },
  summary:
    "Draws LLM requests (client spans that name a gen_ai operation or model) as Plotly figures over a rolling window: latency, tokens over time, input against output, request rate.",
  config,
  examples: [
    { title: "Figures on the dashboard", yaml: "plotly:" },
    {
      title: "Figures as files, and the tables of an aggregate beside them",
      yaml: `plotly:
  directory: ./figures
  window: 1h
  tables: [aggregate/llm]`,
    },
  ],
  traces: (settings, host) =>
    new PlotlyExporter(
      {
        directory: settings.directory,
        windowMs: settings.window,
        refreshIntervalMs: settings.refresh_interval,
        maxPoints: settings.max_points,
        maxRequests: settings.max_requests,
        tables: settings.tables,
      },
      host,
    ),
});
