import assert from "node:assert/strict";
import { it } from "node:test";
import {
  bytesPerBlock,
  bytesPerRequest,
  RequestStore,
  requestsPerBlock,
} from "../../../exporters/plotly/request_store.ts";
import { Budget } from "../../../pipeline/process/memory.ts";

function fill(store: RequestStore, count: number, startUnixMs = (row: number) => row): void {
  for (let row = 0; row < count; row++) store.add(startUnixMs(row), 1, 2, 3, false, "gemma");
}

// Guarantees: what the exporter's documentation states, both by its own account and by what the process holds.
it("keeps a million requests in 27 bytes each", () => {
  const budget = new Budget(1e9);
  const store = new RequestStore(1_000_000, budget);
  const before = process.memoryUsage().arrayBuffers;
  fill(store, 1_000_000);
  const held = process.memoryUsage().arrayBuffers - before;
  assert.equal(bytesPerRequest, 27);
  assert.ok(store.sizeBytes <= 27 * 1_000_000 + bytesPerBlock, `${store.sizeBytes} bytes`);
  assert.ok(held <= 27 * 1_000_000 + 2 * bytesPerBlock, `${held} bytes of array buffers`);
  assert.equal(budget.usedBytes, store.sizeBytes);
  const arrays = store.blocks.map(({ startUnixMs, durationMs, inputTokens, outputTokens, model, failed }) =>
    [startUnixMs, durationMs, inputTokens, outputTokens, model, failed].reduce(
      (sum, array) => sum + array.byteLength,
      0,
    ),
  );
  assert.equal(
    arrays.reduce((sum, bytes) => sum + bytes, 0),
    store.sizeBytes,
  );
});

it("displaces the oldest block when it is full, and counts its requests", () => {
  const store = new RequestStore(2 * requestsPerBlock, new Budget(1e9));
  fill(store, 2 * requestsPerBlock);
  assert.equal(store.displaced, 0);
  fill(store, 1, () => 7);
  assert.equal(store.displaced, requestsPerBlock);
  assert.equal(store.blocks.length, 2);
  assert.equal(store.blocks[1]?.startUnixMs[0], 7);
});

it("gives up blocks that have left the window, and their bytes", () => {
  const budget = new Budget(1e9);
  const store = new RequestStore(1_000_000, budget);
  fill(store, 3 * requestsPerBlock);
  store.expire(requestsPerBlock);
  assert.equal(store.blocks.length, 2);
  store.expire(requestsPerBlock + 1);
  assert.equal(store.blocks.length, 2, "a block stays while one of its requests is in the window");
  store.clear();
  assert.equal(budget.usedBytes, 0);
});

it("keeps a bounded number of model names", () => {
  const store = new RequestStore(10_000, new Budget(1e9));
  for (let row = 0; row < 5000; row++) store.add(0, 1, 0, 0, false, `model ${row}`);
  const [first, second] = store.blocks;
  assert.equal(store.modelName(first!.model[999]!), "model 999");
  assert.equal(store.modelName(first!.model[1000]!), "other");
  assert.equal(store.modelName(second!.model[10]!), "other");
  store.add(0, 1, 0, 0, false, "model 5");
  assert.equal(store.modelName(second!.model[second!.length - 1]!), "model 5");
});
