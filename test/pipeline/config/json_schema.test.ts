// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { loadDefinitions } from "../../../pipeline/config/describe.ts";
import { configJsonSchema, type JsonSchema } from "../../../pipeline/config/json_schema.ts";
import { z } from "../../../pipeline/config/schema.ts";
import { testRegistry } from "./catalog.ts";

const schema = configJsonSchema(await loadDefinitions(testRegistry));
const validator = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

describe("an editor accepts", () => {
  for (const { name, yaml } of [
    {
      name: "a whole configuration",
      yaml: "{ receivers: { otlp: { protocols: { grpc: } } }, exporters: { debug: }, service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } } }",
    },
    {
      name: "named components and pipelines",
      yaml: "{ exporters: { debug/a/b: }, service: { pipelines: { logs/x: { receivers: [a] } } } }",
    },
    { name: "old names", yaml: "{ exporters: { otlp: { endpoint: x }, otlp/a: { endpoint: x } } }" },
    {
      name: "references in place of numbers, booleans and enumerations",
      yaml: '{ processors: { batch: { send_batch_size: "${env:X}" } }, exporters: { debug: { verbosity: "${V}" } }, receivers: { otlp: { protocols: { grpc: { include_metadata: "${env:B:-true}" } } } } }',
    },
    {
      name: "blocks that are switched off",
      yaml: "{ exporters: { otlp_grpc: { endpoint: x, sending_queue: { enabled: false } } } }",
    },
    { name: "empty sections", yaml: "{ receivers: , processors: }" },
  ]) {
    it(name, () => assert.deepEqual(validator.safeParse(parse(yaml)).error?.issues, undefined));
  }
});

describe("an editor refuses", () => {
  for (const { name, yaml } of [
    { name: "an unknown section", yaml: "{ exportesr: }" },
    { name: "an unknown type", yaml: "{ exporters: { debugg: } }" },
    { name: "an unknown key", yaml: "{ processors: { batch: { timout: 1s } } }" },
    {
      name: "an unknown key inside an optional block",
      yaml: "{ receivers: { otlp: { protocols: { grpc: { endpont: x } } } } }",
    },
    { name: "a wrong type", yaml: "{ processors: { batch/x: { send_batch_size: many } } }" },
    { name: "an unknown value", yaml: "{ exporters: { debug: { verbosity: loud } } }" },
    { name: "a value out of bounds", yaml: "{ processors: { batch: { send_batch_size: -1 } } }" },
    { name: "an unknown signal", yaml: "{ service: { pipelines: { trace: { receivers: [otlp] } } } }" },
    { name: "what is required and missing", yaml: "{ processors: { sampler: {} } }" },
  ]) {
    it(name, () => assert.ok(!validator.safeParse(parse(yaml)).success));
  }
});

it("tells editors what a setting does and what its default is", () => {
  const batch = schema.$defs?.["processors.batch"] as JsonSchema;
  assert.equal(batch.description, "Groups items into batches.");
  const { timeout, send_batch_size: size } = batch.properties as Record<string, JsonSchema>;
  assert.equal(timeout?.description, "How long a batch waits to fill.");
  assert.equal(timeout?.default, "200ms");
  assert.equal(size?.default, 8192);
});
