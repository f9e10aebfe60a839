import { decode, encode, type Logs, type Traces } from "../../../pipeline/pdata/index.ts";
import definition from "../../../processors/probabilistic_sampler/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";

/** A config as a user writes it, with the defaults filled in. */
export function configured(settings: Readonly<Record<string, unknown>>) {
  return definition.config.parse(settings);
}

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };

export interface TestSpan {
  readonly traceId: string;
  readonly traceState?: string;
  readonly attributes?: readonly Attribute[];
}

export function traces(spans: readonly TestSpan[]): Traces {
  return encode("traces", {
    resourceSpans: [
      { scopeSpans: [{ spans: spans.map((span) => ({ ...span, traceId: Buffer.from(span.traceId, "hex") })) }] },
    ],
  });
}

/** What becomes of spans: those kept, decoded, and the host with its books and log. */
export function sampleTraces(settings: Readonly<Record<string, unknown>>, data: Traces) {
  const host = simulatedHost({ id: "probabilistic_sampler", signal: "traces" });
  const { sent, answers } = run(definition.traces!(configured(settings), host), [data]);
  const spans = sent.flatMap((delivery) =>
    decode<"traces">(delivery.data).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );
  return { spans, host, answers, sent };
}

export interface TestRecord {
  readonly traceId?: string;
  readonly attributes?: readonly Attribute[];
}

export function logs(records: readonly TestRecord[]): Logs {
  const logRecords = records.map(({ traceId = "", attributes = [] }) => ({
    traceId: Buffer.from(traceId, "hex"),
    attributes,
  }));
  return encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
}

/** What becomes of log records. */
export function sampleLogs(settings: Readonly<Record<string, unknown>>, data: Logs) {
  const host = simulatedHost({ id: "probabilistic_sampler", signal: "logs" });
  const { sent } = run(definition.logs!(configured(settings), host), [data]);
  const records = sent.flatMap((delivery) =>
    decode<"logs">(delivery.data).resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords),
    ),
  );
  return { records, host };
}
