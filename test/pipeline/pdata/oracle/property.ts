import fc from "fast-check";
import type { Signal } from "../../../../pipeline/pdata/signal.ts";
import { deepMessage, mutated, type Oddness, randomMessage } from "./messages.ts";
import { oracleType } from "./protobuf.ts";
import { Tape } from "./tape.ts";

/** The same run every time, unless OTELPIPE_SEED=17 asks for another; OTELPIPE_RUNS multiplies how much is tried. */
export const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
const factor = Number(process.env["OTELPIPE_RUNS"] ?? 1);

/** Runs a property over tapes of random bytes; a failure comes shrunk, with its seed. */
export function forTapes(runs: number, size: number, check: (tape: Tape) => void): void {
  const tapes = fc.uint8Array({ maxLength: size, size: "max" });
  const property = fc.property(tapes, (bytes) => check(new Tape(bytes)));
  fc.assert(property, { seed, numRuns: Math.ceil(runs * factor), endOnFailure: false });
}

/** Byte strings of the kinds a receiver meets. */
export type Origin = "ordinary" | "odd" | "wild" | "mutated" | "random" | "deep";

/** One byte string of this origin for this signal. */
export function bytesOf(signal: Signal, origin: Origin, tape: Tape): Buffer {
  switch (origin) {
    case "random":
      return tape.bytes(tape.below(40));
    case "deep":
      return deepMessage(signal, tape);
    case "mutated": {
      const mutations = new Tape(tape.bytes(24));
      return mutated(randomMessage(oracleType(signal), tape, tape.pick([oddness.ordinary, oddness.odd])), mutations);
    }
    default:
      return randomMessage(oracleType(signal), tape, oddness[origin]);
  }
}

const oddness: Record<"ordinary" | "odd" | "wild", Oddness> = {
  ordinary: { encoding: 0, content: 0 },
  odd: { encoding: 60, content: 20 },
  wild: { encoding: 60, content: 60 },
};
