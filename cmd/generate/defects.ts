import type { Random } from "./random.ts";
import { failureRates, type GeneratorSettings } from "./settings.ts";
import type { Span, Trace } from "./span.ts";

export const defectNames = ["clock_skew", "late", "out_of_order", "duplicate", "missing_root", "orphan"] as const;
export type DefectName = (typeof defectNames)[number];

/** Spans of a trace that are sent at another time than the rest. */
export interface Extra {
  readonly spans: readonly Span[];
  /** After the end of the trace. */
  readonly delaySeconds: number;
  readonly duplicate: boolean;
}

/** What became of a trace on its way: `spans` are sent as usual, `extra` later. */
export interface Shipment {
  readonly spans: readonly Span[];
  readonly extra: Extra | undefined;
  readonly defect: DefectName | undefined;
}

/** Plants at most one defect in a trace of several spans, as senders and networks have them. */
export function plantDefect(trace: Trace, settings: GeneratorSettings): Shipment {
  const { random, spans } = trace;
  const roll = random.uniform();
  const rate = failureRates.defect * settings.failures;
  const defect = spans.length > 1 ? defectNames[Math.floor(roll / rate)] : undefined;
  switch (defect) {
    case undefined:
      return { spans, extra: undefined, defect };
    case "clock_skew":
      skew(spans, random);
      return { spans, extra: undefined, defect };
    case "late": {
      const late = spans.slice(Math.ceil(spans.length / 2));
      const delaySeconds = Math.min(120, random.logNormal(3, 0.99));
      return { spans: spans.slice(0, -late.length), extra: { spans: late, delaySeconds, duplicate: false }, defect };
    }
    case "out_of_order":
      return { spans: random.shuffle([...spans]), extra: undefined, defect };
    case "duplicate":
      return { spans, extra: { spans, delaySeconds: random.between(1, 5), duplicate: true }, defect };
    case "missing_root":
      return { spans: spans.slice(1), extra: undefined, defect };
    case "orphan":
      return {
        spans: spans.map((span, index) => (index === 1 ? orphaned(span, random) : span)),
        extra: undefined,
        defect,
      };
  }
}

/** The clock of the service of the last span is wrong: all its spans are shifted, the root's service excepted. */
function skew(spans: readonly Span[], random: Random): void {
  const shiftNs = Math.round(random.between(0.2, 5) * 1e9) * (random.chance(0.5) ? 1 : -1);
  const wrong = spans.find(({ service }) => service !== spans[0]?.service)?.service ?? spans[0]?.service;
  for (const span of spans) {
    if (span.service !== wrong) continue;
    span.startNs += shiftNs;
    span.endNs += shiftNs;
  }
}

/** Its parent never comes: it was lost with the process that held it. */
function orphaned(span: Span, random: Random): Span {
  span.parentId = random.id(8);
  return span;
}
