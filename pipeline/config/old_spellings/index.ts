import { placeText } from "../problem.ts";
import type { Table } from "../tree.ts";
import {
  ballastExtensions,
  jaegerExporters,
  loggingExporters,
  lokiExporters,
  type OldSpelling,
  queuedRetryProcessors,
} from "./components.ts";
import { applyEdit, type Edit } from "./edit.ts";
import { oldReferences } from "./references.ts";
import { metricsAddress } from "./telemetry.ts";

/** A configuration in today's spelling. */
export interface Modernized {
  readonly root: Table;
  /** One sentence, with its place, for each old spelling. */
  readonly warnings: readonly string[];
  /** What was done, in this order: the same on a document of the `yaml` library rewrites a file. */
  readonly edits: readonly Edit[];
}

/** What is looked for in a configuration as it is written. */
const beforeExpansion = [oldReferences];

/** What is looked for once `${…}` has been replaced. The processor goes first to where exporters are renamed later. */
const afterExpansion = [
  loggingExporters,
  jaegerExporters,
  lokiExporters,
  queuedRetryProcessors,
  ballastExtensions,
  metricsAddress,
];

/** Old references in `root`, which is not expanded yet, in today's spelling. */
export function modernizeReferences(root: Table): Modernized {
  return modernize(root, beforeExpansion);
}

/** Old components and settings in `root` in today's spelling. */
export function modernizeComponents(root: Table): Modernized {
  return modernize(root, afterExpansion);
}

function modernize(root: Table, rules: readonly ((root: Table) => readonly OldSpelling[])[]): Modernized {
  const warnings: string[] = [];
  const edits: Edit[] = [];
  let today = root;
  for (const rule of rules) {
    for (const { place, message, edits: own } of rule(today)) {
      warnings.push(`${placeText(place)}: ${message}`);
      edits.push(...own);
      today = own.reduce((changed, edit) => applyEdit(changed, edit, place), today);
    }
  }
  return { root: today, warnings, edits };
}
