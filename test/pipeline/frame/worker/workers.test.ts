import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { openCpuEngine } from "../../../../pipeline/frame/cpu/engine.ts";
import { openEngine } from "../../../../pipeline/frame/engines.ts";
import { workerCommand } from "../../../../pipeline/frame/worker/commands.ts";
import { SupervisedEngine } from "../../../../pipeline/frame/worker/supervised_engine.ts";
import { rapidsDouble } from "../../../support/rapids_double.ts";
import { simulatedHost } from "../../../support/simulated_host.ts";
import { engineConformance } from "../engine_conformance.ts";
import { runningClock } from "../running_clock.ts";

const python = process.env["OTELPIPE_RAPIDS_PYTHON"] ?? "python3";
/** `npm run test:interop` asks for a million. */
const groups = Number(process.env["OTELPIPE_GROUPS"] ?? 20_000);
const module = `${rapidsDouble()}/node_modules/@rapidsai/cudf`;
const settings = { device: undefined, python, node: process.execPath, module, poolBytes: 0, timeoutMs: 60_000 };

/** The worker that ships, behind the engine that users get. */
async function open(type: "rapids" | "node_rapids", poolBytes = 0) {
  const host = simulatedHost();
  const clock = runningClock(host.clock);
  const engine = new SupervisedEngine({
    workers: [{ name: type, command: workerCommand(type, { ...settings, poolBytes, type }) }],
    deadlineMs: 60_000,
    fallback: await openCpuEngine({ clock }),
    isNamed: true,
    clock,
    logger: host.logger,
    meter: host.meter,
  });
  await engine.started();
  assert.match(engine.name, new RegExp(`^${type} `));
  // What `cpu` did for it would pass as well: all it may have been asked for is what no engine can answer.
  return Object.assign(engine, {
    assertOwnWork: () => {
      const reason = "bad_request";
      const byCpu = host.metric("otelpipe_aggregate_windows", { engine: "cpu", reason }) ?? 0;
      assert.equal(engine.tally.includes("cpu"), byCpu > 0);
      assert.equal(engine.tally.split("cpu").length - 1, byCpu > 0 ? 1 : 0);
      assert.equal(host.metric("otelpipe_aggregate_engine_failures", { engine: type, reason }) ?? 0, byCpu);
    },
  });
}

/** Every promise of an engine, kept by the worker itself. */
function conformance(name: string, type: "rapids" | "node_rapids"): void {
  let engine: Awaited<ReturnType<typeof open>>;
  engineConformance(name, async () => (engine = await open(type)), groups);
  it(`${name}: computes itself`, () => engine.assertOwnWork());
}

conformance("node_rapids, on a double of @rapidsai/cudf", "node_rapids");

it("names the library and the device of node_rapids", async () => {
  const engine = await open("node_rapids", 2 ** 20);
  assert.equal(engine.name, "node_rapids (node-rapids 22.12.1, Double GPU)");
  await engine.close();
});

// Scenario: `auto` where there is a driver, `rapids` cannot start and `@rapidsai/cudf` is there.
// Guarantees: `node_rapids` computes, and says why not `rapids`.
it("takes node_rapids with auto where rapids does not start", async () => {
  const host = simulatedHost();
  const surroundings = { clock: runningClock(host.clock), logger: host.logger, meter: host.meter };
  const engine = await openEngine({ ...settings, type: "auto", python: "/nowhere/python3" }, surroundings, true);
  assert.ok(engine instanceof SupervisedEngine);
  await engine.started();
  assert.equal(engine.name, "node_rapids (node-rapids 22.12.1, Double GPU, rapids: spawn /nowhere/python3 ENOENT)");
  await engine.close();
});

const hasPandas = spawnSync(python, ["-c", "import pandas, pyarrow"]).status === 0;
describe("rapids, on pandas", {
  skip: !hasPandas && `${python} has no pandas and pyarrow (OTELPIPE_RAPIDS_PYTHON)`,
}, () => {
  conformance("rapids, on pandas", "rapids");
});
