import { z } from "zod";
import { parseDuration } from "./duration.ts";

export { formatDuration, parseDuration } from "./duration.ts";

// A config is parsed once: compiling a parser for each of its objects would take longer than parsing. It has no cycles,
// which zod looks for in every schema.
z.config({
  jitless: true,
  memoizer: { attach: () => {}, guard: () => {}, alloc: (_schema, _payload, empty) => empty },
});

export { z };

/** How the default of an optional block stands: not there, there but off, or on. */
export type BlockState = "none" | "off" | "on";

/** What one component uses an extension as. */
export type ExtensionRole =
  | "server authenticator"
  | "HTTP client authenticator"
  | "gRPC client authenticator"
  | "HTTP server middleware"
  | "HTTP client middleware"
  | "gRPC server middleware"
  | "gRPC client middleware"
  | "storage extension";

/** What the helpers below know of a schema that zod does not: read by printing, JSON Schema and the reference. */
export type Note =
  | { readonly is: "secret" }
  | { readonly is: "duration" }
  | { readonly is: "headers" }
  | { readonly is: "string list" }
  | { readonly is: "own" }
  | { readonly is: "start"; readonly problemOf: StartProblem }
  | { readonly is: "extension"; readonly role: ExtensionRole }
  | { readonly is: "block"; readonly block: z.ZodType; readonly state: BlockState };

/** What keeps a component from starting or working with a text, below a key; undefined when nothing does. */
export type StartProblem = (text: string, key: string) => string | undefined;

const notes = new WeakMap<z.core.$ZodType, Note>();

/** The note a helper of this file left on `schema`, also after `.describe()`. */
export function noteOf(schema: z.core.$ZodType): Note | undefined {
  const { parent } = schema._zod;
  return notes.get(schema) ?? (parent === undefined ? undefined : noteOf(parent));
}

function noted<S extends z.ZodType>(schema: S, note: Note): S {
  notes.set(schema, note);
  return schema;
}

/**
 * A duration setting: a Go duration string (`200ms`, `1m30s`), or a bare number of nanoseconds as in the Collector.
 * Its output is milliseconds. Write the default as `.prefault("200ms")`, which keeps it readable in the schema.
 */
export function duration() {
  const parsed = durationInput.transform((value, context) => {
    const milliseconds = typeof value === "number" ? Math.trunc(value) / 1e6 : parseDuration(value);
    if (milliseconds !== undefined) return milliseconds;
    context.addIssue({
      code: "custom",
      message: `invalid duration ${JSON.stringify(value)}: use a form such as 200ms, 1m30s`,
    });
    return z.NEVER;
  });
  return noted(parsed, { is: "duration" });
}

/** One for all durations: a configuration has dozens. */
const durationInput = z.union([z.string(), z.number()]);

/** A text that `print-config` shows as `[REDACTED]`: a password, a token, a key. Its output is the text itself. */
export function secret() {
  return noted(z.string(), { is: "secret" });
}

/** A setting of a component of the Collector's that the Collector does not have: refused under strict compatibility. */
export function own<S extends z.ZodType>(schema: S): S {
  return noted(schema, { is: "own" });
}

/** A text that the Collector judges only when it starts or sends: refused before, unless under strict compatibility. */
export function judgedAtStart<S extends z.ZodType>(schema: S, problemOf: StartProblem): S {
  return noted(schema, { is: "start", problemOf });
}

/**
 * The id of an extension that serves as `role`. Its output is the id. The configuration is refused when the extension is
 * not in `service::extensions` or its definition does not name that role.
 */
export function extensionId(role: ExtensionRole) {
  const id = z.string().overwrite((text) => text.trim().replace(/\s*\/\s*/, "/"));
  return noted(id.min(1, { error: "id must not be empty" }), { is: "extension", role });
}

/** A list of strings, or one string cut at its commas (not trimmed; the empty string is the empty list), as in Go. */
export function stringList() {
  const list = z.union([z.array(z.string()), z.string()]);
  return noted(list.transform(splitAtCommas), { is: "string list" });
}

function splitAtCommas(value: string | string[]): string[] {
  if (typeof value !== "string") return value;
  return value === "" ? [] : value.split(",");
}

/**
 * One of `values` in any case, such as a verbosity or a level. Its output is spelled as in `values`, which are lower case.
 * Write the default as `.prefault("normal")`, which keeps it in the JSON Schema.
 */
export function choice<const V extends readonly [string, ...string[]]>(values: V) {
  return z.preprocess((value) => (typeof value === "string" ? value.toLowerCase() : value), z.enum(values));
}

function headerNameProblem(name: string): string | undefined {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return undefined;
  return `${JSON.stringify(name)} is no header name: use letters, digits and hyphens`;
}

function headerValueProblem(value: string): string | undefined {
  return /[\0\r\n]/.test(value) ? "a header value has one line" : undefined;
}

const headerName = judgedAtStart(z.string(), headerNameProblem);
const headerValue = judgedAtStart(z.string(), headerValueProblem);
const namedHeaderValue = judgedAtStart(
  z.string(),
  (value, name) => headerNameProblem(name) ?? headerValueProblem(value),
);

/**
 * Headers: a map of names to values, or a list of `{ name, value }`. Its output is a record: of a map sorted by name,
 * of a list in its order. Names differ in more than case; values are secrets when printed.
 */
export function headers() {
  const map = z.record(z.string(), namedHeaderValue);
  const list = z.array(z.strictObject({ name: headerName, value: headerValue }));
  const merged = z.union([map, list]).transform((value, context): Readonly<Record<string, string>> => {
    if (!Array.isArray(value)) return Object.fromEntries(Object.entries(value).sort(byName));
    for (const name of duplicates(value.map((header) => header.name))) {
      context.addIssue({ code: "custom", message: `header ${JSON.stringify(name)} is given more than once` });
    }
    return Object.fromEntries(value.map((header) => [header.name, header.value]));
  });
  return noted(merged, { is: "headers" });
}

/**
 * Checks of how the settings of an object, or the entries of a list, fit together: `z.strictObject({…}).check(acrossFields(…))`.
 *
 * Unlike `superRefine` they also run when some of them are wrong by themselves, so that all errors show at once. What is
 * wrong is hidden: reading such a setting ends that check, and such an entry of a list is a hole, which `forEach` leaves out.
 */
export function acrossFields<T>(
  ...checks: readonly ((settings: T, context: z.RefinementCtx<T>) => void)[]
): z.core.$ZodCheck<T> {
  return z.superRefine<T>(
    (settings, context) => {
      const broken = new Set(context.issues.map(({ path }) => String(path?.[0])));
      const sound = broken.size === 0 ? settings : withoutBroken(settings, broken);
      for (const check of checks) {
        try {
          check(sound, context);
        } catch (error) {
          if (!(error instanceof BrokenSetting)) throw error;
        }
      }
    },
    { when: ({ issues }) => issues.every(({ code, path }) => code === "unrecognized_keys" || path?.length) },
  );
}

/** Thrown when a check reads what is wrong by itself. */
class BrokenSetting extends Error {}

function withoutBroken<T>(settings: T, broken: ReadonlySet<string>): T {
  if (Array.isArray(settings)) {
    const sound: unknown[] = [];
    settings.forEach((entry, index) => {
      if (!broken.has(String(index))) sound[index] = entry;
    });
    return sound as T;
  }
  return new Proxy(settings as object, {
    get(target, key, receiver) {
      if (broken.has(String(key))) throw new BrokenSetting(String(key));
      return Reflect.get(target, key, receiver);
    },
    ownKeys: (target) => Reflect.ownKeys(target).filter((key) => !broken.has(String(key))),
  }) as T;
}

/**
 * A setting whose schema is built when a configuration first writes it: to build all that nobody writes takes time at
 * every start. Follow it with `.optional()`, or with `.prefault({})` and give `unset`, its output for the empty mapping.
 */
export function whenWritten<S extends z.ZodType>(
  build: () => S,
  unset?: () => z.output<S>,
): z.ZodType<z.output<S>, z.input<S>> {
  let built: S | undefined;
  const schema = () => (built ??= build());
  const entry = z.unknown().transform((value, context): z.output<S> => {
    if (unset !== undefined && isRecord(value) && Object.keys(value).length === 0) return unset();
    const result = schema().safeParse(value, { reportInput: true });
    for (const issue of result.error?.issues ?? []) context.issues.push(issue as never);
    return result.success ? result.data : z.NEVER;
  });
  laterSchemas.set(entry, schema);
  return entry as z.ZodType<z.output<S>, z.input<S>>;
}

const laterSchemas = new WeakMap<z.core.$ZodType, () => z.ZodType>();

/** What `whenWritten` builds, if `schema` was made by it, also after `.describe()`. */
export function laterSchemaOf(schema: z.core.$ZodType): z.ZodType | undefined {
  const { parent } = schema._zod;
  return laterSchemas.get(schema)?.() ?? (parent === undefined ? undefined : laterSchemaOf(parent));
}

function byName([left]: [string, string], [right]: [string, string]): number {
  return left < right ? -1 : 1;
}

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/**
 * A block that can be absent, with the Collector's rules. Its output is the block's, or undefined when it is off.
 *
 * | `state` | key absent | `key:` (null) | `key: {}` | `enabled: false` inside |
 * |---|---|---|---|---|
 * | none | off | off | on | off |
 * | off | off | on | on | off |
 * | on | on | on | on | off |
 *
 * `enabled` (a real boolean) is accepted in every such block and taken out before `block` sees it. A block that is
 * switched off is still checked for unknown keys and wrong types, not for missing or inconsistent settings.
 * `block` must accept `{}` unless its state is "none" or "off". As a function it is called when it is first needed:
 * to build all the blocks that a config does not write takes time at every start.
 */
export function optionalBlock<S extends z.ZodType>(block: S | (() => S), state: "on"): OnBlock<S>;
export function optionalBlock<S extends z.ZodType>(block: S | (() => S), state: "none" | "off"): OffBlock<S>;
export function optionalBlock(block: z.ZodType | (() => z.ZodType), state: BlockState): z.ZodType {
  let built: z.ZodType | undefined;
  const schema = () => (built ??= typeof block === "function" ? block() : block);
  const inner = z.unknown().transform((value, context) => readBlock(schema, state, value, context));
  const note: Note = {
    is: "block",
    get block() {
      return schema();
    },
    state,
  };
  const entry = noted(inner, note);
  return state === "on" ? entry.prefault({}) : entry.optional();
}

/** What `optionalBlock(…, "on")` gives. */
export type OnBlock<S extends z.ZodType> = z.ZodPrefault<Block<S>>;
/** What `optionalBlock(…, "off")` and `optionalBlock(…, "none")` give. */
export type OffBlock<S extends z.ZodType> = z.ZodOptional<Block<S>>;
type Block<S extends z.ZodType> = z.ZodType<z.output<S> | undefined, BlockInput<S>>;
type BlockInput<S extends z.ZodType> =
  | (z.input<S> & { readonly enabled?: boolean })
  | { readonly enabled: false }
  | null;

function readBlock(schema: () => z.ZodType, state: BlockState, value: unknown, context: z.RefinementCtx): unknown {
  if (value === null && state === "none") return undefined;
  const { enabled = true, ...settings } = isRecord(value) ? value : {};
  if (typeof enabled !== "boolean") {
    context.addIssue({ code: "invalid_type", expected: "boolean", input: enabled, path: ["enabled"] });
  }
  const isOnlySwitch = enabled === false && isRecord(value) && Object.keys(settings).length === 0;
  if (isOnlySwitch) return undefined;
  const result = schema().safeParse(value === null ? {} : isRecord(value) ? settings : value, { reportInput: true });
  const issues = result.error?.issues ?? [];
  for (const issue of enabled === false ? issues.filter(isShapeIssue) : issues) context.issues.push(issue as never);
  if (context.issues.length > 0) return z.NEVER;
  return enabled === false ? undefined : result.data;
}

/** Whether an issue is about keys and types rather than about what is missing or does not fit together. */
function isShapeIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === "unrecognized_keys" || (issue.code === "invalid_type" && issue.input !== undefined);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
