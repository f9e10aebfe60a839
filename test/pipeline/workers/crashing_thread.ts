import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { map } from "rxjs";
import { registry } from "../../../cmd/components.ts";
import { processor } from "../../../pipeline/component.ts";
import { z } from "../../../pipeline/config/schema.ts";
import type { Registry } from "../../../pipeline/registry.ts";
import { runWorker } from "../../../pipeline/workers/worker.ts";

/** A processor that ends its thread at a span `exit-1`, and throws where nobody catches it at a span `throw-1`. */
const crash = processor({
  type: "crash",
  stability: { traces: "development" },
  summary: "For tests.",
  config: z.strictObject({}),
  examples: [],
  perWorker: true,
  traces: () =>
    map((delivery) => {
      for (const { name } of delivery.data.spans()) {
        if (name === "exit-1") process.exit(3);
        if (name === "throw-1") {
          setImmediate(() => {
            throw new Error("thrown where nobody catches it");
          });
        }
      }
      return delivery;
    }),
});

/** All components and `crash`. */
export const crashingRegistry: Registry = {
  ...registry,
  processors: { ...registry.processors, crash: async () => ({ default: crash }) },
};

// The program of a worker's thread, with these components.
if (!isMainThread && parentPort !== null) await runWorker(workerData, parentPort, crashingRegistry);
