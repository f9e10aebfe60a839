import { extension, type Lifecycle } from "../../pipeline/component.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import type { ClientAuthenticator, OutgoingRequest } from "../../pipeline/net/auth.ts";
import { config, type OAuth2Config } from "./config.ts";
import type { Token } from "./token.ts";
import { TokenSource } from "./token_source.ts";

export default extension({
  type: "oauth2client",
  stability: "beta",
  summary: "Gets OAuth 2.0 tokens for this client and sends them with every request.",
  config,
  perWorker: true,
  examples: [
    {
      title: "Client credentials, the secret in a file",
      yaml: "oauth2client: { client_id: ingest, client_secret_file: /run/secrets/oauth, token_url: https://login.example.com/token, scopes: [telemetry.write] }",
    },
    {
      title: "An audience for servers that want one",
      yaml: "oauth2client: { client_id: ingest, client_secret: secret, token_url: https://login.example.com/token, endpoint_params: { audience: [otlp] } }",
    },
  ],
  roles: () => ["HTTP client authenticator", "gRPC client authenticator"],
  create: (settings, host) => new OAuth2Client(settings, host),
});

/** A token that is refused this soon after it came is not got anew: another one would be refused as well. */
const freshMs = 10_000;

/** A token that is about to expire is no use, whatever `expiry_buffer` says. */
const leastBufferMs = 10_000;

class OAuth2Client implements Lifecycle, ClientAuthenticator {
  readonly needsTls = true;
  readonly #expiryBufferMs: number;
  readonly #host: ExtensionHost;
  readonly #source: TokenSource;
  #token: Token | undefined;
  #coming: Promise<Token> | undefined;

  constructor(settings: OAuth2Config, host: ExtensionHost) {
    this.#expiryBufferMs = settings.expiry_buffer;
    this.#host = host;
    this.#source = new TokenSource(settings, host);
  }

  async stop(): Promise<void> {
    this.#source.close();
  }

  async authorize({ headers }: OutgoingRequest): Promise<Record<string, string>> {
    const { type, value } = this.#validToken() ?? (await this.#newToken());
    return { ...headers, authorization: `${type} ${value}` };
  }

  refused({ authorization }: Readonly<Record<string, string>>): boolean {
    const token = this.#token;
    const isAnother = token === undefined || authorization !== `${token.type} ${token.value}`;
    if (isAnother) return true; // one that came meanwhile may do
    if (this.#host.clock.monotonicMs() - token.sinceMs < freshMs) return false;
    this.#token = undefined;
    return true;
  }

  /** A token that lives for less than twice the buffer is used for half its life: else each request would get its own. */
  #validToken(): Token | undefined {
    const token = this.#token;
    if (token === undefined) return undefined;
    const { sinceMs, untilMs } = token;
    const bufferMs = Math.min(Math.max(this.#expiryBufferMs, leastBufferMs), (untilMs - sinceMs) / 2);
    return untilMs - this.#host.clock.monotonicMs() > bufferMs ? token : undefined;
  }

  /** One request for a token at a time, whoever waits for it. */
  #newToken(): Promise<Token> {
    this.#coming ??= this.#source
      .fetch()
      .then((token) => (this.#token = token))
      .finally(() => (this.#coming = undefined));
    return this.#coming;
  }
}
