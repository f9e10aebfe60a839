import assert from "node:assert/strict";
import { it } from "node:test";
import { Chunk } from "../../../../pipeline/pdata/chunk.ts";
import { Splices } from "../../../../pipeline/pdata/splices.ts";
import { Random, seed } from "./random.ts";

const random = new Random(seed());

/** Splices at random places of `bytes`, about `gap` bytes apart, and what they have to make of it. */
function splice(splices: Splices, bytes: Buffer, gap: number, mostRemoved: number, mostAdded: number): Buffer {
  const expected: Buffer[] = [];
  let from = 0;
  for (let at = random.below(gap); at <= bytes.length; at = from + random.below(2 * gap)) {
    const removed = Math.min(random.below(mostRemoved + 1), bytes.length - at);
    const piece = random.bytes(random.below(mostAdded + 1));
    const place = splices.arena.reserve(piece.length);
    piece.copy(splices.arena.bytes, place);
    splices.add(at, removed, place, piece.length);
    expected.push(bytes.subarray(from, at), piece);
    from = at + removed;
  }
  return Buffer.concat([...expected, bytes.subarray(from)]);
}

it("makes of any splices what putting the pieces side by side does", () => {
  const splices = new Splices();
  for (const size of [100, 3000, 20_000, 100_000]) {
    const bytes = random.bytes(size);
    const chunk = new Chunk("traces", bytes, 0);
    for (const gap of [10, 90, 200, 700, 5000]) {
      // Growing, shrinking, both by turns, and removing before adding.
      for (const [mostRemoved, mostAdded] of [
        [0, 60],
        [60, 0],
        [60, 60],
        [300, 20],
        [20, 300],
      ] as const) {
        splices.clear();
        const expected = splice(splices, bytes, gap, mostRemoved, mostAdded);
        assert.ok(splices.apply(chunk).equals(expected), `${size} bytes, ${gap}, ${mostRemoved}, ${mostAdded}`);
      }
    }
    assert.ok(chunk.bytes.equals(bytes));
  }
});
