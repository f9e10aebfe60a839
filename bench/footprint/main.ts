/**
 * What it costs to be there: `validate` on a config of 200 lines, start to listening, memory and CPU while nothing comes,
 * of the packed build beside both builds of the real Collector, in turn: `node bench/footprint/main.ts [--rounds 7]
 * [--idle 20]` (seconds a daemon idles). Builds the peers outside the checkout, as `npm run test:interop` does. Needs Linux.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ensureMinimal, ensureReleased } from "../../test/interop/peers/collector_builds.ts";
import { isSkipped } from "../../test/interop/peers/peer.ts";
import { installPacked, median } from "../packed.ts";
import { gatewayConfig, longConfig } from "./config.ts";

interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** What one round measures of a program. */
interface Footprint {
  readonly "validate, ms": number;
  readonly "start to listening, ms": number;
  readonly "CPU of the start, ms": number;
  readonly "idle RSS, MB": number;
  readonly "idle CPU, ms a second": number;
}

/** What a start leaves to be done (garbage, compiled code that is kept) is not idling. */
const settleMs = 10_000;

/** Ticks of the kernel's CPU accounting: 100 a second on every Linux that Node runs on. */
const msPerTick = 10;

/** Milliseconds of CPU, user and system, that a process has used. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

function residentMb(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

function validateMs({ command, args }: Program, config: string): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(command, [...args, "validate", "--config", config], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} validate failed: ${stderr}`);
  return performance.now() - startedMs;
}

async function measure(
  program: Program,
  configs: { long: string; gateway: string },
  idleMs: number,
): Promise<Footprint> {
  const validate = validateMs(program, configs.long);
  const startedMs = performance.now();
  const daemon = spawn(program.command, [...program.args, "--config", configs.gateway], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(daemon, "close");
  let log = "";
  const ready = new Promise<number>((resolve) => {
    daemon.stderr.on("data", (text: Buffer) => {
      log += String(text);
      if (log.includes("Everything is ready")) resolve(performance.now() - startedMs);
    });
  });
  const readyMs = await Promise.race([ready, ended.then(() => Promise.reject(new Error(`${program.name}:\n${log}`)))]);
  const pid = daemon.pid ?? 0;
  const startCpuMs = cpuMs(pid);
  await sleep(idleMs === 0 ? 0 : settleMs);
  const beforeMs = cpuMs(pid);
  await sleep(idleMs);
  const idle = { rss: residentMb(pid), cpu: ((cpuMs(pid) - beforeMs) / idleMs) * 1_000 };
  daemon.kill("SIGTERM");
  await ended;
  return {
    "validate, ms": validate,
    "start to listening, ms": readyMs,
    "CPU of the start, ms": startCpuMs,
    "idle RSS, MB": idle.rss,
    "idle CPU, ms a second": idle.cpu,
  };
}

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, idle: { type: "string", default: "20" } },
});
const folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-footprint-"));
const configs = { long: join(folder, "long.yaml"), gateway: join(folder, "gateway.yaml") };
writeFileSync(configs.long, longConfig());
writeFileSync(configs.gateway, gatewayConfig);
const ours = { name: "otelpipe", command: process.execPath, args: [join(installPacked(folder), "bin/otelpipe.js")] };
const programs: Program[] = [ours];
for (const ensure of [ensureMinimal, ensureReleased]) {
  const peer = await ensure();
  if (isSkipped(peer)) console.log(`skipped: ${peer.skipped}`);
  else programs.push({ name: peer.version, command: peer.executable, args: [] });
}

const found = new Map<string, Footprint[]>(programs.map(({ name }) => [name, []]));
for (let round = -1; round < Number(values.rounds); round++) {
  for (const program of programs) {
    const footprint = await measure(program, configs, round < 0 ? 0 : Number(values.idle) * 1_000);
    if (round >= 0) found.get(program.name)?.push(footprint); // the first round fills caches
  }
}
rmSync(folder, { recursive: true });

console.log(`Medians of ${values.rounds}, Node ${process.version}, ${process.arch}; idle for ${values.idle} s`);
console.log(["", ...programs.map(({ name }) => name)].join(" | "));
const of = (name: string, what: keyof Footprint): number => median((found.get(name) ?? []).map((each) => each[what]));
for (const what of Object.keys(found.get(ours.name)?.[0] ?? {}) as (keyof Footprint)[]) {
  const cells = programs.map(({ name }) => {
    const value = of(name, what);
    return name === ours.name
      ? value.toFixed(1)
      : `${value.toFixed(1)} (ours ${(of(ours.name, what) / value).toFixed(2)}x)`;
  });
  console.log([what, ...cells].join(" | "));
}
