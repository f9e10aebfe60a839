import { Agent, type AgentOptions, type ClientRequest, type IncomingMessage, request } from "node:http";
import { messageOf } from "../error_text.ts";
import { sendAuthorized } from "./auth.ts";
import type { HttpClientSettings } from "./client_settings.ts";
import { compress, encodingOf } from "./compression.ts";
import { CookieJar } from "./cookie_jar.ts";
import type { HttpsRequests } from "./https_client.ts";
import { clientKeepAliveOf } from "./keep_alive.ts";
import { lowerCased } from "./outgoing_headers.ts";
import { codedAs } from "./passable.ts";
import { proxyFor } from "./proxy.ts";
import { headersTowards, mostRedirects, redirectTarget } from "./redirect.ts";
import { watchHttpClient } from "./request_watch.ts";
import type { ClientSurroundings, HttpClient, HttpReply, HttpSendOptions } from "./transport.ts";

/** What is read of an answer at most; the rest is thrown away with its connection. */
const maxAnswerBytes = 64 * 1024;

/** POST over HTTP/1.1 on `node:http` and `node:https`, with connections kept open. */
export class NodeHttpClient implements HttpClient {
  readonly #settings: HttpClientSettings;
  readonly #surroundings: ClientSurroundings;
  readonly #options: AgentOptions;
  readonly #agent: Agent;
  readonly #jar: CookieJar | undefined;
  #https: HttpsRequests | undefined;

  private constructor(settings: HttpClientSettings, surroundings: ClientSurroundings, options: AgentOptions) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#options = options;
    this.#agent = new Agent(options);
    this.#jar = settings.cookies === undefined ? undefined : new CookieJar();
  }

  /**
   * A client for `url` and others of its scheme.
   * @throws {Error} when a file of the `tls` block cannot be read or holds nothing of use.
   */
  static async open(
    settings: HttpClientSettings,
    url: Pick<URL, "protocol" | "hostname">,
    surroundings: ClientSurroundings,
  ): Promise<NodeHttpClient> {
    const proxy = proxyFor(settings.proxy_url, url);
    const options = { ...agentOptions(settings), ...(proxy !== undefined && { proxyEnv: { ...proxy } }) };
    const client = new NodeHttpClient(settings, surroundings, options);
    if (url.protocol === "https:") await client.#openHttps();
    return client;
  }

  async #openHttps(): Promise<void> {
    const { HttpsRequests } = await import("./https_client.ts");
    this.#https ??= new HttpsRequests(this.#settings.tls, this.#options, this.#surroundings);
  }

  async send(url: URL, body: Buffer, options: HttpSendOptions): Promise<HttpReply> {
    const { compression, compression_params } = this.#settings;
    const encoding = compression === "none" ? "identity" : (encodingOf(compression) ?? "identity");
    const output = codedAs(encoding, options.encoded) ?? compress(encoding, compression_params.level, body);
    const coded = Buffer.isBuffer(output) ? output : await output;
    const cookie = this.#jar?.header(url, this.#surroundings.clock.nowMs());
    const headers = {
      "user-agent": this.#surroundings.userAgent,
      ...(cookie !== undefined && { cookie }),
      ...options.headers,
      ...(encoding !== "identity" && { "content-encoding": compression }),
      ...lowerCased(this.#settings.headers),
      "content-length": String(coded.length),
    };
    const post = (sent: Readonly<Record<string, string>>) => this.#watched(url, coded, sent, options);
    const { authenticator } = this.#surroundings;
    if (authenticator === undefined) return post(headers);
    const { client } = options;
    const outgoing = { transport: "http", target: url.href, headers, body: coded, ...(client && { client }) } as const;
    return sendAuthorized(authenticator, outgoing, post, (reply) => reply.status === 401);
  }

  async #watched(
    url: URL,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    { client, signal }: HttpSendOptions,
  ): Promise<HttpReply> {
    const watched = watchHttpClient(this.#surroundings, client, url, body.length);
    if (watched === undefined) return this.#follow(url, body, headers, signal);
    try {
      const reply = await this.#follow(url, body, { ...headers, ...watched.span?.headers() }, signal);
      watched.end(reply.status);
      return reply;
    } catch (error) {
      watched.end(undefined, messageOf(error));
      throw error;
    }
  }

  /** Posts to `url`, and to where its server sends the request on. */
  async #follow(
    url: URL,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpReply> {
    let [from, sent] = [url, headers];
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const reply = await this.#post(from, body, sent, signal, true);
      const target = redirectTarget(from, reply);
      if (target === undefined) return reply;
      if (target.protocol === "https:") await this.#openHttps();
      sent = headersTowards(target, from, sent);
      from = target;
    }
    throw new Error(`stopped after ${mostRedirects} redirects`);
  }

  #post(
    url: URL,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
    mayRepeat: boolean,
  ): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const common = { method: "POST", headers, ...(signal !== undefined && { signal }) };
      const sent: ClientRequest =
        url.protocol === "https:" && this.#https !== undefined
          ? this.#https.request(url, common)
          : request(url, { ...common, agent: this.#agent });
      sent.on("response", (response) => {
        this.#jar?.store(url, response.headers["set-cookie"] ?? [], this.#surroundings.clock.nowMs());
        void readReply(response).then(resolve, reject);
      });
      sent.on("error", (error) => {
        // A kept connection that the server closed at the same moment: nothing of the request was looked at.
        if (mayRepeat && sent.reusedSocket && isCutOff(error) && !signal?.aborted) {
          resolve(this.#post(url, body, headers, signal, false));
        } else {
          reject(error);
        }
      });
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#https?.close();
  }
}

function agentOptions(settings: HttpClientSettings): AgentOptions {
  const { isEnabled, idleMs, mostIdle } = clientKeepAliveOf(settings);
  const { max_conns_per_host } = settings;
  return {
    keepAlive: isEnabled,
    ...(mostIdle > 0 && { maxFreeSockets: mostIdle }),
    ...(max_conns_per_host > 0 && { maxSockets: max_conns_per_host }),
    ...(idleMs > 0 && { timeout: idleMs }),
  };
}

function isCutOff(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

async function readReply(response: IncomingMessage): Promise<HttpReply> {
  const parts: Buffer[] = [];
  let left = maxAnswerBytes;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part.subarray(0, left));
    left -= part.length;
    if (left <= 0) break; // leaving the loop destroys the connection
  }
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    body: Buffer.concat(parts),
  };
}
