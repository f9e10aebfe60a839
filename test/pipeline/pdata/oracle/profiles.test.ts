import assert from "node:assert/strict";
import { describeDecoding } from "./decode.ts";

describeDecoding("profiles", (data, request) => {
  assert.equal(data.chunks.length, Object.values(request).every(isEmpty) ? data.chunks.length : 1);
});

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
