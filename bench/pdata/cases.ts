import type protobuf from "protobufjs";
import { Chunk } from "../../pipeline/pdata/chunk.ts";
import {
  attribute,
  attributeKeys,
  editSpans,
  filterSpans,
  fromJson,
  randomness,
  receive,
  release,
  Traces,
  toJson,
} from "../../pipeline/pdata/index.ts";
import { batches, requestType, spansPerBatch } from "./data.ts";
import { jsonOf, requestOf } from "./json.ts";

/** One row of the table. */
export interface Case {
  readonly name: string;
  /** The case that the ratio is taken against. */
  readonly against?: string;
  /** The least ratio that counts as reached. */
  readonly mark?: number;
  /** Makes the step that is timed; it works on one batch a call. */
  prepare(): (index: number) => void;
}

/** What a step computes goes here, for others to see, so that it is not optimised away. @public */
export let sink = 0;

/** Calls `use` with one of the batches as bytes. */
function onBytes(use: (bytes: Buffer, type: protobuf.Type) => unknown): (index: number) => void {
  const type = requestType();
  const all = batches(type);
  return (index) => {
    if (use(all[index % all.length]!, type) === undefined) sink += 1;
  };
}

/** Calls `use` with one of the batches as it came from the receiver, its rows filled by the walk. */
function onReceived(use: (traces: Traces) => unknown): (index: number) => void {
  const all = batches(requestType()).map((bytes) => receive("traces", bytes));
  return (index) => {
    if (use(all[index % all.length]!) === undefined) sink += 1;
  };
}

/** Calls `use` with a batch that nobody has looked at since it was made, as after an edit. */
function onUnread(use: (traces: Traces) => unknown): (index: number) => void {
  const all = batches(requestType());
  return (index) => {
    const traces = new Traces([new Chunk("traces", all[index % all.length]!, spansPerBatch)]);
    if (use(traces) === undefined) sink += 1;
  };
}

const keys = attributeKeys({ port: "server.port", environment: "deployment.environment" });
const production = attribute(keys.environment, "prod");
const lookups = attributeKeys({
  model: "gen_ai.request.model",
  input: "gen_ai.usage.input_tokens",
  output: "gen_ai.usage.output_tokens",
});
const half = randomness(1n << 55n);

function facts(traces: Traces): void {
  let sum = 0;
  for (const span of traces.spans()) sum += span.traceId.fnv1a(0) + span.durationNano + span.statusCode;
  sink += sum;
}

function lookUp(traces: Traces): void {
  let tokens = 0;
  let spans = 0;
  for (const span of traces.spans()) {
    tokens += (span.number(lookups.input) ?? 0) + (span.number(lookups.output) ?? 0);
    if (span.string(lookups.model) === "gpt-oss-20b") spans += 1;
  }
  sink += tokens + spans;
}

const edit = (traces: Traces) =>
  editSpans(traces, (span) => {
    span.delete(keys.port);
    span.set(production);
  });
const sample = (traces: Traces) => filterSpans(traces, (span) => span.traceId.atLeast(half));

export const protobufCase = "protobufjs: decode + encode";

/**
 * All cases, the ones to compare with first.
 *
 * "Into fresh memory" is what a pipeline gets, since no component calls `release`: it costs an edit 80 to 160 ns a span
 * more, for pages and cache lines that nobody has touched lately. What else was tried for it, in ns a span of the edit
 * with 1 and with 32 results alive (Node 24.21, glibc, 250 kB a batch; medians, which vary by 60 from run to run):
 *
 * - `allocUnsafeSlow` in size classes, as it is: 545, 640
 * - exact sizes: 540, 690
 * - parts of slabs of 1 MiB, left to the collector: 600, 575
 * - parts of slabs of 8 MiB: 605, 635
 * - glibc told to keep freed memory (`MALLOC_TRIM_THRESHOLD_` and others): 575, 605
 *
 * None is clearly better. Giving memory back when the collector finds its batch gone would not be safe: views that were
 * made of it (by `subarray`, by a socket) keep the `ArrayBuffer` alive and not the batch, and the memory of an
 * `ArrayBuffer` that is gone itself cannot be had again, unless it is a shared one, which every access pays for.
 */
export const cases: readonly Case[] = [
  {
    name: protobufCase,
    prepare: () => onBytes((bytes, type) => type.encode(type.decode(bytes)).finish()),
  },
  { name: "floor: copy the batch", against: protobufCase, prepare: () => onBytes((bytes) => Buffer.from(bytes)) },
  {
    name: "validating walk with UTF-8 check",
    against: protobufCase,
    mark: 25,
    prepare: () => onBytes((bytes) => receive("traces", bytes)),
  },
  { name: "id, duration, status of every span", against: protobufCase, mark: 80, prepare: () => onReceived(facts) },
  { name: "  the same, first reader after an edit", against: protobufCase, prepare: () => onUnread(facts) },
  { name: "three attributes looked up", against: protobufCase, mark: 80, prepare: () => onReceived(lookUp) },
  { name: "  the same, first reader after an edit", against: protobufCase, prepare: () => onUnread(lookUp) },
  {
    name: "one attribute deleted, one set",
    against: protobufCase,
    mark: 25,
    prepare: () => onReceived((traces) => release(edit(traces))),
  },
  { name: "  the same, into fresh memory", against: protobufCase, prepare: () => onReceived(edit) },
  { name: "  the same, first reader after an edit", against: protobufCase, prepare: () => onUnread(edit) },
  {
    name: "50 % sampling",
    against: protobufCase,
    mark: 150,
    prepare: () => onReceived((traces) => release(sample(traces))),
  },
  { name: "  the same, into fresh memory", against: protobufCase, prepare: () => onReceived(sample) },
  { name: "  the same, first reader after an edit", against: protobufCase, prepare: () => onUnread(sample) },
  {
    name: "JSON.parse + protobufjs",
    prepare: () => {
      const type = requestType();
      const texts = batches(type).map((bytes) => Buffer.from(jsonOf(type, bytes)));
      return (index) => void requestOf(type, texts[index % texts.length]!.toString());
    },
  },
  {
    name: "OTLP/JSON in",
    against: "JSON.parse + protobufjs",
    mark: 4,
    prepare: () => {
      const type = requestType();
      const texts = batches(type).map((bytes) => Buffer.from(jsonOf(type, bytes)));
      return (index) => void fromJson("traces", texts[index % texts.length]!);
    },
  },
  {
    name: "protobufjs + JSON.stringify",
    prepare: () => onBytes((bytes, type) => Buffer.from(jsonOf(type, bytes))),
  },
  {
    name: "OTLP/JSON out",
    against: "protobufjs + JSON.stringify",
    mark: 4,
    prepare: () => onReceived((traces) => toJson(traces)),
  },
];
