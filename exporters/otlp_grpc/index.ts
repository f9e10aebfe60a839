import { type Exporter, exporter } from "../../pipeline/component.ts";
import { acrossFields, z } from "../../pipeline/config/schema.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import { messageOf } from "../../pipeline/error_text.ts";
import { queuedExporter } from "../../pipeline/export/queued_exporter.ts";
import type { Attempt } from "../../pipeline/export/sender.ts";
import { queueSettings, retrySettings, timeoutSetting } from "../../pipeline/export/settings.ts";
import type { ExporterHost, Labels } from "../../pipeline/host.ts";
import { grpcClientShape } from "../../pipeline/net/client_settings.ts";
import { clientSurroundings } from "../../pipeline/net/client_surroundings.ts";
import { openGrpcClient } from "../../pipeline/net/grpc/open.ts";
import { parseGrpcEndpoint } from "../../pipeline/net/grpc_endpoint.ts";
import { exportPath } from "../../pipeline/net/otlp_paths.ts";
import { decodePartialSuccess, logPartialSuccess } from "../../pipeline/net/otlp_response.ts";
import { hasPortTooHigh } from "../../pipeline/net/setting_fields.ts";
import { errorFromRpc } from "../../pipeline/net/status.ts";
import type { RpcClient } from "../../pipeline/net/transport.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";

/** Settings of the `otlp_grpc` exporter, as the Collector's. */
const config = z
  .strictObject({
    timeout: timeoutSetting(),
    ...grpcClientShape({ compression: "gzip" }),
    sending_queue: queueSettings(),
    retry_on_failure: retrySettings(),
  })
  .check(
    acrossFields(({ endpoint }, context) => {
      const refuse = (message: string) => context.addIssue({ code: "custom", message, path: ["endpoint"] });
      if (/^(?:https?:\/\/)?$/.test(endpoint)) {
        refuse('requires a non-empty "endpoint"');
        return;
      }
      if (hasPortTooHigh(endpoint)) return; // refused as a setting, or when it starts
      try {
        parseGrpcEndpoint(endpoint);
      } catch (error) {
        refuse(messageOf(error));
      }
    }),
  );

export type OtlpGrpcConfig = z.output<typeof config>;

export default exporter({
  type: "otlp_grpc",
  aliases: ["otlp"],
  stability: { traces: "stable", metrics: "stable", logs: "stable", profiles: "alpha" },
  summary: "Sends OTLP over gRPC.",
  config,
  perWorker: true,
  examples: [
    { title: "Jaeger on this machine", yaml: "otlp_grpc: { endpoint: localhost:4317, tls: { insecure: true } }" },
    {
      title: "With a key, in larger requests",
      yaml: "otlp_grpc: { endpoint: otlp.example.com:443, headers: { api-key: secret }, sending_queue: { batch: { min_size: 1000 } } }",
    },
  ],
  traces: createExporter,
  metrics: createExporter,
  logs: createExporter,
  profiles: createExporter,
});

function createExporter(settings: OtlpGrpcConfig, host: ExporterHost): Exporter<Pdata> {
  const path = exportPath(host.signal);
  host.destination(destinationOf(settings.endpoint));
  let client: RpcClient | undefined;
  const push = async (data: Pdata, { timeoutMs, signal, client: sender }: Attempt) => {
    if (client === undefined) throw new ConsumeError("the exporter is not started", { retryable: true });
    const options = { timeoutMs, signal, client: sender, encoded: data.encoded };
    const { status, body } = await client.send(path, data.toBuffer(), options);
    if (status !== undefined) throw errorFromRpc(status);
    logPartialSuccess(host.logger, host.signal, decodePartialSuccess(body));
  };
  return queuedExporter(settings, host, push, {
    async start() {
      if (client !== undefined) return;
      client = await openGrpcClient(settings, clientSurroundings(settings.auth, host));
    },
    async stop() {
      client?.close();
      client = undefined;
    },
  });
}

/** Labels of where an endpoint is; one that is not `host:port` is all address, as in the Collector. */
function destinationOf(endpoint: string): Labels {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(endpoint) ?? [];
  if (port === undefined) return { "server.address": endpoint };
  return { "server.address": bracketed ?? plain ?? "", ...(/^\d+$/.test(port) && { "server.port": port }) };
}
