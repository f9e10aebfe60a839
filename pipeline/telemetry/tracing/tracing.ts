import type { Clock, Labels } from "../../host.ts";
import type { SpanAttributes, SpanOptions, Tracer, TraceSpan } from "../../tracing.ts";
import type { Propagation } from "./propagation.ts";
import { RecentSpans } from "./recent_spans.ts";
import type { Sampler } from "./sampler.ts";
import type { SpanContext } from "./span_context.ts";

/** A span that has ended. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: NonNullable<SpanOptions["kind"]>;
  readonly scope: { readonly name: string; readonly version?: string };
  /** The component's: its id, kind and signal. */
  readonly component: Labels;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly attributes: SpanAttributes;
  readonly events: readonly { readonly name: string; readonly unixMs: number; readonly attributes: SpanAttributes }[];
  /** Why what it did has failed; undefined when it has not. */
  readonly error: string | undefined;
}

export interface TracingOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly sampler: Sampler;
  readonly propagation: Propagation;
  /** Gets every recorded span when it has ended. */
  readonly onEnd: (span: FinishedSpan) => void;
  /** Hears of the name of every span that is recorded. */
  readonly onStart?: (name: string) => void;
}

/** Makes the tracers of components. */
export class Tracing {
  readonly recent = new RecentSpans();
  readonly #options: TracingOptions;

  constructor(options: TracingOptions) {
    const { recent } = this;
    const onEnd = (span: FinishedSpan) => {
      recent.ended(span);
      options.onEnd(span);
    };
    const onStart = (name: string) => {
      recent.started(name);
      options.onStart?.(name);
    };
    this.#options = { ...options, onEnd, onStart };
  }

  /** A span that another thread records, to be the parent of spans here. */
  far(context: SpanContext): TraceSpan {
    return new FarSpan(this.#options, context);
  }

  /** Another thread has started a span of that name, which it will say the end of. */
  startedFar(name: string): void {
    this.recent.started(name);
  }

  /** A span of another thread has ended. */
  endedFar(span: FinishedSpan): void {
    this.#options.onEnd(span);
  }

  /** The tracer of the component with these log fields; `scope` names its instrumentation. */
  tracer(component: Labels, scope: string): Tracer {
    const { propagation } = this.#options;
    return {
      start: (name, options = {}) => {
        const { parent, header } = options;
        const above = parent === undefined ? header && propagation.extract(header) : contextOf(parent);
        return new OwnSpan(this.#options, name, { scope: { name: scope }, ...options }, above, component);
      },
    };
  }
}

/** What identifies a span of a `Tracing`. */
export function contextOf(span: TraceSpan): SpanContext | undefined {
  return span instanceof OwnSpan || span instanceof FarSpan ? span.context : undefined;
}

/** A span that another thread of this process records: spans are started inside it here. */
class FarSpan implements TraceSpan {
  readonly context: SpanContext;
  readonly #options: TracingOptions;

  constructor(options: TracingOptions, context: SpanContext) {
    this.#options = options;
    this.context = context;
  }

  child(name: string, options: SpanOptions = {}): TraceSpan {
    return new OwnSpan(this.#options, name, { scope: { name: "otelpipe" }, ...options }, this.context, {});
  }

  headers(): Readonly<Record<string, string>> {
    return this.#options.propagation.inject(this.context);
  }

  set(): void {}
  event(): void {}
  end(): void {}
}

class OwnSpan implements TraceSpan {
  readonly context: SpanContext;
  readonly #options: TracingOptions;
  readonly #name: string;
  readonly #spanOptions: SpanOptions & Pick<FinishedSpan, "scope">;
  readonly #parent: SpanContext | undefined;
  readonly #component: Labels;
  readonly #startUnixMs: number;
  readonly #startMs: number;
  readonly #events: FinishedSpan["events"][number][] = [];
  #attributes: SpanAttributes;
  #hasEnded = false;

  constructor(
    options: TracingOptions,
    name: string,
    spanOptions: SpanOptions & Pick<FinishedSpan, "scope">,
    parent: SpanContext | undefined,
    component: Labels,
  ) {
    const { clock, random, sampler } = options;
    const traceId = parent?.traceId ?? randomHex(random, 32);
    const isSampled = sampler(traceId, parent);
    const traceState = parent?.traceState;
    this.context = { traceId, spanId: randomHex(random, 16), isSampled, isRemote: false, traceState };
    this.#options = options;
    this.#name = name;
    this.#spanOptions = spanOptions;
    this.#parent = parent;
    this.#component = component;
    this.#attributes = spanOptions.attributes ?? {};
    this.#startUnixMs = clock.nowMs();
    this.#startMs = clock.monotonicMs();
    if (isSampled) options.onStart?.(name);
  }

  child(name: string, options: SpanOptions = {}): TraceSpan {
    const { scope } = this.#spanOptions;
    return new OwnSpan(this.#options, name, { scope, ...options }, this.context, this.#component);
  }

  set(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  event(name: string, attributes: SpanAttributes = {}): void {
    if (this.context.isSampled) this.#events.push({ name, unixMs: this.#nowUnixMs(), attributes });
  }

  headers(): Readonly<Record<string, string>> {
    return this.#options.propagation.inject(this.context);
  }

  end(error?: string): void {
    if (this.#hasEnded || !this.context.isSampled) return;
    this.#hasEnded = true;
    const { scope, kind = "internal" } = this.#spanOptions;
    this.#options.onEnd({
      name: this.#name,
      kind,
      scope,
      component: this.#component,
      context: this.context,
      parent: this.#parent,
      startUnixMs: this.#startUnixMs,
      endUnixMs: this.#nowUnixMs(),
      attributes: this.#attributes,
      events: this.#events,
      error,
    });
  }

  /** By the clock that never goes back, and finer than milliseconds. */
  #nowUnixMs(): number {
    return this.#startUnixMs + this.#options.clock.monotonicMs() - this.#startMs;
  }
}

function randomHex(random: () => number, digits: number): string {
  let text = "";
  while (text.length < digits)
    text += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, "0");
  return /[1-9a-f]/.test(text) ? text : `${text.slice(1)}1`;
}
