import { messageOf } from "./error_text.ts";
import type { Pdata } from "./pdata/index.ts";
import type { TraceSpan } from "./tracing.ts";

/** Who sent a batch, as far as the transport knows. */
export interface ClientInfo {
  /** Peer address as `host:port`, or the empty string when there is none (a file, a generator). */
  readonly address: string;
  readonly transport: "grpc" | "http" | "file" | "internal";
  /** Request headers, keys in lower case; present only with `include_metadata: true`. */
  readonly metadata?: ReadonlyMap<string, readonly string[]>;
  /** What the server's authenticator found out about the caller, by attribute name. */
  readonly auth?: ReadonlyMap<string, string | readonly string[]>;
  /** The own span that what is done for it is a part of; absent where none are recorded. */
  readonly trace?: TraceSpan | undefined;
}

/**
 * A batch and its answer. Whoever takes a delivery owes it exactly one `ack` or `nack`, within a deadline;
 * a second answer is ignored and reported as a bug.
 */
export interface Delivery<out T extends Pdata = Pdata> {
  readonly data: T;
  readonly client: ClientInfo;
  /** Aborted when the caller has gone away or its deadline has passed. */
  readonly signal: AbortSignal;
  ack(): void;
  nack(error: ConsumeError): void;
  /** Says that a setting lets its holder keep it for as long as it takes: it is not overdue then. */
  mayWait?(): void;
}

export interface ConsumeErrorOptions {
  /** Whether the same bytes may succeed later. Decides the status code: UNAVAILABLE/503, or INTERNAL/500. */
  retryable: boolean;
  /** When to come back, in milliseconds; sent as RetryInfo or Retry-After. */
  delayMs?: number;
  /** A status to answer with as it is, when it came from a downstream peer. gRPC numbering. */
  grpcStatus?: number;
  cause?: unknown;
}

/** Why a batch was not taken. Permanent or retryable, with an optional delay: that alone decides the status code. */
export class ConsumeError extends Error {
  override readonly name = "ConsumeError";
  readonly retryable: boolean;
  readonly delayMs: number | undefined;
  readonly grpcStatus: number | undefined;

  constructor(message: string, options: ConsumeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable;
    this.delayMs = options.delayMs;
    this.grpcStatus = options.grpcStatus;
  }

  /** What was thrown, as a ConsumeError: a throw of any other kind is permanent for the batch that caused it. */
  static from(thrown: unknown): ConsumeError {
    if (thrown instanceof ConsumeError) return thrown;
    const message = messageOf(thrown);
    return new ConsumeError(message, { retryable: false, cause: thrown });
  }

  /** One error for a fan-out: permanent when one of them is, else with the longest delay. */
  static combine(errors: readonly ConsumeError[]): ConsumeError {
    const [first] = errors;
    if (first !== undefined && errors.length === 1) return first;
    const delays = errors.flatMap((error) => (error.delayMs === undefined ? [] : [error.delayMs]));
    return new ConsumeError(errors.map((error) => error.message).join("; "), {
      retryable: errors.every((error) => error.retryable),
      ...(delays.length > 0 && { delayMs: Math.max(...delays) }),
      cause: errors,
    });
  }
}

/** A signal that never aborts, for deliveries whose caller cannot go away. */
export const neverAborted: AbortSignal = new AbortController().signal;
