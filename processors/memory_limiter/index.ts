import { Observable } from "rxjs";
import { type Operator, processor } from "../../pipeline/component.ts";
import { acrossFields, duration, z } from "../../pipeline/config/schema.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import { itemNames } from "../../pipeline/telemetry/item_metrics.ts";
import { MemoryChecker } from "./checker.ts";

const interval = (standard: string) => duration().prefault(standard);
const percentage = () => z.int().min(0).max(100, { error: "percentages must be at most 100" }).default(0);

const config = z
  .strictObject({
    check_interval: duration()
      .refine((milliseconds) => milliseconds > 0, { error: "'check_interval' must be greater than zero" })
      .prefault("0s")
      .describe("How often memory is measured. Required."),
    limit_mib: z.int().min(0).default(0).describe("Hard limit, MiB. Wins over limit_percentage."),
    spike_limit_mib: z
      .int()
      .min(0)
      .default(0)
      .describe("Headroom, MiB: data is refused from limit - spike on. 0 is a fifth of the limit."),
    limit_percentage: percentage().describe("Hard limit in percent of the cgroup's or the machine's memory."),
    spike_limit_percentage: percentage().describe("Headroom in percent of that memory."),
    min_gc_interval_when_soft_limited: interval("10s").describe(
      "The shortest time between two forced collections above soft.",
    ),
    min_gc_interval_when_hard_limited: interval("0s").describe("The same above the hard limit."),
    max_gc_interval_when_soft_limited: interval("30s").describe(
      "How far that time backs off when collecting frees little; 0 does not back off.",
    ),
    max_gc_interval_when_hard_limited: interval("30s").describe("The same above the hard limit."),
  })
  .check(
    acrossFields(
      ({ limit_mib, limit_percentage }, context) => {
        if (limit_mib > 0 || limit_percentage > 0) return;
        refuse(context, "limit_mib", "'limit_mib' or 'limit_percentage' must be greater than zero");
      },
      smaller("spike_limit_mib", "limit_mib"),
      smaller("spike_limit_percentage", "limit_percentage"),
      larger("min_gc_interval_when_soft_limited", "min_gc_interval_when_hard_limited"),
      larger("max_gc_interval_when_soft_limited", "max_gc_interval_when_hard_limited"),
    ),
  );

function refuse(context: z.RefinementCtx, key: string, message: string): void {
  context.addIssue({ code: "custom", path: [key], message });
}

/** The headroom `part` must leave something of a limit that is set. */
function smaller<P extends string, L extends string>(part: P, limit: L) {
  return (value: Readonly<Record<P | L, number>>, context: z.RefinementCtx): void => {
    if (value[limit] > 0 && value[part] >= value[limit]) {
      refuse(context, part, `'${part}' must be smaller than '${limit}'`);
    }
  };
}

function larger<S extends string, H extends string>(soft: S, hard: H) {
  return (value: Readonly<Record<S | H, number>>, context: z.RefinementCtx): void => {
    if (value[soft] < value[hard]) refuse(context, soft, `'${soft}' should be larger than '${hard}'`);
  };
}

export type MemoryLimiterSettings = z.output<typeof config>;

export default processor({
  type: "memory_limiter",
  stability: { traces: "beta", metrics: "beta", logs: "beta", profiles: "alpha" },
  summary: "Refuses data, so that senders come back later, while the process uses too much memory.",
  config,
  perWorker: true,
  examples: [
    {
      title: "Four fifths of what the container may use",
      yaml: "memory_limiter: { check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20 }",
    },
    { title: "Fixed sizes", yaml: "memory_limiter: { check_interval: 1s, limit_mib: 512, spike_limit_mib: 128 }" },
  ],
  traces: limitMemory,
  metrics: limitMemory,
  logs: limitMemory,
  profiles: limitMemory,
});

/** Passes deliveries on while the checker, shared by all processors of this id, allows it. */
function limitMemory<T extends Pdata>(settings: MemoryLimiterSettings, host: ProcessorHost): Operator<T> {
  const checker = host.shared("checker", () => new MemoryChecker(settings, host));
  const { suffix, noun, unit } = itemNames[host.signal];
  const counter = (word: string, what: string) =>
    host.meter.counter(`otelcol_processor_memory_limiter_${word}_${suffix}`, {
      description: `Number of ${noun} ${what} the next component in the pipeline. [Alpha]`,
      unit,
    });
  const accepted = counter("accepted", "successfully pushed into").with({});
  const refused = counter("refused", "that were rejected by").with({});
  return (source) =>
    new Observable((subscriber) => {
      checker.retain();
      const subscription = source.subscribe({
        next(delivery) {
          if (checker.mustRefuse) {
            const error = new ConsumeError("data refused due to high memory usage", {
              retryable: true,
              delayMs: settings.check_interval,
            });
            refused.add(delivery.data.itemCount);
            host.refuse(delivery, error);
          } else {
            accepted.add(delivery.data.itemCount);
            subscriber.next(delivery);
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      return () => {
        subscription.unsubscribe();
        checker.release();
      };
    });
}
