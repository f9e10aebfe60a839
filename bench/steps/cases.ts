import { join } from "node:path";
import { Subject } from "rxjs";
import aggregate from "../../connectors/aggregate/index.ts";
import debug from "../../exporters/debug/index.ts";
import file from "../../exporters/file/index.ts";
import graphistry from "../../exporters/graphistry/index.ts";
import type { Exporter } from "../../pipeline/component.ts";
import { neverAborted } from "../../pipeline/delivery.ts";
import type { ConnectorHost, Outlets } from "../../pipeline/host.ts";
import { encode, receive, type Traces, toJson } from "../../pipeline/pdata/index.ts";
import { ThreadedBodyReader } from "../../pipeline/process/body_reader.ts";
import { clockScheduler, systemClock } from "../../pipeline/process/clock.ts";
import { batch } from "../../processors/batch/batcher.ts";
import batchDefinition from "../../processors/batch/index.ts";
import { simulatedHost } from "../../test/support/simulated_host.ts";

/** What is measured: `work` is done several times. */
export interface Case {
  readonly name: string;
  prepare(): Promise<{ work: () => Promise<void>; end?: () => Promise<void> }>;
}

const mebibyte = 1024 * 1024;

/** The surroundings of a component, in real time. */
function realHost(outlets: Outlets = {}) {
  const host = simulatedHost({ budgetBytes: 4e9, outlets });
  return Object.assign(host, { clock: systemClock, scheduler: clockScheduler(systemClock) });
}

/** Spans of about 490 bytes in traces of eight, numbered from `first`, ended now. */
function spans(count: number, { resourceBytes = 0, isTiny = false, first = 0 } = {}): Traces {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const nowNano = BigInt(Date.now()) * 1_000_000n;
  const list = Array.from({ length: count }, (_, place) => {
    const index = first + place;
    if (isTiny) return { name: "s" };
    const id = Buffer.from((index + 1).toString(16).padStart(16, "0"), "hex");
    return {
      traceId: Buffer.concat([
        Buffer.alloc(8, 1),
        Buffer.from(((index >> 3) + 1).toString(16).padStart(16, "0"), "hex"),
      ]),
      spanId: id,
      ...(index % 8 !== 0 && { parentSpanId: Buffer.from(index.toString(16).padStart(16, "0"), "hex") }),
      name: "chat",
      startTimeUnixNano: nowNano - 1_000_000n,
      endTimeUnixNano: nowNano,
      attributes: Array.from({ length: 10 }, (_, number) => text(`attribute.number.${number}`, `value ${index % 100}`)),
    };
  });
  const resource = { attributes: [text("service.name", "bench"), text("large", "x".repeat(resourceBytes))] };
  const data = encode("traces", { resourceSpans: [{ resource, scopeSpans: [{ spans: list }] }] });
  return receive("traces", data.toBuffer());
}

function field(number: number, payload: Buffer): Buffer {
  const head = [number * 8 + 2];
  let rest = payload.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...head, rest]), payload]);
}

/** Hands a batch to an exporter and waits for the answer. */
function consume(exporter: Exporter<Traces>, data: Traces): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = { address: "", transport: "internal" } as const;
    exporter.consume({ data, client, signal: neverAborted, ack: resolve, nack: reject });
  });
}

function body(name: string, encoding: "protobuf" | "json", bytes: () => Buffer): Case {
  return {
    name,
    prepare: async () => {
      const reader = new ThreadedBodyReader(realHost().budget);
      const made = bytes();
      const caller = { client: { address: "", transport: "internal" } } as const;
      return {
        work: async () => void (await reader.read("traces", encoding, made, caller)),
        end: () => reader.close(),
      };
    },
  };
}

function exporting(name: string, count: number, make: () => Exporter<Traces>): Case {
  return {
    name,
    prepare: async () => {
      const exporter = make();
      await exporter.start?.();
      const data = spans(count);
      return { work: () => consume(exporter, data), end: async () => void (await exporter.stop?.()) };
    },
  };
}

/** Everything that is measured; files go into `folder`. */
export function cases(folder: string): Case[] {
  return [
    body("4 MiB of protobuf, values before their keys", "protobuf", () =>
      field(1, field(2, field(2, Buffer.alloc(4 * mebibyte - 64, Buffer.from([0x4a, 4, 0x12, 0, 0x0a, 0]))))),
    ),
    body("4 MiB of protobuf, spans without anything", "protobuf", () =>
      field(1, field(2, Buffer.alloc(4 * mebibyte - 64, Buffer.from([0x12, 0])))),
    ),
    body("4 MiB of protobuf, empty attributes", "protobuf", () =>
      field(1, field(2, field(2, Buffer.alloc(4 * mebibyte - 64, Buffer.from([0x4a, 0]))))),
    ),
    body("4 MiB of JSON", "json", () => toJson(spans(4000))),
    exporting("debug, detailed, 8 192 spans", 8192, () =>
      debug.traces!(
        debug.config.parse({
          verbosity: "detailed",
          use_internal_logger: false,
          output_paths: [join(folder, "debug.txt")],
        }),
        realHost(),
      ),
    ),
    exporting("file, 8 192 spans", 8192, () =>
      file.traces!(file.config.parse({ path: join(folder, "file.jsonl") }), realHost()),
    ),
    { name: "batch, 100 000 spans and a large resource cut by 100", prepare: cutting },
    { name: "graphistry, snapshot of max_spans", prepare: () => drawing(folder, "snapshot") },
    { name: "graphistry, files of max_spans", prepare: () => drawing(folder, "files") },
    { name: "aggregate, 100 000 spans", prepare: aggregating },
  ];
}

async function cutting() {
  const settings = batchDefinition.config.parse({ send_batch_size: 100, send_batch_max_size: 100 });
  const source = new Subject<Parameters<Exporter<Traces>["consume"]>[0]>();
  let items = 0;
  let done: () => void = () => {};
  batch<Traces>(
    settings,
    realHost(),
  )(source).subscribe((delivery) => {
    items += delivery.data.itemCount;
    delivery.ack();
    if (items === 100_000) done();
  });
  const data = spans(100_000, { resourceBytes: 2 * mebibyte, isTiny: true });
  const work = async () => {
    items = 0;
    const all = new Promise<void>((resolve) => (done = resolve));
    source.next({ data, client: { address: "", transport: "internal" }, signal: neverAborted, ack() {}, nack() {} });
    await all;
  };
  return { work };
}

async function drawing(folder: string, what: "snapshot" | "files") {
  const host = realHost();
  const settings = graphistry.config.parse({ directory: join(folder, "graph") });
  const exporter = graphistry.traces!(settings, host);
  await exporter.start?.();
  let first = 0;
  const send = async (count: number) => {
    await consume(exporter, spans(count, { first }));
    first += count;
  };
  while (first < settings.max_spans) await send(8000);
  const work = async () => {
    await send(8);
    if (what === "files") return await exporter.drain?.(host.clock.monotonicMs() + 60_000);
    const graph = host.board.find("graph", host.id);
    if (graph === undefined) throw new Error("graphistry has not published its graph");
    await graph.snapshot();
  };
  return { work, end: async () => void (await exporter.stop?.()) };
}

async function aggregating() {
  const outlet = { offer: (_: unknown, __: unknown, answer: () => void) => answer() };
  const host = Object.assign(realHost({ metrics: outlet } as Outlets), { outlets: { metrics: outlet } });
  const settings = aggregate.config.parse({
    window: "1h",
    group_by: ["name", "attribute.number.1"],
    columns: { spans: "count", p95: "quantile(duration, 0.95)" },
  });
  const connector = aggregate.create(
    settings as never,
    host as unknown as ConnectorHost,
  ) as unknown as Exporter<Traces>;
  await connector.start?.();
  return { work: () => consume(connector, spans100k), end: async () => void (await connector.stop?.()) };
}

const spans100k = spans(100_000);
