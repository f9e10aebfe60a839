import type { TelemetryConfig } from "../../config/telemetry.ts";
import type { SendingOptions } from "../sending/record_sender.ts";
import { openSpanSender } from "../sending/spans.ts";
import { propagationOf } from "./propagation.ts";
import { samplerOf } from "./sampler.ts";
import { Tracing } from "./tracing.ts";

/** Own spans as `service::telemetry::traces` wants them, sent to its processors. @throws {Error} when one cannot be opened. */
export async function openTracing(
  { processors = [], sampler, propagators }: TelemetryConfig["traces"],
  options: SendingOptions & { readonly random: () => number },
): Promise<{ readonly tracing: Tracing; stop(): Promise<void> }> {
  const sender = await openSpanSender(processors, options);
  const tracing = new Tracing({
    clock: options.clock,
    random: options.random,
    sampler: samplerOf(sampler),
    propagation: propagationOf(propagators),
    onEnd: (span) => sender.add(span),
  });
  return { tracing, stop: () => sender.stop() };
}
