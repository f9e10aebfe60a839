import { acrossFields, duration, extensionId, optionalBlock, stringList, z } from "../config/schema.ts";

/** The blocks every queued exporter has, with the Collector's keys and defaults. */

function nonNegative(standard: string, name: string, summary: string) {
  return duration()
    .refine((milliseconds) => milliseconds >= 0, { error: `'${name}' must be non-negative` })
    .prefault(standard)
    .describe(summary);
}

/** `timeout`: of one attempt. Its output is milliseconds, 0 for none. */
export function timeoutSetting() {
  return nonNegative("5s", "timeout", "Longest time for one attempt; 0 is no limit.");
}

/** `retry_on_failure`. Always there, since its values are checked even when it is off. */
export function retrySettings() {
  return z
    .strictObject({
      enabled: z.boolean().default(true).describe("Whether retryable failures are tried again."),
      initial_interval: nonNegative("5s", "initial_interval", "First delay."),
      randomization_factor: z
        .number()
        .min(0, { error: "'randomization_factor' must be within [0, 1]" })
        .max(1, { error: "'randomization_factor' must be within [0, 1]" })
        .default(0.5)
        .describe("How far a delay may be off its interval, as a fraction."),
      multiplier: z
        .number()
        .min(0, { error: "'multiplier' must be non-negative" })
        .default(1.5)
        .describe("Growth of the interval."),
      max_interval: nonNegative("30s", "max_interval", "Longest interval."),
      max_elapsed_time: nonNegative(
        "5m",
        "max_elapsed_time",
        "When to give up and drop it, from the first attempt since the start; 0 is never. Holds for a queue on disk as well.",
      ),
    })
    .check(
      acrossFields((settings, context) => {
        const { max_elapsed_time, initial_interval, max_interval } = settings;
        if (max_elapsed_time === 0) return;
        for (const [name, value] of Object.entries({ initial_interval, max_interval })) {
          if (max_elapsed_time >= value) continue;
          const message = `'max_elapsed_time' must not be less than '${name}'`;
          context.addIssue({ code: "custom", message, path: ["max_elapsed_time"] });
        }
      }),
    )
    .prefault({})
    .describe("How failures that may pass are tried again.");
}

export type RetrySettings = z.output<ReturnType<typeof retrySettings>>;

/** For exporters whose failures do not pass. */
export const neverAgain: RetrySettings = {
  enabled: false,
  initial_interval: 0,
  randomization_factor: 0,
  multiplier: 0,
  max_interval: 0,
  max_elapsed_time: 0,
};

const sizers = ["requests", "items", "bytes"] as const;

function sizer() {
  return z.enum(sizers, { error: (issue) => `invalid sizer: ${JSON.stringify(issue.input)}` });
}

const batch = () =>
  z.strictObject({
    flush_timeout: duration()
      .refine((milliseconds) => milliseconds > 0, { error: "`flush_timeout` must be positive" })
      .prefault("200ms")
      .describe("How long the first item of a batch waits for more."),
    sizer: sizer()
      .optional()
      .describe(
        "Unit of min_size and max_size: items or bytes. Not set, it is the queue's when that is written, else items.",
      ),
    min_size: z
      .int()
      .min(0, { error: ({ input }) => `\`min_size\` must be non-negative, found ${input}` })
      .default(8192)
      .describe("A batch this large is sent at once."),
    max_size: z
      .int()
      .min(0, { error: ({ input }) => `\`max_size\` must be non-negative, found ${input}` })
      .default(0)
      .describe("Larger batches are split; 0 is no limit."),
    partition: z
      .strictObject({
        metadata_keys: stringList()
          .transform((keys) => keys.map((key) => key.toLowerCase()))
          .superRefine((keys, context) => {
            const repeated = keys.find((key, index) => keys.indexOf(key) < index);
            if (repeated === undefined) return;
            const message = `duplicate entry in metadata_keys: ${JSON.stringify(repeated)} (case-insensitive)`;
            context.addIssue({ code: "custom", message });
          })
          .prefault([])
          .describe("Client metadata keys: data whose values differ is batched apart, and keeps these values."),
      })
      .prefault({})
      .describe("What is never batched together."),
  });

interface Sizers<B> {
  readonly sizer?: Sizer | undefined;
  readonly batch?: B | undefined;
}

/** Units that are not written: a queue counts requests, batches are counted as the queue is, or else by items. */
function inEffect<B extends { readonly sizer?: Sizer | undefined }, S extends Sizers<B>>(settings: S & Sizers<B>) {
  const { sizer, batch } = settings;
  return {
    ...settings,
    sizer: sizer ?? ("requests" as const),
    batch: batch && { ...batch, sizer: batch.sizer ?? sizer ?? ("items" as const) },
  };
}

const queue = () =>
  z
    .strictObject({
      num_consumers: z
        .int()
        .min(1, { error: "`num_consumers` must be positive" })
        .default(10)
        .describe("Requests sent at a time."),
      queue_size: z
        .int()
        .min(1, { error: "`queue_size` must be positive" })
        .default(1000)
        .describe("How much is held at most, in units of sizer."),
      sizer: sizer().optional().describe("Unit of queue_size: requests (the default), items or bytes."),
      block_on_overflow: z
        .boolean()
        .default(false)
        .describe("Let senders wait while the queue is full, instead of refusing."),
      wait_for_result: z
        .boolean()
        .default(false)
        .describe("Answer senders once their data is sent, not once it is queued."),
      storage: z
        .preprocess(noneIfEmpty, extensionId("storage extension").optional())
        .describe("Id of the extension that keeps the queue on disk; data is answered for once it is there."),
      batch: optionalBlock(batch, "off").describe("Joins requests to larger ones before they are sent."),
    })
    .check(
      acrossFields((settings, context) => {
        const { batch, sizer } = inEffect(settings);
        if (settings.storage !== undefined && settings.wait_for_result) {
          const message = "`wait_for_result` is not supported with a persistent queue configured with `storage`";
          context.addIssue({ code: "custom", message, path: ["wait_for_result"] });
        }
        if (batch === undefined) return;
        const refuse = (key: string, message: string) =>
          context.addIssue({ code: "custom", message, path: ["batch", key] });
        if (batch.sizer === "requests")
          refuse("sizer", '`batch` supports only `items` or `bytes` sizer, found "requests"');
        else if (batch.sizer === sizer && batch.min_size > settings.queue_size) {
          refuse("min_size", "`min_size` must be less than or equal to `queue_size`");
        }
        if (batch.max_size > 0 && batch.max_size < batch.min_size) {
          refuse(
            "max_size",
            `\`max_size\` (${batch.max_size}) must be greater or equal to \`min_size\` (${batch.min_size})`,
          );
        }
      }),
    )
    .transform(inEffect);

/** `sending_queue`, on unless it is switched off. */
export function queueSettings() {
  return optionalBlock(queue, "on").describe("Holds data while it is sent, so that senders do not wait.");
}

export type QueueSettings = z.output<ReturnType<typeof queue>>;
export type BatchSettings = NonNullable<QueueSettings["batch"]>;
export type Sizer = (typeof sizers)[number];

function noneIfEmpty(id: unknown): unknown {
  return id === null || (typeof id === "string" && id.trim() === "") ? undefined : id;
}
