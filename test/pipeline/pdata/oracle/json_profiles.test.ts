import { describeJson } from "./json.ts";

describeJson("profiles");
