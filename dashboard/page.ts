import { byId, setText, visible } from "./dom.ts";
import { FigureBoard } from "./figures/board.ts";
import { FlowPanel } from "./flow/panel.ts";
import { loadFonts } from "./fonts.ts";
import { GraphPanel } from "./graph/panel.ts";
import { startKeys } from "./keys.ts";
import { RangeControl, rangeQuery } from "./range.ts";
import { showSentence } from "./sentence.ts";
import { Stream } from "./stream.ts";
import { startTheme } from "./theme.ts";
import { toggleTwins } from "./twin.ts";
import type { Tick } from "./wire/messages.ts";

void loadFonts();

const flow = new FlowPanel();
const figures = new FigureBoard();
const graph = new GraphPanel();

startTheme(() => {
  figures.restyle();
  graph.restyle();
});

const range = new RangeControl(() => {
  if (stream.latest !== undefined) void figures.show(stream.latest, rangeQuery(range.chosen));
});

let opened = false;

const stream = new Stream((tick: Tick) => {
  setText(byId("config"), visible(tick.configSources.join(", ")));
  showSentence(tick);
  flow.show(tick);
  range.show(tick);
  void figures.show(tick, rangeQuery(range.chosen));
  void graph.show(tick.graph).then(() => {
    if (!opened && tick.graph !== undefined) openLinked();
  });
});

/** A link from a chat names a span: it is opened once, when there is a graph to ask. */
function openLinked(): void {
  opened = true;
  const named = /^#span=([^/]+)\/([^/]+)$/.exec(location.hash);
  if (named?.[1] !== undefined && named[2] !== undefined) {
    void graph.open(decodeURIComponent(named[1]), decodeURIComponent(named[2]));
  }
}

startKeys([
  { key: "v", does: "picture or table of the panel you are at, or of all", run: toggleTwins },
  { key: "e", does: "next failed span", run: () => graph.nextError() },
  { key: "h", does: "parent of the open span", run: () => graph.parent() },
  { key: "j", does: "next span", run: () => graph.move(1) },
  { key: "k", does: "span before", run: () => graph.move(-1) },
  { key: "m", does: "show or hide the texts of the open span", run: () => graph.showText() },
  { key: "y", does: "copy the id of the open span's trace", run: () => graph.copyId() },
  { key: "b", does: "the component the sentence is about", run: () => flow.showTrouble() },
  { key: "[", does: "figures one range earlier", run: () => range.step(-1) },
  { key: "]", does: "figures one range later", run: () => range.step(1) },
  { key: "p", does: "hold the page, or let it go on", run: () => stream.hold() },
  { key: "Escape", does: "close the span", run: () => graph.close() },
]);
