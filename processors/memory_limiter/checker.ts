import type { ProcessorHost, Timer } from "../../pipeline/host.ts";
import type { MemoryLimiterSettings } from "./index.ts";

const mebibyte = 1024 * 1024;
/** The headroom when none is set, as a share of the limit. */
const standardSpikeShare = 0.2;
/** A forced collection that frees less than this share did little. */
const littleFreed = 0.05;

/** The limits in bytes: data is refused from `softBytes` on. */
export interface Limits {
  readonly hardBytes: number;
  readonly softBytes: number;
}

/** `limit_mib` wins over `limit_percentage`, which is of `availableBytes`. */
export function limitsOf(settings: MemoryLimiterSettings, availableBytes: number): Limits {
  const isFixed = settings.limit_mib > 0;
  const hardBytes = isFixed
    ? settings.limit_mib * mebibyte
    : Math.floor((availableBytes * settings.limit_percentage) / 100);
  const spike = isFixed
    ? settings.spike_limit_mib * mebibyte
    : Math.floor((availableBytes * settings.spike_limit_percentage) / 100);
  return { hardBytes, softBytes: hardBytes - (spike === 0 ? Math.floor(hardBytes * standardSpikeShare) : spike) };
}

/** How long to wait between forced collections at one of the two limits, longer the less they free. */
class CollectionPace {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #firstMs: number;
  #backOffMs = 0;

  constructor(minMs: number, maxMs: number, checkIntervalMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#firstMs = Math.max(minMs, 0.95 * checkIntervalMs);
  }

  isDue(sinceLastMs: number): boolean {
    return sinceLastMs > Math.max(this.#minMs, this.#backOffMs);
  }

  collected(helped: boolean): void {
    if (helped || this.#maxMs === 0) this.#backOffMs = 0;
    else this.#backOffMs = Math.min(this.#backOffMs === 0 ? this.#firstMs : this.#backOffMs * 2, this.#maxMs);
  }
}

/** Measures memory at an interval while it is retained, collects garbage when it must, and says whether to refuse data. */
export class MemoryChecker {
  readonly #host: ProcessorHost;
  readonly #limits: Limits;
  readonly #checkIntervalMs: number;
  readonly #soft: CollectionPace;
  readonly #hard: CollectionPace;
  #lastCollectedMs = Number.NEGATIVE_INFINITY;
  #users = 0;
  #timer: Timer | undefined;
  #mustRefuse = false;

  constructor(settings: MemoryLimiterSettings, host: ProcessorHost) {
    const { check_interval: checkMs } = settings;
    this.#host = host;
    this.#checkIntervalMs = checkMs;
    this.#limits = limitsOf(settings, host.memory.limitBytes);
    const { min_gc_interval_when_soft_limited: softMin, max_gc_interval_when_soft_limited: softMax } = settings;
    const { min_gc_interval_when_hard_limited: hardMin, max_gc_interval_when_hard_limited: hardMax } = settings;
    this.#soft = new CollectionPace(softMin, softMax, checkMs);
    this.#hard = new CollectionPace(hardMin, hardMax, checkMs);
  }

  /** Fixed between two measurements. */
  get mustRefuse(): boolean {
    return this.#mustRefuse;
  }

  retain(): void {
    this.#users += 1;
    if (this.#users > 1) return;
    const { hardBytes, softBytes } = this.#limits;
    this.#host.logger.info(
      {
        limit_mib: Math.floor(hardBytes / mebibyte),
        spike_limit_mib: Math.floor((hardBytes - softBytes) / mebibyte),
        check_interval: this.#checkIntervalMs / 1000,
      },
      "Memory limiter configured",
    );
    this.#schedule();
  }

  release(): void {
    this.#users -= 1;
    if (this.#users > 0 || this.#timer === undefined) return;
    this.#host.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = this.#host.clock.setTimer(() => {
      this.#schedule();
      this.#check();
    }, this.#checkIntervalMs);
  }

  #check(): void {
    const { hardBytes, softBytes } = this.#limits;
    let usedBytes = this.#host.memory.usedBytes();
    if (usedBytes >= softBytes) usedBytes = this.#collect(usedBytes, usedBytes >= hardBytes ? this.#hard : this.#soft);
    const wasRefusing = this.#mustRefuse;
    this.#mustRefuse = usedBytes >= softBytes;
    if (this.#mustRefuse === wasRefusing) return;
    const fields = { cur_mem_mib: Math.floor(usedBytes / mebibyte) };
    if (this.#mustRefuse) this.#host.logger.warn(fields, "Memory usage is above soft limit. Refusing data.");
    else this.#host.logger.info(fields, "Memory usage back within limits. Resuming normal operation.");
  }

  #collect(usedBytes: number, pace: CollectionPace): number {
    const nowMs = this.#host.clock.monotonicMs();
    if (!pace.isDue(nowMs - this.#lastCollectedMs)) return usedBytes;
    this.#host.memory.collect();
    this.#lastCollectedMs = nowMs;
    const afterBytes = this.#host.memory.usedBytes();
    const helped = afterBytes < this.#limits.softBytes || usedBytes - afterBytes >= usedBytes * littleFreed;
    pace.collected(helped);
    return afterBytes;
  }
}
