import { compilePattern } from "../../pipeline/attributes_actions/pattern.ts";
import {
  plainValue,
  type TypedValue,
  typedValue,
  valueFromYaml,
} from "../../pipeline/attributes_actions/typed_value.ts";
import { valueText } from "../../pipeline/attributes_actions/value_text.ts";
import {
  type Attributes,
  attributeKeys,
  type DataPoint,
  type Key,
  type LogRecord,
  type Scope,
  type Span,
  type Value,
} from "../../pipeline/pdata/index.ts";
import { type MatchConfig, spanKindNames } from "./match_config.ts";

/** Whether an item is meant. */
export type Predicate<T> = (item: T) => boolean;

interface Item extends Attributes {
  readonly resource: Attributes;
  readonly scope: Scope;
}

interface MatchBlocks {
  readonly include?: MatchConfig | undefined;
  readonly exclude?: MatchConfig | undefined;
}

/** Which spans the actions are for; undefined: all. @throws {Error} when a block does not fit traces. */
export function spanPredicate(blocks: MatchBlocks): Predicate<Span> | undefined {
  return chosen(blocks, spanMatcher);
}

/** Which log records the actions are for; undefined: all. @throws {Error} when a block does not fit logs. */
export function recordPredicate(blocks: MatchBlocks): Predicate<LogRecord> | undefined {
  return chosen(blocks, recordMatcher);
}

/** Which data points the actions are for; undefined: all. */
export function pointPredicate(blocks: MatchBlocks): Predicate<DataPoint> | undefined {
  return chosen(blocks, pointMatcher);
}

/** Included if there is an include block, and not excluded. */
function chosen<T>(
  { include, exclude }: MatchBlocks,
  matcher: (match: MatchConfig) => Predicate<T>,
): Predicate<T> | undefined {
  const included = include === undefined ? undefined : matcher(include);
  const excluded = exclude === undefined ? undefined : matcher(exclude);
  if (excluded === undefined) return included;
  return (item) => included?.(item) !== false && !excluded(item);
}

const keys = attributeKeys({ service: "service.name" });

function spanMatcher(match: MatchConfig): Predicate<Span> {
  if (match.log_bodies.length > 0) throw new Error("log_bodies should not be specified for trace spans");
  if (match.log_severity_texts.length > 0)
    throw new Error("log_severity_texts should not be specified for trace spans");
  if (match.log_severity_number !== undefined) {
    throw new Error("log_severity_number should not be specified for trace spans");
  }
  const { services, span_names, span_kinds, attributes, libraries, resources } = match;
  if ([services, span_names, span_kinds, attributes, libraries, resources].every((list) => list.length === 0)) {
    throw new Error('at least one of "attributes", "libraries",  or "resources" field must be specified');
  }
  const anyText = textMatcher(match);
  return all<Span>([
    onText(anyText(span_names), (span) => span.name),
    onText(anyText(span_kinds), (span) => spanKindNames[span.kind] ?? ""),
    onText(anyText(services), (span) => serviceOf(span.resource)),
    ...itemMatchers(match),
  ]);
}

function serviceOf(resource: Attributes): string {
  const service = resource.value(keys.service);
  return service === undefined ? "<nil-service-name>" : valueText(service);
}

function recordMatcher(match: MatchConfig): Predicate<LogRecord> {
  const { services, span_names, span_kinds, log_bodies, log_severity_texts, log_severity_number } = match;
  if ([services, span_names, span_kinds].some((list) => list.length > 0)) {
    throw new Error("services, span_names, and span_kinds are not valid for log records");
  }
  const lists = [match.attributes, match.libraries, match.resources, log_bodies, log_severity_texts];
  if (lists.every((list) => list.length === 0) && log_severity_number === undefined) {
    throw new Error(
      'at least one of "attributes", "libraries", "span_kinds", "resources", "log_bodies", "log_severity_texts" or "log_severity_number" field must be specified',
    );
  }
  const anyText = textMatcher(match);
  return all<LogRecord>([
    severityMatcher(log_severity_number),
    onText(anyText(log_severity_texts), (record) => record.severityText),
    onText(anyText(log_bodies), (record) => valueText(record.body)),
    ...itemMatchers(match),
  ]);
}

function severityMatcher(wanted: MatchConfig["log_severity_number"]): Predicate<LogRecord> | undefined {
  if (wanted === undefined) return undefined;
  return ({ severityNumber }) => (severityNumber === 0 ? wanted.match_undefined : severityNumber >= wanted.min);
}

function pointMatcher(match: MatchConfig): Predicate<DataPoint> {
  return all<DataPoint>([
    onText(textMatcher(match)(match.metric_names), (point) => point.metricName),
    ...itemMatchers(match),
  ]);
}

/** What every kind of item has: attributes, a resource, a scope. */
function itemMatchers<T extends Item>(match: MatchConfig): (Predicate<T> | undefined)[] {
  const attributes = attributesMatcher(match, match.attributes);
  const resource = attributesMatcher(match, match.resources);
  const scope = scopeMatcher(match);
  return [
    attributes && ((item) => attributes(item)),
    resource && ((item) => resource(item.resource)),
    scope && ((item) => scope(item.scope)),
  ];
}

function scopeMatcher(match: MatchConfig): Predicate<Scope> | undefined {
  const anyText = textMatcher(match);
  const matchers = match.libraries.map(({ name, version }) => ({
    name: anyText([name]),
    version: version === undefined ? undefined : anyText([version]),
  }));
  if (matchers.length === 0) return undefined;
  return (scope) =>
    matchers.some(({ name, version }) => name?.(scope.name) !== false && version?.(scope.version) !== false);
}

function attributesMatcher(
  match: MatchConfig,
  properties: MatchConfig["attributes"],
): Predicate<Attributes> | undefined {
  if (properties.length === 0) return undefined;
  const group = attributeKeys(Object.fromEntries(properties.map(({ key }) => [key, key])));
  return all(properties.map(({ key, value }) => propertyMatcher(match, group[key]!, value)));
}

function propertyMatcher(match: MatchConfig, key: Key, wanted: unknown): Predicate<Attributes> {
  if (wanted === undefined || wanted === null) return (attributes) => attributes.has(key);
  if (match.match_type === "strict") {
    const value = valueFromYaml(wanted);
    return (attributes) => equal(typedValue(attributes, key), value);
  }
  const pattern = compilePattern(String(wanted));
  return (attributes) => {
    const text = scalarText(typedValue(attributes, key));
    return text !== undefined && pattern.matches(text);
  };
}

/** Whether values are the same. A whole number in YAML stands for the integer and for the double. */
function equal(value: TypedValue | undefined, wanted: Value): boolean {
  if (value === undefined) return false;
  const plain = plainValue(value);
  return kindOf(plain) === kindOf(wanted) && valueText(plain) === valueText(wanted);
}

function kindOf(value: Value): string {
  if (value === null) return "empty";
  if (Buffer.isBuffer(value)) return "bytes";
  if (typeof value === "bigint") return "number";
  return Array.isArray(value) ? "list" : typeof value;
}

/** Only scalars are matched by patterns. */
function scalarText(value: TypedValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  const plain = plainValue(value);
  return typeof plain === "object" ? undefined : valueText(plain);
}

/** Makes matchers of texts: equal to one of a list, or matching one of its patterns. None for an empty list. */
function textMatcher({ match_type }: MatchConfig): (wanted: readonly string[]) => Predicate<string> | undefined {
  return (wanted) => {
    if (wanted.length === 0) return undefined;
    if (match_type === "strict") {
      const set = new Set(wanted);
      return (text) => set.has(text);
    }
    const patterns = wanted.map(compilePattern);
    return (text) => patterns.some((pattern) => pattern.matches(text));
  };
}

function onText<T>(matches: Predicate<string> | undefined, text: (item: T) => string): Predicate<T> | undefined {
  return matches && ((item) => matches(text(item)));
}

function all<T>(predicates: readonly (Predicate<T> | undefined)[]): Predicate<T> {
  const given = predicates.filter((predicate) => predicate !== undefined);
  return (item) => given.every((predicate) => predicate(item));
}
