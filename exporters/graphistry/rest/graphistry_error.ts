/** Why a request to a Graphistry server failed. The message names the step and the status, never a secret. */
export class GraphistryError extends Error {
  override readonly name = "GraphistryError";
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** Whether the same request may succeed later. */
  readonly isRetryable: boolean;
  /** When the server wants to be asked again. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: GraphistryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface GraphistryErrorOptions {
  readonly status?: number;
  readonly isRetryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}
