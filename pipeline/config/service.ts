import { type Signal, signals } from "../pdata/signal.ts";
import { decode } from "./decode.ts";
import { parseId, parsePipelineId } from "./ids.ts";
import type { Place } from "./place.ts";
import type { Problem } from "./problem.ts";
import { own, z } from "./schema.ts";
import { didYouMean } from "./suggest.ts";
import { type TelemetryConfig, telemetryConfig } from "./telemetry.ts";
import { type Path, type Table, type Tree, treeAt } from "./tree.ts";

/** An id where a pipeline or the list of extensions names it. */
export interface Reference {
  readonly id: string;
  readonly place: Place;
}

/** A pipeline as written: what it names may not exist. */
export interface PipelineDraft {
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly Reference[];
  readonly processors: readonly Reference[];
  readonly exporters: readonly Reference[];
  readonly place: Place;
}

/** The service section as written. */
export interface ServiceDraft {
  readonly extensions: readonly Reference[];
  readonly pipelines: readonly PipelineDraft[];
  /** Undefined when it is wrong, which was reported. */
  readonly telemetry: TelemetryConfig | undefined;
  readonly workers: Workers;
  /** The section as written, without defaults. */
  readonly settings: unknown;
  /** Where to say that something is missing. */
  readonly place: Place;
  /** False when its lists may be incomplete because something in them is wrong. */
  readonly readable: boolean;
}

const ids = z.array(z.string()).default([]);

const pipelineConfig = z.strictObject({
  receivers: ids.describe("Receivers, or connectors that other pipelines export to."),
  processors: ids.describe("Processors, in the order data passes them."),
  exporters: ids.describe("Exporters, or connectors that other pipelines receive from."),
});

/** How many threads receive, process and export, each for itself: `auto` is one for each core. */
export type Workers = number | "auto";

/** More threads than any machine has a use for. */
const mostWorkers = 256;

/** The `service` section. */
export const serviceConfig = z.strictObject({
  telemetry: telemetryConfig.prefault({}).describe("What otelpipe says of itself."),
  extensions: ids.describe("Extensions to run."),
  workers: own(z.union([z.int().min(1).max(mostWorkers), z.literal("auto")]))
    .optional()
    .describe(
      "Threads that each have their own listeners, pipelines and exporters; auto is one for each core, 1 when not given. What cannot be divided runs once. Not a setting of the Collector's.",
    ),
  pipelines: z
    .record(z.string(), pipelineConfig.prefault({}))
    .default({})
    .describe("Pipelines by `signal` or `signal/name`: what receives, processes and exports."),
});

/** Reads `service`: ids are parsed, nothing is looked up yet. */
export function readService(root: Table, problems: Problem[]): ServiceDraft {
  const entry = root.entries.get("service");
  const place = entry?.keyPlace ?? { ...root.place, end: root.place.start };
  const isAbsent = entry === undefined || (entry.value.kind === "scalar" && entry.value.value === null);
  const tree: Tree = isAbsent ? { kind: "table", entries: new Map(), place } : entry.value;
  const decoded = decode(serviceConfig, tree, { path: ["service"], name: "service" });
  problems.push(...decoded.problems);
  return {
    extensions: readReferences(tree, ["extensions"], problems),
    pipelines: readPipelines(tree, problems),
    telemetry: decoded.value?.telemetry,
    workers: decoded.value?.workers ?? 1,
    settings: decoded.settings,
    place,
    readable: decoded.problems.length === 0,
  };
}

function readPipelines(service: Tree, problems: Problem[]): readonly PipelineDraft[] {
  const pipelines = treeAt(service, ["pipelines"]);
  if (pipelines?.kind !== "table") return [];
  const drafts = new Map<string, PipelineDraft>();
  for (const [key, { keyPlace: place }] of pipelines.entries) {
    const id = parsePipelineId(key);
    const path = ["service", "pipelines"];
    if (typeof id === "string") {
      problems.push({ place, path, message: id, ...didYouMean(key.split("/")[0] ?? "", signals) });
    } else if (drafts.has(id.text)) {
      problems.push({ place, path, message: `duplicate id ${JSON.stringify(id.text)}` });
    } else {
      const read = (list: string) => readReferences(service, ["pipelines", key, list], problems);
      const [receivers, processors, exporters] = [read("receivers"), read("processors"), read("exporters")];
      drafts.set(id.text, { id: id.text, signal: id.signal, receivers, processors, exporters, place });
    }
  }
  return [...drafts.values()];
}

/** The ids of the list at `path` of the service; what is no text was reported when it was decoded. */
function readReferences(service: Tree, path: Path, problems: Problem[]): readonly Reference[] {
  const list = treeAt(service, path);
  if (list?.kind !== "list") return [];
  return list.items.flatMap((item) => {
    const text = item.raw ?? (item.kind === "scalar" && typeof item.value === "string" ? item.value : undefined);
    if (text === undefined) return [];
    const id = parseId(text);
    if (typeof id !== "string") return [{ id: id.text, place: item.place }];
    problems.push({ place: item.place, path: ["service", ...path], message: id });
    return [];
  });
}
