import { actionList } from "../../pipeline/attributes_actions/config.ts";
import { compileActions } from "../../pipeline/attributes_actions/program.ts";
import { processor } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import { mapData } from "../../pipeline/operators.ts";
import { editPoints, editRecords, editSpans } from "../../pipeline/pdata/index.ts";
import { pointPredicate, recordPredicate, spanPredicate } from "./match.ts";
import { matchConfig } from "./match_config.ts";

const config = z.strictObject({
  actions: actionList
    .min(1, 'missing required field "actions"')
    .describe("What is done with the attributes, in this order."),
  include: matchConfig.optional().describe("Only these items are changed; the rest pass as they are."),
  exclude: matchConfig.optional().describe("These items are not changed, even when included."),
});

/** Changes the attributes of spans, log records or data points, by a list of actions. */
export default processor({
  type: "attributes",
  stability: { traces: "beta", metrics: "beta", logs: "beta" },
  summary: "Inserts, updates, deletes, hashes, extracts and converts attributes of spans, data points and log records.",
  config,
  perWorker: true,
  examples: [
    {
      title: "Remove prompts and hash the user",
      yaml: `attributes:
  actions:
    - { key: gen_ai.input.messages, action: delete }
    - { key: user.id, action: hash }
    - { key: deployment.environment.name, value: production, action: upsert }`,
    },
    {
      title: "Only on one service, with the tenant from a request header",
      yaml: `attributes:
  include: { match_type: strict, services: [gateway] }
  actions:
    - { key: tenant, from_context: metadata.x-tenant, action: upsert }`,
    },
  ],
  traces: (settings, host) => {
    const program = compileActions(settings.actions);
    const meant = spanPredicate(settings);
    return mapData(host, (data, { client }) =>
      editSpans(data, (span) => {
        if (meant === undefined || meant(span)) program.run(span, client);
      }),
    );
  },
  metrics: (settings, host) => {
    const program = compileActions(settings.actions);
    const meant = pointPredicate(settings);
    return mapData(host, (data, { client }) =>
      editPoints(data, (point) => {
        if (meant === undefined || meant(point)) program.run(point, client);
      }),
    );
  },
  logs: (settings, host) => {
    const program = compileActions(settings.actions);
    const meant = recordPredicate(settings);
    return mapData(host, (data, { client }) =>
      editRecords(data, (record) => {
        if (meant === undefined || meant(record)) program.run(record, client);
      }),
    );
  },
});
