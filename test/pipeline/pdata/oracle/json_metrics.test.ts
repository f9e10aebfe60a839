import { describeJson } from "./json.ts";

describeJson("metrics");
