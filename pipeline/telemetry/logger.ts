import type { Logger } from "../host.ts";

const levels = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"] as const;
type Level = (typeof levels)[number];

export interface LoggerOptions {
  /** The lowest that is written. Nothing here logs above `error`. */
  readonly level: Level;
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
export function createLoggers({ level: lowest, encoding, write }: LoggerOptions): Loggers {
  const print = encoding === "json" ? write : (line: string) => write(toConsole(line));
  return (fields) => {
    const caller = callerOf(fields);
    const log = (level: Level) => {
      if (levels.indexOf(level) < levels.indexOf(lowest)) return () => {};
      return (own: object, msg: string) =>
        print(jsonLine({ level, ts: new Date().toISOString(), caller, ...fields, ...own, msg }));
    };
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  };
}

/** To log never throws: of fields that cannot be written, such as circles, only the message is left. */
function jsonLine(line: { readonly level: Level; readonly ts: string; readonly caller: string; readonly msg: string }) {
  try {
    return `${JSON.stringify(line, printable)}\n`;
  } catch {
    const { level, ts, caller, msg } = line;
    return `${JSON.stringify({ level, ts, caller, msg })}\n`;
  }
}

function printable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "bigint" ? String(value) : value;
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
