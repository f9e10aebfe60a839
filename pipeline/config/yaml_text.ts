import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
} from "yaml";
import { mergeTables, splitKey } from "./merge.ts";
import type { Place, Source } from "./place.ts";
import { readPlainYaml } from "./plain_yaml.ts";
import type { Problem } from "./problem.ts";
import type { Entry, Table, Tree } from "./tree.ts";

/** What a YAML text holds, and what is wrong with it. */
export interface Parsed {
  /** A null scalar for an empty text, or one that is not valid. */
  readonly tree: Tree;
  readonly problems: readonly Problem[];
  /** The text goes on with further documents, which nobody reads. */
  readonly more: boolean;
}

/** More values than a person writes: aliases of aliases, most likely. */
const maximumNodes = 200_000;

/** More levels inside each other than a person writes. Everything that walks a tree can count on the stack for these. */
const maximumDepth = 200;
const tooDeep = `more than ${maximumDepth} levels inside each other`;

/**
 * Parses the first YAML document of `source`, as `yaml.v3` reads it where that matters: anchors, aliases and `<<` are
 * resolved, a key given twice is an error, later documents are not looked at. Values that come from an alias are
 * placed where their anchor stands.
 */
export function parseYaml(source: Source): Parsed {
  const tree = readPlainYaml(source);
  return tree === undefined ? parseAnyYaml(source) : { tree, problems: [], more: false };
}

/** `parseYaml` by the library, whatever is in the text. */
export function parseAnyYaml(source: Source): Parsed {
  const documents = parseAllDocuments(source.text, { version: "1.2", uniqueKeys: false, prettyErrors: false });
  const document = documents[0];
  if (document === undefined) return { tree: nothing(source, 0), problems: [], more: false };
  const more = documents.length > 1;
  const [error] = document.errors;
  if (error !== undefined) {
    const place = { source, start: error.pos[0], end: error.pos[1] };
    const hint = source.text.startsWith("${", place.start - 1) ? { hint: "quote a reference inside [ ] and { }" } : {};
    const message = error.code === "RESOURCE_EXHAUSTION" ? tooDeep : inOurWords(error.message);
    const problem = { place, path: [], message, ...hint };
    return { tree: nothing(source, 0), problems: [problem], more };
  }
  const reading: Reading = { source, document, problems: [], open: new Set(), nodes: 0, depth: 0 };
  return { tree: read(reading, document.contents), problems: reading.problems, more };
}

type Pairs = readonly Pair<Node, Node | null>[];

/** What one pass over a document knows. */
interface Reading {
  readonly source: Source;
  readonly document: Document;
  readonly problems: Problem[];
  /** Anchored values being read, so that an alias inside itself is found. */
  readonly open: Set<Node>;
  nodes: number;
  /** Levels around the value being read. */
  depth: number;
}

function inOurWords(message: string): string {
  return `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1).replace(/\.$/, "")}`;
}

function nothing(source: Source, at: number): Tree {
  return { kind: "scalar", value: null, place: { source, start: at, end: at } };
}

function read(reading: Reading, node: Node | null): Tree {
  if (node === null) return nothing(reading.source, 0);
  const place = placeOf(reading, node);
  reading.nodes += 1;
  if (reading.nodes > maximumNodes) return complain(reading, place, `more than ${maximumNodes} values`);
  if (reading.depth > maximumDepth) return complain(reading, place, tooDeep);
  reading.depth += 1;
  const tree = readValue(reading, node, place);
  reading.depth -= 1;
  return tree;
}

function readValue(reading: Reading, node: Node, place: Place): Tree {
  if (isAlias(node)) return readAlias(reading, node, place);
  if (isMap(node)) return { kind: "table", entries: readEntries(reading, node.items as Pairs, place), place };
  if (isSeq<Node>(node)) return { kind: "list", items: node.items.map((item) => read(reading, item)), place };
  if (isScalar(node)) {
    const number = node.type === "PLAIN" && node.tag === undefined ? numberOf(node.source ?? "") : undefined;
    return { kind: "scalar", value: number ?? scalarValue(node.value), place };
  }
  return nothing(reading.source, place.start);
}

function placeOf({ source }: Reading, node: Node): Place {
  const [start, end] = node.range ?? [0, 0];
  return { source, start, end };
}

function scalarValue(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : String(value);
}

/**
 * A plain scalar as the number that `yaml.v3` takes it for, where that is not what YAML 1.2 says: `0123` is octal, `0b11`
 * binary, `1_000` a thousand. Undefined for everything else.
 * @see `yaml.v3`: `resolve.go`.
 */
function numberOf(text: string): number | undefined {
  if (!/^[-+]?(?:0[0-9bx_]|[0-9]+_)/.test(text)) return undefined;
  const digits = text.replaceAll("_", "");
  const [, sign, octal, binary] = /^([-+]?)(?:0([0-7]+)|0b([01]+))$/.exec(digits) ?? [];
  const factor = sign === "-" ? -1 : 1;
  if (binary !== undefined) return factor * Number.parseInt(binary, 2);
  if (octal !== undefined) return factor * Number.parseInt(octal, 8);
  return /^[-+]?(?:0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)$/.test(digits) ? Number(digits) : undefined;
}

/** Reports once and puts a null in place of what cannot be read. */
function complain(reading: Reading, place: Place, message: string): Tree {
  const known = reading.problems.some((problem) => problem.message === message);
  if (!known) reading.problems.push({ place, path: [], message });
  return nothing(reading.source, place.start);
}

function readAlias(reading: Reading, alias: Alias, place: Place): Tree {
  const target = alias.resolve(reading.document);
  if (target === undefined) return complain(reading, place, `no anchor &${alias.source} before this alias`);
  if (reading.open.has(target)) return complain(reading, place, `alias *${alias.source} is inside its own anchor`);
  reading.open.add(target);
  const tree = read(reading, target);
  reading.open.delete(target);
  return tree;
}

function readEntries(reading: Reading, pairs: Pairs, place: Place): Map<string, Entry> {
  const own = new Map<string, Entry>();
  const inherited: Table[] = [];
  for (const pair of pairs) {
    const keyPlace = placeOf(reading, pair.key);
    const value = pair.value === null ? nothing(reading.source, keyPlace.end) : read(reading, pair.value);
    if (isScalar(pair.key) && pair.key.value === "<<" && pair.key.type === "PLAIN") {
      inherited.push(...tablesToInherit(reading, value, keyPlace));
      continue;
    }
    const key = isScalar(pair.key) ? (pair.key.source ?? String(pair.key.value)) : undefined;
    if (key === undefined) complain(reading, keyPlace, "a key must be a text");
    else if (own.has(key)) complainOfDuplicate(reading, keyPlace, key);
    else own.set(key, { keyPlace, value });
  }
  return withInherited(own, inherited, place);
}

function complainOfDuplicate(reading: Reading, place: Place, key: string): void {
  reading.problems.push({ place, path: [], message: `key ${JSON.stringify(key)} is given twice in one mapping` });
}

function tablesToInherit(reading: Reading, value: Tree, place: Place): readonly Table[] {
  const candidates = value.kind === "list" ? value.items : [value];
  const tables = candidates.filter((candidate) => candidate.kind === "table");
  if (tables.length < candidates.length) complain(reading, place, '"<<" takes a mapping or a list of mappings');
  return tables;
}

/** The own keys, then what `<<` brings: own keys win, earlier mappings win over later ones. `a::b` becomes nested. */
function withInherited(own: Map<string, Entry>, inherited: readonly Table[], place: Place): Map<string, Entry> {
  const all = new Map(own);
  for (const table of inherited) {
    for (const [key, entry] of table.entries) if (!all.has(key)) all.set(key, entry);
  }
  if (![...all.keys()].some((key) => key.includes("::"))) return all;
  const tables = [...all].map(([key, entry]) => splitKey(key, entry, place));
  return new Map(tables.reduce(mergeTables).entries);
}
