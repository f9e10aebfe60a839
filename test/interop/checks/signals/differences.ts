import type { Reasons } from "../../scenarios.ts";

const keepsRunning = "A configuration that cannot be used must not stop what runs: it goes on as before and says why.";

/** Where a reload ends otherwise on purpose. */
export const sighupReasons: Reasons = {
  "SIGHUP, a mistake in the configuration": keepsRunning,
  "SIGHUP, the configuration cannot be parsed": keepsRunning,
  "SIGHUP, the new port is in use": keepsRunning,
};
