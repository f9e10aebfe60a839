/** What identifies a span, also across processes. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** Whether another process has it. */
  readonly isRemote: boolean;
  /** The text of `tracestate`, passed on as it came. */
  readonly traceState?: string | undefined;
}
