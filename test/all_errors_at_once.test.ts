import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../cmd/catalog.ts";
import { loadConfig } from "../pipeline/config/load.ts";
import { ConfigError } from "../pipeline/config/problem.ts";

// Scenario: a setting of a component is wrong by itself, and others of it do not fit together.
// Guarantees: one run names both; a check that would need the wrong setting keeps quiet.
describe("a component with a wrong setting and settings that do not fit together shows both", () => {
  for (const { component, wants } of [
    {
      component: "processors: { batch: { timeout: soon, send_batch_size: 10, send_batch_max_size: 5 } }",
      wants: ['invalid duration "soon"', "send_batch_max_size must be greater or equal to send_batch_size"],
    },
    {
      component: "processors: { batch: { send_batch_size: -1, send_batch_max_size: 5, metadata_keys: [a, A] } }",
      wants: ["send_batch_size", 'duplicate entry in metadata_keys: "a"'],
    },
    {
      component:
        "processors: { memory_limiter: { check_interval: 0s, limit_mib: -4, limit_percentage: 10, spike_limit_percentage: 20 } }",
      wants: [
        "'check_interval' must be",
        "limit_mib",
        "'spike_limit_percentage' must be smaller than 'limit_percentage'",
      ],
    },
    {
      component: "processors: { attributes: { actions: [{ key: 7, action: [] }, { key: a, action: increase }] } }",
      wants: ["actions[0]", 'unsupported action "increase"'],
    },
    {
      component: "processors: { gen_ai_normalizer: { sources: [{ name: [] }, { name: openinferense }] } }",
      wants: ["sources[0]", 'did you mean "openinference"'],
    },
    {
      component: "processors: { aggregate: { window: 0s, group_by: [name, name], columns: { requests: count } } }",
      wants: ["must be longer than 0", '"name" is in group_by twice'],
    },
    {
      component: "exporters: { otlp_http: { encoding: xml, compression: gzip, compression_params: { level: 40 } } }",
      wants: ['unknown value "xml"', "{Level:40}", "at least one endpoint must be specified"],
    },
    {
      component: "exporters: { otlp_grpc: { timeout: never, tls: { cert_file: a.pem, ca_file: a, ca_pem: b } } }",
      wants: [
        'invalid duration "never"',
        'non-empty "endpoint"',
        "both certificate and key",
        "either ca_file or ca_pem",
      ],
    },
    {
      component:
        "exporters: { otlp_grpc: { endpoint: 'a:1', retry_on_failure: { multiplier: -1, max_elapsed_time: 1s, max_interval: 2s } } }",
      wants: [
        "retry_on_failure.multiplier: must be at least 0",
        "'max_elapsed_time' must not be less than 'max_interval'",
      ],
    },
    {
      component:
        "exporters: { otlp_grpc: { endpoint: 'a:1', sending_queue: { num_consumers: 0, batch: { sizer: requests } } } }",
      wants: ["sending_queue.num_consumers: must be at least 1", "supports only `items` or `bytes` sizer"],
    },
    {
      component: "exporters: { file: { path: [], append: true, rotation: {} } }",
      wants: ["path", "append and rotation enabled at the same time"],
    },
    {
      component: "exporters: { debug: { verbosity: loud, output_paths: [stdout] } }",
      wants: ["verbosity", "output_paths is not supported when use_internal_logger is true"],
    },
    {
      component: "processors: { gen_ai_normalizer: { sources: { custom: { overwrite: 5 }, langchian: { } } } }",
      wants: ["sources.custom.overwrite", 'unknown source "langchian"'],
    },
    {
      component: "receivers::otlp/tls: { protocols: { grpc: { include_metadata: x, tls: { } } } }",
      wants: ["include_metadata", "both certificate and key"],
    },
    {
      component: "exporters: { graphistry: { upload_interval: 1ms, username: me } }",
      wants: ["must be at least 1s", "password"],
    },
  ]) {
    it(component, async () => {
      const text = `receivers: { otlp: { protocols: { grpc: } } }\n${component}\nservice: { pipelines: { traces: { receivers: [otlp], exporters: [nothing] } } }\n`;
      const error = await loadConfig(["pipeline.yaml"], catalog, { environment: {}, readFile: () => text }).then(
        () => assert.fail("the configuration was accepted"),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof ConfigError, String(error));
      for (const want of wants) assert.ok(error.message.includes(want), `no ${want} in\n${error.message}`);
    });
  }
});
