import { z } from "../../config/schema.ts";
import type { OwnOtlpSettings } from "../../config/telemetry/exporter.ts";
import {
  type GrpcClientSettings,
  grpcClientShape,
  type HttpClientSettings,
  httpClientShape,
} from "../../net/client_settings.ts";

/** The settings that exporters have for such a client, out of what is written about own telemetry. */
export function clientSettings(kind: "http", settings: OwnOtlpSettings): HttpClientSettings;
export function clientSettings(kind: "grpc", settings: OwnOtlpSettings): GrpcClientSettings;
export function clientSettings(kind: "http" | "grpc", settings: OwnOtlpSettings) {
  const written = {
    endpoint: settings.endpoint,
    headers: settings.headers,
    compression: settings.compression,
    tls: {
      ...(settings.endpoint.startsWith("http://") && { insecure: true }),
      ...(settings.certificate !== undefined && { ca_file: settings.certificate }),
      ...(settings.clientCertificate !== undefined && { cert_file: settings.clientCertificate }),
      ...(settings.clientKey !== undefined && { key_file: settings.clientKey }),
    },
  };
  const standard = { timeout: "0s", compression: "none" };
  return z.strictObject(kind === "http" ? httpClientShape(standard) : grpcClientShape(standard)).parse(written);
}
