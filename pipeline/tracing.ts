/** Values of a span's attributes. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** `internal` unless said. */
  readonly kind?: "internal" | "server" | "client";
  /** The instrumentation scope; that of the parent, or of the tracer, unless given. */
  readonly scope?: { readonly name: string; readonly version?: string };
  readonly attributes?: SpanAttributes;
}

/** A span of otelpipe's own, from its start to its end. What is told it after its end is lost. */
export interface TraceSpan {
  /** Starts a span inside it, of the same component. */
  child(name: string, options?: SpanOptions): TraceSpan;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
  /** The headers that carry it to the next server, as the configured propagators write them. */
  headers(): Readonly<Record<string, string>>;
  /** Ends it, with an error's message when what it did has failed. */
  end(error?: string): void;
}

/** Starts the spans of one component. */
export interface Tracer {
  /** `parent` or, of a request that came in, its `header`s say what it is a part of; else it begins a trace. */
  start(
    name: string,
    options?: SpanOptions & {
      readonly parent?: TraceSpan | undefined;
      readonly header?: (name: string) => string | undefined;
    },
  ): TraceSpan;
}
