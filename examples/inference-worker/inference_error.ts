import type { ChatResponse } from "./openai.ts";

/** A request that failed; `errorType` has few values and goes on spans and metrics. */
export class InferenceError extends Error {
  readonly errorType: string;
  /** What a stream had brought before it failed. */
  readonly partial: ChatResponse | undefined;

  constructor(message: string, errorType: string, options?: ErrorOptions & { partial?: ChatResponse | undefined }) {
    super(message, options);
    this.name = "InferenceError";
    this.errorType = errorType;
    this.partial = options?.partial;
  }
}

/** The server's own error name when it has one (`exceed_context_size_error`), else the HTTP status. */
export function refusal(status: number, text: string): InferenceError {
  const { message, type } = errorIn(text);
  const isName = typeof type === "string" && /^[A-Za-z][\w.]{0,63}$/.test(type);
  const said = typeof message === "string" ? message : text.slice(0, 300);
  return new InferenceError(`the server answered ${status}: ${said}`, isName ? type : String(status));
}

function errorIn(text: string): { message?: unknown; type?: unknown } {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "object" && error !== null ? error : { message: error };
  } catch {
    return {};
  }
}

/** Whatever went wrong as an `InferenceError`, with what had arrived by then. */
export function asInferenceError(error: unknown, partial: ChatResponse | undefined): InferenceError {
  const { message, errorType } = classify(error);
  return new InferenceError(message, errorType, { cause: error, partial });
}

function classify(error: unknown): { message: string; errorType: string } {
  if (error instanceof InferenceError) return error;
  if (!(error instanceof Error)) return { message: String(error), errorType: "_OTHER" };
  if (error.name === "AbortError") return { message: "the request was cancelled", errorType: "cancelled" };
  if (error.name === "TimeoutError") return { message: "the request took too long", errorType: "timeout" };
  if (error.name === "SyntaxError") return { message: error.message, errorType: "invalid_response" };
  const cause = error.cause as { code?: unknown; message?: string } | undefined;
  const message = cause?.message ? `${error.message}: ${cause.message}` : error.message;
  return { message, errorType: typeof cause?.code === "string" ? cause.code : error.name };
}
