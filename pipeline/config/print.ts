import { Document } from "yaml";
import { sections } from "../registry.ts";
import { withOrigins } from "./origin.ts";
import type { ResolvedComponent, ResolvedConfig } from "./resolved.ts";
import { formatDuration, type Note, noteOf, parseDuration, z } from "./schema.ts";
import { serviceConfig } from "./service.ts";
import { childSchema, isBlock, unwrapOnce } from "./shape.ts";
import type { Table } from "./tree.ts";

/** How a configuration is printed. */
export interface PrintOptions {
  readonly format: "yaml" | "json";
  /** Whether secrets and the values of headers are replaced by `[REDACTED]`. */
  readonly redacted: boolean;
  /** The configuration as written: with it, YAML says behind each value where it came from. */
  readonly origins?: Table;
}

const layout = { indent: 4, lineWidth: 0, singleQuote: true };

/**
 * A configuration with every default filled in, as text with a newline at its end. Ids stay as written, keys are
 * sorted. Durations are Go duration strings in YAML and nanoseconds in JSON; blocks that are off are left out.
 *
 * @see Collector: `otelcol/command_print.go`.
 */
export function printConfig(config: ResolvedConfig, options: PrintOptions): string {
  const printed = {
    ...Object.fromEntries(sections.map((section) => [section, printSection(config[section], options)])),
    service: fill(serviceConfig, config.service.settings, options),
  };
  if (options.format === "json") return `${JSON.stringify(sorted(printed), undefined, 2)}\n`;
  const document = new Document(printed, { sortMapEntries: true });
  const { origins } = options;
  return `${origins === undefined ? document.toString(layout) : withOrigins(document, origins, layout)}\n`;
}

function printSection(components: ReadonlyMap<string, ResolvedComponent>, options: PrintOptions): object {
  const printed = [...components].map(([id, { definition, settings }]) => [
    id,
    fill(definition.config, settings, options),
  ]);
  return Object.fromEntries(printed);
}

/** `value` as `schema` reads it, still in the form a user writes: defaults filled in, undefined for what is off. */
function fill(schema: z.core.$ZodType, value: unknown, options: PrintOptions): unknown {
  const note = noteOf(schema);
  if (note !== undefined && note.is !== "block" && value !== undefined) return fillNoted(note.is, value, options);
  if (note?.is === "block") return fillBlock(note, value, options);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "default" || def.type === "prefault") return fill(def.innerType, value ?? def.defaultValue, options);
  const inner = unwrapOnce(schema);
  if (def.type === "optional" && (value === undefined || (value === null && !isBlock(schema)))) return undefined;
  if (inner !== undefined) return fill(inner, value, options);
  if (def.type === "union") return fill(meantOption(def.options, value), value, options);
  if (value === undefined || value === null) return def.type === "object" ? fillObject(schema, {}, options) : undefined;
  if (Array.isArray(value)) return value.map((item, index) => fillChild(schema, index, item, options));
  return typeof value === "object" ? fillObject(schema, value, options) : value;
}

function fillNoted(is: Exclude<Note["is"], "block">, value: unknown, options: PrintOptions): unknown {
  switch (is) {
    case "secret":
      return options.redacted && value !== "" ? "[REDACTED]" : value;
    case "duration":
      return fillDuration(value, options);
    case "headers":
      return fillHeaders(value, options);
    case "extension":
    case "own":
    case "start":
      return value;
    case "string list":
      return typeof value === "string" ? (value === "" ? [] : value.split(",")) : value;
  }
}

function fillDuration(value: unknown, { format }: PrintOptions): unknown {
  const milliseconds = typeof value === "number" ? Math.trunc(value) / 1e6 : parseDuration(String(value));
  if (milliseconds === undefined) return value;
  return format === "json" ? Math.round(milliseconds * 1e6) : formatDuration(milliseconds);
}

/** Headers as a list sorted by name, whichever form they were written in. */
function fillHeaders(value: unknown, { redacted }: PrintOptions): unknown {
  const pairs = Array.isArray(value)
    ? value.map(({ name, value: text }: { name: string; value: string }) => [name, text] as const)
    : Object.entries(value as Record<string, string>);
  return pairs
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, text]) => ({ name, value: redacted ? "[REDACTED]" : text }));
}

function fillBlock(
  { block, state }: { readonly block: z.ZodType; readonly state: "none" | "off" | "on" },
  value: unknown,
  options: PrintOptions,
): unknown {
  if (value === undefined || (value === null && state === "none")) return undefined;
  const { enabled, ...settings } = (value ?? {}) as Record<string, unknown>;
  return enabled === false ? undefined : fill(block, settings, options);
}

function fillObject(schema: z.core.$ZodType, value: object, options: PrintOptions): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const keys =
    def.type === "object" ? [...new Set([...Object.keys(def.shape), ...Object.keys(value)])] : Object.keys(value);
  const entries = keys.map((key) => [key, fillChild(schema, key, (value as Record<string, unknown>)[key], options)]);
  return Object.fromEntries(entries.filter(([, filled]) => filled !== undefined));
}

function fillChild(schema: z.core.$ZodType, segment: string | number, value: unknown, options: PrintOptions): unknown {
  const child = childSchema(schema, segment);
  return child === undefined ? value : fill(child, value, options);
}

function meantOption(options: readonly z.core.$ZodType[], value: unknown): z.core.$ZodType {
  return options.find((option) => z.safeParse(option, value).success) ?? z.unknown();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
