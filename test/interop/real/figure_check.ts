import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "./stage.ts";
import { isRequest, type SentSpan, sumTokens, tokensOf } from "./truth.ts";

interface Figure {
  readonly data: readonly {
    readonly x: readonly unknown[];
    readonly y: readonly unknown[];
    readonly marker?: unknown;
  }[];
  readonly layout: { readonly meta: Readonly<Record<string, unknown>> };
}

const names = ["dashboard", "input_against_output", "request_latency", "request_rate", "tokens_over_time"];

/** Each request, failed ones too, is a point of each figure, at its tokens and its time; totals are exact. */
export async function checkFigures(stage: Stage, truth: readonly SentSpan[]): Promise<string> {
  const requests = truth.filter(isRequest);
  const sums = sumTokens(requests);
  const failed = requests.filter(({ statusCode }) => statusCode === 2).length;
  const figures = new Map<string, Figure>();
  for (const name of names) {
    figures.set(name, JSON.parse(await readFile(join(stage.figureFolder, `${name}.json`), "utf8")));
    const { meta } = figures.get(name)?.layout ?? {};
    assert.deepEqual(
      [meta?.["requests"], meta?.["failed"], meta?.["input_tokens"], meta?.["output_tokens"], meta?.["thinned"]],
      [requests.length, failed, sums.input, sums.output, false],
      name,
    );
  }
  const first = (name: string) => figures.get(name)?.data[0];
  const milliseconds = requests.map(({ startNano, endNano }) => Number(endNano - startNano) / 1e6);
  assert.deepEqual(rounded(first("request_latency")?.x ?? []), rounded(milliseconds));

  const scatter = first("input_against_output");
  const { color } = (scatter?.marker ?? { color: [] }) as { readonly color: readonly number[] };
  const drawn = color.map((duration, place) => pointText(scatter?.x[place], scatter?.y[place], duration));
  const wanted = requests.map((span, place) => {
    const { input, output } = tokensOf(span);
    return pointText(input, output, milliseconds[place] ?? 0);
  });
  assert.deepEqual(drawn.sort(), wanted.sort());

  // Nanoseconds since the epoch do not fit a double: a time may be drawn a millisecond early.
  const times = requests.map(({ startNano }) => Number(startNano / 1_000_000n)).sort((a, b) => a - b);
  const drawnTimes = (first("tokens_over_time")?.x ?? []).map((time) => Date.parse(String(time))).sort((a, b) => a - b);
  assert.equal(drawnTimes.length, times.length);
  assert.ok(drawnTimes.every((time, place) => Math.abs(time - (times[place] ?? 0)) <= 1));
  assert.equal(first("request_rate")?.y.at(-1), requests.length);
  return `${requests.length} requests (${failed} failed), each a point in all four figures; totals ${sums.input} + ${sums.output}`;
}

/** A point of the scatter: where it is, and its colour, which is the latency. */
function pointText(input: unknown, output: unknown, milliseconds: number): string {
  return `${input} ${output} ${milliseconds.toFixed(3)}`;
}

function rounded(values: readonly unknown[]): string[] {
  return values.map((value) => Number(value).toFixed(3)).sort();
}
