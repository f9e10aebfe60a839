import { monitorEventLoopDelay } from "node:perf_hooks";

/** How busy this process is, measured over the last second or two. */
export interface LoadMonitor {
  /** 99th percentile of the event loop's delay, milliseconds. */
  readonly loopLagMs: number;
  /** Cores in use: CPU seconds per second. */
  readonly cpuCores: number;
  stop(): void;
}

const resolutionMs = 10;
const periodMs = 1000;

/** Measures until stopped. Its timer does not keep the process alive. */
export function monitorLoad(): LoadMonitor {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  let loopLagMs = 0;
  let cpuCores = 0;
  let lastCpu = process.cpuUsage();
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const used = process.cpuUsage(lastCpu);
    cpuCores = (used.user + used.system) / 1000 / (nowMs - lastMs);
    lastCpu = process.cpuUsage();
    lastMs = nowMs;
    // The histogram records the whole interval between two ticks, the resolution included.
    loopLagMs = Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
    delay.reset();
  }, periodMs);
  timer.unref();
  return {
    get loopLagMs() {
      return loopLagMs;
    },
    get cpuCores() {
      return cpuCores;
    },
    stop() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
