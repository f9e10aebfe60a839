import { createServer } from "node:http";
import { extension, type Lifecycle } from "../../pipeline/component.ts";
import { duration, formatDuration, z } from "../../pipeline/config/schema.ts";
import type { Clock, ExtensionHost } from "../../pipeline/host.ts";
import { type Listening, listen } from "../../pipeline/net/listener.ts";
import { httpServerShape } from "../../pipeline/net/settings.ts";

const config = z.strictObject({
  ...httpServerShape("localhost:13133", { header: "1m", write: "30s", idle: "1m" }),
  path: z
    .string()
    .regex(/^\//, { error: "path must start with /" })
    .default("/")
    .describe("Where the status is served."),
  response_body: z
    .strictObject({
      healthy: z.string().default("").describe("Sent instead of the JSON body while healthy."),
      unhealthy: z.string().default("").describe("Sent instead of the JSON body while not."),
    })
    .optional()
    .describe("Fixed answers."),
  check_collector_pipeline: z
    .strictObject({
      enabled: z.boolean().default(false),
      interval: duration().prefault("5m"),
      exporter_failure_threshold: z.int().default(5),
    })
    .prefault({})
    .describe("Accepted and ignored, as in recent Collectors."),
});

type Settings = z.output<typeof config>;

export default extension({
  type: "health_check",
  stability: "beta",
  summary: "Answers over HTTP whether all pipelines have started and are not being shut down.",
  config,
  examples: [
    { title: "On all addresses, for a kubelet", yaml: 'health_check: { endpoint: "0.0.0.0:13133" }' },
    { title: "A path of its own", yaml: "health_check: { path: /healthz }" },
  ],
  create: (settings, host) => new HealthCheck(settings, host),
});

class HealthCheck implements Lifecycle {
  readonly #settings: Settings;
  readonly #host: ExtensionHost;
  #listening: Listening | undefined;
  #readySinceMs: number | undefined;
  #stopListening: () => void = () => {};

  constructor(settings: Settings, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
  }

  async start(): Promise<void> {
    this.#stopListening = this.#host.service.onState((state) => {
      this.#readySinceMs = state === "running" ? this.#host.clock.nowMs() : undefined;
    });
    const { endpoint, transport } = this.#settings;
    this.#listening = await listen({ endpoint, transport }, () =>
      createServer((request, response) => {
        const { status, type, body } = this.answer(request.url?.split("?")[0] ?? "/");
        response.writeHead(status, { "content-type": type }).end(body);
      }),
    );
    this.#host.logger.info({ endpoint: this.#listening.addresses[0] }, "Health check is listening.");
  }

  async stop(): Promise<void> {
    this.#stopListening();
    this.#listening?.close();
    this.#listening?.destroyConnections();
  }

  /** The answer to a request for `path`, whatever its method. */
  answer(path: string): { status: number; type: string; body: string } {
    if (this.#settings.path !== "/" && path !== this.#settings.path) {
      return { status: 404, type: "text/plain; charset=utf-8", body: "404 page not found\n" };
    }
    const isReady = this.#readySinceMs !== undefined;
    const fixed = this.#settings.response_body;
    const body =
      fixed === undefined ? healthBody(this.#readySinceMs, this.#host.clock) : fixed[isReady ? "healthy" : "unhealthy"];
    return {
      status: isReady ? 200 : 503,
      type: fixed === undefined ? "application/json" : "text/plain; charset=utf-8",
      body,
    };
  }
}

function healthBody(readySinceMs: number | undefined, clock: Clock): string {
  if (readySinceMs === undefined) {
    return JSON.stringify({ status: "Server not available", upSince: "0001-01-01T00:00:00Z", uptime: "" });
  }
  return JSON.stringify({
    status: "Server available",
    upSince: new Date(readySinceMs).toISOString(),
    uptime: formatDuration(clock.nowMs() - readySinceMs),
  });
}
