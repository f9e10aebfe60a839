import { extension, type Lifecycle } from "../../pipeline/component.ts";
import { acrossFields, z } from "../../pipeline/config/schema.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { NodeHttpServer } from "../../pipeline/net/http_server.ts";
import { httpServerShape } from "../../pipeline/net/settings.ts";
import type { HttpAnswer, RequestHead, TransportServer } from "../../pipeline/net/transport.ts";
import { htmlPage } from "./html.ts";
import { type PageContext, pageAt } from "./pages.ts";

const config = z
  .strictObject({
    ...httpServerShape("localhost:55679", { header: "1m", write: "30s", idle: "1m" }),
    expvar: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe("Serves the command line and the memory of the process as JSON on /debug/expvarz."),
      })
      .prefault({})
      .describe("Variables of the process."),
  })
  .check(
    acrossFields(({ endpoint }, context) => {
      if (endpoint !== "") return;
      const message = '"endpoint" is required when using the "zpages" extension';
      context.addIssue({ code: "custom", path: ["endpoint"], message });
    }),
  );

type Settings = z.output<typeof config>;

export default extension({
  type: "zpages",
  stability: "beta",
  summary:
    "Shows the running service as HTML pages, each also as JSON: pipelines, extensions, feature gates, own spans.",
  config,
  examples: [
    { title: "On http://localhost:55679/debug/servicez and /debug/servicez.json", yaml: "zpages: {}" },
    { title: "With the variables of the process", yaml: "zpages: { expvar: { enabled: true } }" },
  ],
  create: (settings, host) => new ZPages(settings, host),
});

class ZPages implements Lifecycle {
  readonly #host: ExtensionHost;
  readonly #context: PageContext;
  readonly #server: TransportServer;

  constructor(settings: Settings, host: ExtensionHost) {
    this.#host = host;
    this.#context = { service: host.service, isExpvarOn: settings.expvar.enabled };
    this.#server = new NodeHttpServer(
      settings,
      {
        judge: ({ method }) => (method === "GET" || method === "HEAD" ? undefined : notAllowed),
        reject: (_head, problem) => text(problem.kind === "unauthenticated" ? 401 : 400, problem.message),
        handle: (request, answer) => void this.#answer(request).then(answer),
      },
      host,
    );
  }

  async start(): Promise<void> {
    await this.#server.start();
    this.#host.logger.info({ endpoint: this.#server.addresses.join(", ") }, "Starting zPages extension");
  }

  async stop(): Promise<void> {
    await this.#server.stop(0);
  }

  async #answer({ path, query }: RequestHead): Promise<HttpAnswer> {
    const isJson = path.endsWith(".json");
    const page = await pageAt(
      isJson ? path.slice(0, -".json".length) : path,
      new URLSearchParams(query),
      this.#context,
    );
    if (page === undefined) return text(404, "404 page not found");
    if (isJson || page.isData === true)
      return { status: 200, headers: json, body: `${JSON.stringify(page.data, null, 2)}\n` };
    return { status: 200, headers: html, body: htmlPage(page) };
  }
}

const nosniff = { "x-content-type-options": "nosniff", "cache-control": "no-store" };
const json = { ...nosniff, "content-type": "application/json; charset=utf-8" };
const html = {
  ...nosniff,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
};

const notAllowed = text(405, "405 method not allowed");

function text(status: number, message: string): HttpAnswer {
  return { status, headers: { ...nosniff, "content-type": "text/plain; charset=utf-8" }, body: `${message}\n` };
}
