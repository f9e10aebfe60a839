/** A config of about 200 lines in the components that both programs have: a gateway with twelve pipelines. */
export function longConfig(): string {
  const backends = Array.from({ length: 12 }, (_, index) => `backend_${index + 1}`);
  const signals = ["traces", "metrics", "logs"];
  return [
    "receivers:",
    ...["first", "second"].flatMap((name) => [
      `  otlp/${name}:`,
      "    protocols:",
      "      grpc:",
      "        endpoint: 127.0.0.1:0",
      "        max_recv_msg_size_mib: 16",
      "      http:",
      "        endpoint: 127.0.0.1:0",
      "        cors:",
      '          allowed_origins: ["https://*.example.com"]',
    ]),
    "processors:",
    "  memory_limiter:",
    "    check_interval: 1s",
    "    limit_percentage: 80",
    "    spike_limit_percentage: 20",
    "  batch:",
    "    timeout: 1s",
    ...signals.flatMap((signal) => [
      `  attributes/${signal}:`,
      "    actions:",
      "      - key: deployment.environment.name",
      "        value: production",
      "        action: insert",
      "      - key: password",
      "        action: delete",
    ]),
    "exporters:",
    ...backends.flatMap((name, index) => [
      `  otlp_grpc/${name}:`,
      `    endpoint: 127.0.0.2:${4317 + index}`,
      "    compression: gzip",
      "    tls:",
      "      insecure: true",
      "    sending_queue:",
      "      queue_size: 2000",
    ]),
    "service:",
    "  telemetry:",
    "    metrics:",
    "      level: none",
    "  pipelines:",
    ...backends.flatMap((name, index) => {
      const signal = signals[index % signals.length] ?? "traces";
      return [
        `    ${signal}/${name}:`,
        `      receivers: [otlp/${index % 2 === 0 ? "first" : "second"}]`,
        `      processors: [memory_limiter, attributes/${signal}, batch]`,
        `      exporters: [otlp_grpc/${name}]`,
      ];
    }),
    "",
  ].join("\n");
}

/** A plain gateway on free ports: what runs while start and idling are measured. */
export const gatewayConfig = `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } }
processors:
  memory_limiter: { check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20 }
  batch:
exporters:
  otlp_grpc: { endpoint: "127.0.0.2:4317", tls: { insecure: true } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc] }
    metrics: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc] }
    logs: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc] }
`;
