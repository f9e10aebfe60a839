import assert from "node:assert/strict";
import type { Exporter, ExporterDefinition } from "../../../pipeline/component.ts";
import { parseDuration } from "../../../pipeline/config/duration.ts";
import type { Pdata, Signal } from "../../../pipeline/pdata/index.ts";
import { cleanup } from "../../support/otlp_backends.ts";
import { batches } from "../../support/otlp_batches.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";
import { eventually, turns } from "../../support/turns.ts";

const retryLine = "Exporting failed. Will retry the request after interval.";

/**
 * A real exporter with its standard retries, on real sockets but in simulated time: between attempts it waits until the
 * test lets time pass. Attempts have no time limit, which would be simulated as well.
 */
export async function client(definition: ExporterDefinition, settings: object, signal: Signal = "traces") {
  const host = simulatedHost({ id: definition.type, signal });
  const config = definition.config.parse({ sending_queue: { enabled: false }, timeout: "0s", ...settings });
  const exporter = definition[signal]?.(config, host as never) as Exporter<Pdata>;
  await exporter.start?.();
  cleanup.push(() => exporter.stop?.());
  /** The waits between attempts that were announced so far, in milliseconds, rounded up. */
  const waits = (): number[] =>
    host.logs.flatMap(({ message, fields }) =>
      message === retryLine ? [Math.ceil(parseDuration(String(fields["interval"])) ?? Number.NaN)] : [],
    );
  const consume = (data: Pdata = batches[signal]) => {
    const { delivery, answers } = recordedDelivery(data);
    exporter.consume(delivery);
    return answers;
  };
  /** Hands a batch over; resolves when it is answered, or waits for its next attempt. */
  const send = async (data?: Pdata): Promise<"taken" | "dropped" | "waits"> => {
    const before = waits().length;
    const answers = consume(data);
    await eventually(() => answers.length > 0 || waits().length > before);
    const [answer] = answers;
    if (answer === undefined) return "waits";
    return answer === "ack" ? "taken" : "dropped";
  };
  return { host, exporter, consume, send, waits };
}

type Client = Awaited<ReturnType<typeof client>>;

/** The exporter has been told to come back after `delayMs`: asserts that it does so then, and not before. */
export async function comesBackAfter(delayMs: number, { host, waits }: Client, requests: () => number): Promise<void> {
  assert.deepEqual(waits(), [delayMs]);
  const before = requests();
  host.advance(delayMs - 1);
  await turns();
  assert.equal(requests(), before);
  host.advance(1);
  await eventually(() => requests() > before);
}

/**
 * The exporter is being refused, for now, again and again: asserts that it waits 5 seconds at first, half as long again
 * each time, 30 seconds at most, each give or take a random half.
 */
export async function assertBackoff({ host, waits }: Client): Promise<void> {
  for (let attempt = 0, interval = 5000; attempt < 8; attempt++, interval = Math.min(interval * 1.5, 30_000)) {
    await eventually(() => waits().length > attempt);
    const wait = waits()[attempt] ?? 0;
    assert.ok(wait >= interval / 2 && wait <= interval * 1.5, `wait ${attempt}: ${wait} ms, around ${interval}`);
    host.advance(wait);
  }
  assert.equal(new Set(waits()).size, waits().length, "no wait is like another");
}

/** Whether four of eight batches are on their way at once, no more, when `num_consumers` says 4. */
export async function assertConcurrency({ consume }: Client, waiting: (() => void)[]): Promise<void> {
  for (let batch = 0; batch < 8; batch++) consume();
  await eventually(() => waiting.length === 4);
  await turns();
  assert.equal(waiting.length, 4);
  for (const answer of waiting.splice(0)) answer();
  await eventually(() => waiting.length === 4);
  for (const answer of waiting.splice(0)) answer();
}
