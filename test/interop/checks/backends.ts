import { check, type Findings } from "../check.ts";
import { compare } from "../scenarios.ts";
import { observeCodes } from "./backends/codes.ts";
import { codeReasons, outageReasons } from "./backends/differences.ts";
import { observeOutages } from "./backends/outages.ts";

/** What becomes of telemetry, and what its sender is told, when the backend answers with each code. */
export const backendCodes = check({
  name: "backend_codes",
  area: "Queue and retry: a backend that refuses",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> => compare(collector_released, observeCodes, codeReasons),
});

/** What becomes of it when the backend is down, stalls, dies, returns, or when the program is stopped meanwhile. */
export const backendOutages = check({
  name: "backend_outages",
  area: "Queue and retry: a backend that stalls, dies and returns",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> => compare(collector_released, observeOutages, outageReasons),
});
