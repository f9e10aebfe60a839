import type { BatchSettings } from "../../../processors/batch/index.ts";

/** Batches of ten spans, or after 200 ms; no limit above. */
export const batchSettings = (changes: Partial<BatchSettings> = {}): BatchSettings => ({
  timeout: 200,
  send_batch_size: 10,
  send_batch_max_size: 0,
  metadata_keys: [],
  metadata_cardinality_limit: 1000,
  ...changes,
});
