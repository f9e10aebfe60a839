import type { ProcessorHost } from "../../pipeline/host.ts";

/** Counts of one batch: what was decided on which ground, and what stood in the way. */
export interface Tally {
  add(policy: string, sampled: boolean, problem: string | undefined): void;
}

/** Adds up batches into the Collector's counter, and says once a batch what could not be read. */
export interface Tallying {
  count<T>(run: (tally: Tally) => T): T;
}

const counters = {
  traces: { name: "otelcol_processor_probabilistic_sampler_count_traces_sampled", unit: "1", noun: "spans" },
  logs: { name: "otelcol_processor_probabilistic_sampler_count_logs_sampled", unit: "1", noun: "log records" },
};

export function tallying(host: ProcessorHost, signal: "traces" | "logs"): Tallying {
  const { name, unit, noun } = counters[signal];
  const description = `Count of ${signal} that were sampled or not [Development]`;
  const counter = host.meter.counter(name, { description, unit });
  return {
    count(run) {
      const decisions = { true: new Map<string, number>(), false: new Map<string, number>() };
      const problems = new Map<string, number>();
      const result = run({
        add(policy, sampled, problem) {
          increase(sampled ? decisions.true : decisions.false, policy);
          if (problem !== undefined) increase(problems, problem);
        },
      });
      for (const sampled of ["true", "false"] as const) {
        for (const [policy, items] of decisions[sampled]) counter.add(items, { policy, sampled });
      }
      for (const [problem, items] of problems)
        host.logger.debug({ problem, [noun]: items }, "Sampling by rule was not possible.");
      return result;
    },
  };
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
