import type { Place } from "./place.ts";
import { type Problem, placeText } from "./problem.ts";
import { type Retrieved, retrieve, type Surroundings } from "./source.ts";
import type { Entry, Path, Scalar, Tree } from "./tree.ts";
import { parseYaml } from "./yaml_text.ts";

/** A tree without references, and what there is to say about them. */
export interface Expanded {
  readonly tree: Tree;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** A chain of references longer than this goes in circles. */
const maximumRounds = 1000;

/**
 * Replaces every `${…}` in the values of `tree` (keys are left alone), innermost first and again in what comes out.
 *
 * A reference that is the whole value becomes the YAML value of its text and keeps the text for string settings; one
 * inside a longer value is replaced by its text. `$$` gives `$`, so `$${X}` is the text `${X}`. What comes out of a
 * reference is placed where the reference stands. An unset variable without a default is null, with a warning.
 *
 * @see Collector: `confmap/expand.go`.
 */
export function expandTree(tree: Tree, from: Surroundings): Expanded {
  const expansion: Expansion = { from, problems: [], warnings: new Set(), inside: false, rounds: 0 };
  const expanded = expandNode(expansion, tree, []);
  return { tree: expanded, problems: expansion.problems, warnings: [...expansion.warnings] };
}

type Found = Extract<Retrieved, { text: string }>;

interface Expansion {
  readonly from: Surroundings;
  readonly problems: Problem[];
  readonly warnings: Set<string>;
  /** Whether the value at hand came out of a reference. */
  readonly inside: boolean;
  /** References replaced so far for one value of the file. */
  rounds: number;
}

/** Expands the values of `node`. What came out of a reference keeps the path of that reference. */
function expandNode(expansion: Expansion, node: Tree, path: Path): Tree {
  const below = (segment: string | number): Path => (expansion.inside ? path : [...path, segment]);
  switch (node.kind) {
    case "scalar":
      return expandScalar(expansion.inside ? expansion : { ...expansion, inside: true, rounds: 0 }, node, path);
    case "list":
      return { ...node, items: node.items.map((item, index) => expandNode(expansion, item, below(index))) };
    case "table": {
      const entries = [...node.entries].map(([key, entry]): [string, Entry] => {
        return [key, { ...entry, value: expandNode(expansion, entry.value, below(key)) }];
      });
      return { ...node, entries: new Map(entries) };
    }
  }
}

function expandScalar(expansion: Expansion, scalar: Scalar, path: Path): Tree {
  if (typeof scalar.value !== "string" || !scalar.value.includes("$")) return scalar;
  const text = resolveEmbedded(expansion, scalar.value, scalar.place, path);
  const whole = findReference(text);
  if (whole === undefined) {
    const changed = text !== scalar.value ? { fromReference: true as const } : {};
    return { ...scalar, value: unescaped(text), ...changed };
  }
  return expandWhole(expansion, whole.uri, referencePlace(scalar.place, text), path);
}

/** Replaces references by their texts until none is left, or one is left that is all there is. */
function resolveEmbedded(expansion: Expansion, value: string, place: Place, path: Path): string {
  let text = value;
  for (let found = findReference(text); found !== undefined; found = findReference(text)) {
    const { start, end, uri } = found;
    if (start === 0 && end === text.length) return text;
    const retrieved = behind(expansion, uri, referencePlace(place, text.slice(start, end)), path);
    if (retrieved === undefined) return "";
    text = text.slice(0, start) + retrieved.text + text.slice(end);
  }
  return text;
}

function expandWhole(expansion: Expansion, uri: string, place: Place, path: Path): Tree {
  const retrieved = behind(expansion, uri, place, path);
  const moved = { place, fromReference: true } as const;
  if (retrieved === undefined) return { kind: "scalar", value: null, raw: "", ...moved };
  const { text, literal } = retrieved;
  if (literal === true) return { kind: "scalar", value: text, raw: text, ...moved };
  const parsed = parseYaml({ name: uri, text });
  const isText = parsed.problems.length > 0 || (parsed.tree.kind === "scalar" && typeof parsed.tree.value === "string");
  if (isText) return expandText(expansion, text, place, path);
  const known = expansion.problems.length;
  const tree = expandNode(expansion, moveTo(parsed.tree, place), path);
  return expansion.problems.length > known ? tree : { ...tree, raw: rawText(expansion, text, place) };
}

/** A text that came out of a reference and is no other YAML value: taken as it is, and expanded once more. */
function expandText(expansion: Expansion, text: string, place: Place, path: Path): Tree {
  const tree = expandScalar(expansion, { kind: "scalar", value: text, place, fromReference: true }, path);
  const isText = tree.kind === "scalar" && typeof tree.value === "string" && tree.raw === undefined;
  return isText ? { ...tree, raw: String(tree.value) } : tree;
}

/** What a string setting takes: the text itself, its comments included, with its own references replaced. */
function rawText(expansion: Expansion, text: string, place: Place): string {
  const quiet: Expansion = { ...expansion, problems: [], warnings: new Set() };
  return unescaped(resolveEmbedded(quiet, text, place, []));
}

/** What is behind a reference; undefined when there is nothing and a problem was reported. */
function behind(expansion: Expansion, uri: string, place: Place, path: Path): Found | undefined {
  expansion.rounds += 1;
  if (expansion.rounds > maximumRounds + 1) return undefined;
  if (expansion.rounds > maximumRounds) {
    return report(expansion, place, path, `more than ${maximumRounds} references inside each other: a circle?`);
  }
  const full = uri.includes(":") ? uri : `env:${uri}`;
  if (uri.includes("$")) return report(expansion, place, path, `reference ${JSON.stringify(uri)} must not contain "$"`);
  const retrieved = retrieve(full, expansion.from);
  if ("failure" in retrieved) return report(expansion, place, path, retrieved.failure, retrieved.advice);
  if (retrieved.unset === true) warnOfUnset(expansion, full.slice("env:".length), place);
  return retrieved;
}

function report(expansion: Expansion, place: Place, path: Path, message: string, hint?: string): undefined {
  expansion.problems.push({ place, path, message, ...(hint !== undefined && { hint }) });
}

function warnOfUnset({ warnings }: Expansion, name: string, place: Place): void {
  warnings.add(`${placeText(place)}: environment variable ${name} is not set, so the value is empty`);
}

/** The innermost reference that closes first and is not escaped by an odd number of `$` before it. */
function findReference(
  text: string,
): { readonly start: number; readonly end: number; readonly uri: string } | undefined {
  let from = 0;
  for (let close = text.indexOf("}"); close >= 0; close = text.indexOf("}", from)) {
    const start = text.slice(from, close).lastIndexOf("${") + from;
    if (start >= from && !isEscaped(text, start)) {
      return { start, end: close + 1, uri: text.slice(start + 2, close) };
    }
    from = close + 1;
  }
  return undefined;
}

function isEscaped(text: string, at: number): boolean {
  let dollars = 0;
  while (text[at - dollars - 1] === "$") dollars += 1;
  return dollars % 2 === 1;
}

function unescaped(text: string): string {
  return text.replaceAll("$$", "$");
}

/** Where `reference` stands inside `place`; all of `place` when the source spells it another way. */
function referencePlace(place: Place, reference: string): Place {
  const at = place.source.text.slice(place.start, place.end).indexOf(reference);
  if (at < 0) return place;
  return { ...place, start: place.start + at, end: place.start + at + reference.length };
}

/** The same values, all placed at the reference they came out of. */
function moveTo(tree: Tree, place: Place): Tree {
  const moved = { place, fromReference: true } as const;
  switch (tree.kind) {
    case "scalar":
      return { ...tree, ...moved };
    case "list":
      return { ...tree, ...moved, items: tree.items.map((item) => moveTo(item, place)) };
    case "table": {
      const entries = [...tree.entries].map(
        ([key, { value }]) => [key, { keyPlace: place, value: moveTo(value, place) }] as const,
      );
      return { ...tree, ...moved, entries: new Map(entries) };
    }
  }
}
