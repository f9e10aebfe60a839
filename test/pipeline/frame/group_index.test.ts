import assert from "node:assert/strict";
import { it } from "node:test";
import { GroupIndex } from "../../../pipeline/frame/group_index.ts";

for (const expected of [1, 16, 20_000]) {
  it(`numbers 20 000 tuples in order of first sight, when ${expected} were expected`, () => {
    const index = new GroupIndex(2, expected);
    const tuple = (id: number) => Int32Array.of(id % 150, -Math.floor(id / 150) - 1);
    for (let round = 0; round < 2; round++) {
      for (let id = 0; id < 20_000; id++) assert.equal(index.add(tuple(id)), id);
    }
    assert.equal(index.size, 20_000);
    assert.deepEqual([index.at(19_999, 0), index.at(19_999, 1)], [...tuple(19_999)]);
    assert.equal(index.find(tuple(12_345)), 12_345);
    assert.equal(index.find(Int32Array.of(7, 7)), -1);
    assert.ok(index.sizeBytes < 20_000 * 64);
  });
}

it("has one group of nothing", () => {
  const index = new GroupIndex(0);
  assert.equal(index.find(new Int32Array(0)), -1);
  assert.equal(index.add(new Int32Array(0)), 0);
  assert.equal(index.add(new Int32Array(0)), 0);
  assert.equal(index.size, 1);
});
