import type { AgentOptions, ClientRequest, RequestOptions } from "node:http";
import { Agent, request } from "node:https";
import { ClientIdentity } from "./tls.ts";
import type { TlsClientSettings } from "./tls_settings.ts";
import type { ClientSurroundings } from "./transport.ts";

/** Requests over HTTPS, with connections kept open. A certificate that was read again counts for new connections. */
export class HttpsRequests {
  readonly #agent: Agent;
  readonly #identity: ClientIdentity;

  /** @throws {Error} when a file of the `tls` block cannot be read or holds nothing of use. */
  constructor(settings: TlsClientSettings, options: AgentOptions, surroundings: ClientSurroundings) {
    this.#identity = new ClientIdentity(settings, surroundings);
    this.#agent = new Agent({
      ...options,
      secureContext: this.#identity.context,
      rejectUnauthorized: !settings.insecure_skip_verify,
      // A resumed session would go on with the certificate of the first one.
      ...(settings.reload_interval > 0 && { maxCachedSessions: 0 }),
      ...(settings.server_name_override !== "" && { servername: settings.server_name_override }),
    });
  }

  request(url: URL, options: RequestOptions): ClientRequest {
    Object.assign(this.#agent.options, { secureContext: this.#identity.context });
    return request(url, { ...options, agent: this.#agent });
  }

  close(): void {
    this.#agent.destroy();
  }
}
