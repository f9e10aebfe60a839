import { readFileSync } from "node:fs";
import os from "node:os";
import v8 from "node:v8";
import vm from "node:vm";
import type { ByteBudget, ProcessMemory } from "../host.ts";

/** Bytes that data may hold at once. Crossing into it is refused past the limit; what is inside may still be handed on. */
export class Budget implements ByteBudget {
  readonly limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  tryTake(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/**
 * The memory this process may use: the tightest limit of its cgroup and of those above it, else the machine's.
 *
 * @see cgroup v2 `memory.max`, v1 `memory.limit_in_bytes`.
 */
export function memoryLimitBytes(read: (path: string) => string = readText): number {
  const limits = [...cgroupLimits(read), os.totalmem()];
  return Math.min(...limits);
}

function* cgroupLimits(read: (path: string) => string): Iterable<number> {
  for (const line of tryRead(read, "/proc/self/cgroup").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers === "") yield* limitsUpwards(read, "/sys/fs/cgroup", path, "memory.max");
    if (controllers.split(",").includes("memory")) {
      yield* limitsUpwards(read, "/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
    }
  }
}

function* limitsUpwards(read: (path: string) => string, root: string, path: string, file: string): Iterable<number> {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  for (let length = parts.length; length >= 0; length--) {
    const limit = Number(tryRead(read, [root, ...parts.slice(0, length), file].join("/")).trim() || Number.NaN);
    if (limit > 0) yield limit;
  }
}

function tryRead(read: (path: string) => string, path: string): string {
  try {
    return read(path);
  } catch {
    return "";
  }
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}

/** This process's memory. */
export function processMemory(limitBytes: number): ProcessMemory {
  let collect: (() => void) | undefined;
  return {
    limitBytes,
    usedBytes() {
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    },
    collect() {
      collect ??= exposeCollector();
      collect();
    },
  };
}

function exposeCollector(): () => void {
  v8.setFlagsFromString("--expose-gc");
  const collector: () => void = vm.runInNewContext("gc");
  return collector;
}
