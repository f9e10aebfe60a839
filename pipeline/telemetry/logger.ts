import type { Clock, Logger } from "../host.ts";
import { LineSampler, type SamplingSettings } from "./line_sampler.ts";
import type { Resource } from "./resource.ts";

const levels = ["debug", "info", "warn", "error", "dpanic", "panic", "fatal"] as const;
/** How grave a line is. Nothing here logs above `error`. */
export type LogLevel = (typeof levels)[number];

/** `service::telemetry::logs`, as far as it is about lines. */
export interface LogSettings {
  /** The lowest that is written; looked up for each line. */
  readonly level: LogLevel;
  readonly encoding: "console" | "json";
  readonly development?: boolean;
  readonly disable_caller?: boolean;
  readonly disable_stacktrace?: boolean;
  readonly sampling?: SamplingSettings;
  readonly initial_fields?: Readonly<Record<string, unknown>> | undefined;
}

export interface LoggerOptions extends LogSettings {
  /** Whom the lines are about: on every line, unless it is empty. */
  readonly resource?: Resource;
  /** Where lines go; each call is one or more whole lines. */
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, "nowMs">;
  /** Gets every line that is written, as values. */
  readonly also?: (record: LogEntry) => void;
}

/** A line as values. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly unixMs: number;
  readonly message: string;
  /** The component's: its id, kind, signal and pipeline. */
  readonly component: Fields;
  readonly fields: object;
}

type Fields = Readonly<Record<string, string>>;

/** Makes loggers for the service and, with fields of their own, for its components. */
export type Loggers = (fields: Fields) => Logger;

/**
 * Loggers that write as the Collector does: columns between tabs (`console`) or one JSON object a line (`json`), first the
 * fields of the configuration, then `resource`, those of the component and those of the line.
 *
 * The caller column names the component, as `processor/batch`. From error on (in development from warn on) the stack of an
 * `error` field follows.
 */
export function createLoggers(options: LoggerOptions): Loggers {
  const { sampling, resource = {}, clock } = options;
  const sampler = sampling?.enabled === true ? new LineSampler(sampling) : undefined;
  const common = { ...sorted(options.initial_fields ?? {}), ...(Object.keys(resource).length > 0 && { resource }) };
  const traced = options.disable_stacktrace === true ? "fatal" : options.development === true ? "warn" : "error";
  return (component) => {
    const caller = options.disable_caller === true ? undefined : callerOf(component);
    const log = (level: LogLevel) => {
      return (fields: object, message: string) => {
        if (isBelow(level, options.level)) return;
        const unixMs = clock.nowMs();
        if (sampler?.drops(level, message, unixMs) === true) return;
        const stack = isBelow(level, traced) ? undefined : stackOf(fields);
        const line = { level, time: timeText(unixMs), caller, message, fields: { ...common, ...component, ...fields } };
        options.write(options.encoding === "json" ? jsonLine(line, stack) : consoleLine(line, stack));
        options.also?.({ level, unixMs, message, component, fields });
      };
    };
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  };
}

interface Line {
  readonly level: LogLevel;
  readonly time: string;
  readonly caller: string | undefined;
  readonly message: string;
  readonly fields: object;
}

/** Whether a line of `level` is less grave than `other`. */
export function isBelow(level: LogLevel, other: LogLevel): boolean {
  return levels.indexOf(level) < levels.indexOf(other);
}

function sorted(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function callerOf(fields: Fields): string {
  const kind = fields["otelcol.component.kind"];
  return kind === undefined ? "otelpipe" : `${kind}/${fields["otelcol.component.id"]}`;
}

function stackOf(fields: object): string | undefined {
  const error: unknown = "error" in fields ? fields.error : undefined;
  return error instanceof Error ? error.stack?.replace(/^(?!\s+at ).*\n?/gm, "").replace(/^\s+/gm, "") : undefined;
}

/** Local time as `2006-01-02T15:04:05.000Z`, or with the offset to UTC at its end. */
function timeText(unixMs: number): string {
  const offsetMinutes = -new Date(unixMs).getTimezoneOffset();
  const text = new Date(unixMs + offsetMinutes * 60_000).toISOString();
  if (offsetMinutes === 0) return text;
  const minutes = Math.abs(offsetMinutes);
  const digits = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, "0");
  return `${text.slice(0, -1)}${offsetMinutes < 0 ? "-" : "+"}${digits}`;
}

function jsonLine({ level, time, caller, message, fields }: Line, stack: string | undefined): string {
  const head = JSON.stringify({ level, ts: time, caller, msg: message });
  const tail = stack === undefined ? "" : `,"stacktrace":${JSON.stringify(stack)}`;
  return `${head.slice(0, -1)}${joined(fieldsJson(fields))}${tail}}\n`;
}

/** The inside of an object's JSON, to follow other keys. */
function joined(json: string): string {
  return json === "{}" ? "" : `,${json.slice(1, -1)}`;
}

/** To log never throws: of fields that cannot be written, such as circles, none is left. */
function fieldsJson(fields: object): string {
  try {
    return JSON.stringify(fields, printable);
  } catch {
    return "{}";
  }
}

function printable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "bigint" ? String(value) : value;
}

/** The object of the fields only when there are any. */
function consoleLine({ level, time, caller, message, fields }: Line, stack: string | undefined): string {
  const json = fieldsJson(fields);
  const columns = [time, level, caller, message, json === "{}" ? undefined : spaced(JSON.parse(json))];
  const line = columns.filter((column) => column !== undefined).join("\t");
  return stack === undefined ? `${line}\n` : `${line}\n${stack}\n`;
}

/** JSON with a space after `:` and `,`, as the Collector prints fields. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${spaced(item)}`);
  return `{${entries.join(", ")}}`;
}
