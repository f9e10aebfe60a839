import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { fromSources } from "../support/daemon.ts";
import { configsSuite } from "./configs_suite.ts";

describe("the ready configs, run from the sources", () =>
  configsSuite(fromSources, fileURLToPath(new URL("../../configs", import.meta.url))));
