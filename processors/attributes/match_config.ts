import { patternProblem } from "../../pipeline/attributes_actions/pattern.ts";
import { acrossFields, z } from "../../pipeline/config/schema.ts";

/** Names of span kinds as they are matched, by number. */
export const spanKindNames = [
  "SPAN_KIND_UNSPECIFIED",
  "SPAN_KIND_INTERNAL",
  "SPAN_KIND_SERVER",
  "SPAN_KIND_CLIENT",
  "SPAN_KIND_PRODUCER",
  "SPAN_KIND_CONSUMER",
] as const;

const severityBases = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** The number of a severity given as a number or as `INFO`, `WARN2`; undefined when it is neither. */
export function severityNumber(value: number | string): number | undefined {
  if (typeof value === "number" || /^\d+$/.test(value)) {
    const number = Number(value);
    return Number.isInteger(number) && number >= 0 && number <= 24 ? number : undefined;
  }
  const parts = /^([A-Z]+)([2-4]?)$/.exec(value.toUpperCase());
  const base = severityBases.indexOf(parts?.[1] ?? "");
  return base < 0 ? undefined : base * 4 + Number(parts?.[2] || 1);
}

const property = z.strictObject({
  key: z.string().min(1, "can't have empty key in the list of attributes").describe("Attribute that must be there."),
  value: z.unknown().optional().describe("Value it must have; any when left out."),
});

const severity = z.strictObject({
  min: z
    .union([z.number(), z.string()])
    .transform((value, context) => {
      const number = severityNumber(value);
      if (number !== undefined) return number;
      context.addIssue(
        `unknown severity ${JSON.stringify(value)}: use 1 to 24, or TRACE, DEBUG, INFO, WARN, ERROR, FATAL`,
      );
      return z.NEVER;
    })
    .prefault(0)
    .describe("Lowest severity that matches."),
  match_undefined: z.boolean().default(false).describe("Whether records without a severity match."),
});

const names = (what: string) => z.array(z.string()).default([]).describe(`${what}; one of them must match.`);

/** What items the actions are for. Everything given must match. */
export const matchConfig = z
  .strictObject({
    match_type: z
      .enum(["strict", "regexp"], {
        error: ({ input }) => `unrecognized match_type: '${String(input ?? "")}', valid types are: [regexp strict]`,
      })
      .describe("strict: equal; regexp: RE2 patterns that match anywhere in the text."),
    regexp: z
      .strictObject({ cacheenabled: z.boolean().default(false), cachemaxnumentries: z.int().min(0).default(0) })
      .optional()
      .describe("Taken for compatibility; matching needs no cache here."),
    services: names("Traces: values of service.name"),
    span_names: names("Traces: span names"),
    span_kinds: names("Traces: span kinds such as SPAN_KIND_SERVER"),
    log_bodies: names("Logs: bodies as text"),
    log_severity_texts: names("Logs: severity texts"),
    log_severity_number: severity.optional().describe("Logs: range of severity numbers."),
    metric_names: names("Metrics: metric names"),
    attributes: z.array(property).default([]).describe("Attributes of the item; all must match."),
    resources: z.array(property).default([]).describe("Attributes of the resource; all must match."),
    libraries: z
      .array(
        z.strictObject({
          name: z.string().default("").describe("Name of the instrumentation scope."),
          version: z.string().optional().describe("Its version; any when left out."),
        }),
      )
      .default([])
      .describe("Instrumentation scopes; one of them must match."),
  })
  .check(
    acrossFields((match, context) => {
      for (const problem of match.match_type === "regexp" ? regexpProblems(match) : strictProblems(match)) {
        context.addIssue(problem);
      }
    }),
  );

export type MatchConfig = z.output<typeof matchConfig>;

function regexpProblems(
  match: {
    readonly [K in (typeof textLists)[number]]: readonly string[];
  } & Pick<MatchConfig, "attributes" | "resources" | "libraries">,
): string[] {
  const properties = [...match.attributes, ...match.resources].filter(
    ({ value }) => value !== undefined && value !== null,
  );
  const untexted = properties.filter(({ value }) => typeof value !== "string");
  const texts = [
    ...textLists.flatMap((list) => match[list]),
    ...match.libraries.flatMap(({ name, version }) => (version === undefined ? [name] : [name, version])),
    ...properties.flatMap(({ value }) => (typeof value === "string" ? [value] : [])),
  ];
  return [
    ...untexted.map(({ key }) => `match_type=regexp for ${JSON.stringify(key)} only supports Str`),
    ...texts.flatMap((text) => {
      const problem = patternProblem(text);
      return problem === undefined ? [] : [`invalid pattern ${JSON.stringify(text)}: ${problem}`];
    }),
  ];
}

const textLists = ["services", "span_names", "span_kinds", "log_bodies", "log_severity_texts", "metric_names"] as const;

function strictProblems({ span_kinds }: Pick<MatchConfig, "span_kinds">): string[] {
  const known = spanKindNames.slice(1);
  if (span_kinds.every((kind) => (known as readonly string[]).includes(kind))) return [];
  const list = [...known].sort().join(" ");
  return [`span_kinds string must match one of the standard span kinds when match_type=strict: [${list}]`];
}
