import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queueSettings, retrySettings, timeoutSetting } from "../../../pipeline/export/settings.ts";

const messages = (result: { error?: { issues: readonly { message: string }[] } | undefined }) =>
  result.error?.issues.map((issue) => issue.message) ?? [];

it("defaults are the Collector's", () => {
  const queue = queueSettings().parse({});
  assert.deepEqual(queue, {
    num_consumers: 10,
    queue_size: 1000,
    sizer: "requests",
    block_on_overflow: false,
    wait_for_result: false,
    batch: undefined,
  });
  assert.deepEqual(queueSettings().parse({ batch: null })?.batch, {
    flush_timeout: 200,
    sizer: "items",
    min_size: 8192,
    max_size: 0,
    partition: { metadata_keys: [] },
  });
  assert.deepEqual(retrySettings().parse({}), {
    enabled: true,
    initial_interval: 5000,
    randomization_factor: 0.5,
    multiplier: 1.5,
    max_interval: 30_000,
    max_elapsed_time: 300_000,
  });
  assert.equal(timeoutSetting().parse(undefined), 5000);
});

it("the queue is off with enabled: false", () => assert.equal(queueSettings().parse({ enabled: false }), undefined));

it("a batch inherits the queue's sizer when that is written", () => {
  const parsed = queueSettings().parse({ sizer: "bytes", queue_size: 1e6, batch: {} });
  assert.equal(parsed?.batch?.sizer, "bytes");
});

describe("queues that are refused", () => {
  for (const { config, want } of [
    { config: { num_consumers: 0 }, want: "`num_consumers` must be positive" },
    { config: { queue_size: 0 }, want: "`queue_size` must be positive" },
    { config: { sizer: "spans" }, want: 'invalid sizer: "spans"' },
    {
      config: { storage: "file_storage", wait_for_result: true },
      want: "`wait_for_result` is not supported with a persistent queue configured with `storage`",
    },
    {
      config: { sizer: "requests", batch: {} },
      want: '`batch` supports only `items` or `bytes` sizer, found "requests"',
    },
    { config: { batch: { flush_timeout: 0 } }, want: "`flush_timeout` must be positive" },
    {
      config: { sizer: "items", queue_size: 10, batch: { min_size: 11 } },
      want: "`min_size` must be less than or equal to `queue_size`",
    },
    {
      config: { batch: { min_size: 9, max_size: 8 } },
      want: "`max_size` (8) must be greater or equal to `min_size` (9)",
    },
    {
      config: { batch: { partition: { metadata_keys: ["x-tenant", "X-Tenant"] } } },
      want: 'duplicate entry in metadata_keys: "x-tenant" (case-insensitive)',
    },
    {
      config: { batch: { min_size: -1 } },
      want: "`min_size` must be non-negative, found -1",
    },
  ]) {
    it(JSON.stringify(config), () => assert.deepEqual(messages(queueSettings().safeParse(config)), [want]));
  }
});

describe("retries that are refused", () => {
  for (const { config, want } of [
    { config: { initial_interval: "-1s" }, want: "'initial_interval' must be non-negative" },
    { config: { randomization_factor: 1.1 }, want: "'randomization_factor' must be within [0, 1]" },
    { config: { multiplier: -1 }, want: "'multiplier' must be non-negative" },
    { config: { max_elapsed_time: "20s" }, want: "'max_elapsed_time' must not be less than 'max_interval'" },
    { config: { enabled: false, randomization_factor: -1 }, want: "'randomization_factor' must be within [0, 1]" },
  ]) {
    it(JSON.stringify(config), () => assert.deepEqual(messages(retrySettings().safeParse(config)), [want]));
  }
});

it("a negative timeout is refused", () => {
  assert.deepEqual(messages(timeoutSetting().safeParse("-1s")), ["'timeout' must be non-negative"]);
});
