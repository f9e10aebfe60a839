/**
 * As `kill.test.ts`, with more kills than `npm test` has time for: `npm run test:crash [-- --kills 1000 --at-once 2]`. It
 * prints what became of each share and one line for all; exit code 1 when something that was acknowledged is missing.
 * `OTELPIPE_SEED=17` repeats its choices, not the machine's timing.
 */
import { parseArgs } from "node:util";
import { type KillReport, killLoop } from "./kill_loop.ts";

/** Kills over one directory. */
const killsOfShare = 100;

const { values } = parseArgs({
  options: { kills: { type: "string", default: "1000" }, "at-once": { type: "string", default: "2" } },
});
const kills = Number(values.kills);
const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
const shares = Array.from({ length: Math.ceil(kills / killsOfShare) }, (_, index) => ({
  seed: seed + index,
  kills: Math.min(killsOfShare, kills - index * killsOfShare),
}));
const all = { kills: 0, acknowledged: 0, duplicates: 0 };

async function work(): Promise<void> {
  for (let share = shares.shift(); share !== undefined; share = shares.shift()) {
    const report: KillReport = await killLoop(share.kills, share.seed);
    console.log(JSON.stringify({ seed: share.seed, ...report }));
    all.kills += report.kills;
    all.acknowledged += report.acknowledged;
    all.duplicates += report.duplicates;
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: Number(values["at-once"]) }, work));
const seconds = Math.round((performance.now() - startedMs) / 1000);
console.log(
  `${all.kills} kills, ${all.acknowledged} spans acknowledged, all arrived, ${all.duplicates} of them again; ${seconds} s, seed ${seed}`,
);
