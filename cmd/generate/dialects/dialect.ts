import type { Failure, Message, ModelCall, Operation } from "../operations.ts";
import type { Scope } from "../services.ts";
import { type Attributes, type SpanText, spanStatus } from "../span.ts";
import type { DialectName } from "./names.ts";

/** One way of writing operations as spans. */
export interface Dialect {
  readonly name: DialectName;
  readonly scope: Scope;
  write(operation: Operation): SpanText;
  /** A span around each call of a model that says its usage once more. */
  wrap?(call: ModelCall): SpanText;
  /** Whether agents may say the sum of the calls below them. */
  readonly sumsAgents?: true;
}

/** The status ERROR and the exception event that most SDKs write; nothing when all went well. */
export function failed(failure: Failure | undefined, whenWell?: number): Partial<SpanText> {
  if (failure === undefined) return whenWell === undefined ? {} : { status: whenWell };
  const exception: Attributes = {
    "exception.type": failure.exception,
    "exception.message": failure.message,
    "exception.stacktrace": `Traceback (most recent call last):\n  ...\n${failure.exception}: ${failure.message}`,
  };
  return {
    status: spanStatus.error,
    statusMessage: failure.message,
    events: [{ name: "exception", attributes: exception }],
  };
}

/** Messages as JSON; undefined when none were captured. */
export function messagesJson(
  messages: readonly Message[],
  shape: (message: Message) => object = ({ role, content }) => ({ role, content }),
): string | undefined {
  return messages.length === 0 ? undefined : JSON.stringify(messages.map(shape));
}

/** A message as `parts`, the shape of the conventions since 1.37. */
export function withParts({ role, content }: Message): object {
  return { role, parts: [{ type: "text", content }] };
}

/** Undefined for zero: counts that are only said when there is something to say. */
export function ifAny(count: number | undefined): number | undefined {
  return count === undefined || count === 0 ? undefined : count;
}
