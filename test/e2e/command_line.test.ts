import { describe } from "node:test";
import { fromSources } from "../support/daemon.ts";
import { commandLineSuite } from "./command_line_suite.ts";

describe("the command line, run from its sources", () => commandLineSuite(fromSources));
