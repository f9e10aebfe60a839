import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import { limitsOf } from "../../../processors/memory_limiter/checker.ts";
import definition from "../../../processors/memory_limiter/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

const mebibyte = 1024 * 1024;

function limiter(usedMib: () => number, collect = () => {}) {
  const host = simulatedHost({ usedBytes: () => usedMib() * mebibyte, collect });
  const settings = definition.config.parse({ check_interval: "1s", limit_mib: 100, spike_limit_mib: 20 });
  return { host, ...run<Traces>(definition.traces!(settings, host)) };
}

describe("memory_limiter", () => {
  it("refuses retryably from the soft limit on, and takes again below it", () => {
    let usedMib = 79;
    const { host, sent, push } = limiter(() => usedMib);
    host.advance(1000);
    push(someSpans(1));
    assert.equal(sent.length, 1);

    usedMib = 80;
    host.advance(1000);
    const [refusal] = push(someSpans(1));
    assert.ok(refusal instanceof ConsumeError && refusal.retryable);
    assert.equal(refusal.message, "data refused due to high memory usage");
    assert.equal(host.logs.at(-1)?.message, "Memory usage is above soft limit. Refusing data.");

    usedMib = 50;
    assert.equal(push(someSpans(1)).length, 1, "fixed until the next measurement");
    host.advance(1000);
    push(someSpans(1));
    assert.equal(sent.length, 2);
    assert.equal(host.logs.at(-1)?.message, "Memory usage back within limits. Resuming normal operation.");
  });

  it("collects garbage before it refuses, and takes data when that was enough", () => {
    let usedMib = 90;
    const { host, sent, push } = limiter(
      () => usedMib,
      () => (usedMib = 40),
    );
    host.advance(1000);
    push(someSpans(1));
    assert.equal(sent.length, 1);
  });

  // Scenario: memory stays above the soft limit and collecting frees nothing, for a minute.
  // Guarantees: collections back off from the shortest interval (10 s) up to the longest (30 s).
  it("backs off when collecting frees little", () => {
    let collections = 0;
    const { host } = limiter(
      () => 90,
      () => (collections += 1),
    );
    const at: number[] = [];
    for (let second = 1; second <= 100; second++) {
      const before = collections;
      host.advance(1000);
      if (collections > before) at.push(second);
    }
    assert.deepEqual(at, [1, 12, 33, 64, 95]);
  });

  it("shares one measurement among the pipelines of an id, and stops with the last", () => {
    let measured = 0;
    const host = simulatedHost({ usedBytes: () => 0 * measured++ });
    const settings = definition.config.parse({ check_interval: "1s", limit_mib: 100 });
    const first = run<Traces>(definition.traces!(settings, host));
    const second = run<Traces>(definition.traces!(settings, host));
    host.advance(1000);
    assert.equal(measured, 1);
    first.stop();
    assert.equal(host.clock.pendingTimers, 1);
    second.stop();
    assert.equal(host.clock.pendingTimers, 0);
  });

  for (const { name, settings, want } of [
    { name: "fixed sizes", settings: { limit_mib: 100, spike_limit_mib: 30 }, want: [100, 70] },
    { name: "a fifth as headroom when none is set", settings: { limit_mib: 100 }, want: [100, 80] },
    {
      name: "percentages of what there is",
      settings: { limit_percentage: 50, spike_limit_percentage: 10 },
      want: [500, 400],
    },
    { name: "sizes before percentages", settings: { limit_mib: 100, limit_percentage: 50 }, want: [100, 80] },
  ]) {
    it(`takes ${name}`, () => {
      const parsed = definition.config.parse({ check_interval: "1s", ...settings });
      const { hardBytes, softBytes } = limitsOf(parsed, 1000 * mebibyte);
      assert.deepEqual([hardBytes / mebibyte, softBytes / mebibyte], want);
    });
  }

  for (const { yaml, message } of [
    { yaml: { limit_mib: 1 }, message: "'check_interval' must be greater than zero" },
    { yaml: { check_interval: "1s" }, message: "'limit_mib' or 'limit_percentage' must be greater than zero" },
    {
      yaml: { check_interval: "1s", limit_mib: 5, spike_limit_mib: 5 },
      message: "'spike_limit_mib' must be smaller than 'limit_mib'",
    },
  ]) {
    it(`refuses ${JSON.stringify(yaml)}`, () => {
      const result = definition.config.safeParse(yaml);
      assert.ok(result.error?.issues.some((issue) => issue.message === message));
    });
  }
});
