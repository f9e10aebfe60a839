import { extension, type Lifecycle } from "../../pipeline/component.ts";
import { acrossFields, duration, formatDuration, z } from "../../pipeline/config/schema.ts";
import type { Clock, ExtensionHost } from "../../pipeline/host.ts";
import { NodeHttpServer } from "../../pipeline/net/http_server.ts";
import { checkServerKeepAlive } from "../../pipeline/net/keep_alive.ts";
import { httpServerShape } from "../../pipeline/net/settings.ts";
import type { HttpAnswer, RequestHead, TransportServer } from "../../pipeline/net/transport.ts";

const gateMessage =
  "v2 healthcheck configuration (http/grpc fields) detected but feature gate is disabled. Either remove the v2 config " +
  "fields or enable the feature gate with: --feature-gates=+extension.healthcheck.useComponentStatus";

const timeouts = { header: "1m", write: "30s", idle: "1m" };

const config = z
  .strictObject({
    ...httpServerShape("localhost:13133", timeouts),
    path: z
      .string()
      .refine((path) => path.startsWith("/"), { error: "path must start with /" })
      .default("/")
      .describe("Where the status is served; / answers everywhere."),
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
        interval: z.string().default("5m"),
        exporter_failure_threshold: z.int().default(5),
      })
      .prefault({})
      .describe("Accepted without effect, as in recent Collectors."),
    component_health: z
      .strictObject({
        include_permanent_errors: z.boolean().default(false),
        include_recoverable_errors: z.boolean().default(false),
        recovery_duration: duration().prefault("0s"),
      })
      .optional()
      .describe("Accepted without effect: it belongs to a feature gate of the Collector's that is off."),
    use_v2: z.boolean().default(false).describe("Not supported, as in the Collector's extension of this name."),
    http: z.unknown().optional().describe("Refused, as in the Collector: it belongs to the same gate."),
    grpc: z.unknown().optional().describe("Refused, as in the Collector: it belongs to the same gate."),
  })
  .check(
    acrossFields(checkServerKeepAlive(timeouts.idle)),
    acrossFields((value, context) => {
      const fail = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
      for (const key of ["http", "grpc"] as const) if (value[key] !== undefined) fail(key, gateMessage);
      if (value.use_v2) fail("use_v2", "must specify at least one protocol");
      else if (value.endpoint === "") fail("endpoint", "http endpoint required");
    }),
  );

type Settings = z.output<typeof config>;

export default extension({
  type: "health_check",
  stability: "alpha",
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
  readonly #server: TransportServer;
  #readySinceMs: number | undefined;
  #stopListening: () => void = () => {};

  constructor(settings: Settings, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    const answer = ({ path }: RequestHead) => this.#answer(path);
    // Every request is answered by its head alone, whatever its method; none gets as far as `handle`.
    const handler = { judge: answer, reject: answer, handle: () => {} };
    this.#server = new NodeHttpServer(settings, handler, host);
  }

  async start(): Promise<void> {
    this.#stopListening = this.#host.service.onState((state) => {
      this.#readySinceMs = state === "running" ? (this.#readySinceMs ?? this.#host.clock.nowMs()) : undefined;
    });
    await this.#server.start();
    this.#host.logger.info({ endpoint: this.#server.addresses.join(", ") }, "Starting health_check extension");
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#server.stop(0);
  }

  #answer(path: string): HttpAnswer {
    const { path: own, response_body: fixed } = this.#settings;
    if (own !== "/" && path !== own) return { status: 404, headers: plain, body: "404 page not found\n" };
    const isReady = this.#readySinceMs !== undefined;
    const status = isReady ? 200 : 503;
    if (fixed !== undefined) return { status, headers: plain, body: isReady ? fixed.healthy : fixed.unhealthy };
    const body = healthBody(this.#readySinceMs, this.#host.clock);
    return { status, headers: { "content-type": "application/json" }, body };
  }
}

const plain = { "content-type": "text/plain; charset=utf-8" };

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
