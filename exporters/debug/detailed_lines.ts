import { type InstrumentationScope, type KeyValue, type Resource, typedText } from "./values.ts";

/** Lines of the detailed text: a label in a column of fifteen, then the value. */
export function field(label: string, value: string | number | bigint): string {
  return `    ${label.padEnd(15)}: ${value}`;
}

/** A block of attributes under a header; nothing when there are none. Under an entry (`     -> …`) it is set in. */
export function attributeLines(header: string, attributes: readonly KeyValue[]): string[] {
  if (attributes.length === 0) return [];
  const indent = header.includes("->") ? (header.split("->")[0] ?? "") : "";
  return [`${header}:`, ...attributes.map(({ key, value }) => `${indent}     -> ${key}: ${typedText(value)}`)];
}

/** The head of a resource: its schema, attributes and entities. */
export function resourceLines(
  label: string,
  index: number,
  schemaUrl: string,
  resource: Resource | undefined,
): string[] {
  return [
    `${label} #${index}`,
    `Resource SchemaURL: ${schemaUrl}`,
    ...attributeLines("Resource attributes", resource?.attributes ?? []),
    ...entityLines(resource?.entityRefs ?? []),
  ];
}

function entityLines(entities: Resource["entityRefs"]): string[] {
  if (entities.length === 0) return [];
  const named = (header: string, keys: readonly string[]) =>
    keys.length === 0 ? [] : [`          -> ${header}:`, ...keys.map((key) => `               -> ${key}`)];
  return [
    "Resource entity refs:",
    ...entities.flatMap(({ type, schemaUrl, idKeys, descriptionKeys }, index) => [
      `     -> Entity ref #${index}:`,
      `          -> Type: ${type}`,
      ...(schemaUrl === "" ? [] : [`          -> Schema URL: ${schemaUrl}`]),
      ...named("ID keys", idKeys),
      ...named("Description keys", descriptionKeys),
    ]),
  ];
}

/** The head of a scope: its schema, name, version and attributes. */
export function scopeLines(
  label: string,
  index: number,
  schemaUrl: string,
  scope: InstrumentationScope | undefined,
): string[] {
  return [
    `${label} #${index}`,
    `${label} SchemaURL: ${schemaUrl}`,
    `InstrumentationScope ${scope?.name ?? ""} ${scope?.version ?? ""}`,
    ...attributeLines("InstrumentationScope attributes", scope?.attributes ?? []),
  ];
}

/** The word for a number; empty for one that has none. */
export function word(words: readonly string[], number: number): string {
  return words[number] ?? "";
}

export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
