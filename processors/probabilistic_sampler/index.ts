import { processor } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import { mapData } from "../../pipeline/operators.ts";
import { logSampler } from "./logs.ts";
import { makeSampler, type Sampler } from "./sampler.ts";
import { tallying } from "./tally.ts";
import { traceSampler } from "./traces.ts";

const config = z.strictObject({
  sampling_percentage: z
    .number()
    .superRefine((percentage, context) => {
      if (percentage < 0) context.addIssue(`sampling rate is negative: ${percentage.toFixed(6)}%`);
      else if (percentage > 0 && Math.fround(percentage) / 100 < 2 ** -56) {
        context.addIssue(`sampling rate is too small: ${percentage}%`);
      }
    })
    .default(0)
    .describe("Share of the items that are kept, in percent; 100 and more keep all, 0 keeps none."),
  mode: z
    .enum(["", "hash_seed", "proportional", "equalizing"], {
      error: ({ input }) => `unsupported sampler mode ${JSON.stringify(input)}`,
    })
    .default("")
    .describe(
      "hash_seed (also when empty): by a hash of the trace id; proportional: keeps this share of what arrives, however " +
        "much it was sampled before; equalizing: brings everything down to this share.",
    ),
  hash_seed: z
    .int()
    .min(0)
    .max(0xffffffff)
    .default(0)
    .describe("Seed of the hash: the same on all collectors of a tier, another one on the next tier."),
  fail_closed: z.boolean().default(true).describe("Whether items whose sampling state cannot be read are dropped."),
  sampling_precision: z
    .int()
    .superRefine((digits, context) => {
      if (digits < 1) context.addIssue(`invalid sampling precision: ${digits}`);
      if (digits > 14) context.addIssue(`sampling precision is too great, should be <= 14: ${digits}`);
    })
    .default(4)
    .describe("Hex digits of the threshold that is used and written, 1 to 14."),
  attribute_source: z
    .enum(["traceID", "record"], {
      error: ({ input }) => `invalid attribute source: ${String(input)}. Expected: traceID or record`,
    })
    .default("traceID")
    .describe("Logs: whether hash_seed mode looks at the trace id first, or at from_attribute only."),
  from_attribute: z.string().default("").describe("Logs: attribute that is hashed, such as a unique id of the record."),
  sampling_priority: z
    .string()
    .default("")
    .describe("Logs: attribute that holds the record's own percentage, which is used instead."),
});

type Config = z.output<typeof config>;

/** Keeps a share of spans or log records, decided so that all parts of a trace and all collectors decide alike. */
export default processor({
  type: "probabilistic_sampler",
  stability: { traces: "beta", logs: "alpha" },
  summary: "Keeps a percentage of traces or log records, the same ones on every collector.",
  config,
  perWorker: true,
  examples: [
    { title: "A tenth of all traces", yaml: "probabilistic_sampler: { sampling_percentage: 10 }" },
    {
      title: "A quarter, consistent with samplers in SDKs",
      yaml: "probabilistic_sampler: { mode: proportional, sampling_percentage: 25 }",
    },
    {
      title: "Log records by an attribute of their own",
      yaml: "probabilistic_sampler: { sampling_percentage: 15, attribute_source: record, from_attribute: request.id, sampling_priority: priority }",
    },
  ],
  traces: (settings, host) => {
    const sample = traceSampler(samplerOf(settings), settings.hash_seed);
    const { count } = tallying(host, "traces");
    return mapData(host, (data) => count((tally) => sample(data, tally)), "sampled_out");
  },
  logs: (settings, host) => {
    const sample = logSampler(samplerOf(settings), {
      hashSeed: settings.hash_seed,
      precision: settings.sampling_precision,
      attributeSource: settings.attribute_source,
      fromAttribute: settings.from_attribute,
      samplingPriority: settings.sampling_priority,
    });
    const { count } = tallying(host, "logs");
    return mapData(host, (data) => count((tally) => sample(data, tally)), "sampled_out");
  },
});

function samplerOf(settings: Config): Sampler {
  return makeSampler({
    percentage: settings.sampling_percentage,
    mode: settings.mode === "" ? "hash_seed" : settings.mode,
    precision: settings.sampling_precision,
    failClosed: settings.fail_closed,
  });
}
