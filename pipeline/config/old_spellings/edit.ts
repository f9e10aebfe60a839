import { parseId } from "../ids.ts";
import type { Place } from "../place.ts";
import type { Entry, Path, Table, Tree } from "../tree.ts";

/** A value as JSON has it. */
type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/**
 * One change to a configuration. Paths are those after the changes before it.
 *
 * - `rename`: the key at `path` becomes `to`, at the same place of its mapping.
 * - `set`: the value at `path` becomes `value`; mappings around it that are missing are made.
 * - `remove`: the key at `path` goes, with its value.
 * - `replace item`: the component id `from` in the list at `path` becomes `to`, or goes without a `to`.
 */
export type Edit =
  | { readonly do: "rename"; readonly path: Path; readonly to: string }
  | { readonly do: "set"; readonly path: Path; readonly value: Plain }
  | { readonly do: "remove"; readonly path: Path }
  | { readonly do: "replace item"; readonly path: Path; readonly from: string; readonly to?: string };

/** `root` after `edit`. What is new stands at `place`. A path that leads nowhere changes nothing. */
export function applyEdit(root: Table, edit: Edit, place: Place): Table {
  const changed = changeAt(root, edit.path, edit, place);
  return changed?.kind === "table" ? changed : root;
}

/** The value at `path` of `tree` changed; undefined when it is to go. */
function changeAt(tree: Tree | undefined, path: Path, edit: Edit, place: Place): Tree | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return changeHere(tree, edit, place);
  if (tree?.kind === "list" && typeof key === "number") {
    return {
      ...tree,
      items: tree.items.map((item, at) => (at === key ? (changeAt(item, rest, edit, place) ?? item) : item)),
    };
  }
  const isNothing = tree === undefined || (tree.kind === "scalar" && tree.value === null);
  if (isNothing && edit.do !== "set") return tree;
  const table = tree?.kind === "table" ? tree : isNothing ? treeOf({}, place) : undefined;
  if (table?.kind !== "table") return tree;
  return changeEntry(table, String(key), rest, edit, place);
}

function changeEntry(table: Table, key: string, rest: Path, edit: Edit, place: Place): Table {
  if (edit.do === "rename" && rest.length === 0) {
    const renamed = [...table.entries].map(([name, entry]): [string, Entry] => [name === key ? edit.to : name, entry]);
    return { ...table, entries: new Map(renamed) };
  }
  const before = table.entries.get(key);
  const isRemoved = edit.do === "remove" && rest.length === 0;
  const value = isRemoved ? undefined : changeAt(before?.value, rest, edit, place);
  const entries = new Map(table.entries);
  if (value === undefined) entries.delete(key);
  else entries.set(key, { keyPlace: before?.keyPlace ?? place, value });
  return { ...table, entries };
}

function changeHere(tree: Tree | undefined, edit: Edit, place: Place): Tree | undefined {
  if (edit.do === "set") return treeOf(edit.value, tree?.place ?? place, tree?.fromReference);
  if (edit.do !== "replace item" || tree?.kind !== "list") return tree;
  const items = tree.items.flatMap((item): Tree[] => {
    if (!isReferenceTo(item, edit.from)) return [item];
    return edit.to === undefined ? [] : [{ kind: "scalar", value: edit.to, place: item.place }];
  });
  return { ...tree, items };
}

/** Whether a list item names the component `id`. */
export function isReferenceTo(item: Tree, id: string): boolean {
  if (item.kind !== "scalar" || typeof item.value !== "string") return false;
  const parsed = parseId(item.value);
  return typeof parsed !== "string" && parsed.text === id;
}

function treeOf(value: Plain, place: Place, fromReference?: true): Tree {
  const placed = { place, ...(fromReference === true && { fromReference }) };
  if (typeof value !== "object" || value === null) return { kind: "scalar", value, ...placed };
  if (isList(value)) return { kind: "list", items: value.map((item) => treeOf(item, place, fromReference)), ...placed };
  const entries = Object.entries(value).map(([key, inner]): [string, Entry] => {
    return [key, { keyPlace: place, value: treeOf(inner, place, fromReference) }];
  });
  return { kind: "table", entries: new Map(entries), ...placed };
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}
