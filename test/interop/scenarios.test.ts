import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { Result } from "./report.ts";
import { judge } from "./scenarios.ts";

describe("a comparison with the Collector", () => {
  it("counts what is equal and what differs as listed", () => {
    const { rows, differences } = judge({ a: "1", b: "2" }, { a: "1", b: "3" }, { b: "better" });
    assert.deepEqual(
      rows.map(({ equal }) => equal),
      [1, 0],
    );
    assert.deepEqual(differences, [{ input: "b", otelpipe: "2", collector: "3", reason: "better" }]);
  });

  it("fails over a difference that is not listed", () => {
    assert.throws(() => judge({ a: "1" }, { a: "2" }, {}), /1 are not as expected:\na\n {2}ours {3}1\n {2}theirs 2/);
  });

  it("fails over a scenario that only one program showed", () => {
    assert.throws(() => judge({}, { a: "1" }, {}), /ours {3}nothing/);
    assert.throws(() => judge({ a: "1" }, {}, {}), /theirs nothing/);
  });

  it("fails over a listed difference that is gone", () => {
    assert.throws(() => judge({ a: "1" }, { a: "1" }, { a: "better" }), /a: listed, but no longer differs/);
  });

  it("fails over a listed difference of no scenario", () => {
    assert.throws(() => judge({}, {}, { a: "better" }), /a: listed, but there is no such scenario/);
  });
});

describe("docs/differences.md", () => {
  it("has one line for each reason that the runs found, and no other", async () => {
    const results: Record<string, Result> = JSON.parse(
      await readFile(new URL("results.generated.json", import.meta.url), "utf8"),
    );
    const page = await readFile(new URL("../../docs/differences.md", import.meta.url), "utf8");
    const measured = page.slice(page.indexOf("<!-- measured:begin -->"), page.indexOf("<!-- measured:end -->"));
    const listed = measured.split("\n").slice(3, -1);
    const found = Object.values(results).flatMap(({ findings }) => findings.differences ?? []);
    const reasons = new Set(found.map(({ reason }) => reason.replaceAll("|", "\\|")));
    const missing = [...reasons].filter((reason) => !listed.some((line) => line.endsWith(`| ${reason} |`)));
    const extra = listed.filter((line) => ![...reasons].some((reason) => line.endsWith(`| ${reason} |`)));
    assert.deepEqual([missing, extra], [[], []]);
  });
});
