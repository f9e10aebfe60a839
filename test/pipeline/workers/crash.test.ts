import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../../../cmd/catalog.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import type { Catalog } from "../../../pipeline/registry.ts";
import { Service } from "../../../pipeline/service.ts";
import { createLoggers, type LogEntry } from "../../../pipeline/telemetry/logger.ts";
import type { ServiceView } from "../../../pipeline/view.ts";
import { WorkerPool } from "../../../pipeline/workers/pool.ts";
import { assertBalanced } from "../../support/daemon.ts";
import { freePort } from "../../support/free_port.ts";
import { startTraceSink } from "../../support/trace_sink.ts";
import { someSpans } from "../../support/traces.ts";
import { crashingRegistry } from "./crashing_thread.ts";

const described = { aliases: [], summary: "For tests.", stability: { traces: "development" }, keys: [] } as const;
const crashing: Catalog = {
  registry: crashingRegistry,
  manifest: { ...catalog.manifest, processors: { ...catalog.manifest.processors, crash: described } },
};

const yaml = (port: number, sink: string, processors: string) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
processors: { crash: {}, batch: { timeout: 100s } }
exporters:
  otlp_http: { endpoint: "${sink}", compression: none, sending_queue: { enabled: false } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [${processors}], exporters: [otlp_http] } }
`;

async function startService(processors: string) {
  const sink = await startTraceSink();
  const port = await freePort();
  const config = await loadConfig([`yaml:${yaml(port, sink.endpoint, processors)}`], crashing);
  const lines: LogEntry[] = [];
  const loggers = createLoggers({
    level: "info",
    encoding: "console",
    write: () => {},
    clock: { nowMs: () => 0 },
    also: (line) => void lines.push(line),
  });
  const file = new URL("./crashing_thread.ts", import.meta.url);
  let pool: WorkerPool | undefined;
  const service = new Service(config, {
    version: "0.0.0-test",
    configSources: [],
    loggers,
    memoryLimitBytes: 1e9,
    workers: (surroundings) => (pool = new WorkerPool({ count: 2, file }, surroundings)),
  });
  await service.start();
  /** The status of a request with one span `name-1`, on a connection of its own; undefined when that broke. */
  const send = async (name: string) => {
    const headers = { "content-type": "application/x-protobuf", connection: "close" };
    const body = new Uint8Array(someSpans(1, name).toBuffer());
    const sent = fetch(`http://127.0.0.1:${port}/v1/traces`, { method: "POST", headers, body });
    return await sent.then(({ status }) => status).catch(() => undefined);
  };
  const becomes = (wanted: ReturnType<ServiceView["state"]>) =>
    new Promise<void>((resolve) => {
      const stop = service.onState((state) => {
        if (state !== wanted) return;
        queueMicrotask(() => stop());
        resolve();
      });
    });
  const books = () =>
    Object.fromEntries(
      service
        .nodes()
        .map(({ key, books: { in: taken, out, refused, held, dropped } }) => [
          key,
          { in: taken, out, refused, held, dropped: Object.fromEntries(dropped) },
        ]),
    );
  const refresh = async () => await pool?.refresh();
  return { service, sink, lines, send, becomes, books, refresh };
}

describe("a worker that ends unforeseen", () => {
  // Scenario: a thread ends in the middle of a request, as it does when it has no memory left.
  // Guarantees: that sender's connection breaks, health says so until another thread is there, then all goes on.
  it("is replaced, and its senders know that nothing was taken", async () => {
    const { service, sink, lines, send, becomes, books, refresh } = await startService("crash");
    assert.equal(await send("before"), 200);
    await refresh(); // what a thread counts within a second before such an end is not known afterwards
    const missing = becomes("starting");
    assert.equal(await send("exit"), undefined);
    await missing;
    await becomes("running");
    for (let sent = 1; sent <= 4; sent++) assert.equal(await send("after"), 200);
    await service.stop(10_000);
    sink.close();
    assert.deepEqual([...sink.names].sort(), ["after-1", "after-1", "after-1", "after-1", "before-1"]);
    assertBalanced(books());
    assert.equal(books()["exporter:traces:otlp_http"]?.out, 5);
    const said = lines.map(({ message }) => message);
    assert.ok(said.includes("A worker has ended unforeseen; another one is started in its place."));
    assert.ok(said.includes("A worker runs in its place."));
  });

  // Scenario: both threads hold a batch that was acknowledged when something in one of them throws.
  // Guarantees: what that one has taken is delivered before it is replaced.
  it("delivers what it has taken first, when it can", async () => {
    const { service, sink, lines, send, becomes, books } = await startService("crash, batch");
    const missing = becomes("starting");
    for (let sent = 1; sent <= 8; sent++) assert.equal(await send("held"), 200);
    assert.equal(await send("throw"), 200);
    await missing;
    await becomes("running");
    assert.ok(sink.names.includes("throw-1"), "it was delivered when its worker ended, not at the end of all");
    await service.stop(10_000);
    sink.close();
    assert.equal(sink.names.length, 9);
    assertBalanced(books());
    assert.equal(books()["exporter:traces:otlp_http"]?.out, 9);
    const bug = "Unexpected error in a worker; this is a bug in otelpipe. The worker is replaced.";
    assert.equal(lines.filter(({ message }) => message === bug).length, 1);
  });

  it("ends the process when the next ones end as well", async () => {
    const { service, sink, send, becomes } = await startService("crash");
    let failure: Error | undefined;
    void service.failure.then((error) => (failure = error));
    while (failure === undefined) {
      await Promise.race([becomes("running"), service.failure]);
      await send("exit");
    }
    assert.match(failure.message, /^worker \d has ended 5 times in a row$/);
    await service.stop(10_000);
    sink.close();
  });
});
