import type { Random } from "./random.ts";
import type { Scope, Service } from "./services.ts";

/** A number that is a double on the wire even when it is whole. */
export interface DoubleAttribute {
  readonly doubleValue: number;
}

/** Attribute values: whole numbers are int64, others doubles; undefined is left out. */
export type AttributeValue = string | number | boolean | DoubleAttribute | readonly string[] | undefined;
export type Attributes = Readonly<Record<string, AttributeValue>>;

export function asDouble(value: number): DoubleAttribute {
  return { doubleValue: value };
}

export const spanKind = { internal: 1, server: 2, client: 3 } as const;
export const spanStatus = { unset: 0, ok: 1, error: 2 } as const;

/** What a span says beyond its times; what a dialect makes of an operation. */
export interface SpanText {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Attributes;
  readonly status?: number;
  readonly statusMessage?: string;
  /** They happen at the end of the span. */
  readonly events?: readonly { readonly name: string; readonly attributes: Attributes }[];
}

/** What a span stands for: counted in the ground truth. */
export interface SpanFacts {
  operation: string;
  /** Token counts as they stand on the span, and in which role: see `UsageRole`. */
  usage?: Usage;
  finish?: string | undefined;
  /** What went wrong here, when it did. */
  failure?: string | undefined;
  origin?: { readonly contained: boolean };
  /** A tool that was executed; `handled` when it failed and its agent went on. */
  tool?: { readonly name: string; readonly handled: boolean };
  loop?: { readonly tool: string; readonly repeats: number };
  secrets?: readonly Secret[];
}

/**
 * `request`: a call of a model (chat, embeddings), as its client saw it; retries are requests of their own.
 * `engine`: the server's side of such a call. `sum`: tokens of other spans said again (an agent, an outer span).
 * `rerank`: a call of a reranking model, which is a retrieval by the conventions and reports no tokens.
 */
export type UsageRole = "request" | "engine" | "sum" | "rerank";

export interface Usage {
  readonly role: UsageRole;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Planted personal data: what kind, and the text itself. */
export interface Secret {
  readonly kind: "email" | "phone" | "card" | "iban" | "api_key";
  readonly value: string;
}

/** A span while its trace is being made. Times are nanoseconds since the start of the trace. */
export class Span {
  readonly id: Buffer;
  parentId: Buffer;
  readonly parent: Span | undefined;
  readonly service: Service;
  readonly scope: Scope;
  readonly facts: SpanFacts;
  readonly links: Span[] = [];
  text: SpanText;
  startNs: number;
  endNs: number;

  constructor(
    id: Buffer,
    parent: Span | undefined,
    origin: { readonly service: Service; readonly scope: Scope },
    text: SpanText,
    startSeconds: number,
    facts: SpanFacts,
  ) {
    this.id = id;
    this.parent = parent;
    this.parentId = parent?.id ?? Buffer.alloc(0);
    this.service = origin.service;
    this.scope = origin.scope;
    this.text = text;
    this.startNs = nanoseconds(startSeconds);
    this.endNs = this.startNs;
    this.facts = facts;
  }

  get status(): number {
    return this.text.status ?? spanStatus.unset;
  }

  end(atSeconds: number): void {
    this.endNs = nanoseconds(atSeconds);
  }

  /** Sets attributes, a status or a name that were not known at the start. */
  amend(change: Partial<SpanText>): void {
    const attributes =
      change.attributes === undefined ? this.text.attributes : { ...this.text.attributes, ...change.attributes };
    this.text = { ...this.text, ...change, attributes };
  }
}

function nanoseconds(seconds: number): number {
  return Math.round(seconds * 1e9);
}

/** A trace: the first span is its root until defects are planted. */
export class Trace {
  readonly id: Buffer;
  readonly random: Random;
  readonly spans: Span[] = [];

  constructor(random: Random) {
    this.id = random.id(16);
    this.random = random;
  }

  start(
    parent: Span | undefined,
    origin: { readonly service: Service; readonly scope: Scope },
    text: SpanText,
    startSeconds: number,
    facts: SpanFacts,
  ): Span {
    const span = new Span(this.random.id(8), parent, origin, text, startSeconds, facts);
    this.spans.push(span);
    return span;
  }

  get endNs(): number {
    return this.spans.reduce((latest, span) => Math.max(latest, span.endNs), 0);
  }
}
