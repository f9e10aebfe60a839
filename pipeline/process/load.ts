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
/** Below this share of a core the process counts as idle: what one timer a second and a few requests take. */
const idleCores = 0.02;

/**
 * Measures until stopped. Its timer does not keep the process alive. While the process is idle it wakes once a second, not
 * a hundred times: the delay is then how late that one came.
 */
export function monitorLoad(): LoadMonitor {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  let isSampling = delay.enable();
  let loopLagMs = 0;
  let cpuCores = 0;
  let lastCpu = process.cpuUsage();
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - lastMs;
    const used = process.cpuUsage(lastCpu);
    cpuCores = (used.user + used.system) / 1000 / elapsedMs;
    lastCpu = process.cpuUsage();
    lastMs += elapsedMs;
    // The histogram records the whole interval between two ticks, the resolution included.
    loopLagMs = Math.max(0, isSampling ? delay.percentile(99) / 1e6 - resolutionMs : elapsedMs - periodMs);
    const isIdle = cpuCores < idleCores;
    if (isIdle) delay.disable();
    else delay.enable();
    isSampling = !isIdle;
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
