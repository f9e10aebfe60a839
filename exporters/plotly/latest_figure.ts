import type { Figure, TimeRange } from "../../pipeline/board.ts";
import { figureJson, type PlotlyFigure } from "./figure.ts";

/** How a figure is drawn: all of it, and a part of its time. */
export interface Drawing {
  whole(): PlotlyFigure;
  part(range: TimeRange): PlotlyFigure | Promise<PlotlyFigure>;
}

/** A published figure: drawn and written out when it is first asked for after a change. */
export class LatestFigure implements Figure {
  readonly name: string;
  readonly title: string;
  readonly windowMs?: number;
  #version = 0;
  #drawing: Drawing;
  #json: Buffer | undefined;

  /** @param windowMs how far back it looks, when that does not change. */
  constructor(name: string, title: string, drawing: Drawing, windowMs?: number) {
    this.name = name;
    this.title = title;
    this.#drawing = drawing;
    if (windowMs !== undefined) this.windowMs = windowMs;
  }

  get version(): number {
    return this.#version;
  }

  update(drawing: Drawing): void {
    this.#version++;
    this.#drawing = drawing;
    this.#json = undefined;
  }

  json(): Buffer {
    this.#json ??= figureJson(this.#drawing.whole());
    return this.#json;
  }

  async jsonOf(range: TimeRange): Promise<Buffer> {
    return figureJson(await this.#drawing.part(range));
  }
}
