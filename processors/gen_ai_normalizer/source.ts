import type { Draft } from "../../pipeline/attributes_actions/draft.ts";
import type { TypedValue } from "../../pipeline/attributes_actions/typed_value.ts";
import type { Span } from "../../pipeline/pdata/index.ts";
import { coerce } from "./coerce.ts";
import type { MappingTable, Values } from "./tables.ts";

export interface SourceSettings {
  readonly removeOriginals: boolean;
  readonly overwrite: boolean;
}

/** The normalisation of one source convention, compiled. Each function says whether it changed anything. */
export interface Source {
  readonly name: string;
  normalizeSpan(draft: Draft, span: Span): boolean;
  normalizeEvent(draft: Draft): boolean;
}

/** Makes a source from its table: every mapped attribute that is there is written under its new name. */
export function tableSource(name: string, table: MappingTable, settings: SourceSettings, draft: Draft): Source {
  const rename = renamer(table, settings, draft);
  return { name, normalizeSpan: rename, normalizeEvent: rename };
}

/** Compiles a table. What exists already stays, unless `overwrite`; what cannot have the target's type is left alone. */
export function renamer(table: MappingTable, settings: SourceSettings, draft: Draft): (draft: Draft) => boolean {
  const rules = Object.entries(table.mappings).map(([from, target]) => ({
    from: draft.slot(from),
    to: draft.slot(target),
    target,
    spell: speller(table.values[target], table.lowerCase?.includes(target) === true),
  }));
  const respell = respeller(table, draft);
  return (of) => {
    let changed = respell(of);
    for (const { from, to, target, spell } of rules) {
      if (!of.has(from) || (of.has(to) && !settings.overwrite)) continue;
      const value = spell(coerce(target, of.read(from) ?? null));
      if (value === undefined) continue;
      of.set(to, value);
      if (settings.removeOriginals) of.delete(from);
      changed = true;
    }
    return changed;
  };
}

type Speller = (value: TypedValue | undefined) => TypedValue | undefined;

/** Puts the words of the conventions for the words of the source; undefined when there is nothing to write. */
function speller(values: Values | undefined, lowerCase: boolean): Speller {
  const words = new Map(Object.entries(values ?? {}).map(([word, meant]) => [word.toLowerCase(), meant]));
  return (value) => {
    if (typeof value !== "string") return value;
    const lower = value.toLowerCase();
    const meant = words.get(lower);
    if (meant !== undefined) return meant ?? undefined;
    return lowerCase ? lower : value;
  };
}

function respeller({ respelled = {} }: MappingTable, draft: Draft): (draft: Draft) => boolean {
  const rules = Object.entries(respelled).map(([name, values]) => ({
    slot: draft.slot(name),
    spell: speller(values, false),
  }));
  return (of) => {
    let changed = false;
    for (const { slot, spell } of rules) {
      const present = of.read(slot);
      const spelled = spell(present);
      if (spelled === undefined || spelled === present) continue;
      of.set(slot, spelled);
      changed = true;
    }
    return changed;
  };
}
