import { type Connector, connector } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ConnectorHost } from "../../pipeline/host.ts";

export default connector({
  type: "forward",
  stability: {
    traces_to_traces: "beta",
    metrics_to_metrics: "beta",
    logs_to_logs: "beta",
    profiles_to_profiles: "alpha",
  },
  summary: "Passes data on unchanged, from the pipelines that export to it to those that receive from it.",
  config: z.strictObject({}),
  examples: [{ title: "Joins two pipelines into a third", yaml: "forward: {}" }],
  create: (_, host) => forward(host),
});

/** A delivery is answered as the pipelines behind it answer: whoever sent it hears of a refusal there. */
function forward(host: ConnectorHost): Connector {
  const outlet = host.outlets[host.signal];
  if (outlet === undefined) throw new Error(`connector "${host.id}" has no pipeline of ${host.signal} to give to`);
  return {
    consume(delivery) {
      const { data } = delivery;
      outlet.offer(data as never, delivery, (error) => {
        if (error !== undefined) {
          host.refuse(delivery, error);
          return;
        }
        host.sent(data.itemCount);
        delivery.ack();
      });
    },
  };
}
