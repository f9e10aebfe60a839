import { count, gap, rate } from "../../pipeline/number_text.ts";
import { cutMiddle, svg, visible } from "../dom.ts";
import type { DropState } from "../wire/messages.ts";
import { type Band, type Box, type Layout, thinnestBand } from "./layout.ts";
import { type FlowNode, total } from "./model.ts";

const idWidth = 7.25;
const factWidth = 5.75;

/** As wide as its id or its fact, whichever is longer. */
export function boxWidth(node: FlowNode): number {
  const fact = node.kind === "receiver" ? "" : factsOf(node).slice(0, 1).join("");
  const text = Math.max(Math.min(node.id.length, 24) * idWidth, Math.min(fact.length, 30) * factWidth);
  return Math.max(88, Math.round(text) + 22);
}

/** What a component says about itself, then what its books say and it did not. */
export function factsOf(node: FlowNode): string[] {
  const refused = total(node, (part) => part.refusedRate);
  const held = total(node, (part) => part.held);
  const facts = node.parts.flatMap((part) => part.facts.map(factText));
  const distinct = [...new Set(facts)];
  if (refused > 0) distinct.unshift(`refuses ${rate(refused)}${gap}/s`);
  if (held > 0 && node.kind === "processor" && distinct.length === 0) distinct.push(`holds ${count(held)}`);
  return distinct;
}

/** A number goes before its word: `4 figures`, but `queue 0 %`. */
function factText({ label, text }: { readonly label: string; readonly text: string }): string {
  if (/^\d+$/.test(text)) return `${count(Number(text))} ${visible(label)}`;
  return `${visible(label)} ${visible(text)}`.trim();
}

/** Everything that left here without being delivered, by reason. */
export function dropsOf(node: FlowNode): DropState[] {
  return node.parts.flatMap((part) => part.dropped).filter((drop) => drop.items > 0);
}

/** `759 /s sampled out`. */
export function dropText(drop: DropState): string {
  const reason = visible(drop.reason).replaceAll("_", " ");
  return drop.rate > 0 ? `${rate(drop.rate)}${gap}/s ${reason}` : `${count(drop.items)} ${reason}`;
}

/** The picture: bands first, boxes over them. `troubled` is the key of the component the sentence is about. */
export function drawFlow(layout: Layout, troubled: string | undefined, summary: string): SVGElement {
  const { width, height } = layout;
  return svg(
    "svg",
    { class: "flow-picture", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": summary },
    ...layout.bands.map((band) => svg("path", { d: curve(band), class: "band", "stroke-width": band.width })),
    ...layout.boxes.flatMap((box) => drawDrops(box, layout)),
    ...layout.bands.filter((band) => band.labelled).flatMap(drawNumbers),
    ...layout.boxes.map((box) =>
      drawBox(
        box,
        box.node.parts.some((part) => part.key === troubled),
      ),
    ),
  );
}

function curve({ x1, y1, x2, y2 }: Band): string {
  if (Math.abs(y1 - y2) < 0.5) return `M${x1} ${y1}H${x2}`;
  // Straight along its own row, then over: a long band does not cut through the boxes between.
  const turn = Math.max(x1, x2 - 110);
  const middle = (turn + x2) / 2;
  return `M${x1} ${y1}H${turn}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

const units = new Map([
  ["metrics", "points"],
  ["logs", "records"],
]);

function drawNumbers(band: Band): SVGElement[] {
  const { link, x1, x2, y1, y2 } = band;
  const straight = Math.abs(y1 - y2) < 0.5;
  const middle = (x1 + x2) / 2;
  const half = Math.max(4, band.width / 2);
  const unit = link.from.kind === "receiver" ? units.get(link.signal) : undefined;
  const speed = `${rate(link.rate)}${unit === undefined ? "" : ` ${unit}`}${gap}/s`;
  if (!straight) {
    // Over the trunk, where its branches have not parted yet.
    return [svg("text", { x: x1 + Math.min(36, (x2 - x1) / 2), y: y1 - half - 5, class: "speed" }, speed)];
  }
  // Where something turns down into a short band there is no room below it; the table has the count.
  const isCrowded = x2 - x1 < 80 && dropsOf(link.from).length > 0;
  return [
    svg("text", { x: middle, y: y1 - half - 5, class: "speed" }, speed),
    ...(isCrowded ? [] : [svg("text", { x: middle, y: y1 + half + 12, class: "items" }, count(link.items))]),
  ];
}

/** What leaves turns down out of the band: dashed grey when a setting dropped it, red when it was lost. */
function drawDrops(box: Box, { bandScale }: Layout): SVGElement[] {
  return dropsOf(box.node).flatMap((drop, index) => {
    const width = Math.max(thinnestBand + 0.5, drop.rate * bandScale);
    const atExporter = box.node.kind === "exporter";
    const x = (atExporter ? box.x - 30 : box.x + box.width) + index * 30;
    const middle = box.y + box.height / 2;
    const y = middle + width / 2 + 2;
    const down = `M${x} ${y}h4q10 0 10 10V${middle + 31}`;
    const style = drop.lost ? "drop lost" : "drop";
    const label = {
      x: x + (atExporter ? 6 : 18 + width / 2),
      y: middle + 31,
      class: `${style} label`,
      "text-anchor": atExporter ? "end" : "start",
    };
    return [svg("path", { d: down, class: style, "stroke-width": width }), svg("text", label, dropText(drop))];
  });
}

function drawBox(box: Box, troubled: boolean): SVGElement {
  const { x, y, width, height, node } = box;
  const facts = factsOf(node);
  const id = cutMiddle(visible(node.id), Math.floor((width - 20) / idWidth));
  const inside: SVGElement[] = [svg("rect", { x, y, width, height, rx: 5, class: troubled ? "box troubled" : "box" })];
  if (node.kind === "receiver") {
    inside.push(svg("text", { x: x + 9, y: y + 17, class: "id" }, id));
    const at = freeHeight(box);
    facts.slice(0, 2).forEach((fact, line) => {
      inside.push(
        svg(
          "text",
          { x: x + 9, y: at + line * 14, class: "fact" },
          cutMiddle(fact, Math.floor((width - 16) / factWidth)),
        ),
      );
    });
    for (const port of box.ports.filter(({ label }) => label !== "")) {
      inside.push(svg("text", { x: x + width - 8, y: port.y + 4, class: "port" }, cutMiddle(visible(port.label), 18)));
    }
  } else if (node.kind === "exporter") {
    const room = Math.floor((width - 34 - id.length * idWidth) / factWidth);
    inside.push(svg("text", { x: x + 9, y: y + height / 2 + 4, class: "id" }, id));
    inside.push(svg("text", { x: x + width - 9, y: y + height / 2 + 4, class: "fact end" }, fitting(facts, room)));
  } else {
    const [fact] = facts;
    inside.push(svg("text", { x: x + 9, y: y + (fact === undefined ? height / 2 + 4 : 17), class: "id" }, id));
    if (fact !== undefined)
      inside.push(
        svg("text", { x: x + 9, y: y + 31, class: "fact" }, cutMiddle(fact, Math.floor((width - 16) / factWidth))),
      );
  }
  return svg("g", {}, svg("title", {}, [visible(node.id), ...facts].join("\n")), ...inside);
}

/** As many facts as there is room for, whole; all of them are in the box's title. */
function fitting(facts: readonly string[], room: number): string {
  const shown = facts.map((_, index) => facts.slice(0, facts.length - index).join(", "));
  return shown.find((text) => text.length <= room) ?? "";
}

/** Where two lines of facts fit in a receiver's box without meeting a port's name. */
function freeHeight(box: Box): number {
  const taken = [
    box.y + 12,
    ...box.ports.filter(({ label }) => label !== "").map((port) => port.y),
    box.y + box.height,
  ];
  let best = { from: box.y + 18, room: 0 };
  for (let index = 1; index < taken.length; index++) {
    const from = taken[index - 1] ?? 0;
    const room = (taken[index] ?? 0) - from;
    if (room > best.room) best = { from, room };
  }
  return best.from + best.room / 2 - 2;
}
