import { describe } from "node:test";
import { fromSources } from "../support/daemon.ts";
import { crashSuite } from "./crash_suite.ts";
import { daemonSuite } from "./daemon_suite.ts";
import { lostLogSuite } from "./lost_log_suite.ts";

describe("the daemon, run from its sources", () => {
  daemonSuite(fromSources);
  crashSuite(fromSources);
  lostLogSuite(fromSources);
});
