/**
 * How many spans per second `aggregate` takes on one core: a fixed number of spans in batches of 512, 10 attributes and
 * about 400 bytes each, three group fields (24 groups), count, sum and p95. Beside a floor (walk the spans, read two times
 * and the duration) and a peer (the same table by way of plain objects). Medians of rounds; CPU time of this process.
 *
 * Then the figures that have a mark: the engines over a window of a million spans beside plain pandas, the encoding of a
 * window as Arrow beside protobufjs, and how much longer requests take while a window is aggregated. Exit code 1 when one is
 * missed. `--only` takes some of `spans`, `engines`, `encoding`, `delivery`. Python with pandas and pyarrow is that of the
 * peers (`npm run test:interop` installs it) unless OTELPIPE_RAPIDS_PYTHON names another.
 *
 *     node bench/aggregate/main.ts [--only engines,encoding]
 */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { SpanAggregation } from "../../pipeline/frame/aggregation.ts";
import { aggregateConfig, aggregateSettings } from "../../pipeline/frame/settings.ts";
import { decode, encode, receive, type Traces } from "../../pipeline/pdata/index.ts";
import { cacheFolder } from "../../test/interop/peers/peer.ts";
import { runningClock } from "../../test/pipeline/frame/running_clock.ts";
import { seededRandom, simulatedHost } from "../../test/support/simulated_host.ts";
import { deliveryMark } from "./delivery.ts";
import { encodingMark } from "./encoding.ts";
import { engineMarks } from "./engines.ts";
import { type Mark, report } from "./marks.ts";

const rounds = 5;
const spansPerBatch = 512;
const batchCount = 2000;
const spanCount = spansPerBatch * batchCount;
const models = ["gemma-3-270m", "qwen2.5-3b", "llama-3.1-8b"];
const others = [
  "gen_ai.operation.name",
  "gen_ai.provider.name",
  "server.address",
  "thread.name",
  "code.function",
  "host",
  "zone",
];

const host = simulatedHost({ budgetBytes: 1e10 });
const clock = runningClock(host.clock);
const random = seededRandom(17);
const settings = aggregateSettings(aggregateConfig.parse({}));

function batch(number: number): Buffer {
  const nowNano = BigInt(clock.nowMs()) * 1_000_000n;
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const int = (key: string, value: number) => ({ key, value: { intValue: BigInt(value) } });
  const spans = Array.from({ length: spansPerBatch }, (_, place) => {
    const end = nowNano - BigInt(Math.floor(random() * 9e8));
    return {
      traceId: Buffer.alloc(16, place + 1),
      spanId: Buffer.alloc(8, place + 1),
      name: "chat",
      kind: 3,
      startTimeUnixNano: end - BigInt(Math.floor(Math.exp(18 + 4 * random()))),
      endTimeUnixNano: end,
      status: { code: place % 50 === 0 ? 2 : 1 },
      attributes: [
        ...others.map((key) => text(key, `value of ${key}`)),
        text("gen_ai.request.model", models[place % models.length]!),
        int("gen_ai.usage.input_tokens", place * 3),
        int("gen_ai.usage.output_tokens", place),
      ],
    };
  });
  const resource = { attributes: [text("service.name", `service ${number % 4}`)] };
  return encode("traces", {
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "bench" }, spans }] }],
  }).toBuffer();
}

/** CPU nanoseconds per span of one run; `prepare` is not counted. */
async function measure(
  spans: number,
  prepare: () => Traces[],
  run: (batches: readonly Traces[]) => Promise<void> | void,
) {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const batches = prepare();
    const before = process.cpuUsage();
    await run(batches);
    const { user, system } = process.cpuUsage(before);
    if (round > 0) times.push(((user + system) * 1000) / spans);
  }
  return times.sort((a, b) => a - b);
}

function print(name: string, times: readonly number[]): void {
  const median = times[times.length >> 1]!;
  const spread = `${times[0]!.toFixed(0)} to ${times.at(-1)!.toFixed(0)}`;
  const rate = Math.round(1e6 / median).toLocaleString("en");
  console.log(`${name.padEnd(52)} ${median.toFixed(0).padStart(6)} ns/span (${spread}), ${rate} thousand spans/s`);
}

async function aggregateAll(batches: readonly Traces[]): Promise<void> {
  const aggregation = new SpanAggregation(settings, host);
  for (const traces of batches) aggregation.take(traces);
  await aggregation.flush();
  await aggregation.stop();
}

function readOnly(batches: readonly Traces[]): void {
  const aggregation = new SpanAggregation(settings, host);
  for (const traces of batches) aggregation.take(traces);
  void aggregation.stop();
}

let checksum = 0;

function floor(batches: readonly Traces[]): void {
  for (const traces of batches) {
    for (const span of traces.spans()) checksum += span.endUnixMs + span.durationNano;
  }
}

function byObjects(batches: readonly Traces[]): void {
  const groups = new Map<string, { count: number; tokens: number; durations: number[] }>();
  for (const traces of batches) {
    for (const { resource, scopeSpans } of decode(traces).resourceSpans) {
      const service = resource?.attributes.find(({ key }) => key === "service.name")?.value?.stringValue;
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const model = span.attributes.find(({ key }) => key === "gen_ai.request.model")?.value?.stringValue;
        const tokens = span.attributes.find(({ key }) => key === "gen_ai.usage.output_tokens")?.value?.intValue ?? 0n;
        const key = `${span.endTimeUnixNano / 10_000_000_000n} ${service} ${model} ${span.status?.code}`;
        const group = groups.get(key) ?? { count: 0, tokens: 0, durations: [] };
        groups.set(key, group);
        group.count++;
        group.tokens += Number(tokens);
        group.durations.push(Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6);
      }
    }
  }
  for (const { durations } of groups.values()) checksum += durations.sort((a, b) => a - b)[durations.length >> 1]!;
}

const templates = Array.from({ length: 8 }, (_, number) => batch(number));
const batches = (count: number) => () =>
  Array.from({ length: count }, (_, number) => receive("traces", templates[number % templates.length]!));

async function perSpan(): Promise<void> {
  const size = Math.round(templates[0]!.length / spansPerBatch);
  console.log(`${spanCount} spans, ${size} bytes each; Node ${process.version}`);
  print("floor: walk, read end and duration", await measure(spanCount, batches(batchCount), floor));
  print("read into the columns of their windows", await measure(spanCount, batches(batchCount), readOnly));
  print("aggregate: read and compute", await measure(spanCount, batches(batchCount), aggregateAll));
  print("peer: plain objects, one map", await measure(spansPerBatch * 16, batches(16), byObjects));
  await setImmediate();
  if (checksum === 0) throw new Error("nothing was read");
}

const { values } = parseArgs({ options: { only: { type: "string", default: "spans,engines,encoding,delivery" } } });
const isWanted = (part: string) => values.only.split(",").includes(part);
const python = process.env["OTELPIPE_RAPIDS_PYTHON"] ?? join(cacheFolder(), "python_sdk", "venv", "bin", "python");
const marks: Mark[] = [];
if (isWanted("spans")) await perSpan();
if (isWanted("engines")) marks.push(...(await engineMarks(python)));
if (isWanted("encoding")) marks.push(await encodingMark());
if (isWanted("delivery")) {
  marks.push(await deliveryMark("`cpu`", "cpu"));
  marks.push(await deliveryMark("`rapids` on pandas", `{ type: rapids, python: ${python} }`));
}
if (!report(marks)) process.exitCode = 1;
