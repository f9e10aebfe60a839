import { count, gap, rate } from "../../pipeline/number_text.ts";
import { el, svg, visible } from "../dom.ts";
import { dropsOf, dropText, factsOf } from "./draw.ts";
import { thinnestBand } from "./layout.ts";
import { type FlowModel, type FlowNode, type FlowPipeline, total } from "./model.ts";

const rowHeight = 51;
const railWidth = 20;

/** The flow as a vertical list, the band as a rail beside it: for narrow pages and for many components. */
export function drawList(model: FlowModel, troubled: string | undefined): HTMLElement {
  const busiest = Math.max(0, ...model.pipelines.flatMap((pipeline) => pipeline.links.map((link) => link.rate)));
  const scale = busiest > 0 ? railWidth / busiest : 0;
  return el(
    "div",
    { class: "flow-list" },
    ...model.pipelines.map((pipeline) => drawPipeline(pipeline, scale, troubled)),
  );
}

function drawPipeline(pipeline: FlowPipeline, scale: number, troubled: string | undefined): HTMLElement {
  const { links } = pipeline;
  const receivers = [...new Set(links.map((link) => link.from))].filter((node) => node.kind === "receiver");
  const ends = [...new Set(links.map((link) => link.to))].filter((node) => node.kind !== "processor");
  const stops = [...receivers, ...pipeline.line, ...ends];
  return el(
    "section",
    { "aria-label": `Pipeline ${visible(pipeline.id)}` },
    el("h2", { class: "flow-list-head" }, el("span", {}, visible(pipeline.id)), el("span", {}, "items per second")),
    el(
      "ol",
      {},
      ...stops.map((node, index) => drawStop(node, pipeline, scale, troubled, index === 0, index === stops.length - 1)),
    ),
  );
}

function drawStop(
  node: FlowNode,
  pipeline: FlowPipeline,
  scale: number,
  troubled: string | undefined,
  first: boolean,
  last: boolean,
) {
  const sum = (links: FlowPipeline["links"]) => links.reduce((most, link) => Math.max(most, link.rate), 0);
  const arriving = pipeline.links.filter((link) => link.to === node);
  const leaving = pipeline.links.filter((link) => link.from === node);
  const speed = node.kind === "receiver" ? sum(leaving) : sum(arriving);
  const passed = last || leaving.length === 0 ? speed : sum(leaving);
  const drop = dropsOf(node).sort((one, other) => other.rate - one.rate)[0];
  const facts = factsOf(node).slice(0, 2).join(", ");
  const items = total(node, (part) => part.in);
  const trouble = node.parts.some((part) => part.key === troubled);
  return el(
    "li",
    { class: trouble ? "stop troubled" : "stop" },
    rail(first ? 0 : speed * scale, last ? 0 : passed * scale, first, last),
    el("span", { class: "id" }, visible(node.id)),
    el("span", { class: "speed" }, `${rate(speed)}${gap}/s`),
    el("span", { class: "fact" }, facts || `${count(items)} in`),
    el("span", { class: drop?.lost === true ? "drop lost" : "drop" }, drop === undefined ? "" : dropText(drop)),
  );
}

function rail(above: number, below: number, first: boolean, last: boolean): SVGElement {
  const half = rowHeight / 2;
  const line = (y: number, width: number) =>
    svg("rect", {
      x: 17 - Math.max(thinnestBand, width) / 2,
      y,
      width: Math.max(thinnestBand, width),
      height: half,
      class: "rail",
    });
  return svg(
    "svg",
    { width: 34, height: rowHeight, "aria-hidden": "true" },
    first ? undefined : line(0, above),
    last ? undefined : line(half, below),
    svg("circle", { cx: 17, cy: half, r: 6, class: "stop-mark" }),
  );
}
