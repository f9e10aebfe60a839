import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { registry } from "../cmd/components.ts";
import type { Exporter, Operator } from "../pipeline/component.ts";
import type { ConnectorHost, ExporterHost, ExtensionHost, ProcessorHost, ReceiverHost } from "../pipeline/host.ts";
import { encode, type Pdata, type Signal, signals } from "../pipeline/pdata/index.ts";
import { type AnyDefinition, type DefinitionOf, kindOf, loadDefinition, sections } from "../pipeline/registry.ts";
import type { ServiceView } from "../pipeline/view.ts";
import { recordedDelivery, run, type SimulatedHost, simulatedHost } from "./support/simulated_host.ts";
import { someSpans } from "./support/traces.ts";

const scratch = mkdtempSync(join(tmpdir(), "otelpipe-components-"));

/** Settings for components that cannot be built from `{}`, and that keep everything on loopback and on free ports. */
const settings: Readonly<Record<string, object>> = {
  "receiver otlp": { protocols: { grpc: { endpoint: "localhost:0" }, http: { endpoint: "localhost:0" } } },
  "receiver otlp_json_file": { include: [join(scratch, "*.none")] },
  "processor attributes": { actions: [{ key: "a", value: 1, action: "upsert" }] },
  "processor resource": { attributes: [{ key: "a", value: 1, action: "upsert" }] },
  "processor memory_limiter": { check_interval: "1s", limit_mib: 100 },
  "processor aggregate": { window: "10s", group_by: ["name"], columns: { spans: "count" } },
  "processor gen_ai_normalizer": { sources: [{ name: "openinference" }] },
  "connector aggregate": { window: "10s", group_by: ["name"], columns: { spans: "count" } },
  "exporter file": { path: join(scratch, "out.jsonl") },
  "exporter debug": { use_internal_logger: true },
  "exporter otlp_grpc": { endpoint: "127.0.0.1:1", tls: { insecure: true } },
  "exporter otlp_http": { endpoint: "http://127.0.0.1:1" },
  "exporter plotly": { directory: join(scratch, "figures") },
  "exporter graphistry": { directory: join(scratch, "graph") },
  "extension zpages": { endpoint: "localhost:0" },
  "extension basicauth": { htpasswd: { inline: "user:password" } },
  "extension bearertokenauth": { token: "t" },
  "extension headers_setter": { headers: [{ action: "upsert", key: "x", value: "1" }] },
  "extension oauth2client": { client_id: "i", client_secret: "s", token_url: "http://127.0.0.1:1" },
  "extension dashboard": { endpoint: "localhost:0" },
  "extension file_storage": { directory: join(scratch, "storage"), create_directory: true },
  "extension health_check": { endpoint: "localhost:0" },
};

const items: Record<Signal, () => Pdata> = {
  traces: () => someSpans(3),
  metrics: () =>
    encode("metrics", {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "m", gauge: { dataPoints: [{ asDouble: 1.5 }] } }] }] }],
    }),
  logs: () => encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "line" } }] }] }] }),
  profiles: () => encode("profiles", { resourceProfiles: [{ scopeProfiles: [{ profiles: [{}] }] }] }),
};

const view: Partial<ServiceView> = {
  configSources: ["test.yaml"],
  startedUnixMs: 0,
  state: () => "running",
  onState: (listener) => {
    listener("running");
    return () => {};
  },
  nodes: () => [],
  edges: () => [],
  lastReload: () => undefined,
  process: () => ({
    rssBytes: 1,
    memoryLimitBytes: 1,
    budgetUsedBytes: 0,
    budgetLimitBytes: 1,
    loopLagMs: 0,
    cpuCores: 0,
  }),
};

/** Lets real I/O and simulated time go on together until `work` is done. */
async function inSimulatedTime(host: SimulatedHost, work: Promise<unknown>): Promise<void> {
  let done = false;
  const settled = work.finally(() => (done = true));
  while (!done) {
    await new Promise(setImmediate);
    host.advance(100);
  }
  await settled;
}

async function exercise(host: SimulatedHost, exporter: Exporter, signal: Signal): Promise<void> {
  await inSimulatedTime(host, exporter.start?.() ?? Promise.resolve());
  const deliveries = [recordedDelivery(items[signal]()), recordedDelivery(items[signal]())];
  for (const { delivery } of deliveries) exporter.consume(delivery);
  await inSimulatedTime(host, exporter.drain?.(host.clock.monotonicMs() + 60_000) ?? Promise.resolve());
  await inSimulatedTime(host, exporter.stop?.() ?? Promise.resolve());
  await inSimulatedTime(host, exporter.stop?.() ?? Promise.resolve());
  for (const { answers } of deliveries) assert.equal(answers.length, 1, "each delivery is answered exactly once");
}

function assertNothingLeft(host: SimulatedHost): void {
  assert.equal(host.clock.pendingTimers, 0, "no timer is left");
  assert.equal(host.budget.usedBytes, 0, "no bytes are held");
  assert.deepEqual(host.fatals, []);
}

const suites = {
  receiver: ({ create }: DefinitionOf["receiver"], config: unknown) => {
    it("starts, and stops twice", async () => {
      const outlets = Object.fromEntries(signals.map((signal) => [signal, { offer: () => {} }]));
      const host = simulatedHost({ outlets });
      const component = create(config, host as unknown as ReceiverHost);
      await inSimulatedTime(host, component.start?.() ?? Promise.resolve());
      await inSimulatedTime(host, component.stop?.() ?? Promise.resolve());
      await inSimulatedTime(host, component.stop?.() ?? Promise.resolve());
      assertNothingLeft(host);
    });
  },
  processor: (definition: DefinitionOf["processor"], config: unknown) => {
    for (const signal of signals) {
      const create = definition[signal] as ((config: unknown, host: ProcessorHost) => Operator<Pdata>) | undefined;
      assert.equal(
        create !== undefined,
        definition.stability[signal] !== undefined,
        `${signal}: stability and support agree`,
      );
      if (create === undefined) continue;
      it(`answers every delivery of ${signal} once, and holds nothing at the end`, async () => {
        const host = simulatedHost({ signal });
        const stream = run<Pdata>(create(config, host), [items[signal](), items[signal]()]);
        stream.complete();
        const acked = new Set<unknown>();
        for (let turn = 0; turn < 200 && !stream.isComplete(); turn++) {
          for (const delivery of stream.sent) {
            if (acked.has(delivery)) continue;
            acked.add(delivery);
            delivery.ack();
          }
          host.advance(100);
          await new Promise(setImmediate);
        }
        assert.equal(stream.isComplete(), true);
        for (const delivery of stream.sent) if (!acked.has(delivery)) delivery.ack();
        assert.deepEqual(stream.answers(), [["ack"], ["ack"]]);
        stream.stop();
        stream.stop();
        await inSimulatedTime(host, Promise.resolve());
        assertNothingLeft(host);
      });
    }
  },
  exporter: (definition: DefinitionOf["exporter"], config: unknown) => {
    for (const signal of signals) {
      const create = definition[signal] as ((config: unknown, host: ExporterHost) => Exporter) | undefined;
      assert.equal(
        create !== undefined,
        definition.stability[signal] !== undefined,
        `${signal}: stability and support agree`,
      );
      if (create === undefined) continue;
      it(`answers every delivery of ${signal} once, drains, and stops twice`, async () => {
        const host = simulatedHost({ signal });
        await exercise(host, create(config, host), signal);
        assertNothingLeft(host);
      });
    }
  },
  connector: (definition: DefinitionOf["connector"], config: unknown) => {
    for (const pair of Object.keys(definition.stability)) {
      const [from, to] = pair.split("_to_") as [Signal, Signal];
      it(`answers every delivery from ${from} to ${to} once, drains, and stops twice`, async () => {
        const outlets = { [to]: { offer: (_data: Pdata, _caller: unknown, answer: () => void) => answer() } };
        const host = simulatedHost({ signal: from, outlets });
        await exercise(host, definition.create(config, host as unknown as ConnectorHost), from);
        assertNothingLeft(host);
      });
    }
  },
  extension: ({ create }: DefinitionOf["extension"], config: unknown) => {
    it("starts, and stops twice", async () => {
      const host = simulatedHost();
      const component = create(config, { ...host, service: view } as unknown as ExtensionHost);
      await inSimulatedTime(host, component.start?.() ?? Promise.resolve());
      await inSimulatedTime(host, component.stop?.() ?? Promise.resolve());
      await inSimulatedTime(host, component.stop?.() ?? Promise.resolve());
      assertNothingLeft(host);
    });
  },
};

for (const section of sections) {
  for (const type of Object.keys(registry[section])) {
    const kind = kindOf[section];
    const definition: AnyDefinition = await loadDefinition(registry, kind, type);
    describe(`${kind} ${type}`, () => {
      for (const { title, yaml } of definition.examples) {
        it(`accepts its example "${title}"`, () => {
          const [[id, value] = []] = Object.entries(parse(yaml) as Record<string, unknown>);
          assert.match(id ?? "", new RegExp(`^${type}(/|$)`));
          assert.equal(definition.config.safeParse(value ?? {}).error, undefined);
        });
      }
      const config = definition.config.parse(settings[`${kind} ${type}`] ?? {});
      (suites[definition.kind] as (definition: AnyDefinition, config: unknown) => void)(definition, config);
    });
  }
}
