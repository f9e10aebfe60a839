import { after } from "node:test";
import { catalog } from "../../cmd/catalog.ts";
import { exporter, receiver } from "../../pipeline/component.ts";
import { loadConfig } from "../../pipeline/config/load.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ConsumeError, Delivery } from "../../pipeline/delivery.ts";
import type { Outlets } from "../../pipeline/host.ts";
import type { Pdata, Signal } from "../../pipeline/pdata/index.ts";
import type { Catalog } from "../../pipeline/registry.ts";
import { Service } from "../../pipeline/service.ts";
import { createLoggers, type LogEntry } from "../../pipeline/telemetry/logger.ts";
import type { SimulatedClock } from "./simulated_host.ts";
import { someSpans, spanNames } from "./traces.ts";
import { turns } from "./turns.ts";

/** What a `sink` exporter got, by its id: taken at once, or held until the test answers when `holds` is set. */
export interface Sink {
  readonly held: Delivery[];
  readonly names: string[];
  starts: number;
  stops: number;
}

/**
 * A service with the components there are, a receiver `source` that is driven by `offer`, and an exporter `sink` that
 * keeps what it gets: `{ holds: true }` leaves deliveries unanswered, `{ fails: true }` does not start, `note` is nothing.
 */
export async function runningService(yaml: string, options: { clock?: SimulatedClock } = {}) {
  const outlets = new Map<string, Outlets>();
  const sinks = new Map<string, Sink>();
  const sinkOf = (id: string) => {
    const sink = sinks.get(id) ?? { held: [], names: [], starts: 0, stops: 0 };
    sinks.set(id, sink);
    return sink;
  };
  const made = { sources: 0 };
  const described = { summary: "For tests.", examples: [] };
  const stability = { traces: "stable", logs: "stable" } as const;
  const source = receiver({
    ...described,
    type: "source",
    stability,
    config: z.strictObject({ note: z.string().default("") }),
    create: (_, host) => {
      made.sources += 1;
      outlets.set(host.id, host.outlets);
      return {};
    },
  });
  const sinkConfig = z.strictObject({
    holds: z.boolean().default(false),
    fails: z.boolean().default(false),
    note: z.string().default(""),
  });
  const createSink: NonNullable<Parameters<typeof exporter<typeof sinkConfig>>[0]["traces"]> = (settings, host) => {
    const sink = sinkOf(host.id);
    const open = new Set<Delivery>();
    let emptied = () => {};
    const settled = (delivery: Delivery) => {
      open.delete(delivery);
      if (open.size === 0) emptied();
    };
    return {
      async start() {
        if (settings.fails) throw new Error("no such destination");
        sink.starts += 1;
      },
      consume(delivery) {
        sink.names.push(...spanNames(delivery.data));
        const answer = (error?: ConsumeError) => {
          settled(delivery);
          if (error !== undefined) return host.refuse(delivery, error);
          host.sent(delivery.data.itemCount);
          delivery.ack();
        };
        open.add(delivery);
        sink.held.push({
          data: delivery.data,
          client: delivery.client,
          signal: delivery.signal,
          ack: answer,
          nack: answer,
        });
        if (!settings.holds) answer();
      },
      drain: () => (open.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => (emptied = resolve))),
      async stop() {
        sink.stops += 1;
      },
    };
  };
  const sink = exporter({ ...described, type: "sink", stability, config: sinkConfig, traces: createSink });
  const entry = {
    aliases: [],
    summary: "For tests.",
    stability: { traces: "stable", logs: "stable" },
    keys: [],
  } as const;
  const { registry, manifest } = catalog;
  const testCatalog: Catalog = {
    registry: {
      ...registry,
      receivers: { ...registry.receivers, source: async () => ({ default: source }) },
      exporters: { ...registry.exporters, sink: async () => ({ default: sink }) },
    },
    manifest: {
      ...manifest,
      receivers: { ...manifest.receivers, source: entry },
      exporters: { ...manifest.exporters, sink: entry },
    },
  };

  let text = yaml;
  const load = () => loadConfig([{ uri: `yaml:${text}`, name: "pipeline.yaml" }], testCatalog);
  const logs: LogEntry[] = [];
  const level: { level: LogEntry["level"] } = { level: "info" };
  const logSettings = { ...level, encoding: "console" as const, write: () => {}, clock: { nowMs: () => 0 } };
  const loggers = createLoggers(Object.assign(logSettings, { also: (line: LogEntry) => void logs.push(line) }));
  const service = new Service(await load(), {
    version: "0.0.0-test",
    configSources: ["pipeline.yaml"],
    loggers,
    load,
    setLogLevel: (next) => void (logSettings.level = next),
    ...(options.clock !== undefined && { clock: options.clock }),
    memoryLimitBytes: 1e9,
  });
  await service.start();
  after(async () => {
    const stopping = service.stop(0).then(() => true);
    while (!(await Promise.race([stopping, turns().then(() => false)]))) options.clock?.advance(1_000);
  });
  return {
    service,
    logs,
    made,
    sink: sinkOf,
    /** Changes the configuration's text and reloads it. */
    async reload(edit: (yaml: string) => string) {
      const before = text;
      text = edit(text);
      if (service.reload === undefined) throw new Error("the service has no configuration to read");
      const verdict = await service.reload();
      if (verdict.outcome === "refused") text = before;
      return verdict;
    },
    /** Offers spans at a receiver and writes down how they are answered. */
    offer(data: Pdata = someSpans(1), receiverId = "source", signal: Signal = "traces") {
      const answers: ("ack" | ConsumeError)[] = [];
      const outlet = outlets.get(receiverId)?.[signal];
      if (outlet === undefined) throw new Error(`receiver ${receiverId} has no outlet for ${signal}`);
      const client = { address: "", transport: "internal" as const };
      outlet.offer(data as never, { client }, (error) => void answers.push(error ?? "ack"));
      return answers;
    },
    signals: (receiverId = "source") => Object.keys(outlets.get(receiverId) ?? {}),
    books(key: string) {
      const node = service.nodes().find((candidate) => candidate.key === key);
      if (node === undefined) throw new Error(`no node ${key}`);
      const { in: taken, out, refused, held, dropped } = node.books;
      return { in: taken, out, refused, held, dropped: Object.fromEntries(dropped) };
    },
  };
}
