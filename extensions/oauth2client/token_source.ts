import { z } from "../../pipeline/config/schema.ts";
import { messageOf } from "../../pipeline/error_text.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { httpClientShape } from "../../pipeline/net/client_settings.ts";
import { readCredential } from "../../pipeline/net/credential_file.ts";
import { NodeHttpClient } from "../../pipeline/net/http_client.ts";
import type { HttpReply } from "../../pipeline/net/transport.ts";
import { userAgent } from "../../pipeline/net/user_agent.ts";
import { assertionOf } from "./assertion.ts";
import { jwtBearer, type OAuth2Config } from "./config.ts";
import { readToken, type Token, TokenError } from "./token.ts";

/** How long a token server may take where the setting says "no limit": exporters wait for it. */
const longestFetchMs = 60_000;

/** Gets tokens, a request for each. */
export class TokenSource {
  readonly #settings: OAuth2Config;
  readonly #host: ExtensionHost;
  readonly #url: URL;
  #client: NodeHttpClient | undefined;
  /** Where a server wants id and secret; tried out with the first token. */
  #secretIn: "header" | "form" | undefined;

  constructor(settings: OAuth2Config, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    this.#url = new URL(settings.token_url);
  }

  /** @throws {Error} with what went wrong, and nothing of what was sent. */
  async fetch(): Promise<Token> {
    try {
      return await (this.#settings.grant_type === jwtBearer ? this.#byAssertion() : this.#bySecret());
    } catch (cause) {
      const message = messageOf(cause);
      const endpoint = JSON.stringify(this.#url.href);
      throw new Error(`failed to get security token from token endpoint (endpoint ${endpoint}): ${message}`, { cause });
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  async #bySecret(): Promise<Token> {
    const { client_id, client_id_file, client_secret, client_secret_file } = this.#settings;
    const id = credentialOf(client_id, client_id_file);
    const secret = credentialOf(client_secret, client_secret_file);
    const form = this.#form("client_credentials");
    const ask = (secretIn: "header" | "form") => {
      if (secretIn === "form") return this.#post({ ...form, client_id: [id], client_secret: [secret] }, {});
      const pair = `${formEncoded(id)}:${formEncoded(secret)}`;
      return this.#post(form, { authorization: `Basic ${Buffer.from(pair).toString("base64")}` });
    };
    if (this.#secretIn !== undefined) return await ask(this.#secretIn);
    const inHeader = await ask("header").catch((error: unknown) => {
      if (error instanceof TokenError) return undefined; // it answered: maybe it wants them in the form
      throw error;
    });
    const token = inHeader ?? (await ask("form"));
    this.#secretIn = inHeader === undefined ? "form" : "header";
    return token;
  }

  async #byAssertion(): Promise<Token> {
    const { client_id, client_id_file, client_certificate_key, client_certificate_key_file } = this.#settings;
    const id = credentialOf(client_id, client_id_file);
    const key = credentialOf(client_certificate_key, client_certificate_key_file);
    const assertion = assertionOf(this.#settings, id, key, this.#host.clock.nowMs());
    return await this.#post(this.#form(jwtBearer, { assertion: [assertion] }), {});
  }

  /** @throws {Error} when a parameter of the configuration stands for one that the grant has itself. */
  #form(grant: string, own: Readonly<Record<string, readonly string[]>> = {}) {
    const { scopes, endpoint_params } = this.#settings;
    const form: Record<string, readonly string[]> = { ...own };
    if (scopes.length > 0) form["scope"] = [scopes.join(" ")];
    for (const [name, values] of Object.entries(endpoint_params)) {
      if (Object.hasOwn(form, name)) throw new Error(`oauth2: cannot overwrite parameter ${JSON.stringify(name)}`);
      form[name] = values;
    }
    return { grant_type: [grant], ...form };
  }

  async #post(form: Readonly<Record<string, readonly string[]>>, headers: Record<string, string>): Promise<Token> {
    const { clock } = this.#host;
    const pairs = Object.entries(form).flatMap(([name, values]) => values.map((value) => [name, value]));
    const body = Buffer.from(new URLSearchParams(pairs).toString());
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const aborter = new AbortController();
    const timer = clock.setTimer(() => aborter.abort(), this.#settings.timeout || longestFetchMs);
    let reply: HttpReply;
    try {
      this.#client ??= await this.#open();
      reply = await this.#client.send(this.#url, body, { headers: { ...type, ...headers }, signal: aborter.signal });
    } catch (cause) {
      const message = aborter.signal.aborted
        ? "no answer in time"
        : cause instanceof Error
          ? cause.message
          : String(cause);
      throw new Error(message, { cause });
    } finally {
      clock.clearTimer(timer);
    }
    return readToken(
      reply.status,
      reply.header("content-type") ?? "",
      reply.body.toString("utf8"),
      clock.monotonicMs(),
    );
  }

  #open(): Promise<NodeHttpClient> {
    const { clock, logger, build } = this.#host;
    const standard = z.strictObject(httpClientShape({ timeout: "0s", compression: "none" })).parse({});
    const settings = { ...standard, tls: this.#settings.tls };
    return NodeHttpClient.open(settings, this.#url, { clock, logger, userAgent: userAgent(build) });
  }
}

function credentialOf(text: string, file: string): string {
  return file === "" ? text : readCredential(file);
}

/** A text as it stands in a form, which is how RFC 6749 wants id and secret in the header. */
function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
