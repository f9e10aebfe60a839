import { acrossFields, z } from "../config/schema.ts";
import { compilePattern, type Pattern, patternProblem } from "./pattern.ts";

const kinds = ["insert", "update", "upsert", "delete", "hash", "extract", "convert"] as const;

const action = z.strictObject({
  key: z.string().default("").describe("Attribute the action works on."),
  action: z.string().describe("insert, update, upsert, delete, hash, extract or convert, in any case."),
  value: z.unknown().optional().describe("insert, update, upsert: the value, of any type."),
  from_attribute: z.string().default("").describe("insert, update, upsert: attribute whose value is copied."),
  from_context: z
    .string()
    .default("")
    .describe("insert, update, upsert: client.address, or metadata.<header> of the request (needs include_metadata)."),
  pattern: z
    .string()
    .default("")
    .describe("delete, hash: attributes whose key matches; extract: named groups become attributes. RE2 syntax."),
  converted_type: z.string().default("").describe("convert: int, double or string."),
});

/** One entry of an action list, as written. */
export type ActionConfig = z.output<typeof action>;

/** What is to be done with the attributes of every span, data point, log record or resource, in order. */
export const actionList = z.array(action).check(
  acrossFields((actions, context) => {
    actions.forEach((entry, index) => {
      const problem = actionProblem({ ...entry, action: entry.action.toLowerCase() }, index);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem, path: [index] });
    });
  }),
);

/** What is wrong with an entry, in the Collector's words. */
function actionProblem(entry: ActionConfig, index: number): string | undefined {
  const at = `at the ${index}-th actions`;
  if (!(kinds as readonly string[]).includes(entry.action)) {
    return `error creating AttrProc due to unsupported action ${JSON.stringify(entry.action)} ${at}`;
  }
  if (entry.action === "delete" || entry.action === "hash") return removalProblem(entry, index);
  if (entry.key === "") return `error creating AttrProc due to missing required field "key" ${at}`;
  if (entry.action === "extract") return extractProblem(entry, index);
  if (entry.action === "convert") return convertProblem(entry, index);
  return writeProblem(entry, index);
}

function sourceCount(entry: ActionConfig): number {
  const hasValue = entry.value !== undefined && entry.value !== null;
  return Number(hasValue) + Number(entry.from_attribute !== "") + Number(entry.from_context !== "");
}

function unused(entry: ActionConfig, field: string, index: number): string {
  return `error creating AttrProc. Action "${entry.action}" does not use the "${field}" field. This must not be specified for ${index}-th action`;
}

function writeProblem(entry: ActionConfig, index: number): string | undefined {
  const sources = sourceCount(entry);
  if (sources === 0) {
    return `error creating AttrProc. Either field "value", "from_attribute" or "from_context" setting must be specified for ${index}-th action`;
  }
  if (sources > 1) return `error creating AttrProc due to multiple value sources being set at the ${index}-th actions`;
  if (entry.pattern !== "") return unused(entry, "pattern", index);
  return entry.converted_type === "" ? undefined : unused(entry, "converted_type", index);
}

function removalProblem(entry: ActionConfig, index: number): string | undefined {
  if (entry.key === "" && entry.pattern === "") {
    return `error creating AttrProc due to missing required field (at least one of "key" and "pattern" have to be used) at the ${index}-th actions`;
  }
  if ((entry.value !== undefined && entry.value !== null) || entry.from_attribute !== "") {
    return `error creating AttrProc. Action "${entry.action}" does not use "value" or "from_attribute" field. These must not be specified for ${index}-th action`;
  }
  if (entry.pattern !== "" && patternProblem(entry.pattern) !== undefined) return badPattern(entry, index);
  return entry.converted_type === "" ? undefined : unused(entry, "converted_type", index);
}

function badPattern(entry: ActionConfig, index: number): string {
  return `error creating AttrProc. Field "pattern" has invalid pattern: "${entry.pattern}" to be set at the ${index}-th actions (${patternProblem(entry.pattern)})`;
}

function extractProblem(entry: ActionConfig, index: number): string | undefined {
  if (sourceCount(entry) > 0) {
    return `error creating AttrProc. Action "extract" does not use a value source field. These must not be specified for ${index}-th action`;
  }
  if (entry.pattern === "") {
    return `error creating AttrProc due to missing required field "pattern" for action "extract" at the ${index}-th action`;
  }
  if (entry.converted_type !== "") return unused(entry, "converted_type", index);
  if (patternProblem(entry.pattern) !== undefined) return badPattern(entry, index);
  return groupProblem(compilePattern(entry.pattern), index);
}

function groupProblem(pattern: Pattern, index: number): string | undefined {
  const field = `error creating AttrProc. Field "pattern" contains`;
  if (pattern.groupNames.length === 0) return `${field} no named matcher groups at the ${index}-th actions`;
  if (!pattern.groupNames.includes("")) return undefined;
  return `${field} at least one unnamed matcher group at the ${index}-th actions`;
}

function convertProblem(entry: ActionConfig, index: number): string | undefined {
  if (sourceCount(entry) > 0 || entry.pattern !== "") {
    return `error creating AttrProc. Action "convert" does not use value sources or "pattern" field. These must not be specified for ${index}-th action`;
  }
  if (entry.converted_type === "") {
    return `error creating AttrProc due to missing required field "converted_type" for action "convert" at the ${index}-th action`;
  }
  if (["int", "double", "string"].includes(entry.converted_type)) return undefined;
  return `error creating AttrProc due to invalid value "${entry.converted_type}" in field "converted_type" for action "convert" at the ${index}-th action`;
}
