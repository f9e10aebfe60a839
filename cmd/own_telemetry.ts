import type { TelemetryConfig } from "../pipeline/config/telemetry.ts";
import type { Logger } from "../pipeline/host.ts";
import { userAgent } from "../pipeline/net/user_agent.ts";
import { systemClock } from "../pipeline/process/clock.ts";
import type { Resource } from "../pipeline/telemetry/resource.ts";
import type { LogSender } from "../pipeline/telemetry/sending/logs.ts";
import type { Tracing } from "../pipeline/telemetry/tracing/tracing.ts";
import { version } from "./version.ts";

/** Own logs and spans on their way out, as far as the configuration says where to. */
export interface OwnTelemetrySenders {
  readonly logs: LogSender | undefined;
  readonly tracing: Tracing | undefined;
  /** Sends what waits. */
  stop(): Promise<void>;
}

/** `logger` gets what goes wrong; its lines are not sent. @throws {Error} when a destination cannot be opened. */
export async function openSenders(
  { logs, traces, resource: { schemaUrl } }: TelemetryConfig,
  resource: Resource,
  logger: Logger,
): Promise<OwnTelemetrySenders> {
  const agent = userAgent({ command: "otelpipe", version });
  const options = { clock: systemClock, logger, userAgent: agent, resource, schemaUrl };
  const logSender = logs.processors?.length
    ? await (await import("../pipeline/telemetry/sending/logs.ts")).openLogSender(logs.processors, options)
    : undefined;
  const isTraced = traces.level !== "none" && traces.processors !== undefined && traces.processors.length > 0;
  const spans = isTraced
    ? await (await import("../pipeline/telemetry/tracing/open.ts")).openTracing(traces, {
        ...options,
        random: Math.random,
      })
    : undefined;
  return {
    logs: logSender,
    tracing: spans?.tracing,
    async stop() {
      await spans?.stop();
      await logSender?.stop();
    },
  };
}
