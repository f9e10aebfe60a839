import { acrossFields, optionalBlock, own, z } from "../../pipeline/config/schema.ts";
import { checkServerKeepAlive } from "../../pipeline/net/keep_alive.ts";
import { httpPath } from "../../pipeline/net/otlp_paths.ts";
import { grpcServerShape, httpServerShape } from "../../pipeline/net/settings.ts";

function urlPath(standard: string) {
  return z
    .string()
    .transform((text, context) => {
      if (!text.startsWith(":")) return text.startsWith("/") ? text : `/${text}`;
      const message = `invalid HTTP URL path set for signal: parse ${JSON.stringify(text)}: missing protocol scheme`;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    })
    .prefault(standard);
}

const grpc = () => z.strictObject(grpcServerShape("localhost:4317"));

const timeouts = { header: "0s", write: "0s", idle: "0s" };

const http = () =>
  z
    .strictObject({
      ...httpServerShape("localhost:4318", timeouts),
      traces_url_path: urlPath(httpPath("traces")).describe("Path for traces."),
      metrics_url_path: urlPath(httpPath("metrics")).describe("Path for metrics."),
      logs_url_path: urlPath(httpPath("logs")).describe("Path for logs."),
      conformance: own(z.enum(["collector", "specification"]))
        .default("collector")
        .describe(
          "Whose word counts where the Collector and the OTLP specification disagree. specification: 413 for bodies that are too large, a Status in every refusal, no partial success in answers of success, and JSON with camelCase names and integer enums only. Not a setting of the Collector's.",
        ),
    })
    .check(acrossFields(checkServerKeepAlive(timeouts.idle)));

/** Settings of the `otlp` receiver, as the Collector's. */
export const config = z
  .strictObject({
    protocols: z
      .strictObject({
        grpc: optionalBlock(grpc, "off").describe("OTLP over gRPC."),
        http: optionalBlock(http, "off").describe(
          "OTLP over HTTP, protobuf and JSON. Profiles come to /v1development/profiles.",
        ),
      })
      .prefault({})
      .describe("The protocols to serve, at least one of them."),
  })
  .check(
    acrossFields(({ protocols }, context) => {
      if (protocols.grpc !== undefined || protocols.http !== undefined) return;
      context.addIssue({ code: "custom", message: "must specify at least one protocol when using the OTLP receiver" });
    }),
  );

export type OtlpReceiverConfig = z.output<typeof config>;
export type OtlpHttpSettings = z.output<ReturnType<typeof http>>;
