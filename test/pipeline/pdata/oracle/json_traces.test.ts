import { describeJson } from "./json.ts";

describeJson("traces");
