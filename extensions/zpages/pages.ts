import type { NodeView, PipelineView, ServiceView } from "../../pipeline/view.ts";
import { spansPage } from "./spans_page.ts";

/** What a cell shows: a text, a link, or several of these, one below the other or as a flow. */
export type Cell = string | Link | { readonly parts: readonly Cell[]; readonly isFlow?: boolean };

interface Link {
  readonly label: string;
  readonly to: string;
}

export interface Table {
  readonly name?: string;
  readonly columns?: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A page: what people see, and the same as data. */
export interface Page {
  readonly title: string;
  readonly tables: readonly Table[];
  readonly links?: readonly Link[];
  readonly data: unknown;
  /** Whether it has no other form than its data. */
  readonly isData?: boolean;
}

export interface PageContext {
  readonly service: ServiceView;
  readonly isExpvarOn: boolean;
}

type Maker = (context: PageContext, query: URLSearchParams) => Page | Promise<Page>;

const pages: Readonly<Record<string, Maker>> = {
  "/debug/servicez": ({ service }) => servicePage(service),
  "/debug/pipelinez": ({ service }, query) => pipelinesPage(service, query),
  "/debug/extensionz": ({ service }, query) => extensionsPage(service, query.get("zextensionname") ?? ""),
  "/debug/featurez": async ({ service }) => featuresPage(await service.featureGates()),
  "/debug/tracez": ({ service }, query) => spansPage(service.ownSpans(), query),
  "/debug/expvarz": () => variablesPage(),
};

/** The page at `path`, as in the Collector; undefined when there is none. @see Collector: `service/internal/graph`. */
export async function pageAt(path: string, query: URLSearchParams, context: PageContext): Promise<Page | undefined> {
  if (path === "/debug/expvarz" && !context.isExpvarOn) return undefined;
  return Object.hasOwn(pages, path) ? pages[path]?.(context, query) : undefined;
}

function servicePage({ command, version, startedUnixMs }: ServiceView): Page {
  const build = {
    Command: command,
    Description: "OpenTelemetry Collector for teams that run LLM inference",
    Version: version,
  };
  const runtime = {
    StartTimestamp: new Date(startedUnixMs).toISOString(),
    Node: process.version,
    OS: process.platform,
    Arch: process.arch,
  };
  return {
    title: `Service ${command}`,
    tables: [
      { name: "Build Info", rows: Object.entries(build) },
      { name: "Runtime Info", rows: Object.entries(runtime) },
    ],
    links: [
      { label: "Pipelines", to: "pipelinez" },
      { label: "Extensions", to: "extensionz" },
      { label: "Features", to: "featurez" },
      { label: "Traces", to: "tracez" },
    ],
    data: { build, runtime },
  };
}

function pipelinesPage(service: ServiceView, query: URLSearchParams): Page {
  const pipelines = service.pipelines();
  const [name, id, kind] = ["zpipelinename", "zcomponentname", "zcomponentkind"].map((key) => query.get(key) ?? "");
  const pipeline = pipelines.find((candidate) => candidate.id === name);
  const node = pipeline && service.nodes().find((candidate) => isNode(candidate, pipeline, id ?? "", kind ?? ""));
  return {
    title: "Pipelines",
    tables: [
      {
        columns: ["FullName", "InputType", "MutatesData", "Receivers", "Processors", "Exporters"],
        rows: pipelines.map((one) => [
          one.id,
          one.signal,
          "false", // batches are shared, never changed in place
          { parts: one.receivers.map((each) => componentLink(one.id, each, "receiver")) },
          { parts: one.processors.map((each) => componentLink(one.id, each, "processor")), isFlow: true },
          { parts: one.exporters.map((each) => componentLink(one.id, each, "exporter")) },
        ]),
      },
      ...(node === undefined ? [] : [booksTable(node)]),
    ],
    data: {
      pipelines: pipelines.map((one) => ({
        fullName: one.id,
        inputType: one.signal,
        mutatesData: false,
        receivers: one.receivers,
        processors: one.processors,
        exporters: one.exporters,
      })),
      ...(node !== undefined && { component: { pipeline: name, kind, id, items: booksOf(node) } }),
    },
  };
}

function componentLink(pipelineId: string, id: string, kind: string): Link {
  const query = new URLSearchParams({ zpipelinename: pipelineId, zcomponentname: id, zcomponentkind: kind });
  return { label: id, to: `?${query}` };
}

/** Whether a node is what `pipeline` names so; a connector stands among its receivers or exporters. */
function isNode(node: NodeView, pipeline: PipelineView, id: string, kind: string): boolean {
  if (node.id !== id || node.isRemoved) return false;
  if (node.kind === "processor") return kind === "processor" && node.pipelineId === pipeline.id;
  if (node.kind === "exporter") return kind === "exporter" && node.key.startsWith(`exporter:${pipeline.signal}:`);
  return node.kind === "connector" ? kind !== "processor" : kind === "receiver";
}

function booksOf({ books }: NodeView) {
  return {
    in: books.in,
    out: books.out,
    refused: books.refused,
    held: books.held,
    dropped: Object.fromEntries(books.dropped),
  };
}

function booksTable(node: NodeView): Table {
  const { dropped, ...counts } = booksOf(node);
  const drops = Object.entries(dropped).map(([reason, items]) => [`dropped: ${reason}`, String(items)]);
  const facts = node.facts().map(({ label, text }) => [label, text]);
  return {
    name: `${node.kind} ${node.id}`,
    rows: [...Object.entries(counts).map(([name, items]) => [name, String(items)]), ...drops, ...facts],
  };
}

function extensionsPage(service: ServiceView, chosen: string): Page {
  const ids = [...service.extensions()].sort();
  const isThere = ids.includes(chosen);
  return {
    title: "Extensions",
    tables: [
      { rows: ids.map((id) => [{ label: id, to: `?${new URLSearchParams({ zextensionname: id })}` }]) },
      ...(isThere ? [{ name: chosen, rows: [] }] : []),
    ],
    data: { extensions: ids },
  };
}

function featuresPage(gates: Awaited<ReturnType<ServiceView["featureGates"]>>): Page {
  return {
    title: "Feature Gates",
    tables: [
      {
        columns: ["ID", "Enabled", "Description", "Stage", "From Version", "To Version"],
        rows: gates.map(({ id, isEnabled, description, stage, from, to = "" }) => [
          id,
          String(isEnabled),
          description,
          stage,
          from,
          to,
        ]),
      },
    ],
    data: {
      features: gates.map(({ id, isEnabled, description, stage, from, to }) => ({
        id,
        enabled: isEnabled,
        description,
        stage,
        fromVersion: from,
        toVersion: to,
      })),
    },
  };
}

/** Go's names for what Node knows as well. */
function variablesPage(): Page {
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  const memstats = { Alloc: heapUsed, HeapAlloc: heapUsed, HeapSys: heapTotal, Sys: heapTotal + external, RSS: rss };
  return { title: "Variables", tables: [], data: { cmdline: process.argv, memstats }, isData: true };
}
