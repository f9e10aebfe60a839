import { extension, type Lifecycle } from "../../pipeline/component.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { type ClientAuthenticator, clientAuthenticator, type OutgoingRequest } from "../../pipeline/net/auth.ts";
import { config, type HeadersSetterConfig } from "./config.ts";
import { type HeaderValue, headerValue } from "./value.ts";

export default extension({
  type: "headers_setter",
  stability: "alpha",
  summary: "Sets headers of requests that exporters send, from settings or from the request that brought the data.",
  config,
  perWorker: true,
  examples: [
    {
      title: "The tenant that the sender named; batch keeps it apart with metadata_keys",
      yaml: "headers_setter: { headers: [{ action: upsert, key: X-Scope-OrgID, from_context: tenant, default_value: nobody }] }",
    },
    {
      title: "The user that basicauth let in, besides a token of oauth2client",
      yaml: "headers_setter: { headers: [{ action: upsert, key: X-User, from_attribute: username }], additional_auth: oauth2client }",
    },
  ],
  roles: () => ["HTTP client authenticator", "gRPC client authenticator"],
  create: (settings, host) => new HeadersSetter(settings, host),
});

type Headers = Readonly<Record<string, string>>;

interface Step {
  readonly name: string;
  readonly action: string;
  readonly value: HeaderValue;
}

/** What Go's client takes from elsewhere than a request's headers. */
const notOverHttp: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding", "trailer"]);

class HeadersSetter implements Lifecycle, ClientAuthenticator {
  readonly #settings: HeadersSetterConfig;
  readonly #host: ExtensionHost;
  readonly #steps: readonly Step[];

  constructor(settings: HeadersSetterConfig, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    this.#steps = settings.headers.map((header) => ({
      name: (header.key ?? "").toLowerCase(),
      action: header.action,
      value: headerValue(header, host),
    }));
  }

  async start(): Promise<void> {
    for (const { action, value } of this.#steps) {
      value.open();
      if (["insert", "update", "upsert", "delete"].includes(action)) continue;
      this.#host.logger.warn(
        {},
        "The action was not provided, using 'upsert'. In future versions, we'll require this to be explicitly set",
      );
    }
  }

  get needsTls(): boolean {
    return this.#additional?.needsTls === true;
  }

  refused(headers: Headers): boolean | Promise<boolean> {
    return this.#additional?.refused?.(headers) ?? false;
  }

  /**
   * Over HTTP the actions see the headers of the exporter and come before the other extension's; over gRPC they see what
   * the other extension added and nothing else, and come after it. So it is in contrib.
   */
  async authorize(request: OutgoingRequest): Promise<Headers> {
    const additional = this.#additional;
    if (request.transport === "http") {
      const steps = this.#steps.filter(({ name }) => !notOverHttp.has(name));
      const headers = apply(steps, request, request.headers);
      return additional === undefined ? headers : await additional.authorize({ ...request, headers });
    }
    const added = (await additional?.authorize({ ...request, headers: {} })) ?? {};
    return { ...request.headers, ...apply(this.#steps, request, added) };
  }

  /** The other extension; it may be started after this one. */
  get #additional(): ClientAuthenticator | undefined {
    const { additional_auth } = this.#settings;
    return clientAuthenticator(
      additional_auth === undefined ? undefined : { authenticator: additional_auth },
      this.#host,
    );
  }
}

/** The headers after all steps. Over HTTP an empty header counts as one that is not there. */
function apply(steps: readonly Step[], request: OutgoingRequest, headers: Headers): Headers {
  const result = new Map(Object.entries(headers));
  for (const { name, action, value } of steps) {
    const isThere = request.transport === "http" ? (result.get(name) ?? "") !== "" : result.has(name);
    if (action === "delete") result.delete(name);
    else if (action === "insert" ? !isThere : action !== "update" || isThere)
      result.set(name, value.of(request.client));
  }
  return Object.fromEntries(result);
}
