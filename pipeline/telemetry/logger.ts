import { type DestinationStream, pino } from "pino";
import type { Logger } from "../host.ts";

export interface LoggerOptions {
  readonly level: "debug" | "info" | "warn" | "error" | "dpanic" | "panic" | "fatal";
  readonly encoding: "console" | "json";
  /** Where lines go; each call is one or more whole lines. */
  readonly write: (text: string) => void;
}

/** Makes loggers for the service and, with fields of their own, for its components. */
export type Loggers = (fields: Readonly<Record<string, string>>) => Logger;

/**
 * Loggers that write as the Collector does: columns between tabs (`console`) or one JSON object a line (`json`).
 *
 * The caller column names the component, as `processor/batch`.
 */
export function createLoggers({ level, encoding, write }: LoggerOptions): Loggers {
  const destination: DestinationStream = encoding === "json" ? { write } : { write: (line) => write(toConsole(line)) };
  const root = pino(
    {
      level: level === "dpanic" || level === "panic" ? "fatal" : level,
      base: null,
      messageKey: "msg",
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => (error instanceof Error ? error.message : error) },
    },
    destination,
  );
  return (fields) => root.child({ caller: callerOf(fields), ...fields });
}

function callerOf(fields: Readonly<Record<string, string>>): string {
  const kind = fields["otelcol.component.kind"];
  return kind === undefined ? "otelpipe" : `${kind}/${fields["otelcol.component.id"]}`;
}

/** A JSON line as the Collector's console encoding: time, level, caller, message, fields; the object only when there are any. */
function toConsole(line: string): string {
  const { level, ts, caller, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const columns = [ts, level, caller, msg].map(String);
  if (Object.keys(fields).length > 0) columns.push(spaced(fields));
  return `${columns.join("\t")}\n`;
}

/** JSON with a space after `:` and `,`, as the Collector prints fields. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${spaced(item)}`);
  return `{${entries.join(", ")}}`;
}
