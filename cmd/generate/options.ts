import { parseDuration } from "../../pipeline/config/duration.ts";
import { type Flags, unknownText, type Values } from "../arguments.ts";
import { UsageError } from "../usage_error.ts";
import { protocols } from "./client.ts";
import { type DialectMix, defaultDialectMix, dialectNames } from "./dialects/names.ts";
import { applications } from "./services.ts";
import type { WorkloadOptions } from "./workload.ts";

export const flags = {
  endpoint: { type: "string" },
  protocol: { type: "string" },
  compression: { type: "string", default: "gzip" },
  "retry-for": { type: "string", default: "30s" },
  rate: { type: "string", default: "1000" },
  duration: { type: "string" },
  spans: { type: "string" },
  seed: { type: "string", default: "1" },
  truth: { type: "string" },
  dialects: { type: "string" },
  failures: { type: "string", default: "1" },
  "bad-service": { type: "string" },
  content: { type: "boolean", default: false },
  send: { type: "string", default: "ended" },
  day: { type: "string" },
  "no-metrics": { type: "boolean", default: false },
  quiet: { type: "boolean", default: false },
} as const satisfies Flags;

export const helpText = `Send a synthetic LLM workload over OTLP.

Usage:
  otelpipe generate [flags]

Where:
  --endpoint <address>    host:port for gRPC (localhost:4317), a URL for HTTP (http://localhost:4318). https is TLS.
  --protocol <protocol>   grpc, http or http/json (default http when the endpoint has port 4318, else grpc).
  --compression <name>    gzip or none (default gzip).

  --retry-for <duration>  How long a batch that is refused for now is offered again (default 30s; at most 5s until
                          the first one was accepted).

How much:
  --rate <number>         Spans per second, in bursts (default 1000). It is reached within a minute or two: a span is sent
                          when it ends, and long traces have to get there first. --send whole starts slower still.
  --duration <duration>   Stop after this time, such as 30s or 5m.
  --spans <number>        Begin no more traces once they have this many spans.
  --day <duration>        Let the load swing within this time, from a trough to a peak three times as high.

What:
  --seed <number>         The same seed gives the same traces (default 1).
  --dialects <mix>        Shares of the dialects, others are left out: current=60,openinference=40. There are
                          ${dialectNames.join(", ")}.
  --failures <scale>      From 0, nothing goes wrong, to 1, the usual failures (default 1).
  --bad-service <name>    A service of which 5 % of the replies are empty.
  --content               Capture whole prompts and answers in 30 % of the traces, instead of short ones in 5 %.
  --send <when>           ended: a span is sent when it ends, as SDKs do. whole: traces are sent whole (default ended).

  --no-metrics            Send spans only, not the metrics of one of the services as well.

Result:
  --truth <file>          Write the ground truth as JSON: what was accepted, token sums, where errors began.
  --quiet                 No progress line.
  -h, --help              Print this.
`;

export interface GenerateOptions {
  readonly workload: WorkloadOptions;
  readonly truthFile: string | undefined;
  readonly quiet: boolean;
  /** A line about what was taken from the endpoint because no flag says it. */
  readonly inferred: string | undefined;
  /** What may help when nothing could be sent, to be put behind the reason. */
  readonly advice: string | undefined;
}

/** @throws {UsageError} for a value that makes no sense. */
export function readOptions(values: Partial<Values<typeof flags>>): GenerateOptions {
  const text = (name: keyof typeof flags) => (typeof values[name] === "string" ? values[name] : undefined);
  const number = (name: keyof typeof flags, least: number, most = Number.MAX_SAFE_INTEGER) => {
    const given = text(name);
    return given === undefined ? undefined : numberIn(name, given, least, most);
  };
  const milliseconds = (name: keyof typeof flags) => {
    const given = text(name);
    return given === undefined ? undefined : durationIn(name, given);
  };
  const { endpoint, protocol, inferred, advice } = destination(text("endpoint"), text("protocol"));
  return {
    workload: {
      protocol,
      compression: choice("compression", text("compression") ?? "gzip", ["gzip", "none"]),
      ...(endpoint !== undefined && { endpoint }),
      spansPerSecond: number("rate", 0.001) ?? 1000,
      retryForMs: milliseconds("retry-for") ?? 30_000,
      durationMs: milliseconds("duration"),
      maxSpans: number("spans", 1),
      seed: Math.trunc(number("seed", 0) ?? 1),
      dialects: dialectMix(text("dialects")),
      failures: number("failures", 0, 1) ?? 1,
      badService: serviceName(text("bad-service")),
      content: values.content === true,
      metrics: values["no-metrics"] !== true,
      send: choice("send", text("send") ?? "ended", ["ended", "whole"]),
      daySeconds: (milliseconds("day") ?? 0) / 1000,
    },
    truthFile: text("truth"),
    quiet: values.quiet === true,
    inferred,
    advice,
  };
}

/** Where to send and how: port 4318 speaks HTTP unless a flag says otherwise. */
function destination(endpoint: string | undefined, given: string | undefined) {
  const nothing = { inferred: undefined, advice: undefined };
  if (given !== undefined) return { ...nothing, endpoint, protocol: choice("protocol", given, protocols) };
  const isUrl = /^https?:\/\//.test(endpoint ?? "");
  if (endpoint !== undefined && /:4318\/?$/.test(endpoint)) {
    const inferred = "Sending over HTTP, which port 4318 is for; --protocol grpc sends gRPC.";
    return { ...nothing, inferred, endpoint: isUrl ? endpoint : `http://${endpoint}`, protocol: "http" as const };
  }
  const advice = isUrl ? " (sent as gRPC; for OTLP over HTTP add --protocol http)" : undefined;
  return { ...nothing, advice, endpoint, protocol: "grpc" as const };
}

function numberIn(name: string, given: string, least: number, most: number): number {
  const value = Number(given);
  if (given.trim() !== "" && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new UsageError(`--${name} takes a number ${range}, not ${JSON.stringify(given)}`);
}

function durationIn(name: string, given: string): number {
  const milliseconds = parseDuration(given);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  throw new UsageError(`--${name} takes a duration such as 30s or 5m, not ${JSON.stringify(given)}`);
}

function choice<const N extends string>(name: string, given: string, names: readonly N[]): N {
  const found = names.find((each) => each === given);
  if (found !== undefined) return found;
  throw new UsageError(`--${name} takes ${names.join(", ")}, not ${JSON.stringify(given)}`);
}

function dialectMix(given: string | undefined): DialectMix {
  if (given === undefined) return defaultDialectMix;
  const mix = Object.fromEntries(dialectNames.map((name) => [name, 0])) as Record<
    (typeof dialectNames)[number],
    number
  >;
  for (const part of given.split(",")) {
    const [word = "", share = ""] = part.split("=").map((each) => each.trim());
    const name = dialectNames.find((each) => each === word);
    if (name === undefined) throw new UsageError(unknownText("dialect", word, dialectNames));
    mix[name] = numberIn("dialects", share, 0, Number.MAX_SAFE_INTEGER);
  }
  if (Object.values(mix).some((share) => share > 0)) return mix;
  throw new UsageError("--dialects leaves no dialect");
}

function serviceName(given: string | undefined): string | undefined {
  const names = Object.values(applications).map(({ name }) => name);
  if (given === undefined || names.includes(given)) return given;
  throw new UsageError(`${unknownText("service", given, names)}: there are ${names.join(", ")}`);
}
