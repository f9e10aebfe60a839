import { settingsOf } from "../../../exporters/graphistry/config.ts";
import { GraphistryExporter } from "../../../exporters/graphistry/graphistry_exporter.ts";
import graphistry from "../../../exporters/graphistry/index.ts";
import { timeoutMs } from "../../../exporters/graphistry/rest/client.ts";
import { undoTimeoutMs } from "../../../exporters/graphistry/rest/upload.ts";
import type { Clock } from "../../../pipeline/host.ts";
import { encode, receive, type Traces } from "../../../pipeline/pdata/index.ts";
import { recordedDelivery, type SimulatedClock, simulatedHost } from "../../support/simulated_host.ts";
import { eventually } from "../../support/turns.ts";

type AnyValue = string | number | boolean | readonly string[] | Buffer;

/** A span as tests write it down: ids are numbers; 0 is no id. */
export interface SpanSketch {
  readonly trace?: number;
  readonly id: number;
  readonly parent?: number;
  readonly name?: string;
  /** 0 UNSET, 1 OK, 2 ERROR. */
  readonly status?: number;
  readonly statusMessage?: string;
  readonly startUnixMs?: number;
  readonly durationMs?: number;
  readonly attributes?: Readonly<Record<string, AnyValue>>;
  readonly events?: readonly { readonly name: string; readonly attributes: Readonly<Record<string, AnyValue>> }[];
}

export const epochMs = Date.UTC(2026, 0, 1);

/** 32 digits. */
export function traceHex(trace: number): string {
  return trace.toString(16).padStart(32, "0");
}

/** 16 digits. */
export function spanHex(id: number): string {
  return id.toString(16).padStart(16, "0");
}

export function nodeHex(trace: number, id: number): string {
  return `${traceHex(trace)}:${spanHex(id)}`;
}

/** One request of one service, as it comes from a receiver. */
export function batchOf(spans: readonly SpanSketch[], service = "worker"): Traces {
  const traces = encode("traces", {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ "service.name": service }) },
        scopeSpans: [{ scope: { name: "tests" }, spans: spans.map(spanOf) }],
      },
    ],
  });
  return receive("traces", Buffer.from(traces.toBuffer()));
}

function spanOf(span: SpanSketch) {
  const { trace = 1, id, parent = 0, startUnixMs = epochMs, durationMs = 100 } = span;
  return {
    traceId: Buffer.from(traceHex(trace), "hex"),
    spanId: Buffer.from(spanHex(id), "hex"),
    parentSpanId: parent === 0 ? Buffer.alloc(0) : Buffer.from(spanHex(parent), "hex"),
    name: span.name ?? `span ${id}`,
    kind: 3,
    startTimeUnixNano: nanoseconds(startUnixMs),
    endTimeUnixNano: nanoseconds(startUnixMs + durationMs),
    status: { code: span.status ?? 1, message: span.statusMessage ?? "" },
    attributes: attributesOf(span.attributes ?? {}),
    events: (span.events ?? []).map(({ name, attributes }) => ({
      name,
      timeUnixNano: nanoseconds(startUnixMs + 5),
      attributes: attributesOf(attributes),
    })),
  };
}

function attributesOf(attributes: Readonly<Record<string, AnyValue>>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AnyValue) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Buffer.isBuffer(value)) return { bytesValue: value };
  if (typeof value !== "number") return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
  return Number.isInteger(value) ? { intValue: BigInt(value) } : { doubleValue: value };
}

function nanoseconds(unixMs: number): bigint {
  return BigInt(Math.round(unixMs * 1000)) * 1000n;
}

/** Has pauses and waits between attempts pass at once, in simulated time; time limits and upload intervals wait for `advance`. */
function hurry(clock: SimulatedClock, onTimer: (delayMs: number) => void): void {
  const { setTimer } = clock;
  clock.setTimer = (run: () => void, delayMs: number): ReturnType<Clock["setTimer"]> => {
    onTimer(delayMs);
    const timer = setTimer.call(clock, run, delayMs);
    if (delayMs < timeoutMs && delayMs !== undoTimeoutMs) setImmediate(() => clock.advance(delayMs));
    return timer;
  };
}

/** A started exporter. */
export async function open(config: object = {}, budgetBytes = 1e9) {
  const host = simulatedHost({ id: "graphistry", budgetBytes });
  const settings = settingsOf(graphistry.config.parse({ directory: "", ...config }));
  let armed = 0;
  hurry(host.clock, (delayMs) => void (armed += delayMs === settings.uploadIntervalMs ? 1 : 0));
  const exporter = new GraphistryExporter(settings, host);
  await exporter.start();
  const consume = (spans: readonly SpanSketch[]) => {
    const { delivery, answers } = recordedDelivery(batchOf(spans));
    exporter.consume(delivery);
    return answers;
  };
  const drain = () => exporter.drain(host.clock.monotonicMs() + 10 * timeoutMs);
  const lines = (level: string) => host.logs.filter((line) => line.level === level);
  /** Lets an upload interval pass, and waits until what it brings about is done and the next one runs. */
  const interval = async () => {
    const before = armed;
    host.advance(settings.uploadIntervalMs);
    await eventually(() => armed > before);
  };
  return { host, exporter, consume, drain, lines, interval };
}

/** For what pauses now and then, when nobody else is there. */
export const noPause = () => Promise.resolve();
