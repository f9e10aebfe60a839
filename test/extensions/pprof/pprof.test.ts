import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { Profile } from "pprof-format";
import definition from "../../../extensions/pprof/index.ts";
import type { ExtensionHost } from "../../../pipeline/host.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import { simulatedHost } from "../../support/simulated_host.ts";

/** Runs `use` with the extension on a free port; it lives in real time, as V8's profilers do. */
async function withPprof(config: object, use: (base: string) => Promise<void>): Promise<void> {
  const host = { ...simulatedHost(), clock: systemClock };
  const settings = definition.config.parse({ endpoint: "localhost:0", ...config });
  const extension = definition.create(settings, host as unknown as ExtensionHost);
  await extension.start?.();
  const endpoint = String(host.logs[0]?.fields["endpoint"]).split(", ")[0];
  try {
    await use(`http://${endpoint}/debug/pprof/`);
  } finally {
    await extension.stop?.();
    await extension.stop?.();
  }
}

/** The stacks of a gzipped profile as names from the innermost to the outermost, with their values. */
function stacksOf(bytes: Uint8Array) {
  const profile = Profile.decode(gunzipSync(bytes));
  const name = (id: unknown) => profile.stringTable.strings[Number(id)] ?? "";
  const functions = new Map(profile.function.map((one) => [Number(one.id), name(one.name)]));
  const locations = new Map(
    profile.location.map((one) => [Number(one.id), functions.get(Number(one.line[0]?.functionId)) ?? ""]),
  );
  return {
    types: profile.sampleType.map((type) => `${name(type.type)}/${name(type.unit)}`),
    stacks: profile.sample.map(({ locationId, value }) => ({
      names: locationId.map((id) => locations.get(Number(id)) ?? ""),
      value: value.map(Number),
    })),
  };
}

async function profileAt(url: string) {
  const reply = await fetch(url);
  assert.equal(reply.status, 200, url);
  assert.equal(reply.headers.get("content-type"), "application/octet-stream");
  return stacksOf(new Uint8Array(await reply.arrayBuffer()));
}

const kept: unknown[] = [];

function burnCpu(): number {
  let sum = 0;
  for (let round = 0; round < 3e6; round++) sum += Math.sqrt(round % 1000);
  return sum;
}

function keepObjects(): void {
  for (let index = 0; index < 3000; index++) kept.push(new Array(2000).fill(index));
}

describe("pprof", () => {
  it("says where the CPU's time went while it was asked", async () => {
    await withPprof({}, async (base) => {
      const burning = setInterval(burnCpu, 1).unref();
      const isOwn = ({ names }: { names: readonly string[] }) => names.includes("burnCpu");
      let profile = await profileAt(`${base}profile?seconds=0.3`);
      // A busy machine may leave this process no time while it is sampled.
      while (!profile.stacks.some(isOwn)) profile = await profileAt(`${base}profile?seconds=0.3`);
      clearInterval(burning);
      const { types, stacks } = profile;
      assert.deepEqual(types, ["samples/count", "cpu/nanoseconds"]);
      const own = stacks.filter(isOwn);
      assert.ok(own.every(({ value: [samples = 0, nanos = 0] }) => samples > 0 && nanos > 0));
      assert.ok(stacks.every(({ names }) => !names.includes("(idle)") && !names.includes("(root)")));
    });
  });

  it("takes one CPU profile at a time, and ends one whose reader has gone", async () => {
    await withPprof({}, async (base) => {
      const aborter = new AbortController();
      const first = fetch(`${base}profile?seconds=600`, { signal: aborter.signal }).catch(() => undefined);
      let second = await fetch(`${base}profile?seconds=0.01`);
      while (second.status === 200) second = await fetch(`${base}profile?seconds=0.01`);
      assert.equal(second.status, 500);
      assert.match(await second.text(), /cpu profiling already in use/);
      aborter.abort();
      await first;
      while (second.status !== 200) second = await fetch(`${base}profile?seconds=0.01`);
    });
  });

  it("says what is alive, and what was allocated meanwhile", async () => {
    await withPprof({}, async (base) => {
      keepObjects();
      const alive = await profileAt(`${base}heap`);
      assert.deepEqual(alive.types, ["inuse_objects/count", "inuse_space/bytes"]);
      assert.ok(alive.stacks.some(({ names }) => names.includes("keepObjects")));
      const asked = profileAt(`${base}allocs?seconds=0.2`);
      const allocating = setInterval(keepObjects, 20);
      const made = await asked.finally(() => clearInterval(allocating));
      assert.deepEqual(made.types, ["alloc_objects/count", "alloc_space/bytes"]);
      assert.ok(made.stacks.some(({ names, value: [, bytes = 0] }) => names.includes("keepObjects") && bytes > 0));
      kept.length = 0;
    });
  });

  it("shows an index and the command line, and says clearly what Node does not have", async () => {
    await withPprof({}, async (base) => {
      assert.match(await (await fetch(base)).text(), /<a href="heap">heap<\/a>/);
      assert.equal((await fetch(base.slice(0, -1), { redirect: "manual" })).status, 301);
      assert.equal(await (await fetch(`${base}cmdline`)).text(), process.argv.join("\0"));
      const goroutine = await fetch(`${base}goroutine`);
      assert.deepEqual(
        [goroutine.status, await goroutine.text()],
        [501, "goroutine is not there: Node.js has no goroutines: take a CPU profile to see what runs.\n"],
      );
      assert.equal((await fetch(`${base}nothing`)).status, 404);
      assert.equal((await fetch(new URL("/", base))).status, 404);
    });
  });

  it("saves a CPU profile of the whole run to a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pprof-"));
    const path = join(folder, "cpu.pb.gz");
    try {
      await withPprof({ save_to_file: path }, async (base) => {
        burnCpu();
        assert.equal((await fetch(`${base}profile?seconds=1`)).status, 500);
      });
      assert.deepEqual(stacksOf(await readFile(path)).types, ["samples/count", "cpu/nanoseconds"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
