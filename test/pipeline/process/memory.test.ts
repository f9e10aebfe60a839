import assert from "node:assert/strict";
import os from "node:os";
import { describe, it } from "node:test";
import { Budget, memoryLimitBytes, processMemory } from "../../../pipeline/process/memory.ts";

/** Files of a made-up /proc and /sys. */
function filesystem(files: Record<string, string>) {
  return (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  };
}

describe("memory limits", () => {
  for (const { name, files, want } of [
    {
      name: "cgroup v2",
      files: { "/proc/self/cgroup": "0::/pod/one\n", "/sys/fs/cgroup/pod/one/memory.max": "1048576\n" },
      want: 1048576,
    },
    {
      name: "the tightest of a cgroup and those above it",
      files: {
        "/proc/self/cgroup": "0::/pod/one\n",
        "/sys/fs/cgroup/pod/one/memory.max": "max\n",
        "/sys/fs/cgroup/pod/memory.max": "2048\n",
        "/sys/fs/cgroup/memory.max": "4096\n",
      },
      want: 2048,
    },
    {
      name: "the namespace's root, as containers see it",
      files: { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "8192\n" },
      want: 8192,
    },
    {
      name: "cgroup v1",
      files: {
        "/proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/1\n",
        "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "4096\n",
      },
      want: 4096,
    },
    {
      name: "the machine where nothing is limited",
      files: { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max" },
      want: os.totalmem(),
    },
    { name: "the machine where there are no cgroups", files: {}, want: os.totalmem() },
  ]) {
    it(`reads ${name}`, () => assert.equal(memoryLimitBytes(filesystem(files)), want));
  }

  it("measures buffers as well as the heap, and can collect them", () => {
    const memory = processMemory(1e9);
    const before = memory.usedBytes();
    let buffer: Buffer | undefined = Buffer.alloc(64 * 1024 * 1024, 1);
    const during = memory.usedBytes();
    assert.ok(during - before > 60e6, `${during - before} bytes more`);
    assert.equal(buffer.length, 64 * 1024 * 1024);
    buffer = undefined;
    memory.collect();
    assert.ok(memory.usedBytes() < during);
  });
});

describe("the byte budget", () => {
  it("refuses what would go past the limit, lets inside data be handed on, and takes bytes back", () => {
    const budget = new Budget(100);
    assert.equal(budget.tryTake(60), true);
    assert.equal(budget.tryTake(60), false);
    budget.take(60);
    assert.equal(budget.usedBytes, 120);
    budget.give(120);
    assert.equal(budget.tryTake(100), true);
  });
});
