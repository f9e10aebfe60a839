/**
 * Changes the configuration of an otelpipe that takes 10 000 spans a second, 100 times (`test/e2e/reload_loop.ts`).
 * Exit code 1 when a span was lost, a request was refused, or a connection did not stay.
 *
 *     node bench/reload/main.ts [--seed 1]
 */
import { parseArgs } from "node:util";
import { reloadLoop } from "../../test/e2e/reload_loop.ts";

const { values } = parseArgs({ options: { seed: { type: "string", default: "1" } } });
const report = await reloadLoop(100, Number(values.seed), { spans: 100, periodMs: 25, restMs: 300 });
console.log(report);
const { refused, lost, connections } = report;
process.exitCode = refused === 0 && lost === 0 && connections === 2 ? 0 : 1;
