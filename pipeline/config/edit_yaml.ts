import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from "yaml";
import {
  blockText,
  columnOf,
  cutLines,
  cutMember,
  flowText,
  lineEnd,
  type Span,
  spliced,
  valueInPlace,
} from "./edit_text.ts";
import { parseId } from "./ids.ts";
import type { Edit } from "./old_spellings/edit.ts";
import type { Path } from "./tree.ts";

/**
 * `text`, a YAML file, with `edits` made in its first document. Everything else stays as it is, to the byte: comments,
 * blank lines, quotes, the order of keys. What cannot be edited stays too, so compare what the result means with what it
 * should mean.
 */
export function editYaml(text: string, edits: readonly Edit[]): string {
  return additionsFirst(edits).reduce(applyEdit, text);
}

/** What is set goes before what is removed beside it, so that no mapping is empty for a moment and loses its lines. */
function additionsFirst(edits: readonly Edit[]): readonly Edit[] {
  const ordered = [...edits];
  for (let index = 1; index < ordered.length; index += 1) {
    const [first, second] = [ordered[index - 1], ordered[index]];
    if (first?.do !== "remove" || second?.do !== "set" || startsWith(second.path, first.path)) continue;
    [ordered[index - 1], ordered[index]] = [second, first];
  }
  return ordered;
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((segment, index) => segment === path[index]);
}

type Mapping = YAMLMap<Node, Node | null>;

/** A key with its value, and the mapping they stand in. */
interface Found {
  readonly map: Mapping;
  readonly pair: Pair<Node, Node | null>;
}

function applyEdit(text: string, edit: Edit): string {
  const [document] = parseAllDocuments(text, { version: "1.2", uniqueKeys: false });
  const contents = document?.contents as Node | null | undefined;
  if (document === undefined || document.errors.length > 0 || !isMap(contents)) return text;
  const found = find(document, contents as Mapping, edit.path);
  if (edit.do === "set") {
    return found === undefined ? inserted(text, document, edit.path, edit.value) : replaced(text, found, edit.value);
  }
  if (found === undefined) return text;
  if (edit.do === "rename") return renamed(text, found, edit.to);
  return edit.do === "remove" ? removed(text, document, found) : withItem(text, found, edit.from, edit.to);
}

/** The key and value at `path`, through aliases and keys such as `processors::batch`. */
function find(document: Document, node: Node | null, path: Path): Found | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  const [segment = "", ...rest] = path;
  if (isSeq<Node>(target)) return find(document, target.items[Number(segment)] ?? null, rest);
  if (!isMap(target)) return undefined;
  const map = target as Mapping;
  for (const pair of map.items) {
    const parts = keyText(pair).split("::");
    if (parts.length > path.length || parts.some((part, index) => part !== String(path[index]))) continue;
    if (parts.length === path.length) return { map, pair };
    const inner = find(document, pair.value, path.slice(parts.length));
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function keyText({ key }: Pair<Node, Node | null>): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : "";
}

function spanOf(node: Node): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

/** A key and its value; a key without one ends behind its colon. */
function pairSpan(text: string, { key, value }: Pair<Node, Node | null>): Span {
  const { start, end } = spanOf(key);
  return { start, end: Math.max(colonAfter(text, end), value === null ? 0 : spanOf(value).end) };
}

function colonAfter(text: string, offset: number): number {
  return offset + (/^\s*:/.exec(text.slice(offset))?.[0].length ?? 0);
}

function renamed(text: string, { pair }: Found, to: string): string {
  const parts = keyText(pair).split("::");
  return spliced(text, spanOf(pair.key), [...parts.slice(0, -1), to].join("::"));
}

function replaced(text: string, { pair: { key, value } }: Found, today: unknown): string {
  const span = value === null ? { start: 0, end: 0 } : spanOf(value);
  if (span.start === span.end) {
    const colon = colonAfter(text, spanOf(key).end);
    return spliced(text, { start: colon, end: colon }, ` ${flowText(today)}`);
  }
  const written = text.slice(span.start, span.end);
  return spliced(text, span, valueInPlace(written, isScalar(value) ? value.value : undefined, today));
}

function removed(text: string, document: Document, { map, pair }: Found): string {
  if (map.items.length === 1) return emptied(text, document, map, "{}");
  const index = map.items.indexOf(pair);
  const spans = map.items.map((each) => pairSpan(text, each));
  const own = spans[index] ?? { start: 0, end: 0 };
  return map.flow === true ? cutMember(text, spans, index) : cutLines(text, own, spans[index + 1]?.start);
}

function withItem(text: string, { pair: { value } }: Found, from: string, to: string | undefined): string {
  if (!isSeq<Node>(value)) return text;
  const index = value.items.findIndex((item) => isScalar(item) && isId(item.value, from));
  const item = value.items[index];
  if (item === undefined) return text;
  if (to !== undefined) return spliced(text, spanOf(item), to);
  const spans = value.items.map(spanOf);
  if (value.flow === true) return cutMember(text, spans, index);
  if (value.items.length === 1) return spliced(text, { ...spanOf(value), end: spanOf(item).end }, "[]");
  const { end } = spanOf(item);
  const dash = text.lastIndexOf("-", spanOf(item).start - 1);
  return cutLines(text, { start: dash, end }, undefined);
}

function isId(value: unknown, id: string): boolean {
  const parsed = typeof value === "string" ? parseId(value) : "";
  return typeof parsed !== "string" && parsed.text === id;
}

/** A block mapping that has lost its last key as `{}`, on the line of its own key where nothing else stands between. */
function emptied(text: string, document: Document, map: Mapping, empty: string): string {
  const { start, end } = spanOf(map);
  if (map.flow === true) return spliced(text, { start, end }, empty);
  const holder = holderOf(document.contents as Node, map);
  const colon = holder === undefined ? start : colonAfter(text, spanOf(holder.key).end);
  const content = end - (/\s*$/.exec(text.slice(0, end))?.[0].length ?? 0);
  const between = text.slice(colon, start);
  return between.trim() === ""
    ? spliced(text, { start: colon, end: content }, ` ${empty}`)
    : spliced(text, { start, end: content }, empty);
}

function holderOf(node: Node | null, value: Node): Pair<Node, Node | null> | undefined {
  if (isSeq<Node>(node)) return node.items.map((item) => holderOf(item, value)).find((pair) => pair !== undefined);
  if (!isMap(node)) return undefined;
  const pairs = node.items as Mapping["items"];
  return (
    pairs.find((pair) => pair.value === value) ??
    pairs.map((pair) => holderOf(pair.value, value)).find((pair) => pair !== undefined)
  );
}

/** Writes a value whose key is not there, with the mappings around it that are missing. */
function inserted(text: string, document: Document, path: Path, value: unknown): string {
  for (let known = path.length - 1; known > 0; known -= 1) {
    const around = find(document, document.contents as Node, path.slice(0, known));
    if (around === undefined) continue;
    const missing = path.slice(known).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    const holder = around.pair.value;
    const target = isAlias(holder) ? holder.resolve(document) : holder;
    if (isMap(target)) return withEntry(text, target as Mapping, missing);
    const isNothing = target === null || target === undefined || (isScalar(target) && target.value === null);
    return isNothing ? replaced(text, around, missing) : text;
  }
  return text;
}

function withEntry(text: string, map: Mapping, entry: unknown): string {
  const last = map.items.at(-1);
  if (last === undefined) return spliced(text, spanOf(map), flowText(entry));
  const { end } = pairSpan(text, last);
  if (map.flow === true) {
    const inside = flowText(entry).replace(/^\{\s*|\s*\}$/g, "");
    return spliced(text, { start: end, end }, `, ${inside}`);
  }
  const at = lineEnd(text, isCollection(last.value) || last.value !== null ? spanOf(last.value).end || end : end);
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const isLineEnded = at === 0 || text[at - 1] === "\n";
  const column = columnOf(text, spanOf(map.items[0]?.key ?? map).start);
  return spliced(
    text,
    { start: at, end: at },
    `${isLineEnded ? "" : "\n"}${blockText(entry, column)}`.replaceAll("\n", newline),
  );
}
