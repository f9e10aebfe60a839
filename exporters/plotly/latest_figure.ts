import type { Figure } from "../../pipeline/board.ts";
import { figureJson, type PlotlyFigure } from "./figure.ts";

/** A published figure: drawn and written out when it is first asked for after a change. */
export class LatestFigure implements Figure {
  readonly name: string;
  readonly title: string;
  #version = 0;
  #draw: () => PlotlyFigure;
  #json: Buffer | undefined;

  constructor(name: string, title: string, draw: () => PlotlyFigure) {
    this.name = name;
    this.title = title;
    this.#draw = draw;
  }

  get version(): number {
    return this.#version;
  }

  update(draw: () => PlotlyFigure): void {
    this.#version++;
    this.#draw = draw;
    this.#json = undefined;
  }

  json(): Buffer {
    this.#json ??= figureJson(this.#draw());
    return this.#json;
  }
}
