/**
 * How long the packed build takes to say its version and to be ready on the quickstart config, beside a Node that does
 * nothing: `node bench/startup/main.ts [--rounds 15] [--smoke]`. Marks: version at most 2x, ready at most 6x. Exit code 1
 * when one is missed, unless it is a smoke run.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPacked, median } from "../packed.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" }, smoke: { type: "boolean" } } });
const rounds = values.smoke ? 1 : Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-startup-"));
const installed = installPacked(folder);
const bin = join(installed, "bin/otelpipe.js");
const config = join(installed, "configs/quickstart.yaml");

/** Milliseconds until a command has ended. */
function untilEnd(...args: string[]): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")} failed: ${stderr}`);
  return performance.now() - startedMs;
}

/** Milliseconds until the daemon says that it is ready; it is stopped then. */
async function untilReady(): Promise<number> {
  const ports = ["GRPC", "HTTP", "HEALTH", "DASHBOARD", "METRICS"].map((name) => [`OTELPIPE_${name}_PORT`, "0"]);
  const startedMs = performance.now();
  const daemon = spawn(process.execPath, [bin, "--config", config], {
    cwd: folder,
    env: { ...process.env, ...Object.fromEntries(ports) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  let readyMs = 0;
  daemon.stderr.on("data", (text: Buffer) => {
    log += String(text);
    if (readyMs > 0 || !log.includes("Everything is ready")) return;
    readyMs = performance.now() - startedMs;
    daemon.kill("SIGTERM");
  });
  await once(daemon, "close");
  if (readyMs === 0) throw new Error(`the daemon ended before it was ready:\n${log}`);
  return readyMs;
}

const bare: number[] = [];
const version: number[] = [];
const ready: number[] = [];
for (let round = -1; round < rounds; round++) {
  const times = [untilEnd("-e", "0"), untilEnd(bin, "--version"), await untilReady()] as const;
  if (round < 0) continue; // the first round fills the compile cache
  bare.push(times[0]);
  version.push(times[1]);
  ready.push(times[2]);
}
rmSync(folder, { recursive: true });

const floor = median(bare);
console.log(`Start-up of the packed build, medians of ${rounds}, Node ${process.version}, ${process.arch}`);
for (const { name, times, mark } of [
  { name: "node -e 0", times: bare },
  { name: "otelpipe --version", times: version, mark: 2 },
  { name: "ready on quickstart.yaml", times: ready, mark: 6 },
]) {
  const spread = `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)}`;
  const ratio = median(times) / floor;
  const isMissed = mark !== undefined && ratio > mark;
  const against = mark === undefined ? "" : ` (mark: at most ${mark}x)${isMissed ? "  MISSED" : ""}`;
  console.log(
    `${name.padEnd(26)} ${median(times).toFixed(1).padStart(7)} ms  [${spread}]  ${ratio.toFixed(2)}x${against}`,
  );
  if (isMissed && values.smoke !== true) process.exitCode = 1;
}
