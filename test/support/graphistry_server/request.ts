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

/** Thrown by a check: what to answer. */
export class Refusal extends Error {
  readonly reply: Reply;

  constructor(status: number, body: object) {
    super(`refused with ${status}`);
    this.reply = { status, body };
  }
}

/** The body, which has to be a JSON object and say so. @throws {Refusal} */
export function jsonBody(request: FakeRequest): Readonly<Record<string, unknown>> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\b/.test(type)) throw new Refusal(415, { detail: `Unsupported media type "${type}".` });
  const body = parse(request.body.toString());
  if (!isObject(body)) throw new Refusal(400, { detail: "JSON parse error" });
  return body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
