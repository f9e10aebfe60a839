import { type Attributes, attributeKeys, type Key, type Span, type Value } from "../pdata/index.ts";

/** A property of a span, its scope or its resource, by the name a config gives it. */
export type Field =
  | { readonly from: "span"; readonly name: SpanFieldName }
  | { readonly from: "attribute"; readonly of: Owner; readonly key: string };

type Owner = "resource" | "scope" | "span";

type SpanFieldName = keyof typeof textFields | keyof typeof numberFields;

const kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const statuses = ["UNSET", "OK", "ERROR"];

/** The code of status ERROR in OTLP. */
const errorStatus = 2;

const textFields = {
  name: (span: Span) => span.name,
  kind: (span: Span) => kinds[span.kind] ?? `UNKNOWN(${span.kind})`,
  status: (span: Span) => statuses[span.statusCode] ?? `UNKNOWN(${span.statusCode})`,
  status_message: (span: Span) => span.statusMessage,
  trace_id: (span: Span) => span.traceId.hex(),
  span_id: (span: Span) => span.spanId.hex(),
  parent_span_id: (span: Span) => (span.parentSpanId.isEmpty ? undefined : span.parentSpanId.hex()),
  trace_state: (span: Span) => span.traceState,
  "scope.name": (span: Span) => span.scope.name,
  "scope.version": (span: Span) => span.scope.version,
} satisfies Record<string, (span: Span) => string | undefined>;

const numberFields = {
  /** Milliseconds; absent when a span ends before it starts. */
  duration: (span: Span) => (span.durationNano < 0 ? undefined : span.durationNano / 1e6),
  event_count: (span: Span) => span.eventCount,
  failed: (span: Span) => (span.statusCode === errorStatus ? 1 : 0),
} satisfies Record<string, (span: Span) => number | undefined>;

/** What the error rate is the mean of: 1 for a span with status ERROR, else 0. No config can name it. */
export const failedField: Field = { from: "span", name: "failed" };

/** Names of span fields a config can use, for reference pages and messages. */
export const spanFieldNames: readonly string[] = [...Object.keys(textFields), "duration", "event_count"];

/**
 * The field that `text` names: a span field (`name`, `kind`, `status`, `duration`...), `scope.name`, `scope.version`,
 * `resource.KEY`, `scope.KEY` or `span.KEY` for an attribute of one of them; anything else is a span attribute.
 * @throws {Error} when a key is missing.
 */
export function parseField(text: string): Field {
  if (spanFieldNames.includes(text)) return { from: "span", name: text as SpanFieldName };
  const owner = /^(resource|scope|span)\.(.*)$/s.exec(text);
  const [of, key] = owner === null ? ["span" as const, text] : [owner[1] as Owner, owner[2] ?? ""];
  if (key === "")
    throw new Error(`"${text}" names no field: use a span field (${spanFieldNames.join(", ")}) or an attribute key`);
  return { from: "attribute", of, key };
}

/** The shortest text that `parseField` reads as `field`; equal fields have equal names. */
export function fieldName(field: Field): string {
  if (field.from === "span") return field.name;
  if (field.of !== "span") return `${field.of}.${field.key}`;
  const plain = parseField(field.key);
  return plain.from === "attribute" && plain.of === "span" ? field.key : `span.${field.key}`;
}

/** Whether a field never holds a number. */
export function isTextField(field: Field): boolean {
  return field.from === "span" && field.name in textFields;
}

export type TextReader = (span: Span) => string | undefined;
export type NumberReader = (span: Span) => number | undefined;

/** Reads a set of fields from spans; the attributes of one owner are found in one walk. */
export class FieldReaders {
  readonly #keys: { readonly [O in Owner]: ReadonlyMap<string, Key> };

  /** @param fields all that will be asked for. */
  constructor(fields: readonly Field[]) {
    this.#keys = { resource: keysOf("resource", fields), scope: keysOf("scope", fields), span: keysOf("span", fields) };
  }

  /** The field as text: numbers and booleans written out, bytes in hex, lists and maps as JSON. */
  text(field: Field): TextReader {
    if (field.from === "span") {
      if (field.name in textFields) return textFields[field.name as keyof typeof textFields];
      const read = this.number(field);
      return (span) => read(span)?.toString();
    }
    const key = this.#key(field.of, field.key);
    const { of } = field;
    if (of === "span") return (span) => attributeText(span, key);
    return (span) => attributeText(span[of], key);
  }

  /** The field as a number; absent when it is anything else. */
  number(field: Field): NumberReader {
    if (field.from === "span") {
      if (field.name in numberFields) return numberFields[field.name as keyof typeof numberFields];
      return () => undefined;
    }
    const key = this.#key(field.of, field.key);
    const { of } = field;
    if (of === "span") return (span) => span.number(key);
    return (span) => span[of].number(key);
  }

  #key(of: Owner, name: string): Key {
    const key = this.#keys[of].get(name);
    if (key === undefined) throw new Error(`the field ${of}.${name} was not announced`);
    return key;
  }
}

function keysOf(of: Owner, fields: readonly Field[]): ReadonlyMap<string, Key> {
  const names = new Set(fields.flatMap((field) => (field.from === "attribute" && field.of === of ? [field.key] : [])));
  if (names.size === 0) return new Map();
  return new Map(Object.entries(attributeKeys(Object.fromEntries([...names].map((name) => [name, name])))));
}

function attributeText(attributes: Attributes, key: Key): string | undefined {
  const text = attributes.string(key);
  if (text !== undefined) return text;
  const value = attributes.value(key);
  return value === undefined || value === null ? undefined : valueText(value);
}

function valueText(value: Value): string {
  if (typeof value === "string") return value;
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}
