import type { Place } from "./place.ts";

/**
 * A configuration as written: values with the place each came from. Every step before decoding (reading, merging,
 * expanding) gives and takes trees, so that an error found at the end still knows its line.
 */
export type Tree = Scalar | List | Table;

/** A single value. */
export interface Scalar extends Placed {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
}

/** A YAML sequence. */
export interface List extends Placed {
  readonly kind: "list";
  readonly items: readonly Tree[];
}

/** A YAML mapping, in the order of its keys. */
export interface Table extends Placed {
  readonly kind: "table";
  readonly entries: ReadonlyMap<string, Entry>;
}

/** A key and its value. */
export interface Entry {
  readonly keyPlace: Place;
  readonly value: Tree;
}

interface Placed {
  readonly place: Place;
  /** The text behind a value that is one whole `${…}`: what a string setting takes instead of the YAML value. */
  readonly raw?: string;
  /** The value holds what came out of a reference: maybe a secret, so no error shows it. */
  readonly fromReference?: true;
}

/** Where in a tree: keys and list indices from the root. */
export type Path = readonly (string | number)[];

/** The tree as plain objects, arrays and values. Every call gives new ones. */
export function plainOf(tree: Tree): unknown {
  switch (tree.kind) {
    case "scalar":
      return tree.value;
    case "list":
      return tree.items.map(plainOf);
    case "table":
      return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plainOf(entry.value)]));
  }
}

/** The value at `path`, or undefined when there is none. */
export function treeAt(tree: Tree | undefined, path: Path): Tree | undefined {
  return path.reduce<Tree | undefined>((node, segment) => childOf(node, segment), tree);
}

function childOf(node: Tree | undefined, segment: string | number): Tree | undefined {
  if (node?.kind === "table") return node.entries.get(String(segment))?.value;
  return node?.kind === "list" ? node.items[Number(segment)] : undefined;
}

/** Where the key that ends `path` stands, or the list item, or the nearest thing around it that exists. */
export function keyPlaceAt(tree: Tree, path: Path): Place {
  const last = path.at(-1);
  if (last === undefined) return tree.place;
  const parent = treeAt(tree, path.slice(0, -1));
  if (parent?.kind === "table") {
    const entry = parent.entries.get(String(last));
    if (entry !== undefined) return entry.keyPlace;
  }
  return childOf(parent, last)?.place ?? keyPlaceAt(tree, path.slice(0, -1));
}

/** Where the value at `path` stands; the place of its key when the value is empty, a block or not there. */
export function valuePlaceAt(tree: Tree, path: Path): Place {
  const node = treeAt(tree, path);
  const shown = node !== undefined && node.place.end > node.place.start;
  return shown && node.kind === "scalar" ? node.place : keyPlaceAt(tree, path);
}

/** A path for people: `receivers.otlp.protocols.grpc`, `service.extensions[2]`. */
export function pathText(path: Path): string {
  return path
    .map((segment, index) => (typeof segment === "number" ? `[${segment}]` : `${index > 0 ? "." : ""}${segment}`))
    .join("");
}
