import { actionList } from "../../pipeline/attributes_actions/config.ts";
import { compileActions } from "../../pipeline/attributes_actions/program.ts";
import { type Operator, processor } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";
import { mapData } from "../../pipeline/operators.ts";
import { editResources, type Logs, type Metrics, type Traces } from "../../pipeline/pdata/index.ts";

const config = z.strictObject({
  attributes: actionList
    .min(1, 'error creating "resource" processor due to missing required field "attributes"')
    .describe("What is done with the attributes of every resource, in this order."),
});

/** Changes the attributes of resources, by the same actions as `attributes`. */
export default processor({
  type: "resource",
  stability: { traces: "beta", metrics: "beta", logs: "beta" },
  summary: "Inserts, updates, deletes, hashes, extracts and converts attributes of resources.",
  config,
  perWorker: true,
  examples: [
    {
      title: "Say where it ran",
      yaml: `resource:
  attributes:
    - { key: cloud.region, value: eu-central-1, action: upsert }
    - { key: k8s.cluster.name, from_attribute: cluster, action: insert }
    - { key: cluster, action: delete }`,
    },
  ],
  traces: (settings, host) => resourceOperator<Traces>(settings, host),
  metrics: (settings, host) => resourceOperator<Metrics>(settings, host),
  logs: (settings, host) => resourceOperator<Logs>(settings, host),
});

function resourceOperator<T extends Traces | Metrics | Logs>(
  settings: z.output<typeof config>,
  host: ProcessorHost,
): Operator<T> {
  const program = compileActions(settings.attributes);
  return mapData<T>(host, (data, { client }) => editResources(data, (resource) => program.run(resource, client)));
}
