import { type Span, spanStatus } from "./span.ts";

/**
 * Marks where errors begin: a failed span without a failed child. It is contained when its parent did not fail, and has
 * propagated when it did or when there is no parent.
 */
export function markErrorOrigins(spans: readonly Span[]): void {
  const withFailedChild = new Set<Span>();
  for (const span of spans) {
    if (span.status === spanStatus.error && span.parent !== undefined) withFailedChild.add(span.parent);
  }
  for (const span of spans) {
    if (span.status !== spanStatus.error || withFailedChild.has(span)) continue;
    span.facts.origin = { contained: span.parent !== undefined && span.parent.status !== spanStatus.error };
    span.facts.failure ??= "_OTHER";
  }
}
