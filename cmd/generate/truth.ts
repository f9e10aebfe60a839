import type { DefectName } from "./defects.ts";
import type { DialectName } from "./dialects/names.ts";
import type { PlannedTrace } from "./generator.ts";
import type { ShapeName } from "./shapes/index.ts";
import { type Secret, type Span, spanStatus, type UsageRole } from "./span.ts";

/**
 * What was really sent: the numbers that figures, tables and graphs of the same spans must show. It counts the spans
 * that a server accepted, duplicates included, and nothing else.
 */
export interface Truth {
  readonly version: 1;
  readonly seed: number;
  readonly spans: number;
  /** Of `spans`: refused within requests that were taken. Which ones a server does not say, so all are counted. */
  readonly rejectedSpans: number;
  /** Of `spans`: those without a parent. */
  readonly rootSpans: number;
  /** Traces of which the last span was accepted. */
  readonly traces: number;
  readonly tracesByShape: Partial<Record<ShapeName, number>>;
  readonly tracesByDialect: Partial<Record<DialectName, number>>;
  readonly tracesByDefect: Partial<Record<DefectName, number>>;
  /** Chat, embeddings, tool, agent, workflow, plan, retrieval, rerank, llm_request, mcp, http, db, wrapper. */
  readonly spansByOperation: Record<string, number>;
  readonly spansByStatus: Record<Status, number>;
  readonly spansByService: readonly { readonly service: string; readonly status: Status; readonly spans: number }[];
  /** Calls of models as their clients saw them: the rows of `usage` with the role `request`, summed. */
  readonly requests: Totals;
  readonly requestsByModel: Record<string, Totals>;
  readonly requestsByDialect: Partial<Record<DialectName, Totals>>;
  /** Every span that stands for a call of a model or repeats its tokens; only the role `request` counts as a request. */
  readonly usage: readonly UsageRow[];
  readonly finishReasons: Record<string, number>;
  /** Failed spans without a failed child; `contained` when their parent did not fail, whatever the reason. */
  readonly errorOrigins: List<{
    readonly traceId: string;
    readonly spanId: string;
    readonly kind: string;
    readonly contained: boolean;
  }>;
  readonly errorOriginsByKind: Record<string, { readonly contained: number; readonly propagated: number }>;
  /** `contained`: the tool failed and its agent went on. `propagated`: the agent failed with it. */
  readonly tools: { readonly calls: number; readonly contained: number; readonly propagated: number };
  readonly loops: List<{ readonly traceId: string; readonly tool: string; readonly repeats: number }>;
  /** Planted personal data, once for each span that carries it. */
  readonly secrets: List<{ readonly traceId: string; readonly spanId: string } & Secret>;
  /** Of all counts above: what was sent a second time. */
  readonly duplicates: { readonly spans: number } & Totals;
  readonly metricPoints: number;
}

export type Status = "UNSET" | "OK" | "ERROR";

/** Sums over requests. */
export interface Totals {
  readonly requests: number;
  /** With status ERROR. */
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface UsageRow {
  readonly role: UsageRole;
  readonly operation: string;
  readonly dialect: DialectName;
  readonly service: string;
  /** Empty where the span does not say. */
  readonly model: string;
  readonly status: Status;
  readonly spans: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** The first entries, and how many there are in all. */
export interface List<T> {
  readonly total: number;
  readonly first: readonly T[];
}

const mostListed = 10_000;
const statusNames = { [spanStatus.unset]: "UNSET", [spanStatus.ok]: "OK", [spanStatus.error]: "ERROR" } as const;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Sums = Mutable<Totals>;

/** Adds up the truth, batch by batch. */
export class TruthBooks {
  readonly #seed: number;
  #spans = 0;
  #rootSpans = 0;
  #traces = 0;
  #metricPoints = 0;
  #rejectedSpans = 0;
  readonly #byShape = new Map<ShapeName, number>();
  readonly #byDialect = new Map<DialectName, number>();
  readonly #byDefect = new Map<DefectName, number>();
  readonly #byOperation = new Map<string, number>();
  readonly #byStatus = new Map<Status, number>();
  readonly #byService = new Map<string, { service: string; status: Status; spans: number }>();
  readonly #usage = new Map<string, Mutable<UsageRow>>();
  readonly #finish = new Map<string, number>();
  readonly #origins = new BoundedList<Truth["errorOrigins"]["first"][number]>();
  readonly #originsByKind = new Map<string, { contained: number; propagated: number }>();
  readonly #tools = { calls: 0, contained: 0, propagated: 0 };
  readonly #loops = new BoundedList<Truth["loops"]["first"][number]>();
  readonly #secrets = new BoundedList<Truth["secrets"]["first"][number]>();
  readonly #duplicates = { spans: 0, ...noTotals() };

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds spans of one trace that were accepted. @param last whether the trace is complete with them. */
  addSpans(
    trace: PlannedTrace,
    spans: readonly Span[],
    { last, duplicate }: { last: boolean; duplicate: boolean },
  ): void {
    for (const span of spans) this.#addSpan(trace, span, duplicate);
    if (!last) return;
    this.#traces++;
    increase(this.#byShape, trace.shape);
    if (trace.dialect !== undefined) increase(this.#byDialect, trace.dialect);
    if (trace.defect !== undefined) increase(this.#byDefect, trace.defect);
  }

  addRejected(count: number): void {
    this.#rejectedSpans += count;
  }

  addMetricPoints(count: number): void {
    this.#metricPoints += count;
  }

  #addSpan(trace: PlannedTrace, span: Span, duplicate: boolean): void {
    const { facts } = span;
    const status = statusNames[span.status as keyof typeof statusNames];
    this.#spans++;
    if (span.parentId.length === 0) this.#rootSpans++;
    increase(this.#byOperation, facts.operation);
    increase(this.#byStatus, status);
    const serviceKey = `${span.service.name} ${status}`;
    const row = this.#byService.get(serviceKey) ?? { service: span.service.name, status, spans: 0 };
    this.#byService.set(serviceKey, row);
    row.spans++;
    if (duplicate) this.#duplicates.spans++;
    this.#addUsage(trace, span, status, duplicate);
    this.#addFailure(trace, span);
    const ids = { traceId: trace.id.toString("hex"), spanId: span.id.toString("hex") };
    for (const secret of facts.secrets ?? []) this.#secrets.push({ ...ids, ...secret });
    if (facts.loop !== undefined) this.#loops.push({ traceId: ids.traceId, ...facts.loop });
  }

  #addUsage({ dialect }: PlannedTrace, { facts, service }: Span, status: Status, duplicate: boolean): void {
    const { usage, operation } = facts;
    if (usage === undefined || dialect === undefined) return;
    const { role, model, inputTokens, outputTokens } = usage;
    const key = [role, operation, dialect, service.name, model, status].join(" ");
    const none = { spans: 0, inputTokens: 0, outputTokens: 0 };
    const row = this.#usage.get(key) ?? { role, operation, dialect, service: service.name, model, status, ...none };
    this.#usage.set(key, row);
    row.spans++;
    row.inputTokens += inputTokens;
    row.outputTokens += outputTokens;
    if (role !== "request") return;
    if (facts.finish !== undefined) increase(this.#finish, facts.finish);
    if (duplicate) addRow(this.#duplicates, { ...row, spans: 1, inputTokens, outputTokens });
  }

  #addFailure(trace: PlannedTrace, span: Span): void {
    const { origin, failure = "_OTHER", tool } = span.facts;
    if (origin !== undefined) {
      const ids = { traceId: trace.id.toString("hex"), spanId: span.id.toString("hex") };
      this.#origins.push({ ...ids, kind: failure, contained: origin.contained });
      const counts = this.#originsByKind.get(failure) ?? { contained: 0, propagated: 0 };
      this.#originsByKind.set(failure, counts);
      counts[origin.contained ? "contained" : "propagated"]++;
    }
    if (tool === undefined) return;
    this.#tools.calls++;
    if (span.status !== spanStatus.error) return;
    this.#tools[tool.handled ? "contained" : "propagated"]++;
  }

  /** The truth so far. */
  truth(): Truth {
    const usage = [...this.#usage.values()].map((row) => ({ ...row }));
    const requests = usage.filter(({ role }) => role === "request");
    return {
      version: 1,
      seed: this.#seed,
      spans: this.#spans,
      rejectedSpans: this.#rejectedSpans,
      rootSpans: this.#rootSpans,
      traces: this.#traces,
      tracesByShape: Object.fromEntries(this.#byShape),
      tracesByDialect: Object.fromEntries(this.#byDialect),
      tracesByDefect: Object.fromEntries(this.#byDefect),
      spansByOperation: Object.fromEntries(this.#byOperation),
      spansByStatus: { UNSET: 0, OK: 0, ERROR: 0, ...Object.fromEntries(this.#byStatus) },
      spansByService: [...this.#byService.values()].map((row) => ({ ...row })),
      requests: totalsOf(requests),
      requestsByModel: totalsBy(requests, ({ model }) => model),
      requestsByDialect: totalsBy(requests, ({ dialect }) => dialect),
      usage,
      finishReasons: Object.fromEntries(this.#finish),
      errorOrigins: this.#origins.list(),
      errorOriginsByKind: Object.fromEntries([...this.#originsByKind].map(([kind, counts]) => [kind, { ...counts }])),
      tools: { ...this.#tools },
      loops: this.#loops.list(),
      secrets: this.#secrets.list(),
      duplicates: { ...this.#duplicates },
      metricPoints: this.#metricPoints,
    };
  }
}

function noTotals(): Sums {
  return { requests: 0, failed: 0, inputTokens: 0, outputTokens: 0 };
}

function addRow(sums: Sums, row: Pick<UsageRow, "status" | "spans" | "inputTokens" | "outputTokens">): void {
  sums.requests += row.spans;
  if (row.status === "ERROR") sums.failed += row.spans;
  sums.inputTokens += row.inputTokens;
  sums.outputTokens += row.outputTokens;
}

/** The sum of some rows. */
export function totalsOf(rows: readonly UsageRow[]): Totals {
  const sums = noTotals();
  for (const row of rows) addRow(sums, row);
  return sums;
}

/** Sums of rows by a name. */
export function totalsBy<N extends string>(rows: readonly UsageRow[], name: (row: UsageRow) => N): Record<N, Totals> {
  const groups = Map.groupBy(rows, name);
  return Object.fromEntries([...groups].map(([key, group]) => [key, totalsOf(group)])) as Record<N, Totals>;
}

function increase<N>(counts: Map<N, number>, name: N): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

class BoundedList<T> {
  readonly #first: T[] = [];
  #total = 0;

  push(entry: T): void {
    this.#total++;
    if (this.#first.length < mostListed) this.#first.push(entry);
  }

  list(): List<T> {
    return { total: this.#total, first: [...this.#first] };
  }
}
