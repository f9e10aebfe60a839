import type { Session } from "node:inspector/promises";
import type { Clock } from "../../pipeline/host.ts";
import { encodeCpu, encodeHeap, type HeapProfile } from "./encode.ts";

/** The mean number of bytes allocated between two samples of the heap: Go's. */
const heapIntervalBytes = 512 * 1024;

/** Thrown when a profile is asked for while another is being taken. */
export class Busy extends Error {}

/**
 * Profiles this process through V8's inspector. From `start` on it samples what is allocated, which costs next to nothing
 * at one sample every 512 KiB; the CPU is sampled only while somebody asks.
 */
export class ProcessProfiler {
  readonly #clock: Clock;
  #session: Session | undefined;
  #heapSinceMs = 0;
  #cpuSinceMs: number | undefined;
  #countsAllocations = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async start(): Promise<void> {
    if (this.#session !== undefined) return;
    const { Session } = await import("node:inspector/promises");
    const session = new Session();
    session.connect();
    this.#session = session;
    await session.post("Profiler.enable");
    await session.post("HeapProfiler.enable");
    await this.#sampleHeap(false);
  }

  /** Ends whatever is being sampled. */
  stop(): void {
    this.#session?.disconnect();
    this.#session = undefined;
    this.#cpuSinceMs = undefined;
  }

  /** Begins a CPU profile. @throws {Busy} when there is one. */
  async startCpu(): Promise<void> {
    if (this.#cpuSinceMs !== undefined) throw new Busy("Could not enable CPU profiling: cpu profiling already in use");
    this.#cpuSinceMs = this.#clock.nowMs();
    await this.#use().post("Profiler.start");
  }

  /** Ends it and gives it as a gzipped pprof profile. */
  async stopCpu(): Promise<Buffer> {
    const sinceMs = this.#cpuSinceMs ?? this.#clock.nowMs();
    const { profile } = await this.#use().post("Profiler.stop");
    this.#cpuSinceMs = undefined;
    return await encodeCpu(profile, sinceMs);
  }

  /** What is alive of what was allocated since the start, as a gzipped pprof profile. */
  async heap(): Promise<Buffer> {
    const { profile } = await this.#use().post("HeapProfiler.getSamplingProfile");
    return await encodeHeap(profile as unknown as HeapProfile, "inuse", heapIntervalBytes, this.#heapTime());
  }

  /**
   * Everything that is allocated until `waited` resolves, also what is freed again. V8 samples one heap profile at a time:
   * `heap` begins anew afterwards. @throws {Busy} when another is being taken.
   */
  async allocations(waited: Promise<void>): Promise<Buffer> {
    if (this.#countsAllocations) throw new Busy("Could not sample allocations: they are being sampled already");
    this.#countsAllocations = true;
    try {
      await this.#use().post("HeapProfiler.stopSampling");
      await this.#sampleHeap(true);
      await waited;
      const { profile } = await this.#use().post("HeapProfiler.stopSampling");
      const time = this.#heapTime();
      await this.#sampleHeap(false);
      return await encodeHeap(profile as unknown as HeapProfile, "alloc", heapIntervalBytes, time);
    } finally {
      this.#countsAllocations = false;
    }
  }

  async #sampleHeap(includeFreed: boolean): Promise<void> {
    this.#heapSinceMs = this.#clock.nowMs();
    await this.#use().post("HeapProfiler.startSampling", {
      samplingInterval: heapIntervalBytes,
      includeObjectsCollectedByMajorGC: includeFreed,
      includeObjectsCollectedByMinorGC: includeFreed,
    });
  }

  #heapTime() {
    return { startUnixMs: this.#heapSinceMs, durationMs: this.#clock.nowMs() - this.#heapSinceMs };
  }

  #use(): Session {
    if (this.#session === undefined) throw new Error("the profiler is stopped");
    return this.#session;
  }
}
