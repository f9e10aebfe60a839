import { exporter } from "../../pipeline/component.ts";
import { duration, z } from "../../pipeline/config/schema.ts";
import { defaultDirectory, PlotlyExporter } from "./plotly_exporter.ts";
import { bytesPerRequest } from "./request_store.ts";

const config = z.strictObject({
  directory: z
    .string()
    .default(defaultDirectory)
    .describe(
      "Where the figures are written as JSON, one file each and dashboard.json; empty to write none. An exporter with a " +
        "name writes to a folder of that name in the default directory. Where that cannot be written, a warning says so; " +
        "with a directory of your own otelpipe does not start then.",
    ),
  window: duration()
    .refine((milliseconds) => milliseconds >= 1000, "must be at least 1s")
    .prefault("15m")
    .describe("How far back the figures reach, by the start of a request."),
  refresh_interval: duration()
    .refine((milliseconds) => milliseconds >= 100, "must be at least 100ms")
    .prefault("1s")
    .describe("Least time between two versions of a figure."),
  write_interval: duration()
    .refine((milliseconds) => milliseconds >= 100, "must be at least 100ms")
    .prefault("10s")
    .describe("Least time between two versions of the files; the last ones are written at shutdown."),
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
    .describe(
      `Requests kept, ${bytesPerRequest} bytes each; further ones displace the oldest. Another 10 MB serve to find the spans of one call.`,
    ),
  tables: z
    .array(z.string())
    .default([])
    .describe("Ids of aggregate processors or connectors whose tables are drawn too, a figure per column."),
});

export default exporter({
  type: "plotly",
  stability: { traces: "alpha" },
  summary:
    "Draws LLM requests (client spans that name a gen_ai operation or model) as Plotly figures over a rolling window: latency, tokens over time, input against output, request rate. The `dashboard` extension serves them; without it they exist as files only. A call that an SDK and a gateway both trace, one span below the other, counts once: of such requests of one kind (text or embeddings) the innermost, unless a tool or an agent lies between them; each of several attempts below one request counts. Where only an outer span reports tokens, these count once.",
  config,
  examples: [
    { title: "Figures as files, and on the dashboard where its extension runs", yaml: "plotly:" },
    { title: "Figures on the dashboard only", yaml: 'plotly: { directory: "" }' },
    {
      title: "Files in a directory of your own, and the tables of an aggregate beside them",
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
        writeIntervalMs: settings.write_interval,
        maxPoints: settings.max_points,
        maxRequests: settings.max_requests,
        tables: settings.tables,
      },
      host,
    ),
});
