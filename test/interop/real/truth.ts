import assert from "node:assert/strict";
import type { Stopped } from "../../support/daemon.ts";
import { attributesOf, list, objectOf, readItems } from "../otlp_items.ts";
import { eventually } from "../peers/server.ts";
import type { Stage } from "./stage.ts";

/** A span as it was sent, with plain values. */
export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** The protocol's number. */
  readonly kind: number;
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: { readonly name: string; readonly version: string };
}

/**
 * Every span that was sent, as it was sent: the downstream Collector gets the same data on a pipeline that neither
 * normalises nor stamps, and writes it to a file. A second tap, so that what is compared with it went another way. All
 * that the receiver's books say it accepted is there, of every signal, and no more; what the senders say is compared later.
 */
export async function readTruth(stage: Stage, { books }: Stopped): Promise<SentSpan[]> {
  const accepted = books["receiver:otlp"]?.out ?? 0;
  assert.ok(accepted > 0, `the receiver accepted nothing, by its books: ${JSON.stringify(books)}`);
  const items = await eventually(async () => {
    const found = await readItems(stage.downstream.outputFile);
    return found.length >= accepted ? found : undefined;
  });
  assert.equal(items.length, accepted, "items downstream, and accepted by the receiver");
  const spans = items.filter(({ signal }) => signal === "traces");
  return spans.map(({ item, resource, scope }) => ({
    traceId: String(item["traceId"]),
    spanId: String(item["spanId"]),
    parentSpanId: String(item["parentSpanId"] ?? ""),
    name: String(item["name"]),
    kind: Number(item["kind"] ?? 0),
    startNano: BigInt(String(item["startTimeUnixNano"])),
    endNano: BigInt(String(item["endTimeUnixNano"])),
    statusCode: Number(objectOf(item["status"])["code"] ?? 0),
    statusMessage: String(objectOf(item["status"])["message"] ?? ""),
    attributes: attributesOf(item),
    events: list(item["events"]).map((event) => ({ name: String(event["name"]), attributes: attributesOf(event) })),
    links: list(item["links"]).map(({ traceId, spanId }) => ({ traceId: String(traceId), spanId: String(spanId) })),
    resource: attributesOf(resource),
    scope: { name: String(scope["name"] ?? ""), version: String(scope["version"] ?? "") },
  }));
}

/** A request for a completion, in both dialects; agents and sessions around it are none. */
export function isRequest({ name }: SentSpan): boolean {
  return name.startsWith("chat ") || name.startsWith("llm.chat.");
}

/** The token counts a span was sent with; 0 where it has none. */
export function tokensOf({ attributes }: SentSpan): { readonly input: number; readonly output: number } {
  const count = (side: "input" | "output"): number =>
    Number(attributes[`gen_ai.usage.${side}_tokens`] ?? attributes[`llm.usage.${side}_tokens`] ?? 0);
  return { input: count("input"), output: count("output") };
}

/** The sum of both sides over some spans. */
export function sumTokens(spans: readonly SentSpan[]): { input: number; output: number } {
  const counts = spans.map(tokensOf);
  return {
    input: counts.reduce((sum, { input }) => sum + input, 0),
    output: counts.reduce((sum, { output }) => sum + output, 0),
  };
}
