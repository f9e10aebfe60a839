import { type Document, isCollection, isPair, isScalar, type Node, type ToStringOptions, visit } from "yaml";
import { type Place, positionAt } from "./place.ts";
import type { Path, Table, Tree } from "./tree.ts";

/**
 * The YAML of `document`, a printed configuration, with a comment behind each value that says where it came from:
 * `# good.yaml:12`, with the variable if it came out of one, or `# default`. `root` is the configuration as written,
 * merged and expanded.
 */
export function withOrigins(document: Document, root: Table, format: ToStringOptions): string {
  visit(document, {
    Node: (_, node, ancestors) => {
      const isLeaf = isScalar(node) || (isCollection(node) && node.items.length === 0);
      if (!isLeaf || isKey(node, ancestors.at(-1))) return;
      const place = originOf(root, pathOf(node, ancestors as readonly unknown[]));
      node.comment = ` ${place === undefined ? "default" : originText(place)}`;
    },
  });
  return document.toString(format).replace(emptyCollection, ": $1 $2");
}

/** An empty list or mapping with a comment, which the library writes on three lines. */
const emptyCollection = /:\n +(\[\]|\{\})\n +(# .*)$/gm;

function isKey(node: Node, parent: unknown): boolean {
  return isPair(parent) && parent.key === node;
}

/** The path of `node` in its document, from the nodes around it. */
function pathOf(node: Node, ancestors: readonly unknown[]): Path {
  const chain = [...ancestors, node];
  return chain.flatMap((inner, index): Path => {
    const outer = chain[index - 1];
    if (isPair(inner)) return [isScalar(inner.key) ? String(inner.key.value) : String(inner.key)];
    return isCollection(outer) ? [outer.items.indexOf(inner as never)] : [];
  });
}

/** Where the value at `path` was written; undefined when nobody wrote it. */
function originOf(tree: Tree, path: Path): Place | undefined {
  const [segment, ...rest] = path;
  if (segment === undefined) return tree.place;
  switch (tree.kind) {
    case "scalar":
      return tree.value === null ? undefined : tree.place;
    case "list": {
      const item = tree.items[Number(segment)];
      return item === undefined ? tree.place : originOf(item, rest);
    }
    case "table": {
      const value = entryOf(tree, String(segment));
      if (value !== undefined) return originOf(value, rest);
      // Headers are printed as a list, whatever they were written as.
      return typeof segment === "number" && tree.entries.size > 0 ? tree.place : undefined;
    }
  }
}

/** What stands at a key, or at an id that is written with blanks. */
function entryOf(table: Table, key: string): Tree | undefined {
  const entry = table.entries.get(key) ?? [...table.entries].find(([written]) => trimmed(written) === key)?.[1];
  return entry?.value;
}

function trimmed(id: string): string {
  const slash = id.indexOf("/");
  return slash < 0 ? id.trim() : `${id.slice(0, slash).trim()}/${id.slice(slash + 1).trim()}`;
}

function originText({ source, start, end }: Place): string {
  const { line } = positionAt(source.text, start);
  // Not the reference as it stands there: its default may be a secret.
  const name = /^["']?\$\{(?:env:)?([A-Za-z_]\w*)(?::-[^}]*)?\}["']?$/s.exec(source.text.slice(start, end))?.[1];
  return name === undefined ? `${source.name}:${line}` : `${source.name}:${line}, $\{env:${name}}`;
}
