import type { Section } from "../../registry.ts";
import { parseId } from "../ids.ts";
import type { Place } from "../place.ts";
import { type Path, type Table, type Tree, treeAt } from "../tree.ts";
import { type Edit, isReferenceTo } from "./edit.ts";

/** Something written as an older Collector took it, and how to write it today. */
export interface OldSpelling {
  readonly place: Place;
  /** Lower case, one line: what it was and what to write. */
  readonly message: string;
  readonly edits: readonly Edit[];
}

/** A component of an old type. */
interface Old {
  readonly id: string;
  readonly name: string | undefined;
  readonly path: Path;
  readonly place: Place;
  readonly settings: Tree;
}

/** The components of a type that no longer exists, in the order they are written. */
function componentsOf(root: Table, section: Section, type: string): readonly Old[] {
  const table = treeAt(root, [section]);
  if (table?.kind !== "table") return [];
  return [...table.entries].flatMap(([key, { keyPlace: place, value: settings }]) => {
    const id = parseId(key);
    if (typeof id === "string" || id.type !== type) return [];
    return [{ id: id.text, name: id.name, path: [section, key], place, settings }];
  });
}

type List = "receivers" | "processors" | "exporters";

/** Pipelines that name the component `id` in their `list`, by their keys. */
function pipelinesWith(root: Table, list: List, id: string): readonly string[] {
  const pipelines = treeAt(root, ["service", "pipelines"]);
  if (pipelines?.kind !== "table") return [];
  return [...pipelines.entries.keys()].filter((key) => {
    const items = treeAt(pipelines, [key, list]);
    return items?.kind === "list" && items.items.some((item) => isReferenceTo(item, id));
  });
}

/** Exporters of type `from` as exporters of type `to`; `inside` says what else of their settings is to change. */
function exportersRenamed(
  root: Table,
  from: string,
  to: string,
  inside: (settings: Tree, path: Path) => readonly Edit[],
): readonly OldSpelling[] {
  return componentsOf(root, "exporters", from).map(({ id, name, path, place, settings }) => {
    const plain = name === undefined ? to : `${to}/${name}`;
    const isTaken = treeAt(root, ["exporters", plain]) !== undefined;
    const today = isTaken ? `${to}/${name === undefined ? from : `${from}_${name}`}` : plain;
    const references = pipelinesWith(root, "exporters", id).map(
      (key): Edit => ({ do: "replace item", path: ["service", "pipelines", key, "exporters"], from: id, to: today }),
    );
    return {
      place,
      message: `the exporter ${JSON.stringify(from)} no longer exists: write ${JSON.stringify(today)} for ${JSON.stringify(id)}`,
      edits: [...inside(settings, path), { do: "rename", path, to: today }, ...references],
    };
  });
}

function textAt(settings: Tree, key: string): string | undefined {
  const node = treeAt(settings, [key]);
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

const verbosities: Readonly<Record<string, string>> = {
  debug: "detailed",
  info: "normal",
  warn: "basic",
  error: "basic",
};

/** `logging`, by the name it has today; its older `loglevel` as a verbosity. */
export function loggingExporters(root: Table): readonly OldSpelling[] {
  return exportersRenamed(root, "logging", "debug", (settings, path) => {
    const verbosity = verbosities[textAt(settings, "loglevel")?.toLowerCase() ?? ""];
    if (verbosity === undefined) return [];
    return [
      { do: "remove", path: [...path, "loglevel"] },
      { do: "set", path: [...path, "verbosity"], value: verbosity },
    ];
  });
}

/** `jaeger`: Jaeger takes OTLP, on another port. */
export function jaegerExporters(root: Table): readonly OldSpelling[] {
  return exportersRenamed(root, "jaeger", "otlp_grpc", endingIn(/:14250$/, ":4317"));
}

/** `loki`: Loki takes OTLP, on another path; it makes the labels itself. */
export function lokiExporters(root: Table): readonly OldSpelling[] {
  const moved = endingIn(/\/loki\/api\/v1\/push\/?$/, "/otlp");
  return exportersRenamed(root, "loki", "otlp_http", (settings, path) => [
    ...moved(settings, path),
    ...(treeAt(settings, ["default_labels_enabled"]) === undefined
      ? []
      : [{ do: "remove", path: [...path, "default_labels_enabled"] } as const]),
  ]);
}

function endingIn(old: RegExp, today: string) {
  return (settings: Tree, path: Path): readonly Edit[] => {
    const endpoint = textAt(settings, "endpoint");
    if (endpoint === undefined || !old.test(endpoint)) return [];
    return [{ do: "set", path: [...path, "endpoint"], value: endpoint.replace(old, today) }];
  };
}

/** `memory_ballast`, which steered Go's garbage collector. */
export function ballastExtensions(root: Table): readonly OldSpelling[] {
  return componentsOf(root, "extensions", "memory_ballast").map(({ id, path, place }) => ({
    place,
    message: `the extension ${JSON.stringify(id)} no longer does anything: remove it`,
    edits: [
      { do: "remove", path },
      { do: "replace item", path: ["service", "extensions"], from: id },
    ],
  }));
}

/** Which setting of an exporter does what one of `queued_retry` did. */
const queuedRetryKeys: Readonly<Record<string, Path>> = {
  num_workers: ["sending_queue", "num_consumers"],
  queue_size: ["sending_queue", "queue_size"],
  retry_on_failure: ["retry_on_failure", "enabled"],
  backoff_delay: ["retry_on_failure", "initial_interval"],
};

/** `queued_retry`: exporters have a queue and try again themselves, so its settings move to those of its pipelines. */
export function queuedRetryProcessors(root: Table): readonly OldSpelling[] {
  return componentsOf(root, "processors", "queued_retry").map(({ id, path, place, settings }) => {
    const pipelines = pipelinesWith(root, "processors", id);
    const exporters = [...new Set(pipelines.flatMap((key) => queuedExporters(root, key)))];
    return {
      place,
      message: `the processor ${JSON.stringify(id)} no longer exists: write sending_queue and retry_on_failure at the exporter`,
      edits: [
        ...exporters.flatMap((key) => movedSettings(settings, root, ["exporters", key])),
        ...pipelines.map(
          (key): Edit => ({ do: "replace item", path: ["service", "pipelines", key, "processors"], from: id }),
        ),
        { do: "remove", path },
      ],
    };
  });
}

/** The keys of the exporters of a pipeline that have a queue. */
function queuedExporters(root: Table, pipeline: string): readonly string[] {
  const list = treeAt(root, ["service", "pipelines", pipeline, "exporters"]);
  const items = list?.kind === "list" ? list.items : [];
  return ["otlp", "otlp_grpc", "otlphttp", "otlp_http"]
    .flatMap((type) => componentsOf(root, "exporters", type))
    .filter(({ id }) => items.some((item) => isReferenceTo(item, id)))
    .map(({ path }) => String(path[1]));
}

/** What the exporter at `path` takes over; what it says itself stays. */
function movedSettings(settings: Tree, root: Table, path: Path): readonly Edit[] {
  return Object.entries(queuedRetryKeys).flatMap(([old, today]): Edit[] => {
    const node = treeAt(settings, [old]);
    if (node?.kind !== "scalar" || treeAt(root, [...path, ...today]) !== undefined) return [];
    return [{ do: "set", path: [...path, ...today], value: node.value }];
  });
}
