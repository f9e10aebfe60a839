import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { catalog } from "../../../cmd/catalog.ts";
import { registry } from "../../../cmd/components.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import { kindOf, loadDefinition, sections } from "../../../pipeline/registry.ts";
import { Arrivals } from "../../../pipeline/workers/gates.ts";
import { Splitter } from "../../../pipeline/workers/split.ts";

const components = `
receivers:
  otlp: { protocols: { grpc: { endpoint: "localhost:4317" } } }
  otlp/free: { protocols: { grpc: { endpoint: "localhost:0" } } }
  otlp/path: { protocols: { http: { endpoint: "/tmp/x.sock", transport: unix } } }
  otlp/auth: { protocols: { http: { endpoint: "localhost:4318", auth: { authenticator: bearertokenauth } } } }
processors:
  batch: {}
  resource: { attributes: [{ key: a, value: b, action: insert }] }
  aggregate: { window: 10s, group_by: [name], columns: { spans: count } }
connectors:
  forward: {}
exporters:
  nop: {}
  debug: {}
  debug/file: { use_internal_logger: false, output_paths: [/tmp/otelpipe-never-written] }
  file: { path: /tmp/otelpipe-never-written }
  otlp_http: { endpoint: "http://localhost:1" }
  otlp_http/durable: { endpoint: "http://localhost:1", sending_queue: { storage: file_storage } }
extensions:
  bearertokenauth: { token: secret }
  file_storage: { directory: /tmp }
  zpages: {}
service:
  extensions: [zpages, bearertokenauth, file_storage]
  pipelines:
`;

const side = (
  pipelines: Iterable<{ receivers: readonly string[]; processors: readonly string[]; exporters: readonly string[] }>,
) =>
  [...pipelines].map(
    ({ receivers, processors, exporters }) =>
      `${receivers.join(" ")} | ${processors.join(" ")} | ${exporters.join(" ")}`,
  );

/** Both sides of pipelines, each as `receivers | processors | exporters`. */
async function split(...pipelines: readonly string[]) {
  const lines = pipelines.map((text, index) => {
    const [receivers = "", processors = "", exporters = ""] = text.split(" | ");
    return `    traces/${index}: { receivers: [${receivers}], processors: [${processors}], exporters: [${exporters}] }`;
  });
  const config = await loadConfig([`yaml:${components}${lines.join("\n")}`], catalog);
  const { main, worker } = new Splitter(new Arrivals()).split(config);
  return { worker, sides: { worker: side(worker.pipelines), main: side(main.service.pipelines.values()) } };
}

describe("a pipeline that is divided among threads", () => {
  for (const { name, pipeline, worker, main } of [
    {
      name: "is in each worker when all of it may be",
      pipeline: "otlp | resource, batch | otlp_http, nop",
      worker: ["otlp | resource batch | otlp_http nop"],
      main: [],
    },
    {
      name: "goes on in the main thread from the first processor that may not",
      pipeline: "otlp | resource, aggregate, batch | otlp_http",
      worker: ["otlp | resource | (workers)/traces/0/1"],
      main: ["(workers)/traces/0/1 | aggregate batch | otlp_http"],
    },
    {
      name: "exports in the main thread what only that can",
      pipeline: "otlp | batch | otlp_http, file, otlp_http/durable",
      worker: ["otlp | batch | otlp_http (workers)/traces/0/1"],
      main: ["(workers)/traces/0/1 |  | file otlp_http/durable"],
    },
    {
      name: "prints to files in the main thread",
      pipeline: "otlp |  | debug, debug/file",
      worker: ["otlp |  | debug (workers)/traces/0/0"],
      main: ["(workers)/traces/0/0 |  | debug/file"],
    },
    {
      name: "is in the main thread when it receives there: at a free port or a path",
      pipeline: "otlp/free, otlp/path | batch | nop",
      worker: [],
      main: ["otlp/free otlp/path | batch | nop"],
    },
    {
      name: "has its processors in one place when it receives in both",
      pipeline: "otlp, otlp/free | batch | nop",
      worker: ["otlp |  | (workers)/traces/0/0"],
      main: ["otlp/free (workers)/traces/0/0 | batch | nop"],
    },
  ]) {
    it(name, async () => assert.deepEqual((await split(pipeline)).sides, { worker, main }));
  }

  it("leads to connectors, and from there on, in the main thread", async () => {
    assert.deepEqual((await split("otlp | batch | forward", "forward | batch | nop")).sides, {
      worker: ["otlp | batch | (workers)/traces/0/1"],
      main: ["(workers)/traces/0/1 |  | forward", "forward | batch | nop"],
    });
  });

  it("takes along the extensions that its components name, and no others", async () => {
    const { worker } = await split("otlp/auth |  | nop");
    assert.deepEqual(worker.extensions, ["bearertokenauth"]);
    const ids = sections.flatMap((section) => worker.components[section].map(({ id }) => id));
    assert.deepEqual(ids, ["otlp/auth", "nop", "bearertokenauth"]);
  });
});

describe("settings of components that may be in each worker", () => {
  for (const section of sections) {
    for (const type of Object.keys(registry[section])) {
      it(`can be sent to it: ${kindOf[section]} ${type}`, async () => {
        const { perWorker, examples, config } = await loadDefinition(registry, kindOf[section], type);
        if (perWorker === undefined) return;
        for (const { yaml } of examples) {
          const settings: unknown = config.parse(Object.values(parse(yaml) as object)[0] ?? {});
          assert.deepEqual(structuredClone(settings), settings);
        }
      });
    }
  }
});
