import { describeJson } from "./json.ts";

describeJson("logs");
