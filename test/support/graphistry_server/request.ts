import type { IncomingHttpHeaders } from "node:http";
import { isObject } from "./encodings_check.ts";

/** A request as the routes see it. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** JSON unless it is a text, which is a page; undefined is no body. */
export interface Reply {
  readonly status: number;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function reply(status: number, body?: object | string): Reply {
  return body === undefined ? { status } : { status, body };
}

/** A body that has to be a JSON object and say so; otherwise what to answer. */
export function jsonBody(request: FakeRequest): Readonly<Record<string, unknown>> | Reply {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    return reply(415, { detail: `Unsupported media type "${request.headers["content-type"] ?? ""}" in request.` });
  }
  try {
    const body: unknown = JSON.parse(request.body.toString());
    if (isObject(body)) return body;
  } catch {
    // Answered below, like JSON of another kind.
  }
  return reply(400, { detail: "JSON parse error" });
}

export function isReply(value: object): value is Reply {
  return "status" in value && typeof value.status === "number" && !("file_type" in value);
}
