import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aggregateConfig, aggregateSettings } from "../../../pipeline/frame/settings.ts";

describe("the settings of aggregate", () => {
  it("have defaults for all keys", () => {
    const settings = aggregateSettings(aggregateConfig.parse({}));
    assert.equal(settings.windowMs, 10_000);
    assert.equal(settings.allowedLatenessMs, 5_000);
    assert.equal(settings.engine.type, "auto");
    assert.deepEqual([...settings.columns.keys()], ["requests", "tokens", "p95_ms"]);
  });

  for (const { engine, type } of [
    { engine: "auto", type: "auto" },
    { engine: "cpu", type: "cpu" },
    { engine: "rapids", type: "rapids" },
    { engine: { type: "auto" }, type: "auto" },
    { engine: { type: "node_rapids", device: 1 }, type: "node_rapids" },
  ]) {
    it(`take engine: ${JSON.stringify(engine)}`, () =>
      assert.equal(aggregateConfig.parse({ engine }).engine.type, type));
  }

  for (const { config, path, message } of [
    { config: { columns: { p95: "quantile(duration)" } }, path: ["columns", "p95"], message: /quantile takes a field/ },
    { config: { columns: {} }, path: ["columns"], message: /at least one column/ },
    { config: { group_by: ["name", "status", "name"] }, path: ["group_by", 2], message: /twice/ },
    { config: { group_by: ["name", "resource."] }, path: ["group_by", 1], message: /names no field/ },
    {
      config: { group_by: ["name"], columns: { name: "count" } },
      path: ["columns", "name"],
      message: /already a group_by column/,
    },
    { config: { window: "0s" }, path: ["window"], message: /longer than 0/ },
    { config: { allowed_lateness: "-1s" }, path: ["allowed_lateness"], message: /negative/ },
    { config: { engine: "gpu" }, path: ["engine"], message: /./ },
    { config: { widnow: "1s" }, path: [], message: /widnow/ },
  ]) {
    it(`refuse ${JSON.stringify(config)} at its place`, () => {
      const { error } = aggregateConfig.safeParse(config);
      const [issue] = error?.issues ?? [];
      assert.deepEqual(issue?.path, path);
      assert.match(issue?.message ?? "", message);
    });
  }
});
