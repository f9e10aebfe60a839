import type { Logger } from "../host.ts";
import type { Signal } from "../pdata/index.ts";
import { readFields } from "./protobuf.ts";

/** What a server says about items it took or refused within a request it answered with success. */
export interface PartialSuccess {
  readonly rejectedItems: number;
  readonly message: string;
}

/** The partial success in a protobuf Export…ServiceResponse. @throws {RangeError} when the bytes are none. */
export function decodePartialSuccess(response: Buffer): PartialSuccess {
  let rejectedItems = 0;
  let message = "";
  readFields(response, (field, partial) => {
    if (field !== 1 || !Buffer.isBuffer(partial)) return;
    readFields(partial, (inner, value) => {
      if (inner === 1 && typeof value === "number") rejectedItems = value;
      if (inner === 2 && Buffer.isBuffer(value)) message = value.toString("utf8");
    });
  });
  return { rejectedItems, message };
}

const rejectedKeys: Record<Signal, string> = {
  traces: "rejectedSpans",
  metrics: "rejectedDataPoints",
  logs: "rejectedLogRecords",
  profiles: "rejectedProfiles",
};

/** The partial success in a JSON Export…ServiceResponse. @throws {SyntaxError} when the text is no JSON. */
export function parsePartialSuccess(signal: Signal, response: Buffer): PartialSuccess {
  const parsed: unknown = JSON.parse(response.toString("utf8"));
  const partial = field(parsed, "partialSuccess");
  const message = field(partial, "errorMessage");
  return {
    rejectedItems: Number(field(partial, rejectedKeys[signal]) ?? 0),
    message: typeof message === "string" ? message : "",
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const droppedFields: Record<Signal, string> = {
  traces: "dropped_spans",
  metrics: "dropped_data_points",
  logs: "dropped_log_records",
  profiles: "dropped_profiles",
};

/** Writes the Collector's line about a partial success, when there is one. */
export function logPartialSuccess(logger: Logger, signal: Signal, partial: PartialSuccess): void {
  if (partial.rejectedItems === 0 && partial.message === "") return;
  const fields = { message: partial.message, [droppedFields[signal]]: partial.rejectedItems };
  logger.warn(fields, "Partial success response");
}
