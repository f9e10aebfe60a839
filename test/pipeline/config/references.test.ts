import assert from "node:assert/strict";
import { it } from "node:test";
import { exporter, extension } from "../../../pipeline/component.ts";
import { loadDefinitions, manifestOf } from "../../../pipeline/config/describe.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import { extensionId, headers, optionalBlock, z } from "../../../pipeline/config/schema.ts";
import { endpointText } from "../../../pipeline/net/setting_fields.ts";
import type { Registry } from "../../../pipeline/registry.ts";
import { testCatalog } from "./catalog.ts";

const gate = extension({
  type: "gate",
  stability: "alpha",
  summary: "Judges or proves, as it is told.",
  config: z.strictObject({ client: z.boolean().default(false) }),
  examples: [],
  roles: ({ client }) => (client ? ["HTTP client authenticator"] : ["server authenticator"]),
  create: () => ({}),
});

const web = exporter({
  type: "web",
  stability: { traces: "alpha" },
  summary: "Sends.",
  config: z.strictObject({
    auth: optionalBlock(() => z.strictObject({ authenticator: extensionId("HTTP client authenticator") }), "none"),
    middlewares: z.array(z.strictObject({ id: extensionId("HTTP client middleware") })).default([]),
    port: endpointText().optional(),
    tokens: headers().optional(),
    more: headers().optional(),
  }),
  examples: [],
  traces: () => assert.fail("nothing is started here"),
});

const registry: Registry = {
  ...testCatalog.registry,
  exporters: { ...testCatalog.registry.exporters, web: async () => ({ default: web }) },
  extensions: { ...testCatalog.registry.extensions, gate: async () => ({ default: gate }) },
};
const catalog = { registry, manifest: manifestOf(await loadDefinitions(registry)) };

function load(exporterSettings: string, extensions = "[gate/in, gate/out]", strictCompat = false) {
  const surroundings = {
    environment: {},
    readFile: () => `receivers: { otlp: { protocols: { grpc: } } }
extensions: { gate/in: , gate/out: { client: true } }
exporters:
  web: ${exporterSettings}
service: { extensions: ${extensions}, pipelines: { traces: { receivers: [otlp], exporters: [web] } } }
`,
  };
  return loadConfig(["pipeline.yaml"], catalog, surroundings, { strictCompat });
}

it("an extension that settings name is found when it runs and serves as what it is named for", async () => {
  const config = await load("{ auth: { authenticator: gate / out } }");
  assert.deepEqual(config.exporters.get("web")?.config, { auth: { authenticator: "gate/out" }, middlewares: [] });
  await load("{ auth: }");
});

it("what would fail at the start or when it sends is refused with its place, but not under strict compatibility", async () => {
  const settings = `{ port: localhost:65536, tokens: { "a b": x, ok: "1\\n2" }, more: [{ name: "", value: y }] }`;
  await assert.rejects(load(settings), (error: Error) => {
    const found = error.message.split("\n").filter((line) => line.startsWith("pipeline.yaml"));
    assert.deepEqual(found, [
      'pipeline.yaml:4:16: exporters.web.port: invalid endpoint "localhost:65536": a port is at most 65535',
      'pipeline.yaml:4:50: exporters.web.tokens.a b: "a b" is no header name: use letters, digits and hyphens',
      "pipeline.yaml:4:57: exporters.web.tokens.ok: a header value has one line",
      'pipeline.yaml:4:82: exporters.web.more[0].name: "" is no header name: use letters, digits and hyphens',
    ]);
    return true;
  });
  await load(settings, undefined, true);
});

for (const { name, settings, extensions, want } of [
  {
    name: "is not there",
    settings: "{ auth: { authenticator: gate/outt } }",
    want: `pipeline.yaml:4:27: exporters.web.auth.authenticator: extension "gate/outt" is not in service::extensions
   3 | exporters:
   4 |   web: { auth: { authenticator: gate/outt } }
     |                                 ^^^^^^^^^ did you mean "gate/out"?
  service::extensions has: gate/in, gate/out`,
  },
  {
    name: "does not run",
    settings: "{ auth: { authenticator: gate/out } }",
    extensions: "[gate/in]",
    want: `pipeline.yaml:4:27: exporters.web.auth.authenticator: extension "gate/out" is not in service::extensions
   3 | exporters:
   4 |   web: { auth: { authenticator: gate/out } }
     |                                 ^^^^^^^^ add it there
  service::extensions has: gate/in`,
  },
  {
    name: "serves as something else",
    settings: "{ auth: { authenticator: gate/in } }",
    want: `pipeline.yaml:4:27: exporters.web.auth.authenticator: extension "gate/in" cannot serve as HTTP client authenticator
   3 | exporters:
   4 |   web: { auth: { authenticator: gate/in } }
     |                                 ^^^^^^^
  it serves as: server authenticator`,
  },
  {
    name: "is named in a list",
    settings: "{ middlewares: [{ id: gate/out }] }",
    want: `pipeline.yaml:4:24: exporters.web.middlewares[0].id: extension "gate/out" cannot serve as HTTP client middleware
   3 | exporters:
   4 |   web: { middlewares: [{ id: gate/out }] }
     |                              ^^^^^^^^
  it serves as: HTTP client authenticator`,
  },
]) {
  it(`a configuration is refused when an extension ${name}`, async () => {
    await assert.rejects(load(settings, extensions), (error: Error) => {
      assert.equal(error.message.replace(/:4:\d+:/, ":4:27:"), want.replace(/:4:\d+:/, ":4:27:"));
      return true;
    });
  });
}
