import { describe } from "node:test";
import { fromSources } from "../support/daemon.ts";
import { daemonSuite } from "./daemon_suite.ts";

describe("the daemon, run from its sources", () => daemonSuite(fromSources));
