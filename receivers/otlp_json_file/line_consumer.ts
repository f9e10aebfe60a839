import { ConsumeError } from "../../pipeline/delivery.ts";
import type { Outlet, ReceiverHost } from "../../pipeline/host.ts";
import {
  type AttributesEditor,
  attributeKeys,
  decode,
  editRecords,
  editSpans,
  encode,
  type Logs,
  type Metrics,
  type Pdata,
  type Signal,
  signals,
  type Traces,
  WireError,
} from "../../pipeline/pdata/index.ts";

/** What became of a line: taken (or empty, or refused for good), no OTLP/JSON, or to be read again after some time. */
export type Verdict = "taken" | "bad" | { readonly againAfterMs: number };

export interface LineOptions {
  /** What is added to its items. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Signals it was already taken for; those that take it are added. */
  readonly taken: Set<Signal>;
  /** Ends the waiting for pipelines. */
  readonly signal: AbortSignal;
}

/** The names a request of each signal has at its top. */
const topNames: Readonly<Record<Signal, readonly string[]>> = {
  traces: ['"resourceSpans"', '"resource_spans"'],
  metrics: ['"resourceMetrics"', '"resource_metrics"'],
  logs: ['"resourceLogs"', '"resource_logs"'],
  profiles: ['"resourceProfiles"', '"resource_profiles"'],
};

const client = { address: "", transport: "file" } as const;

/** Reads lines as export requests, and gives each to the pipelines of its signal. */
export class LineConsumer {
  readonly #host: ReceiverHost;
  readonly #used: readonly Signal[];

  constructor(host: ReceiverHost) {
    this.#host = host;
    this.#used = signals.filter((signal) => host.outlets[signal] !== undefined);
  }

  /** `isWhole` says whether the line is known to be: what cannot be read of another one is no fault. */
  async consume(line: Buffer, isWhole: boolean, options: LineOptions): Promise<Verdict> {
    const meant = this.#used.filter((signal) => topNames[signal].some((name) => line.includes(name)));
    // A line without any of them has no items; it is read once, to find out whether it can be.
    for (const signal of meant.length > 0 ? meant : this.#used.slice(0, 1)) {
      if (options.taken.has(signal)) continue;
      const verdict = await this.#offer(signal, line, options);
      if (verdict === "bad" && isWhole) this.#host.malformed(signal, "file", "undecodable");
      if (verdict !== "taken") return verdict;
      options.taken.add(signal);
    }
    return "taken";
  }

  /** Counts a line that is longer than the settings allow. */
  tooLong(): void {
    const [signal] = this.#used;
    if (signal !== undefined) this.#host.malformed(signal, "file", "too_large");
  }

  async #offer(signal: Signal, line: Buffer, { attributes, signal: aborted }: LineOptions): Promise<Verdict> {
    const caller = { client, signal: aborted };
    let data: Pdata;
    try {
      data = withAttributes(await this.#host.bodies.read(signal, "json", line, caller), attributes);
    } catch (error) {
      if (error instanceof WireError) return "bad";
      if (error instanceof ConsumeError && error.retryable) return { againAfterMs: error.delayMs ?? 0 };
      throw error;
    }
    if (data.itemCount === 0) return "taken";
    const outlet = this.#host.outlets[signal] as Outlet;
    const error = await new Promise<ConsumeError | undefined>((answer) => outlet.offer(data, caller, answer));
    if (error === undefined) return "taken";
    if (error.retryable) return { againAfterMs: error.delayMs ?? 0 };
    const fields = { signal, items: data.itemCount, error: error.message };
    this.#host.logger.error(fields, "A line of a file was refused for good.");
    return "taken";
  }
}

/** Adds attributes to every span and log record, and to the metadata of every metric, as the Collector does. */
function withAttributes(data: Pdata, attributes: Readonly<Record<string, string>>): Pdata {
  if (Object.keys(attributes).length === 0 || data.itemCount === 0 || data.signal === "profiles") return data;
  if (data.signal === "metrics") return withMetadata(data as Metrics, attributes);
  const keys = Object.values(attributeKeys(Object.fromEntries(Object.keys(attributes).map((name) => [name, name]))));
  const edit = (item: AttributesEditor) => {
    for (const key of keys) item.set(key, attributes[key.name] as string);
  };
  return data.signal === "traces" ? editSpans(data as Traces, edit) : editRecords(data as Logs, edit);
}

function withMetadata(data: Metrics, attributes: Readonly<Record<string, string>>): Metrics {
  const request = decode(data);
  for (const { scopeMetrics } of request.resourceMetrics) {
    for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      const others = metric.metadata.filter(({ key }) => !Object.hasOwn(attributes, key));
      const own = Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));
      metric.metadata = [...others, ...own] as typeof metric.metadata;
    }
  }
  return encode("metrics", request);
}
