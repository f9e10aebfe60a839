import { type Exporter, exporter } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ExporterHost } from "../../pipeline/host.ts";

export default exporter({
  type: "nop",
  stability: { traces: "beta", metrics: "beta", logs: "beta", profiles: "alpha" },
  summary: "Takes everything and throws it away: for pipelines whose connectors and processors are all that matters.",
  config: z.strictObject({}),
  perWorker: true,
  examples: [{ title: "A pipeline that ends here", yaml: "nop: {}" }],
  traces: (_, host) => discard(host),
  metrics: (_, host) => discard(host),
  logs: (_, host) => discard(host),
  profiles: (_, host) => discard(host),
});

/** What it throws away is delivered, not dropped: that is what it was asked to do. */
function discard(host: ExporterHost): Exporter {
  return {
    consume(delivery) {
      host.discarded(delivery.data.itemCount);
      delivery.ack();
    },
  };
}
