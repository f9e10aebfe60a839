import assert from "node:assert/strict";
import { it } from "node:test";
import { killLoop } from "./kill_loop.ts";

const shares = [17, 17, 16];
const kills = shares.reduce((sum, share) => sum + share);
const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);

// Scenario: kill -9 at random moments, to three otelpipes with a queue on disk.
// Guarantees: every span that was acknowledged arrives.
it(`loses nothing that it acknowledged, through ${kills} kills`, async () => {
  console.log(`seed ${seed}`);
  const reports = await Promise.all(shares.map(async (share, index) => await killLoop(share, seed + index)));
  for (const report of reports) {
    console.log(JSON.stringify(report));
    assert.ok(report.acknowledged > 100, "the load got through");
  }
});
