import type { Draft } from "./check.ts";
import type { Declared } from "./components.ts";
import type { Problem } from "./problem.ts";
import type { PipelineDraft } from "./service.ts";

/** A connector between two pipelines in a pair of signals it supports. */
interface Link {
  readonly connector: Declared;
  /** The pipeline that exports to the connector. */
  readonly from: PipelineDraft;
  /** The pipeline that receives from it. */
  readonly to: PipelineDraft;
}

/** What is wrong with the connectors that pipelines use: used on one side only, or going in circles. */
export function checkConnectors(draft: Draft): readonly Problem[] {
  const known = [...draft.declarations.connectors.values()].filter((connector) => connector.type !== undefined);
  const links = known.flatMap((connector) => linksOf(draft, connector));
  return [...known.flatMap((connector) => checkSides(draft, connector, links)), ...checkCycles(links)];
}

function exportingTo({ service }: Draft, { id }: Declared): readonly PipelineDraft[] {
  return service.pipelines.filter((pipeline) => pipeline.exporters.some((reference) => reference.id === id));
}

function receivingFrom({ service }: Draft, { id }: Declared): readonly PipelineDraft[] {
  return service.pipelines.filter((pipeline) => pipeline.receivers.some((reference) => reference.id === id));
}

function linksOf(draft: Draft, connector: Declared): readonly Link[] {
  const supported = draft.manifest.connectors[connector.type ?? ""]?.stability ?? {};
  return exportingTo(draft, connector).flatMap((from) =>
    receivingFrom(draft, connector)
      .filter((to) => Object.hasOwn(supported, `${from.signal}_to_${to.signal}`))
      .map((to) => ({ connector, from, to })),
  );
}

function checkSides(draft: Draft, connector: Declared, links: readonly Link[]): Problem[] {
  const own = links.filter((link) => link.connector === connector);
  const lonelyExporters = exportingTo(draft, connector).filter(
    (pipeline) => !own.some((link) => link.from === pipeline),
  );
  const lonelyReceivers = receivingFrom(draft, connector).filter(
    (pipeline) => !own.some((link) => link.to === pipeline),
  );
  const pairs = Object.keys(draft.manifest.connectors[connector.type ?? ""]?.stability ?? {});
  const shared = {
    place: connector.place,
    path: ["connectors", connector.id],
    notes: [`${connector.type} joins: ${pairs.map((pair) => pair.replaceAll("_", " ")).join(", ")}`],
  };
  const one = (side: string, other: string, pipelines: readonly PipelineDraft[]) =>
    `connector ${JSON.stringify(connector.id)} used as ${side} in [${pipelines.map(({ id }) => id).join(" ")}] pipeline` +
    ` but not used in any supported ${other} pipeline`;
  return [
    ...(lonelyExporters.length > 0 ? [{ ...shared, message: one("exporter", "receiver", lonelyExporters) }] : []),
    ...(lonelyReceivers.length > 0 ? [{ ...shared, message: one("receiver", "exporter", lonelyReceivers) }] : []),
  ];
}

/** One problem per cycle: pipelines that feed themselves through connectors. */
function checkCycles(links: readonly Link[]): readonly Problem[] {
  const problems: Problem[] = [];
  const finished = new Set<PipelineDraft>();
  const visit = (pipeline: PipelineDraft, way: readonly Link[]): void => {
    const start = way.findIndex((link) => link.from === pipeline);
    if (start >= 0) {
      problems.push(cycleProblem(way.slice(start)));
      return;
    }
    if (finished.has(pipeline)) return;
    for (const link of links.filter((candidate) => candidate.from === pipeline)) visit(link.to, [...way, link]);
    finished.add(pipeline);
  };
  for (const { from } of links) visit(from, []);
  return problems;
}

function cycleProblem(cycle: readonly Link[]): Problem {
  const [first, ...others] = cycle;
  if (first === undefined) throw new Error("a cycle has at least one link");
  const steps = [...others, first].flatMap((link) => [...processorTexts(link.from), linkText(link)]);
  return {
    place: first.connector.place,
    path: ["connectors", first.connector.id],
    message: `cycle detected: ${[linkText(first), ...steps].join(" -> ")}`,
  };
}

function processorTexts({ id: pipelineId, processors }: PipelineDraft): readonly string[] {
  return processors.map(({ id }) => `processor ${JSON.stringify(id)} in pipeline ${JSON.stringify(pipelineId)}`);
}

function linkText({ connector, from, to }: Link): string {
  return `connector ${JSON.stringify(connector.id)} (${from.signal} to ${to.signal})`;
}
