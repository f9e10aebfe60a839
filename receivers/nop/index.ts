import { receiver } from "../../pipeline/component.ts";
import { z } from "../../pipeline/config/schema.ts";

export default receiver({
  type: "nop",
  stability: { traces: "beta", metrics: "beta", logs: "beta", profiles: "alpha" },
  summary: "Never produces anything: a pipeline can be written and checked before its real receiver is there.",
  config: z.strictObject({}),
  examples: [{ title: "A pipeline without input", yaml: "nop: {}" }],
  create: () => ({}),
});
