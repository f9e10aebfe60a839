import type { Manifest } from "../manifest.ts";
import { type AnyDefinition, kindOf, sections } from "../registry.ts";
import { stabilityOf } from "./describe.ts";
import { type BlockState, formatDuration, type Note, noteOf, parseDuration, type z } from "./schema.ts";
import { noteInside, unwrap, unwrapOnce } from "./shape.ts";

type Schema = z.core.$ZodType;

/**
 * The reference page of a component, in Markdown: what it is for, its stability, every setting with type, default and
 * description, its examples.
 */
export function referencePage(definition: AnyDefinition): string {
  const { type, kind, summary, aliases = [], config, examples } = definition;
  const rows = settingRows(config, "");
  const parts = [
    `# ${type} ${kind}`,
    summary,
    aliases.length > 0 ? `Older names that still work: ${aliases.map(code).join(", ")}.` : "",
    `## Stability`,
    table(
      ["For", "Stability"],
      Object.entries(stabilityOf(definition)).map(([name, stability]) => [name.replaceAll("_to_", " to "), stability]),
    ),
    `## Settings`,
    rows.length === 0 ? "None." : table(["Setting", "Type", "Default", "What it does"], rows),
    ...(examples.length > 0 ? ["## Examples"] : []),
    ...examples.map(({ title, yaml }) => `${title}:\n\n\`\`\`yaml\n${yaml.trimEnd()}\n\`\`\``),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** The page that lists all components in Markdown, with what they are for and how stable they are per signal. */
export function referenceIndex(manifest: Manifest): string {
  const signals = ["traces", "metrics", "logs", "profiles"];
  const perSection = sections.map((section) => {
    const bySignal = section !== "connectors" && section !== "extensions";
    const rows = Object.entries(manifest[section]).map(([type, { aliases, summary, stability }]) => {
      const names = [`[${code(type)}](${kindOf[section]}/${type}.md)`, ...aliases.map(code)].join(", ");
      const pairs = Object.entries(stability).map(([pair, level]) =>
        pair === "extension" ? level : `${pair.replaceAll("_to_", " to ")}: ${level}`,
      );
      return [names, summary, ...(bySignal ? signals.map((signal) => stability[signal] ?? "") : [pairs.join(", ")])];
    });
    const header = ["Type and older names", "What it does", ...(bySignal ? signals : ["Stability"])];
    return `## ${section}\n\n${table(header, rows)}`;
  });
  const intro = "An empty cell: the signal is not supported. Stability levels mean what they mean in the Collector.";
  return `${["# Components", intro, ...perSection].join("\n\n")}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map(escaped).join(" | ")} |`).join("\n");
}

/** Text that stands in a table's cell: no line ends, no cell borders, no tags. */
function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<").replaceAll("\n", " ");
}

function code(text: string): string {
  return `\`${text}\``;
}

/** One row per setting, nested ones with their whole path; lists and maps of objects as `key[]` and `key.*`. */
function settingRows(schema: Schema, path: string): string[][] {
  const inner = unwrap(schema);
  const { def } = inner._zod;
  switch (def.type) {
    case "object":
      return Object.entries(def.shape).flatMap(([key, child]) => rowsOf(child, path === "" ? key : `${path}.${key}`));
    case "array":
      return settingRows(def.element, `${path}[]`);
    case "record":
      return settingRows(def.valueType, `${path}.*`);
    case "union":
      return uniqueRows(def.options.flatMap((option) => settingRows(option, path)));
    default:
      return [];
  }
}

function rowsOf(schema: Schema, path: string): string[][] {
  const note = noteInside(schema)?.is;
  const hidden = note === "headers" || note === "string list" || note === "duration";
  const row = [code(path), typeText(schema), defaultText(schema), descriptionOf(schema) ?? ""];
  return [row, ...(hidden ? [] : settingRows(schema, path))];
}

/** Alternatives of a union often share settings: one row for all, with every type they give it. */
function uniqueRows(rows: string[][]): string[][] {
  const paths = [...new Set(rows.map(([path]) => path))];
  return paths.map((path) => {
    const [first = [], ...others] = rows.filter((row) => row[0] === path);
    const types = new Set([first, ...others].map(([, type = ""]) => type));
    return first.with(1, [...types].join(", "));
  });
}

function descriptionOf(schema: Schema): string | undefined {
  const inner = unwrapOnce(schema);
  const { description } = schema as z.ZodType;
  return description ?? (inner === undefined ? undefined : descriptionOf(inner));
}

function typeText(schema: Schema): string {
  const note = noteInside(schema);
  const noted = note === undefined ? undefined : noteText(note.is);
  if (noted !== undefined) return noted;
  const { def } = unwrap(schema)._zod;
  switch (def.type) {
    case "enum":
      return Object.values(def.entries)
        .map((value) => code(String(value)))
        .join(", ");
    case "literal":
      return def.values.map((value) => code(String(value))).join(", ");
    case "number":
      return def.checks?.some((check) => check._zod.def.check === "number_format") || "format" in def
        ? "integer"
        : "number";
    case "array":
      return `list of ${plural(typeText(def.element))}`;
    case "object":
      return "block";
    case "record":
      return "map";
    case "union":
      return [...new Set(def.options.map(typeText))].join(" or ");
    case "unknown":
    case "any":
      return "any";
    default:
      return def.type;
  }
}

/** The type that a note gives a setting; undefined where it says something else of it. */
function noteText(is: Note["is"]): string | undefined {
  if (is === "block" || is === "own" || is === "start") return undefined;
  if (is === "string list") return "list of strings";
  return is === "extension" ? "extension id" : is;
}

function plural(type: string): string {
  return /^[a-z]+$/.test(type) ? `${type}s` : type;
}

function defaultText(schema: Schema): string {
  if (schema._zod.optin === undefined) return "required";
  const note = noteInside(schema);
  const value = defaultValueOf(schema);
  if (note?.is === "block") return blockText(note.state, value !== undefined);
  if (value === undefined || isEmptyObject(value)) return "";
  return code(note?.is === "duration" ? durationText(value) : JSON.stringify(value));
}

function blockText(state: BlockState, isOn: boolean): string {
  if (isOn) return "on";
  return state === "off" ? "off; the key alone turns it on" : "off";
}

function defaultValueOf(schema: Schema): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "default" || def.type === "prefault") return def.defaultValue;
  const inner = noteOf(schema)?.is === "block" ? undefined : unwrapOnce(schema);
  return inner === undefined ? undefined : defaultValueOf(inner);
}

function durationText(value: unknown): string {
  const milliseconds = typeof value === "number" ? value / 1e6 : parseDuration(String(value));
  return milliseconds === undefined ? String(value) : formatDuration(milliseconds);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
