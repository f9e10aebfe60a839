import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClientInfo } from "../delivery.ts";
import type { CredentialSource } from "./auth.ts";
import { formatHostPort } from "./listener.ts";
import type { RequestHead, TransportRequest } from "./transport.ts";

/** The head of a `node:http` request. */
export class HttpRequestHead implements RequestHead {
  readonly method: string;
  readonly path: string;
  client: ClientInfo;
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage, client: ClientInfo) {
    this.method = request.method ?? "";
    this.path = pathOf(request.url ?? "/");
    this.client = client;
    this.#request = request;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** The credentials of the request; query parameters named in `params` stand in for headers. */
  credentials(params: readonly string[]): CredentialSource {
    const query = params.length === 0 ? undefined : new URLSearchParams(queryOf(this.#request.url ?? ""));
    return {
      values: (name) => {
        const param = params.find((each) => each.toLowerCase() === name.toLowerCase());
        const given = param === undefined ? [] : (query?.getAll(param) ?? []);
        return given.length > 0 ? given : (this.#request.headersDistinct[name.toLowerCase()] ?? []);
      },
    };
  }

  withBody(body: Buffer, response: ServerResponse): TransportRequest {
    return new HttpRequest(this, body, response);
  }
}

class HttpRequest implements TransportRequest {
  readonly body: Buffer;
  readonly #head: RequestHead;
  readonly #response: ServerResponse;
  #aborter: AbortController | undefined;

  constructor(head: RequestHead, body: Buffer, response: ServerResponse) {
    this.#head = head;
    this.body = body;
    this.#response = response;
  }

  get method(): string {
    return this.#head.method;
  }

  get path(): string {
    return this.#head.path;
  }

  get client(): ClientInfo {
    return this.#head.client;
  }

  get signal(): AbortSignal {
    if (this.#aborter !== undefined) return this.#aborter.signal;
    const aborter = new AbortController();
    const response = this.#response;
    this.#aborter = aborter;
    if (response.destroyed) aborter.abort();
    response.once("close", () => {
      if (!response.writableFinished) aborter.abort();
    });
    return aborter.signal;
  }

  header(name: string): string | undefined {
    return this.#head.header(name);
  }
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  return start < 0 ? "" : url.slice(start + 1);
}

/** The peer of a request, with its headers when they are wanted. */
export function clientOf(request: IncomingMessage, includeMetadata: boolean): ClientInfo {
  const address = formatHostPort(request.socket.remoteAddress, request.socket.remotePort);
  if (!includeMetadata) return { address, transport: "http" };
  const metadata = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) metadata.set(name, values);
  }
  return { address, transport: "http", metadata };
}
