import { encodeSpans } from "../../../cmd/generate/encode.ts";
import { Generator, type Parcel } from "../../../cmd/generate/generator.ts";
import { defaultSettings, type GeneratorSettings } from "../../../cmd/generate/settings.ts";
import { type Truth, TruthBooks } from "../../../cmd/generate/truth.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";

/** The seed of this run: `OTELPIPE_SEED`, else 1. */
export const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);

/** The first parcels of a workload: those of at least `traceCount` traces, and whatever else they are made of. */
export function collect(traceCount: number, settings: Partial<GeneratorSettings> = {}): Parcel[] {
  const generator = new Generator({ ...defaultSettings, seed, ...settings });
  const parcels: Parcel[] = [];
  const traces = new Set<Parcel["trace"]>();
  while (traces.size < traceCount) {
    const parcel = generator.next();
    parcels.push(parcel);
    traces.add(parcel.trace);
  }
  for (let held = generator.nextHeld(); held !== undefined; held = generator.nextHeld()) parcels.push(held);
  return parcels;
}

/** When the run began, for tests. */
const runUnixNano = 1_790_000_000_000_000_000n;

/** Parcels as batches on the wire, `perBatch` parcels each. */
export function encoded(parcels: readonly Parcel[], perBatch = 50): Traces[] {
  const batches: Traces[] = [];
  for (let at = 0; at < parcels.length; at += perBatch) {
    batches.push(
      encodeSpans(
        parcels.slice(at, at + perBatch).map(({ trace, spans }) => ({
          traceId: trace.id,
          startUnixNano: runUnixNano + BigInt(Math.round(trace.startSeconds * 1e9)),
          spans,
        })),
      ),
    );
  }
  return batches;
}

/** The ground truth of parcels that were all accepted. */
export function truthOf(parcels: readonly Parcel[]): Truth {
  const books = new TruthBooks(seed);
  for (const parcel of parcels) books.addSpans(parcel.trace, parcel.spans, parcel);
  return books.truth();
}
