import assert from "node:assert/strict";
import type { LogRecord, Logs } from "../../../../pipeline/pdata/index.ts";
import type { LogsRequest, LogRecord as Want } from "../../../../pipeline/pdata/objects/types.ts";
import { describeDecoding } from "./decode.ts";
import { checkAttributes, viewedValue } from "./values.ts";

/** Every getter of the log record cursor, over all records, says what protobufjs decoded. */
describeDecoding("logs", (data: Logs, decoded) => {
  const request = decoded as unknown as LogsRequest;
  const records = data.records()[Symbol.iterator]();
  for (const { resource, scopeLogs } of request.resourceLogs) {
    for (const { scope, logRecords } of scopeLogs) {
      for (const want of logRecords) {
        const record = records.next().value;
        checkRecord(record, want);
        checkAttributes(record.resource, resource?.attributes ?? []);
        checkAttributes(record.scope, scope?.attributes ?? []);
        assert.deepEqual([record.scope.name, record.scope.version], [scope?.name ?? "", scope?.version ?? ""]);
        checkRecord(record.copy(), want);
      }
    }
  }
  assert.equal(records.next().done, true);
});

function checkRecord(record: LogRecord, want: Want): void {
  assert.deepEqual(
    [record.traceId.hex(), record.spanId.hex(), record.severityNumber, record.severityText, record.eventName],
    [want.traceId.toString("hex"), want.spanId.toString("hex"), want.severityNumber, want.severityText, want.eventName],
  );
  assert.deepEqual([record.timeUnixNano, record.observedTimeUnixNano], [want.timeUnixNano, want.observedTimeUnixNano]);
  assert.equal(record.flags, want.flags);
  assert.deepEqual(record.body, viewedValue(want.body));
  checkAttributes(record, want.attributes);
}
