import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import definition from "../../../extensions/zpages/index.ts";
import type { Lifecycle } from "../../../pipeline/component.ts";
import type { ExtensionHost } from "../../../pipeline/host.ts";
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

const service: Partial<ServiceView> = {
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
    for (const link of ["pipelinez", "extensionz", "featurez"]) assert.ok(text.includes(`<a href="${link}">`));
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
