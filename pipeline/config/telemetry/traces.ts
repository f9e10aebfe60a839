import { acrossFields, choice, whenWritten, z } from "../schema.ts";
import { processors } from "./exporter.ts";

/** Which of the own spans are recorded. */
export type SamplerSettings =
  | { readonly type: "always_on" | "always_off" }
  | { readonly type: "ratio"; readonly ratio: number }
  | {
      readonly type: "parent_based";
      readonly root: SamplerSettings;
      readonly remote_parent_sampled: SamplerSettings;
      readonly remote_parent_not_sampled: SamplerSettings;
      readonly local_parent_sampled: SamplerSettings;
      readonly local_parent_not_sampled: SamplerSettings;
    };

const on: SamplerSettings = { type: "always_on" };
const off: SamplerSettings = { type: "always_off" };

function parentBased(
  given: {
    readonly [K in keyof Extract<SamplerSettings, { type: "parent_based" }>]?: SamplerSettings | undefined;
  },
): SamplerSettings {
  return {
    type: "parent_based",
    root: given.root ?? on,
    remote_parent_sampled: given.remote_parent_sampled ?? on,
    remote_parent_not_sampled: given.remote_parent_not_sampled ?? off,
    local_parent_sampled: given.local_parent_sampled ?? on,
    local_parent_not_sampled: given.local_parent_not_sampled ?? off,
  };
}

const flag = () => z.strictObject({}).optional();

const leaf = {
  always_on: flag().describe("All: `always_on: {}`."),
  always_off: flag().describe("None."),
  trace_id_ratio_based: z
    .strictObject({ ratio: z.number().min(0).max(1).default(1).describe("The share that is recorded, 0 to 1.") })
    .optional()
    .describe("A share by trace id."),
};

interface Written {
  readonly always_on?: object | undefined;
  readonly always_off?: object | undefined;
  readonly trace_id_ratio_based?: { readonly ratio: number } | undefined;
  readonly parent_based?: Parameters<typeof parentBased>[0] | undefined;
}

function read(value: Written, context: z.RefinementCtx): SamplerSettings {
  if (value.parent_based !== undefined) return parentBased(value.parent_based);
  if (value.always_off !== undefined) return off;
  if (value.always_on !== undefined) return on;
  if (value.trace_id_ratio_based !== undefined) return { type: "ratio", ratio: value.trace_id_ratio_based.ratio };
  context.addIssue({ code: "custom", message: "invalid sampler configuration" });
  return z.NEVER;
}

/** A sampler in which `parent_based` may stand inside itself `depth` times; more would say nothing new. */
function sampler(depth: number): z.ZodType<SamplerSettings> {
  if (depth === 0) return z.strictObject(leaf).transform(read);
  const inner = (what: string) =>
    sampler(depth - 1)
      .optional()
      .describe(what);
  const parent = z.strictObject({
    root: inner("Without a parent; all unless given."),
    remote_parent_sampled: inner("The caller records."),
    remote_parent_not_sampled: inner("The caller does not."),
    local_parent_sampled: inner("The own parent is recorded."),
    local_parent_not_sampled: inner("It is not."),
  });
  return z
    .strictObject({ ...leaf, parent_based: parent.optional().describe("As the parent decided.") })
    .transform(read);
}

const propagatorNames = ["tracecontext", "b3"] as const;

/** `service::telemetry::traces`. */
export const traces = () =>
  z
    .strictObject({
      level: choice(["none", "basic", "normal", "detailed"]).prefault("basic").describe("none records no spans."),
      processors: whenWritten(() => processors("span"))
        .optional()
        .describe("Where own spans go: `batch` or `simple`. Without one there are no own spans."),
      propagators: z
        .array(z.string())
        .default([])
        .describe("Headers that carry a trace from and to others: tracecontext, b3."),
      sampler: whenWritten(() => sampler(1))
        .optional()
        .describe("Which own spans are recorded: as the caller decided, else all."),
      limits: z.record(z.string(), z.unknown()).optional().describe("Accepted without effect, as in the Collector."),
    })
    .check(
      acrossFields(({ processors: used = [], propagators }, context) => {
        if (used.length === 0) return;
        for (const [index, name] of propagators.entries()) {
          if ((propagatorNames as readonly string[]).includes(name)) continue;
          context.addIssue({ code: "custom", path: ["propagators", index], message: "unsupported trace propagator" });
        }
      }),
    );

/** The output of `traces` for the empty mapping. */
export function unsetTraces(): z.output<ReturnType<typeof traces>> {
  return { level: "basic", propagators: [] };
}
