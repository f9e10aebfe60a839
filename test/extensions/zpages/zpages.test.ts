import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import definition from "../../../extensions/zpages/index.ts";
import type { Lifecycle } from "../../../pipeline/component.ts";
import type { ExtensionHost } from "../../../pipeline/host.ts";
import { RecentSpans } from "../../../pipeline/telemetry/tracing/recent_spans.ts";
import type { NodeView, ServiceView } from "../../../pipeline/view.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

const books = { in: 5, out: 3, refused: 0, held: 0, passed: 3, dropped: new Map([["sampled_out", 2]]) };
const processor: NodeView = {
  key: "processor:traces/a:batch/<b>",
  kind: "processor",
  id: "batch/<b>",
  pipelineId: "traces/a",
  isRemoved: false,
  books,
  facts: () => [{ label: "queue", text: "1 %" }],
};

const recent = new RecentSpans();
const context = { traceId: "1".repeat(32), spanId: "2".repeat(16), isSampled: true, isRemote: false };
for (const { tookMs, error } of [
  { tookMs: 0.5, error: undefined },
  { tookMs: 5, error: undefined },
  { tookMs: 7, error: undefined },
  { tookMs: 3, error: "no <route>" },
]) {
  recent.started("exporter/debug/traces");
  recent.ended({
    name: "exporter/debug/traces",
    kind: "internal",
    scope: { name: "exporterhelper" },
    component: {},
    context,
    parent: undefined,
    startUnixMs: Date.UTC(2026, 0, 1),
    endUnixMs: Date.UTC(2026, 0, 1) + tookMs,
    attributes: { "items.sent": 3 },
    events: [],
    error,
  });
}
recent.started("exporter/debug/traces");

const service: Partial<ServiceView> = {
  ownSpans: () => recent,
  command: "otelpipe",
  version: "1.2.3",
  startedUnixMs: Date.UTC(2026, 0, 1),
  pipelines: () => [
    { id: "traces/a", signal: "traces", receivers: ["otlp"], processors: ["batch/<b>"], exporters: ["debug", "nop"] },
  ],
  extensions: () => ["zpages", "health_check"],
  featureGates: async () => [
    { id: "a.gate", isEnabled: true, stage: "Beta", description: "Does <things>.", from: "v0.1.0" },
  ],
  nodes: () => [processor],
};

describe("zpages", () => {
  const open: Lifecycle[] = [];
  let base = "";
  let withVariables = "";
  const start = async (config: object) => {
    const host = simulatedHost();
    const settings = definition.config.parse({ endpoint: "localhost:0", ...config });
    const extension = definition.create(settings, { ...host, service } as unknown as ExtensionHost);
    await extension.start?.();
    open.push(extension);
    const line = host.logs.find(({ message }) => message === "Starting zPages extension");
    return `http://${String(line?.fields["endpoint"]).split(", ")[0]}/debug`;
  };
  before(async () => {
    base = await start({});
    withVariables = await start({ expvar: { enabled: true } });
  });
  after(async () => {
    for (const extension of open) await extension.stop?.();
  });
  const page = async (path: string) => (await fetch(`${base}/${path}`)).text();
  const data = async (path: string) => (await fetch(`${base}/${path}`)).json();

  it("listens where the Collector's does", () => {
    assert.equal(definition.config.parse({}).endpoint, "localhost:55679");
    const refused = definition.config.safeParse({ endpoint: "" });
    assert.equal(refused.error?.issues[0]?.message, '"endpoint" is required when using the "zpages" extension');
  });

  it("shows the build and leads to the other pages", async () => {
    const text = await page("servicez");
    assert.match(text, /<h2>Service otelpipe<\/h2>/);
    assert.match(text, /<td>Version<\/td><td>1\.2\.3<\/td>/);
    assert.match(text, /<td>StartTimestamp<\/td><td>2026-01-01T00:00:00\.000Z<\/td>/);
    for (const link of ["pipelinez", "extensionz", "featurez", "tracez"])
      assert.ok(text.includes(`<a href="${link}">`));
    const { build } = await data("servicez.json");
    assert.equal(build.Version, "1.2.3");
  });

  it("shows the pipelines, and the books of a component that was chosen", async () => {
    const query = "?zpipelinename=traces%2Fa&zcomponentname=batch%2F%3Cb%3E&zcomponentkind=processor";
    const plain = await page("pipelinez");
    assert.ok(plain.includes(`<a href="${query.replaceAll("&", "&#38;")}">batch/&#60;b&#62;</a>`));
    assert.ok(!plain.includes("sampled_out"));
    const chosen = await page(`pipelinez${query}`);
    assert.ok(chosen.includes("<td>dropped: sampled_out</td><td>2</td>"));
    assert.ok(chosen.includes("<td>queue</td><td>1 %</td>"));
    assert.deepEqual(await data(`pipelinez.json${query}`), {
      pipelines: [
        {
          fullName: "traces/a",
          inputType: "traces",
          mutatesData: false,
          receivers: ["otlp"],
          processors: ["batch/<b>"],
          exporters: ["debug", "nop"],
        },
      ],
      component: {
        pipeline: "traces/a",
        kind: "processor",
        id: "batch/<b>",
        items: { in: 5, out: 3, refused: 0, held: 0, dropped: { sampled_out: 2 } },
      },
    });
  });

  it("shows the extensions and the feature gates", async () => {
    assert.ok((await page("extensionz")).includes('<a href="?zextensionname=health_check">health_check</a>'));
    assert.ok((await page("extensionz?zextensionname=zpages")).includes("<h4>zpages</h4>"));
    assert.ok(!(await page("extensionz?zextensionname=other")).includes("<h4>"));
    assert.deepEqual(await data("extensionz.json"), { extensions: ["health_check", "zpages"] });
    assert.ok((await page("featurez")).includes("<td>Does &#60;things&#62;.</td>"));
    assert.equal((await data("featurez.json")).features[0].enabled, true);
  });

  it("shows own spans by latency, and those that were chosen", async () => {
    const { spans } = await data("tracez.json");
    assert.deepEqual(spans, [
      { name: "exporter/debug/traces", running: 1, latencies: [0, 0, 1, 2, 0, 0, 0, 0, 0], errors: 1 },
    ]);
    const slow = "?zspanname=exporter%2Fdebug%2Ftraces&ztype=1&zlatencybucket=3";
    assert.ok((await page("tracez")).includes(`<a href="${slow.replaceAll("&", "&#38;")}">2</a>`));
    const text = await page(`tracez${slow}`);
    assert.ok(text.includes("<td>5.000 ms</td>") && text.includes("<td>7.000 ms</td>"));
    assert.ok(text.includes("items.sent: 3"));
    const failed = await page("tracez?zspanname=exporter%2Fdebug%2Ftraces&ztype=2");
    assert.ok(failed.includes("error: no &#60;route&#62;") && !failed.includes("7.000 ms"));
  });

  it("shows the variables of the process only when asked to", async () => {
    assert.equal((await fetch(`${base}/expvarz`)).status, 404);
    const answer = await fetch(`${withVariables}/expvarz`);
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    const { cmdline, memstats } = (await answer.json()) as { cmdline: string[]; memstats: { HeapAlloc: number } };
    assert.deepEqual(cmdline, process.argv);
    assert.ok(memstats.HeapAlloc > 0);
  });

  it("gives nothing else, and no page to scripts", async () => {
    assert.equal((await fetch(`${base}/other`)).status, 404);
    assert.equal((await fetch(`${base}/servicez`, { method: "POST" })).status, 405);
    const { headers } = await fetch(`${base}/servicez`);
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  });
});
