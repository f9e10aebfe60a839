import { ConsumeError } from "../delivery.ts";
import { messageOf } from "../error_text.ts";
import type { Clock } from "../host.ts";
import { errorFromHttp } from "./status.ts";
import type { HttpClient, HttpReply, HttpSendOptions } from "./transport.ts";

export interface OtlpPostOptions extends HttpSendOptions {
  readonly clock: Clock;
  /** What stands before the reason when there is no answer. */
  readonly failed?: string;
}

/**
 * Posts an OTLP request and gives back the answer of a server that took it, 2xx.
 *
 * @throws {ConsumeError} otherwise: retryable without an answer, else by its status.
 */
export async function postOtlp(
  client: HttpClient,
  url: URL,
  body: Buffer,
  { clock, failed = "failed to make an HTTP request", ...options }: OtlpPostOptions,
): Promise<HttpReply> {
  const reply = await client.send(url, body, options).catch((cause: unknown) => {
    throw new ConsumeError(`${failed}: ${messageOf(cause)}`, { retryable: true, cause });
  });
  if (reply.status >= 200 && reply.status < 300) return reply;
  const answer = { status: reply.status, body: reply.body, retryAfter: reply.header("retry-after") };
  throw errorFromHttp(url.href, answer, clock.nowMs());
}
