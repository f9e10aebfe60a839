/** What is taken of OpenTelemetry's own libraries: imported when own telemetry is sent anywhere, and bundled apart. */
export { ValueType } from "@opentelemetry/api";
export {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
export { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";
