import { setImmediate } from "node:timers/promises";
import { Dictionary, Int32, makeVector, Table, tableToIPC, Utf8, vectorFromArray } from "apache-arrow";
import { compilePlan } from "../../pipeline/frame/plan.ts";
import { aggregateConfig, aggregateSettings } from "../../pipeline/frame/settings.ts";
import { SpanFrame } from "../../pipeline/frame/span_frame.ts";
import { toArrowStream } from "../../pipeline/frame/worker/arrow.ts";
import { receive } from "../../pipeline/pdata/index.ts";
import { batches, requestType, spansPerBatch } from "../pdata/data.ts";
import { cpuMsOf, type Mark, median } from "./marks.ts";

const rounds = 5;
/** Batches of a round: of ours more, which takes as long. */
const ourBatches = 400;
const theirBatches = 40;

/** A window's Arrow table straight from the wire, beside decoding with protobufjs and building the same table. */
export async function encodingMark(): Promise<Mark> {
  const type = requestType();
  const bodies = batches(type);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const straight = await cpuMsOf(() => fromWire(repeated(bodies, ourBatches)));
    const decoded = await cpuMsOf(async () => byObjects(type, repeated(bodies, theirBatches)));
    await setImmediate();
    if (round === 0) continue;
    ours.push((straight * 1e6) / (ourBatches * spansPerBatch));
    theirs.push((decoded * 1e6) / (theirBatches * spansPerBatch));
  }
  return {
    name: "Arrow table of a window, CPU a span",
    ours: `${median(ours).toFixed(0)} ns`,
    theirs: `protobufjs ${median(theirs).toFixed(0)} ns`,
    value: median(theirs) / median(ours),
    unit: "x",
    atLeast: 20,
  };
}

function repeated(bodies: readonly Buffer[], count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => bodies[index % bodies.length]!);
}

const settings = aggregateSettings(
  aggregateConfig.parse({
    columns: {
      requests: "count",
      input: "sum(gen_ai.usage.input_tokens)",
      output: "sum(gen_ai.usage.output_tokens)",
      p95_ms: "quantile(duration, 0.95)",
    },
  }),
);

/** Walks the spans into columns and writes those; validating the bodies is counted too. */
async function fromWire(bodies: readonly Buffer[]): Promise<readonly Uint8Array[]> {
  const frame = new SpanFrame(compilePlan(settings.groupBy, settings.columns), settings.maxGroups);
  for (const body of bodies) for (const span of receive("traces", body).spans()) frame.append(span);
  return await toArrowStream(frame.table(), async () => {});
}

/** As protobufjs gives a span, as far as it is read here. */
interface PlainSpan {
  readonly startTimeUnixNano: { toString(): string };
  readonly endTimeUnixNano: { toString(): string };
  readonly status?: { readonly code?: number };
  readonly attributes: readonly PlainAttribute[];
}

interface PlainAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: unknown };
}

interface PlainRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly PlainAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly PlainSpan[] }[];
  }[];
}

function byObjects(type: ReturnType<typeof requestType>, bodies: readonly Buffer[]): Uint8Array {
  const groups: string[] = [];
  const [durations, input, output]: [number[], number[], number[]] = [[], [], []];
  const known = new Map<string, string>();
  for (const body of bodies) {
    const { resourceSpans } = type.decode(body) as unknown as PlainRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = anyOf(resource.attributes, "service.name")?.stringValue;
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          const model = anyOf(span.attributes, "gen_ai.request.model")?.stringValue;
          const key = `${service} ${model} ${span.status?.code}`;
          if (!known.has(key)) known.set(key, String(known.size));
          groups.push(known.get(key)!);
          durations.push(Number(BigInt(`${span.endTimeUnixNano}`) - BigInt(`${span.startTimeUnixNano}`)) / 1e6);
          input.push(Number(anyOf(span.attributes, "gen_ai.usage.input_tokens")?.intValue));
          output.push(Number(anyOf(span.attributes, "gen_ai.usage.output_tokens")?.intValue));
        }
      }
    }
  }
  const numbers = (values: number[]) => makeVector(Float64Array.from(values));
  const table = new Table({
    group: vectorFromArray(groups, new Dictionary(new Utf8(), new Int32())),
    duration: numbers(durations),
    input: numbers(input),
    output: numbers(output),
  });
  return tableToIPC(table, "stream");
}

function anyOf(attributes: readonly PlainAttribute[], key: string): PlainAttribute["value"] | undefined {
  return attributes.find((attribute) => attribute.key === key)?.value;
}
