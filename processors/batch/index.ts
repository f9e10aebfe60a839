import { processor } from "../../pipeline/component.ts";
import { acrossFields, duration, stringList, z } from "../../pipeline/config/schema.ts";
import { batch } from "./batcher.ts";

const count = () => z.int().min(0);

const config = z
  .strictObject({
    timeout: duration()
      .refine((milliseconds) => milliseconds >= 0, { error: "timeout must be greater or equal to 0" })
      .prefault("200ms")
      .describe("How long data may wait for more. 0 sends each request at once, split by send_batch_max_size."),
    send_batch_size: count()
      .default(8192)
      .describe(
        "Items (spans, data points, log records) that make a batch leave before the timeout; not a cap. 0 as timeout 0.",
      ),
    send_batch_max_size: count()
      .default(0)
      .describe("The most items in a batch; larger ones are split. 0 is no limit."),
    metadata_keys: stringList()
      .prefault([])
      .describe("Client metadata keys: data whose values differ is batched apart, and keeps these values."),
    metadata_cardinality_limit: count()
      .default(1000)
      .describe("The most value combinations of metadata_keys; data of further ones is refused. 0 is no limit."),
  })
  .check(acrossFields(checkSizes), acrossFields(checkKeys));

type Sizes = { readonly send_batch_size: number; readonly send_batch_max_size: number };

function checkSizes(value: Sizes, context: z.RefinementCtx): void {
  if (value.send_batch_max_size > 0 && value.send_batch_max_size < value.send_batch_size) {
    context.addIssue({
      code: "custom",
      path: ["send_batch_max_size"],
      message: "send_batch_max_size must be greater or equal to send_batch_size",
    });
  }
}

function checkKeys(value: { readonly metadata_keys: readonly string[] }, context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, key] of value.metadata_keys.entries()) {
    if (seen.has(key.toLowerCase())) {
      const message = `duplicate entry in metadata_keys: "${key.toLowerCase()}" (case-insensitive)`;
      context.addIssue({ code: "custom", path: ["metadata_keys", index], message });
    }
    seen.add(key.toLowerCase());
  }
}

export type BatchSettings = z.output<typeof config>;

export default processor({
  type: "batch",
  holdsData: true,
  stability: { traces: "beta", metrics: "beta", logs: "beta" },
  summary: "Collects small requests into larger ones, by size or time.",
  config,
  perWorker: true,
  examples: [
    {
      title: "At least 1 000 items, at most 2 000, within a second",
      yaml: "batch: { timeout: 1s, send_batch_size: 1000, send_batch_max_size: 2000 }",
    },
    { title: "A batch per tenant", yaml: "batch: { metadata_keys: [x-tenant], metadata_cardinality_limit: 50 }" },
  ],
  traces: batch,
  metrics: batch,
  logs: batch,
});
