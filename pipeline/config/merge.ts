import type { Place } from "./place.ts";
import type { Entry, Table, Tree } from "./tree.ts";

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

/** A mapping of one entry; a key such as `processors::batch::timeout` becomes mappings inside each other. */
export function splitKey(key: string, entry: Entry, place: Place): Table {
  const at = key.indexOf("::");
  if (at < 0) return { kind: "table", entries: new Map([[key, entry]]), place };
  const rest = splitKey(key.slice(at + 2), entry, place);
  return { kind: "table", entries: new Map([[key.slice(0, at), { keyPlace: entry.keyPlace, value: rest }]]), place };
}
