import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { extension } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { type Listening, listen, parseHostPort } from "../../pipeline/net/listener.ts";
import { loadAssets } from "./assets.ts";
import { allowedHosts } from "./guard.ts";
import { Live } from "./live.ts";
import { Sampler } from "./sampler.ts";

const config = z.strictObject({
  endpoint: z
    .string()
    .default("localhost:13140")
    .describe("Where the page is served, as host:port. `localhost` is 127.0.0.1 and, where the machine has it, ::1."),
  figures: z
    .array(z.string())
    .optional()
    .describe("Ids of the `plotly` exporters whose figures are shown; all when not given."),
  graph: z
    .string()
    .optional()
    .describe("Id of the `graphistry` exporter whose trace graph is shown; the first when not given."),
});

export default extension({
  type: "dashboard",
  stability: "alpha",
  summary: "Serves a page with the live pipelines, the figures and the trace graph.",
  config,
  examples: [
    { title: "On the default address", yaml: "dashboard:" },
    {
      title: "Another port, and one exporter of each kind",
      yaml: "dashboard: { endpoint: localhost:8080, figures: [plotly], graph: graphistry/local }",
    },
  ],
  create: (settings, host) => new Dashboard(settings, host),
});

/** How long answers that are under way may take once the dashboard stops. */
const answerGraceMs = 1_000;

/** The running page server. */
export class Dashboard {
  readonly #settings: z.output<typeof config>;
  readonly #host: ExtensionHost;
  readonly #live: Live;
  #listening: Listening | undefined;
  #loading: Promise<RequestListener> | undefined;
  readonly #answering = new Set<ServerResponse>();
  #allAnswered: () => void = () => {};

  constructor(settings: z.output<typeof config>, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    const selection = { figures: settings.figures, graph: settings.graph };
    this.#live = new Live(new Sampler(host.service, host.board, selection), host.clock);
  }

  /** `127.0.0.1:13140`, `[::1]:13140`; empty while stopped. */
  get addresses(): readonly string[] {
    return this.#listening?.addresses ?? [];
  }

  /** Where a person opens it, once started. */
  get url(): string {
    const { host } = parseHostPort(this.#settings.endpoint);
    const port = this.addresses[0]?.split(":").at(-1) ?? "";
    const name = ["", "0.0.0.0", "::"].includes(host) ? "localhost" : host;
    return `http://${name.includes(":") ? `[${name}]` : name}:${port}/`;
  }

  /** @throws {Error} in one line naming the endpoint when it cannot be bound. */
  async start(): Promise<void> {
    if (this.#listening !== undefined) return;
    const make = () => createServer((request, response) => this.#respond(request, response));
    this.#listening = await listen({ endpoint: this.#settings.endpoint, transport: "tcp" }, make, this.#host);
    this.#live.start();
    this.#host.logger.info({ url: this.url }, "The dashboard is open.");
  }

  /** Lets what is being answered be told: a reload that was asked for here may replace the dashboard itself. */
  async stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    this.#live.stop();
    listening?.close();
    if (this.#answering.size > 0) {
      const { promise: allAnswered, resolve } = Promise.withResolvers<void>();
      this.#allAnswered = resolve;
      const timer = this.#host.clock.setTimer(resolve, answerGraceMs);
      await allAnswered;
      this.#host.clock.clearTimer(timer);
    }
    listening?.destroyConnections();
  }

  /** The page and its server are loaded with the first request: a daemon is ready without them. */
  #respond(request: IncomingMessage, response: ServerResponse): void {
    this.#answering.add(response);
    response.once("close", () => {
      this.#answering.delete(response);
      if (this.#answering.size === 0) this.#allAnswered();
    });
    this.#loading ??= this.#responder();
    this.#loading.then(
      (respond) => respond(request, response),
      (error: unknown) => {
        this.#loading = undefined;
        this.#host.logger.error({ error }, "The dashboard's page cannot be served.");
        response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
        response.end("The dashboard's page cannot be served; the log says why.\n");
      },
    );
  }

  async #responder(): Promise<RequestListener> {
    const [{ getRequestListener }, { routes }, assets] = await Promise.all([
      import("@hono/node-server"),
      import("./server.ts"),
      loadAssets(),
    ]);
    const app = routes({
      board: this.#host.board,
      live: this.#live,
      assets,
      logger: this.#host.logger,
      reload: async () => await this.#host.service.reload?.(),
      isAllowedHost: allowedHosts(parseHostPort(this.#settings.endpoint).host),
    });
    return getRequestListener(app.fetch, { overrideGlobalObjects: false }) as RequestListener;
  }
}
