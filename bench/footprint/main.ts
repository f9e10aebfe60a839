/**
 * What it costs to be there: `validate` on a config of 200 lines, start to listening, memory and CPU while nothing comes,
 * of the packed build beside builds of the real Collector: `node bench/footprint/main.ts [--rounds 9] [--idle 20]`. They
 * take turns at what takes time, and idle together, for so many seconds each of three times. Builds the peers outside the
 * checkout, as `npm run test:interop` does. Needs Linux.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ensureMinimal, ensureReleased } from "../../test/interop/peers/collector_builds.ts";
import { ensureContrib } from "../../test/interop/peers/contrib_list.ts";
import { isSkipped } from "../../test/interop/peers/peer.ts";
import { installPacked, median } from "../packed.ts";
import { gatewayConfig, longConfig } from "./config.ts";

interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const measures = [
  "node -e 0, ms",
  "validate, ms",
  "start to listening, ms",
  "CPU of the start, ms",
  "idle RSS, MB",
  "idle CPU, ms a second",
] as const;
type Measure = (typeof measures)[number];

/** V8 collects garbage twice after a start, the second time after some 20 seconds: 60 ms each, which is not idling. */
const settleMs = 30_000;
const idleRounds = 3;

/** Milliseconds of CPU that the threads of a process have used, to the nanosecond: ticks of the kernel are too coarse for idling. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const used = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return used.reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e6, 0);
}

function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** How long a program runs to its end. */
function untilEndMs(command: string, args: readonly string[]): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr}`);
  return performance.now() - startedMs;
}

interface Running {
  readonly daemon: ChildProcess;
  readonly pid: number;
  readonly readyMs: number;
}

async function start({ name, command, args }: Program, config: string): Promise<Running> {
  const startedMs = performance.now();
  const daemon = spawn(command, [...args, "--config", config], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const readyMs = await new Promise<number>((resolve, reject) => {
    daemon.once("close", () => reject(new Error(`${name}:\n${log}`)));
    daemon.stderr.on("data", (text: Buffer) => {
      log += String(text);
      if (log.includes("Everything is ready")) resolve(performance.now() - startedMs);
    });
  });
  return { daemon, pid: daemon.pid ?? 0, readyMs };
}

async function stop({ daemon }: Running): Promise<void> {
  daemon.kill("SIGTERM");
  await once(daemon, "close");
}

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, idle: { type: "string", default: "20" } },
});
const idleMs = Number(values.idle) * 1_000;
const folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-footprint-"));
const configs = { long: join(folder, "long.yaml"), gateway: join(folder, "gateway.yaml") };
writeFileSync(configs.long, longConfig());
writeFileSync(configs.gateway, gatewayConfig);
const ours = { name: "otelpipe", command: process.execPath, args: [join(installPacked(folder), "bin/otelpipe.js")] };
const programs: Program[] = [ours];
for (const ensure of [ensureMinimal, ensureReleased, ensureContrib]) {
  const peer = await ensure();
  if (isSkipped(peer)) console.log(`skipped: ${peer.skipped}`);
  else programs.push({ name: peer.version, command: peer.executable, args: [] });
}

const found = new Map(programs.map(({ name }) => [name, new Map<Measure, number[]>()]));
function note({ name }: Program, what: Measure, value: number): void {
  const all = found.get(name);
  all?.set(what, [...(all.get(what) ?? []), value]);
}

// The first round fills caches.
for (let round = -1; round < Number(values.rounds); round++) {
  for (const program of programs) {
    const floor = program === ours ? untilEndMs(process.execPath, ["-e", "0"]) : Number.NaN;
    const validated = untilEndMs(program.command, [...program.args, "validate", "--config", configs.long]);
    const running = await start(program, configs.gateway);
    const startCpuMs = cpuMs(running.pid);
    if (round < 0) await sleep(500);
    await stop(running);
    if (round < 0) continue;
    note(program, "node -e 0, ms", floor);
    note(program, "validate, ms", validated);
    note(program, "start to listening, ms", running.readyMs);
    note(program, "CPU of the start, ms", startCpuMs);
  }
}

for (let round = 0; round < idleRounds; round++) {
  const daemons: Running[] = [];
  for (const program of programs) daemons.push(await start(program, configs.gateway));
  await sleep(settleMs);
  const before = daemons.map(({ pid }) => cpuMs(pid));
  await sleep(idleMs);
  for (const [index, running] of daemons.entries()) {
    const program = programs[index] ?? ours;
    note(program, "idle RSS, MB", residentMb(running.pid));
    note(program, "idle CPU, ms a second", ((cpuMs(running.pid) - (before[index] ?? 0)) / idleMs) * 1_000);
    await stop(running);
  }
}
rmSync(folder, { recursive: true });

console.log(
  `Medians of ${values.rounds} (idle: ${idleRounds} of ${values.idle} s), Node ${process.version}, ${process.arch}`,
);
console.log(["", ...programs.map(({ name }) => name)].join(" | "));
const of = (name: string, what: Measure): number => median(found.get(name)?.get(what) ?? []);
for (const what of measures) {
  const own = of(ours.name, what);
  const cells = programs.map(({ name }) => {
    const value = of(name, what);
    if (name === ours.name) return value.toFixed(1);
    return Number.isNaN(value) ? "" : `${value.toFixed(1)} (ours ${(own / value).toFixed(2)}x)`;
  });
  console.log([what, ...cells].join(" | "));
}
