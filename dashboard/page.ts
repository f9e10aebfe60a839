import { byId, setText, visible } from "./dom.ts";
import { FigureBoard } from "./figures/board.ts";
import { FlowPanel } from "./flow/panel.ts";
import { loadFonts } from "./fonts.ts";
import { GraphPanel } from "./graph/panel.ts";
import { startKeys } from "./keys.ts";
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

let opened = false;

const stream = new Stream((tick: Tick) => {
  setText(byId("config"), visible(tick.configSources.join(", ")));
  showSentence(tick);
  flow.show(tick);
  void figures.show(tick);
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
  { key: "p", does: "hold the page, or let it go on", run: () => stream.hold() },
  { key: "Escape", does: "close the span", run: () => graph.close() },
]);
