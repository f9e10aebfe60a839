import type { Decoded } from "../../pipeline/pdata/index.ts";
import { attributeLines, resourceLines, scopeLines, textOf, word } from "./detailed_lines.ts";
import { timeText } from "./go_text.ts";
import { level, Numbering } from "./numbering.ts";
import { idText, typedText } from "./values.ts";

type LogRecord = Decoded["logs"]["resourceLogs"][number]["scopeLogs"][number]["logRecords"][number];

const severities = [
  "Unspecified",
  ...["Trace", "Debug", "Info", "Warn", "Error", "Fatal"].flatMap((name) => [name, `${name}2`, `${name}3`, `${name}4`]),
];

/** Every field of every log record. */
export function detailedLogs({ resourceLogs }: Decoded["logs"], numbering = new Numbering()): string {
  return textOf(
    resourceLogs.flatMap(({ resource, schemaUrl, scopeLogs }) => [
      ...numbering.next(level.resource, (index) => resourceLines("ResourceLog", index, schemaUrl, resource)),
      ...scopeLogs.flatMap(({ schemaUrl: url, scope, logRecords }) => [
        ...numbering.next(level.scope, (index) => scopeLines("ScopeLogs", index, url, scope)),
        ...logRecords.flatMap((record) => numbering.next(level.item, (index) => recordLines(record, index))),
      ]),
    ]),
  );
}

function recordLines(record: LogRecord, index: number): string[] {
  return [
    `LogRecord #${index}`,
    `ObservedTimestamp: ${timeText(record.observedTimeUnixNano)}`,
    `Timestamp: ${timeText(record.timeUnixNano)}`,
    `SeverityText: ${record.severityText}`,
    `SeverityNumber: ${word(severities, record.severityNumber)}(${record.severityNumber})`,
    ...(record.eventName === "" ? [] : [`EventName: ${record.eventName}`]),
    `Body: ${typedText(record.body)}`,
    ...attributeLines("Attributes", record.attributes),
    `Trace ID: ${idText(record.traceId)}`,
    `Span ID: ${idText(record.spanId)}`,
    `Flags: ${record.flags}`,
  ];
}
