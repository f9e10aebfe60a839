import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Account, Accounts } from "./accounts.ts";
import { type AuthOptions, authRoute } from "./auth_routes.ts";
import { type FakeRequest, Refusal, type Reply, reply } from "./request.ts";
import type { ShareOptions } from "./share_route.ts";
import { Storage } from "./storage.ts";
import { uploadRoute } from "./upload_routes.ts";

/** What the next request to a route gets instead of its answer. */
export type Failure =
  | { readonly status: number; readonly body?: object | string; readonly headers?: Readonly<Record<string, string>> }
  /** The request is carried out, then the connection is cut before the answer. */
  | { readonly cut: true }
  /** Nothing ever comes. */
  | { readonly silence: true };

export interface ServerOptions extends AuthOptions, ShareOptions {
  readonly accounts?: readonly Account[];
  /** The server's clock, for the life of tokens. */
  readonly nowMs?: () => number;
  readonly tokenLifetimeMs?: number;
}

/** A request that came, without its secrets. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly contentType: string | undefined;
  readonly userAgent: string | undefined;
  /** The scheme alone: `Bearer`, `PersonalKey`. */
  readonly authorization: string | undefined;
  readonly bodySha256: string;
  readonly status: number;
}

export const demoAccount: Account = {
  username: "ada",
  password: "correct horse battery staple",
  keys: { KEY1: "personal-key-secret-0001" },
  organizations: [
    { slug: "research", isMember: true },
    { slug: "elsewhere", isMember: false },
  ],
};

const page = "<!doctype html><title>Server Error (500)</title><h1>Server Error (500)</h1>";

/**
 * A Graphistry server as far as an uploader can tell: it makes the checks the real one is known to make, keeps what was
 * uploaded, and records the conversation. On loopback, on a port of its own.
 */
export class GraphistryServer {
  readonly storage = new Storage();
  readonly conversation: Recorded[] = [];
  /** Requests that showed a secret where it does not belong. */
  readonly leaks: string[] = [];
  readonly #options: ServerOptions;
  readonly #accounts: Accounts;
  readonly #failures = new Map<string, Failure[]>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #url = "";

  private constructor(options: ServerOptions) {
    this.#options = options;
    const nowMs = options.nowMs ?? Date.now;
    this.#accounts = new Accounts(options.accounts ?? [demoAccount], nowMs, options.tokenLifetimeMs ?? 3600_000);
  }

  static async start(options: ServerOptions = {}): Promise<GraphistryServer> {
    const server = new GraphistryServer(options);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    server.#url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return this.#url;
  }

  get tokens(): readonly string[] {
    return this.#accounts.tokens;
  }

  /** The conversation as lines: `POST /api/v2/files/ 200`. */
  lines(): string[] {
    return this.conversation.map(({ method, path, status }) => `${method} ${path} ${status}`);
  }

  /** The next requests to `route`, such as `POST /api/v2/files/`, fail in this order. */
  fail(route: string, ...failures: Failure[]): void {
    this.#failures.set(route, [...(this.#failures.get(route) ?? []), ...failures]);
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message);
    const failure = this.#failures.get(`${request.method} ${request.path}`)?.shift();
    if (failure !== undefined && "silence" in failure) return this.#record(request, 0);
    const answer = failure !== undefined && "status" in failure ? failure : this.#answer(request);
    this.#lookForSecrets(request);
    if (failure !== undefined && "cut" in failure) {
      this.#record(request, 0);
      message.socket.destroy();
      return;
    }
    this.#record(request, answer.status);
    const body = typeof answer.body === "object" ? JSON.stringify(answer.body) : answer.body;
    const type = typeof answer.body === "object" ? "application/json" : "text/html; charset=utf-8";
    response.writeHead(answer.status, { ...(body !== undefined && { "content-type": type }), ...answer.headers });
    response.end(body);
  }

  #answer(request: FakeRequest): Reply {
    try {
      return this.#route(request) ?? reply(404, page.replaceAll("Server Error (500)", "Not Found"));
    } catch (thrown) {
      return thrown instanceof Refusal ? thrown.reply : reply(500, page);
    }
  }

  #route(request: FakeRequest): Reply | undefined {
    const { method, path, headers } = request;
    if (method === "GET" && path === "/graph/graph.html") return this.#viewer(request);
    const auth = authRoute(this.#accounts, this.#options, request);
    if (auth !== undefined || !path.startsWith("/api/v2/")) return auth;
    const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? "") ?? [];
    if (token === undefined) return reply(401, { detail: "Authentication credentials were not provided." });
    const account = this.#accounts.holder(token);
    if (account === undefined) return reply(401, { detail: "Signature has expired." });
    return uploadRoute(this.storage, account, this.#options, request);
  }

  #viewer({ query }: FakeRequest): Reply {
    const isKnown = this.storage.datasets.has(query.get("dataset") ?? "");
    return isKnown ? reply(200, "<!doctype html><title>Graphistry</title>") : reply(404, "<!doctype html>not found");
  }

  #record({ method, path, query, headers, body }: FakeRequest, status: number): void {
    this.conversation.push({
      method,
      path,
      query: query.toString(),
      contentType: headers["content-type"],
      userAgent: headers["user-agent"],
      authorization: headers.authorization?.split(" ")[0],
      bodySha256: createHash("sha256").update(body).digest("hex"),
      status,
    });
  }

  /** Passwords and key secrets belong into logins only, tokens into the Authorization header and the refresh. */
  #lookForSecrets({ method, path, query, headers, body }: FakeRequest): void {
    const isLogin = /auth|token/.test(path);
    const { authorization = "", ...others } = headers;
    const shown = [
      path,
      query.toString(),
      JSON.stringify(others),
      isLogin ? "" : `${authorization} ${body.toString("latin1")}`,
    ];
    const secrets = (this.#options.accounts ?? [demoAccount]).flatMap(({ password, keys }) => [
      password,
      ...Object.values(keys),
    ]);
    const tokenPlaces = [path, query.toString(), JSON.stringify(others), isLogin ? "" : body.toString("latin1")];
    const isLeak =
      secrets.some((secret) => shown.some((text) => text.includes(secret))) ||
      this.tokens.some((token) => tokenPlaces.some((text) => text.includes(token)));
    if (isLeak) this.leaks.push(`${method} ${path}`);
  }
}

async function readRequest(message: IncomingMessage): Promise<FakeRequest> {
  const url = new URL(message.url ?? "/", "http://127.0.0.1");
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return {
    method: message.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    body: Buffer.concat(parts),
  };
}
