import type { Place } from "./place.ts";
import { type Entry, type Path, plainOf, type Table, type Tree } from "./tree.ts";

/**
 * Lays `later` over `earlier`: mappings are merged key by key, everything else (lists, values, null) is replaced.
 * @see Collector: `confmap.Conf.Merge`.
 */
export function mergeTrees(earlier: Tree, later: Tree): Tree {
  return earlier.kind === "table" && later.kind === "table" ? mergeTables(earlier, later) : later;
}

/** `mergeTrees` of two mappings. A key that both have stands where `later` has it. */
export function mergeTables(earlier: Table, later: Table): Table {
  const entries = new Map(earlier.entries);
  for (const [key, entry] of later.entries) {
    const before = entries.get(key);
    entries.set(key, before === undefined ? entry : { ...entry, value: mergeTrees(before.value, entry.value) });
  }
  return { kind: "table", entries, place: later.place };
}

/**
 * `mergeTrees` with the feature gate `confmap.enableMergeAppendOption`: the lists of extensions, and of the receivers
 * and exporters of pipelines, are added to; what the earlier list has is left out of the later one.
 * @see Collector: `confmap/internal/merge.go`.
 */
export function mergeAppending(earlier: Tree, later: Tree): Tree {
  return mergeTrees(earlier, appended(earlier, later, []));
}

/** `later` with the lists of `earlier` at the start of its own, where lists are added to. */
function appended(earlier: Tree | undefined, later: Tree, path: Path): Tree {
  if (earlier?.kind === "list" && later.kind === "list" && isAddedTo(path)) {
    const known = new Set(earlier.items.map((item) => JSON.stringify(plainOf(item))));
    const more = later.items.filter((item) => !known.has(JSON.stringify(plainOf(item))));
    return { ...later, items: [...earlier.items, ...more] };
  }
  if (earlier?.kind !== "table" || later.kind !== "table") return later;
  const entries = [...later.entries].map(([key, entry]): [string, Entry] => {
    const before = earlier.entries.get(key)?.value;
    return [key, { ...entry, value: appended(before, entry.value, [...path, key]) }];
  });
  return { ...later, entries: new Map(entries) };
}

function isAddedTo(path: Path): boolean {
  const [section, ...rest] = path;
  if (section !== "service") return false;
  const last = rest.at(-1);
  return (
    (last === "extensions" && rest.length === 1) || (rest.length > 1 && (last === "receivers" || last === "exporters"))
  );
}

/** A mapping of one entry; a key such as `processors::batch::timeout` becomes mappings inside each other. */
export function splitKey(key: string, entry: Entry, place: Place): Table {
  const at = key.indexOf("::");
  if (at < 0) return { kind: "table", entries: new Map([[key, entry]]), place };
  const rest = splitKey(key.slice(at + 2), entry, place);
  return { kind: "table", entries: new Map([[key.slice(0, at), { keyPlace: entry.keyPlace, value: rest }]]), place };
}
