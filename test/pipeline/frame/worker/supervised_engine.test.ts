import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { NumberBuilder, numberAt } from "../../../../pipeline/frame/builders.ts";
import type { Column } from "../../../../pipeline/frame/columns.ts";
import { openCpuEngine } from "../../../../pipeline/frame/cpu/engine.ts";
import type { Query } from "../../../../pipeline/frame/engine.ts";
import { SupervisedEngine } from "../../../../pipeline/frame/worker/supervised_engine.ts";
import type { WorkerCommand } from "../../../../pipeline/frame/worker/worker_process.ts";
import { seededRandom, simulatedHost } from "../../../support/simulated_host.ts";
import { engineConformance } from "../engine_conformance.ts";
import { runningClock } from "../running_clock.ts";

const script = fileURLToPath(new URL("stand_in.ts", import.meta.url));

function standIn(behave = "well", request = 1): WorkerCommand {
  return {
    program: process.execPath,
    args: [script, "--behave", behave, "--request", String(request)],
    environment: {},
  };
}

/** An engine over the stand-in, on simulated time; `isNamed` unless said. */
async function open(command: WorkerCommand, isNamed = true) {
  const host = simulatedHost();
  const clock = runningClock(host.clock);
  const fallback = await openCpuEngine({ clock });
  const { logger, meter } = host;
  const workers = [{ name: "rapids", command }];
  const options = { workers, deadlineMs: 30_000, fallback, isNamed, clock, logger, meter };
  const engine = new SupervisedEngine(options);
  await engine.started();
  return { engine, host, clock };
}

/** What `auto` has where there is a driver: workers that behave as said, in the order in which they are tried. */
async function openSeveral(rapids: string, nodeRapids: string) {
  const host = simulatedHost();
  const clock = runningClock(host.clock);
  const workers = [
    { name: "rapids", command: standIn(rapids) },
    { name: "node_rapids", command: standIn(nodeRapids) },
  ];
  const fallback = await openCpuEngine({ clock });
  const { logger, meter } = host;
  const engine = new SupervisedEngine({
    workers,
    deadlineMs: 30_000,
    fallback,
    isNamed: false,
    clock,
    logger,
    meter,
  });
  await engine.started();
  return { engine, host, clock };
}

const query: Query = { groupBy: [], aggregations: [{ as: "sum", fn: "sum", column: "n" }] };

/** The numbers from 1 to `count`. */
function numbers(count: number): Column[] {
  const builder = new NumberBuilder();
  for (let value = 1; value <= count; value++) builder.push(value);
  return [builder.finish("n")];
}

function sumIn(answer: readonly Column[]): number | undefined {
  const [column] = answer;
  assert.ok(column?.type === "f64");
  return numberAt(column, 0);
}

/** Windows computed so far, by engine, whatever the reason. */
function windowsOf(host: ReturnType<typeof simulatedHost>): Record<string, number> {
  return Object.fromEntries(["rapids", "cpu"].map((engine) => [engine, windowsBy(host, engine)]));
}

function windowsBy(host: ReturnType<typeof simulatedHost>, engine: string): number {
  const reasons = ["none", "starting", "died", "timeout", "protocol", "out_of_memory", "cannot_start", "no_gpu"];
  return reasons.reduce((sum, reason) => sum + (host.metric("otelpipe_aggregate_windows", { engine, reason }) ?? 0), 0);
}

engineConformance("an engine in a process of its own", async () => (await open(standIn())).engine, 20_000);

describe("an engine in a process of its own", () => {
  it("is named with its library and device", async () => {
    const { engine } = await open(standIn());
    assert.equal(engine.name, "rapids (stand-in 1.0, Test GPU)");
    await engine.close();
  });

  for (const [behave, reason] of [
    ["dies", "died"],
    ["answers garbage", "protocol"],
    ["answers another request", "protocol"],
    ["answers other columns", "protocol"],
    ["runs out of memory", "out_of_memory"],
  ] as const)
    it(`loses no window when its worker ${behave}`, async () => {
      const { engine, host } = await open(standIn(behave));
      assert.equal(sumIn(await engine.aggregate(numbers(100), query)), 5050);
      assert.deepEqual(windowsOf(host), { rapids: 0, cpu: 1 });
      assert.equal(host.metric("otelpipe_aggregate_windows", { engine: "cpu", reason }), 1);
      assert.equal(host.metric("otelpipe_aggregate_engine_failures", { engine: "rapids", reason }), 1);
      assert.equal(engine.tally, `cpu 1 (${reason})`);
      assert.match(host.logs.at(-1)?.message ?? "", /another one/);
      await engine.close();
    });

  it("loses no window when its worker hangs, and ends it after the deadline", async () => {
    const { engine, host, clock } = await open(standIn("hangs"));
    let isAnswered = false;
    const answer = engine.aggregate(numbers(100), query).finally(() => (isAnswered = true));
    while (!isAnswered) {
      clock.advance(30_000);
      await setImmediate();
    }
    assert.equal(sumIn(await answer), 5050);
    assert.deepEqual(windowsOf(host), { rapids: 0, cpu: 1 });
    assert.equal(engine.name, "cpu (rapids: it has not answered for 30 s)");
    await engine.close();
  });

  for (const [behave, reason] of [
    ["dies at start", /it ended with 3 before it said hello/],
    ["says garbage", /a frame of \d+ bytes/],
    ["speaks another version", /version 99 of the protocol, not 1/],
  ] as const)
    it(`computes with cpu when its worker ${behave}, and says why`, async () => {
      const { engine, host } = await open(standIn(behave));
      assert.match(engine.name, reason);
      assert.equal(sumIn(await engine.aggregate(numbers(10), query)), 55);
      assert.deepEqual(windowsOf(host), { rapids: 0, cpu: 1 });
      await engine.close();
    });

  it("gives a silent worker a minute to say hello", async () => {
    const host = simulatedHost();
    const clock = runningClock(host.clock);
    const fallback = await openCpuEngine({ clock });
    const options = {
      workers: [{ name: "rapids", command: standIn("says nothing") }],
      deadlineMs: 30_000,
      fallback,
      isNamed: true,
    };
    const engine = new SupervisedEngine({ ...options, clock, logger: host.logger, meter: host.meter });
    assert.equal(sumIn(await engine.aggregate(numbers(10), query)), 55);
    let hasStarted = false;
    void engine.started().then(() => (hasStarted = true));
    while (!hasStarted) {
      clock.advance(60_000);
      await setImmediate();
    }
    assert.equal(engine.name, "cpu (rapids: it does not say hello)");
    await engine.close();
  });

  for (const [program, reason] of [
    ["/nowhere/python3", /ENOENT/],
    ["/etc/passwd/python3", /ENOTDIR/],
    [import.meta.filename, /EACCES/],
  ] as const)
    it(`does without a program that cannot be started: ${reason.source}`, async () => {
      const { engine } = await open({ program, args: [], environment: {} });
      assert.match(engine.name, reason);
      assert.equal(sumIn(await engine.aggregate(numbers(10), query)), 55);
      await engine.close();
    });

  it("gives up a start that is under way when it is closed", async () => {
    const host = simulatedHost();
    const clock = runningClock(host.clock);
    const { logger, meter } = host;
    const workers = [{ name: "rapids", command: standIn("says nothing") }];
    const options = { workers, deadlineMs: 30_000, isNamed: true, clock, logger, meter };
    const fallback = await openCpuEngine({ clock });
    const engine = new SupervisedEngine({ ...options, fallback });
    await engine.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it("says once, and calmly, that a machine has no worker that nobody asked for", async () => {
    const { engine, host, clock } = await open({ program: "/nowhere/python3", args: [], environment: {} }, false);
    assert.deepEqual(
      host.logs.map(({ level }) => level),
      ["info"],
    );
    assert.equal(clock.pendingTimers, 0);
    await engine.close();
  });

  it("takes a worker without a GPU only when it was asked for by name", async () => {
    const named = await open(standIn("has no GPU"));
    assert.match(named.engine.name, /^rapids/);
    await named.engine.close();
    const automatic = await open(standIn("has no GPU"), false);
    assert.match(automatic.engine.name, /^cpu \(rapids: it found no GPU/);
    await automatic.engine.close();
  });

  // Scenario: `auto` on a machine with a driver: the first worker has no GPU, the second has.
  // Guarantees: the second computes; name, log and metric say why the first does not.
  it("takes the first of several workers that has a GPU, and says why not one before it", async () => {
    const { engine, host } = await openSeveral("has no GPU", "well");
    assert.equal(engine.name, "node_rapids (stand-in 1.0, Test GPU, rapids: it found no GPU (stand-in 1.0))");
    assert.equal(sumIn(await engine.aggregate(numbers(10), query)), 55);
    assert.equal(host.metric("otelpipe_aggregate_windows", { engine: "node_rapids", reason: "no_gpu" }), 1);
    assert.equal(engine.tally, "node_rapids 1 (no_gpu)");
    assert.match(String(host.logs.at(-1)?.fields["reason"]), /^rapids: it found no GPU/);
    await engine.close();
  });

  it("computes with cpu when none of several workers starts, and says why of each", async () => {
    const { engine, host, clock } = await openSeveral("dies at start", "has no GPU");
    assert.match(engine.name, /^cpu \(rapids: it ended with 3 .*; node_rapids: it found no GPU/);
    assert.equal(sumIn(await engine.aggregate(numbers(10), query)), 55);
    assert.equal(engine.tally, "cpu 1 (died)");
    for (const [name, reason] of [
      ["rapids", "died"],
      ["node_rapids", "no_gpu"],
    ] as const)
      assert.equal(host.metric("otelpipe_aggregate_engine_failures", { engine: name, reason }), 1);
    assert.equal(clock.pendingTimers, 0);
    await engine.close();
  });

  it("starts its worker again, and goes on with it", async () => {
    const { engine, host, clock } = await open(standIn("dies", 2));
    assert.equal(sumIn(await engine.aggregate(numbers(2), query)), 3);
    assert.equal(sumIn(await engine.aggregate(numbers(3), query)), 6);
    clock.advance(1_000);
    await engine.started();
    assert.equal(sumIn(await engine.aggregate(numbers(4), query)), 10);
    assert.deepEqual(windowsOf(host), { rapids: 2, cpu: 1 });
    await engine.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it("waits twice as long after every start that failed, a minute at most", async () => {
    const { engine, host, clock } = await open({ program: "/nowhere/python3", args: [], environment: {} });
    for (let start = 0; start < 8; start++) {
      clock.advance(60_000);
      await engine.started();
    }
    const waits = host.logs.flatMap(({ fields }) => ("restart_in_ms" in fields ? [fields["restart_in_ms"]] : []));
    assert.deepEqual(
      waits,
      [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000),
    );
    await engine.close();
    assert.equal(clock.pendingTimers, 0);
  });

  const kills = Number(process.env["OTELPIPE_KILLS"] ?? 15);
  const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
  // Scenario: the worker is killed at a random moment of a request, again and again.
  // Guarantees: every window is answered once, with the right numbers, by one engine or the other.
  it(`loses no window to ${kills} kills at random moments (OTELPIPE_KILLS, OTELPIPE_SEED=${seed})`, async () => {
    const random = seededRandom(seed);
    const { engine, host, clock } = await open(standIn());
    for (let kill = 0; kill < kills; kill++) {
      const count = 1 + Math.floor(random() * 50_000);
      const answer = engine.aggregate(numbers(count), query);
      for (let turns = Math.floor(random() * 40); turns > 0; turns--) await setImmediate();
      const { pid } = engine;
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      assert.equal(sumIn(await answer), (count * (count + 1)) / 2);
      while (engine.pid !== undefined) await setImmediate();
      clock.advance(60_000);
      await engine.started();
    }
    const { rapids = 0, cpu = 0 } = windowsOf(host);
    assert.equal(rapids + cpu, kills);
    await engine.close();
  });
});
