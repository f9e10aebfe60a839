import type { Clock, Logger } from "../../../pipeline/host.ts";
import { type Answer, answerError, readAnswer } from "./answer.ts";
import { GraphistryError } from "./graphistry_error.ts";

export type Fetch = typeof globalThis.fetch;

/** One request of the conversation. */
export interface Call {
  /** What it is for, as in "answered 500 to the creation of a file". */
  readonly what: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Asked before each further attempt: an answer when the last one, which seemed to fail, has worked after all. */
  readonly recover?: (signal: AbortSignal) => Promise<Answer | undefined>;
}

export interface ClientSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  random(): number;
}

/** An attempt that takes longer is given up and made again. */
export const timeoutMs = 60_000;

export const mostAttempts = 6;
const firstDelayMs = 1_000;
const longestDelayMs = 60_000;

/** A token is good for about an hour; uploads, each of which renews it, are minutes apart. */
const rememberedTokens = 100;

/**
 * HTTP to one Graphistry server, through `fetch`: a timeout on each attempt; new attempts with growing, random delays
 * after network errors, timeouts, 429 and 5xx; redirects not followed; secrets removed from what it says.
 */
export class Client {
  readonly #server: string;
  readonly #fetch: Fetch;
  readonly #userAgent: string;
  readonly #surroundings: ClientSurroundings;
  readonly #secrets = new Set<string>();
  /** Those that may still be good, the latest last. */
  readonly #tokens: string[] = [];

  constructor(server: string, fetch: Fetch, userAgent: string, surroundings: ClientSurroundings) {
    this.#server = server;
    this.#fetch = fetch;
    this.#userAgent = userAgent;
    this.#surroundings = surroundings;
  }

  get server(): string {
    return this.#server;
  }

  /** `secret` is taken out of what the server says, and of every error, from here on. */
  hide(secret: string): void {
    if (secret !== "") this.#secrets.add(secret).add(JSON.stringify(secret).slice(1, -1));
  }

  /** The same for a token; there is a new one with every upload, so only the latest are remembered. */
  hideToken(token: string): void {
    this.#tokens.push(token);
    if (this.#tokens.length > rememberedTokens) this.#tokens.shift();
  }

  /**
   * The answer to a call, once it is a success or one of the statuses the caller `takes`.
   * @throws {GraphistryError} when it is not, after the last attempt
   * @throws what `signal` was aborted with
   */
  async send(call: Call, signal: AbortSignal, takes: readonly number[] = []): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const result = await this.#attempt(call, signal, takes);
      if (!(result instanceof GraphistryError)) return result;
      const delayMs = this.#delayMs(attempt, result);
      if (!result.isRetryable || attempt === mostAttempts || delayMs > longestDelayMs) throw result;
      this.#surroundings.logger.info({ error: result.message, delayMs }, "Graphistry did not answer well; will retry.");
      await this.#sleep(delayMs, signal);
      const recovered = await call.recover?.(signal);
      if (recovered !== undefined) return recovered;
    }
  }

  /** Runs `work` with a signal that is aborted after `limitMs`. */
  async within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock } = this.#surroundings;
    const limit = new AbortController();
    const timer = clock.setTimer(() => limit.abort(new Error(`out of time after ${limitMs / 1000}s`)), limitMs);
    try {
      return await work(limit.signal);
    } finally {
      clock.clearTimer(timer);
    }
  }

  async #attempt(call: Call, signal: AbortSignal, takes: readonly number[]): Promise<Answer | GraphistryError> {
    const { clock } = this.#surroundings;
    const timeout = new AbortController();
    const timer = clock.setTimer(() => timeout.abort(), timeoutMs);
    try {
      const answer = await this.#exchange(call, AbortSignal.any([signal, timeout.signal]));
      if ((answer.status >= 200 && answer.status < 300) || takes.includes(answer.status)) return answer;
      return answerError(call.what, answer, clock.nowMs());
    } catch (thrown) {
      signal.throwIfAborted();
      const why = timeout.signal.aborted ? `no answer within ${timeoutMs / 1000}s` : networkReason(thrown);
      const message = `Graphistry at ${this.#server} could not be asked for ${call.what}: ${why}`;
      return new GraphistryError(this.#redact(message), { isRetryable: true });
    } finally {
      clock.clearTimer(timer);
    }
  }

  async #exchange(call: Call, signal: AbortSignal): Promise<Answer> {
    const { method, path, headers, body } = call;
    const response = await this.#fetch(`${this.#server}${path}`, {
      method,
      headers: { accept: "application/json", "user-agent": this.#userAgent, ...headers },
      redirect: "manual",
      signal,
      ...(body !== undefined && { body: body as string | Uint8Array<ArrayBuffer> }),
    });
    return await readAnswer(response, (text) => this.#redact(text));
  }

  #delayMs(attempt: number, error: GraphistryError): number {
    const delayMs = Math.min(firstDelayMs * 2 ** (attempt - 1), longestDelayMs);
    return Math.max(delayMs * (0.5 + 0.5 * this.#surroundings.random()), error.retryAfterMs ?? 0);
  }

  #sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#surroundings;
    return new Promise((resolve, reject) => {
      const stop = () => {
        clock.clearTimer(timer);
        reject(signal.reason);
      };
      const timer = clock.setTimer(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, delayMs);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  #redact(text: string): string {
    let redacted = text;
    for (const secret of [...this.#secrets, ...this.#tokens]) redacted = redacted.replaceAll(secret, "[REDACTED]");
    return redacted;
  }
}

function networkReason(thrown: unknown): string {
  const { cause } = thrown as { cause?: { code?: unknown; message?: unknown } };
  const reason = cause?.code ?? cause?.message ?? (thrown instanceof Error ? thrown.message : thrown);
  return String(reason);
}
