import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseExpression, unitOf } from "../../../pipeline/frame/expression.ts";
import { fieldName, parseField } from "../../../pipeline/frame/fields.ts";

describe("an aggregation written in a config", () => {
  for (const { text, fn, field, q, unit } of [
    { text: "count", fn: "count", unit: "{span}" },
    { text: " count ( ) ", fn: "count", unit: "{span}" },
    { text: "count(gen_ai.request.model)", fn: "count", field: "gen_ai.request.model", unit: "{span}" },
    { text: "sum(gen_ai.usage.output_tokens)", fn: "sum", field: "gen_ai.usage.output_tokens", unit: "{token}" },
    { text: "mean(duration)", fn: "mean", field: "duration", unit: "ms" },
    { text: "min(resource.gpu.memory.total)", fn: "min", field: "resource.gpu.memory.total", unit: "" },
    { text: "max(event_count)", fn: "max", field: "event_count", unit: "{event}" },
    { text: "std(span.duration)", fn: "std", field: "span.duration", unit: "" },
    { text: "nunique(trace_id)", fn: "nunique", field: "trace_id", unit: "{value}" },
    { text: "distinct_count(name)", fn: "nunique", field: "name", unit: "{value}" },
    { text: "quantile(duration, 0.95)", fn: "quantile", field: "duration", q: 0.95, unit: "ms" },
    { text: "quantile(duration,1)", fn: "quantile", field: "duration", q: 1, unit: "ms" },
    { text: "error_rate", fn: "mean", field: "failed", unit: "1" },
    { text: "error_rate()", fn: "mean", field: "failed", unit: "1" },
  ]) {
    it(`"${text}"`, () => {
      const expression = parseExpression(text);
      assert.equal(expression.fn, fn);
      assert.equal("field" in expression ? fieldName(expression.field) : undefined, field);
      assert.equal("q" in expression ? expression.q : undefined, q);
      assert.equal(unitOf(expression), unit);
    });
  }

  for (const { text, message } of [
    { text: "", message: /is not an aggregation: use one of count, / },
    { text: "sum(a", message: /is not an aggregation/ },
    { text: "median(duration)", message: /unknown aggregation "median": use one of count, / },
    { text: "sum", message: /sum takes one field, as in sum\(duration\)/ },
    { text: "sum()", message: /sum takes one field/ },
    { text: "sum(a, b)", message: /sum takes one field/ },
    { text: "sum(name)", message: /name is text, and sum needs a number/ },
    { text: "quantile(status, 0.5)", message: /status is text, and quantile needs a number/ },
    { text: "quantile(duration)", message: /quantile takes a field and a number from 0 to 1/ },
    { text: "quantile(duration, 95)", message: /"95" is not a number from 0 to 1/ },
    { text: "quantile(duration, )", message: /is not a number from 0 to 1/ },
    { text: "quantile(duration, half)", message: /"half" is not a number from 0 to 1/ },
    { text: "error_rate(duration)", message: /error_rate takes nothing/ },
    { text: "sum(resource.)", message: /"resource\." names no field/ },
  ]) {
    it(`"${text}" is refused, saying why`, () => assert.throws(() => parseExpression(text), message));
  }
});

describe("a field written in a config", () => {
  for (const { text, name, from } of [
    { text: "name", from: "span" },
    { text: "duration", from: "span" },
    { text: "scope.name", from: "span" },
    { text: "scope.library", from: "attribute" },
    { text: "resource.service.name", from: "attribute" },
    { text: "gen_ai.request.model", from: "attribute" },
    { text: "span.gen_ai.request.model", from: "attribute", name: "gen_ai.request.model" },
    { text: "span.name", from: "attribute" },
    { text: "span.resource.x", from: "attribute" },
    { text: "failed", from: "attribute" },
  ]) {
    it(`"${text}" reads as itself`, () => {
      const field = parseField(text);
      assert.equal(field.from, from);
      assert.equal(fieldName(field), name ?? text);
      assert.deepEqual(parseField(fieldName(field)), field);
    });
  }
});
