import type { FieldPlace, GraphSnapshot, Revealed, SpanDetail } from "./wire/messages.ts";

/** A figure as it comes; what is in it is looked at with care. */
export interface FigureDocument {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

async function ask<T>(path: string, request?: RequestInit): Promise<T> {
  const response = await fetch(path, request);
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).trim()}`);
  return (await response.json()) as T;
}

function path(...parts: readonly string[]): string {
  return `/api/${parts.map(encodeURIComponent).join("/")}`;
}

/** @param query a part of the figure's time, as `rangeQuery` writes it; empty for all of it. */
export function fetchFigure(component: string, name: string, query: string): Promise<FigureDocument> {
  return ask(`${path("figures", component, name)}${query === "" ? "" : `?${query}`}`);
}

export function fetchGraph(component: string): Promise<GraphSnapshot> {
  return ask(path("graph", component));
}

export function fetchSpan(component: string, traceId: string, spanId: string): Promise<SpanDetail> {
  return ask(path("span", component, traceId, spanId));
}

/** Asks for the text of one masked attribute of one span. */
export function reveal(component: string, traceId: string, spanId: string, place: FieldPlace): Promise<Revealed> {
  return ask(path("span", component, traceId, spanId, "reveal"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(place),
  });
}
