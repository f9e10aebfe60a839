import type { ClientInfo } from "../delivery.ts";
import type { EncodedBody } from "../pdata/index.ts";
import type { CredentialSource } from "./auth.ts";
import type { Exchange } from "./exchange.ts";
import type { RequestHead, TransportRequest } from "./transport.ts";

/** The head of an HTTP request. */
export class HttpRequestHead implements RequestHead {
  readonly method: string;
  readonly path: string;
  client: ClientInfo;
  readonly #exchange: Exchange;

  /** `includeMetadata` shows the headers with the client. */
  constructor(exchange: Exchange, includeMetadata: boolean) {
    this.method = exchange.method;
    this.path = pathOf(exchange.url);
    this.client = clientOf(exchange, includeMetadata);
    this.#exchange = exchange;
  }

  get query(): string {
    return queryOf(this.#exchange.url);
  }

  header(name: string): string | undefined {
    const value = this.#exchange.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** The credentials of the request; query parameters named in `params` stand in for headers. */
  credentials(params: readonly string[]): CredentialSource {
    const query = params.length === 0 ? undefined : new URLSearchParams(queryOf(this.#exchange.url));
    return {
      values: (name) => {
        const param = params.find((each) => each.toLowerCase() === name.toLowerCase());
        const given = param === undefined ? [] : (query?.getAll(param) ?? []);
        return given.length > 0 ? given : (this.#exchange.allHeaders.get(name.toLowerCase()) ?? []);
      },
    };
  }

  withBody(body: Buffer, encoded: EncodedBody | undefined): TransportRequest {
    return new HttpRequest(this, body, encoded, this.#exchange);
  }
}

class HttpRequest implements TransportRequest {
  readonly body: Buffer;
  readonly encoded: EncodedBody | undefined;
  readonly #head: RequestHead;
  readonly #exchange: Exchange;
  #aborter: AbortController | undefined;

  constructor(head: RequestHead, body: Buffer, encoded: EncodedBody | undefined, exchange: Exchange) {
    this.#head = head;
    this.body = body;
    this.encoded = encoded;
    this.#exchange = exchange;
  }

  get method(): string {
    return this.#head.method;
  }

  get path(): string {
    return this.#head.path;
  }

  get query(): string {
    return this.#head.query ?? "";
  }

  get client(): ClientInfo {
    return this.#head.client;
  }

  get signal(): AbortSignal {
    if (this.#aborter !== undefined) return this.#aborter.signal;
    const aborter = new AbortController();
    this.#aborter = aborter;
    if (this.#exchange.isOver) aborter.abort();
    this.#exchange.onClose((delivered) => {
      if (!delivered) aborter.abort();
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

function clientOf(exchange: Exchange, includeMetadata: boolean): ClientInfo {
  const client = { address: exchange.peer, transport: "http" } as const;
  return includeMetadata ? { ...client, metadata: exchange.allHeaders } : client;
}
