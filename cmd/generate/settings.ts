import { type DialectMix, defaultDialectMix } from "./dialects/names.ts";

/** What decides what is generated: with the same settings the same spans come, byte for byte. */
export interface GeneratorSettings {
  readonly seed: number;
  /** Spans per second in the long run; arrivals come in bursts. */
  readonly spansPerSecond: number;
  readonly dialects: DialectMix;
  /** Scale of the failure rates: 0 is none, 1 the usual ones. */
  readonly failures: number;
  /** Whether 30 % of the traces carry their whole texts; else 5 % of the traces carry short ones. */
  readonly content: boolean;
  /** `ended`: a span is sent when it ends, as SDKs do. `whole`: a trace is sent at once, when it ends. */
  readonly send: "ended" | "whole";
  /** Seconds in which the load goes through its day, from a trough to a peak three times as high; 0 is none. */
  readonly daySeconds: number;
  /** The service in which 5 % of the replies are empty. */
  readonly badService: string | undefined;
}

export const defaultSettings: GeneratorSettings = {
  seed: 1,
  spansPerSecond: 1000,
  dialects: defaultDialectMix,
  failures: 1,
  content: false,
  send: "ended",
  daySeconds: 0,
  badService: undefined,
};

/** How often what goes wrong, at scale 1. */
export const failureRates = {
  /** Of calls of a remote API. */
  rateLimit: 0.015,
  /** Of the attempts that follow one. */
  rateLimitAgain: 0.25,
  timeout: 0.005,
  /** Single ones; as many again come in outages. */
  serverError: 0.0015,
  /** Share of 30 s in which a model is ill, and of its calls that fail then. */
  outage: 0.003,
  outageCall: 0.5,
  contextOverflow: 0.003,
  contentFilter: 0.004,
  /** Of streamed calls. */
  cancel: 0.02,
  tool: 0.04,
  /** Of tool errors: the model is told and tries again. */
  toolContained: 0.6,
  /** Of agents. */
  loop: 0.005,
  /** Of replies of the bad service. */
  zeroTokens: 0.05,
  /** Of traces, each of them. */
  defect: 0.005,
} as const;

/** Of answers: they end because they are as long as was allowed. No failure, so not scaled. */
export const lengthStopRate = 0.08;
