import assert from "node:assert/strict";
import type { DataPoint, Metrics } from "../../../../pipeline/pdata/index.ts";
import type { Metric, MetricsRequest, NumberDataPoint } from "../../../../pipeline/pdata/objects/types.ts";
import { describeDecoding } from "./decode.ts";
import { checkAttributes, narrowed } from "./values.ts";

/** Every getter of the data point cursor, over all points, says what protobufjs decoded. */
describeDecoding("metrics", (data: Metrics, decoded) => {
  const request = decoded as unknown as MetricsRequest;
  const points = data.points()[Symbol.iterator]();
  for (const { resource, scopeMetrics } of request.resourceMetrics) {
    for (const { scope, metrics } of scopeMetrics) {
      for (const metric of metrics) {
        for (const want of pointsOf(metric).points) {
          const point = points.next().value;
          checkPoint(point, metric, want);
          checkAttributes(point.resource, resource?.attributes ?? []);
          checkAttributes(point.scope, scope?.attributes ?? []);
          assert.deepEqual([point.scope.name, point.scope.version], [scope?.name ?? "", scope?.version ?? ""]);
          checkPoint(point.copy(), metric, want);
        }
      }
    }
  }
  assert.equal(points.next().done, true);
});

function pointsOf(metric: Metric) {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  if (gauge !== undefined) return { type: "gauge", points: gauge.dataPoints };
  if (sum !== undefined) return { type: "sum", points: sum.dataPoints };
  if (histogram !== undefined) return { type: "histogram", points: histogram.dataPoints };
  if (exponentialHistogram !== undefined) {
    return { type: "exponential_histogram", points: exponentialHistogram.dataPoints };
  }
  return { type: "summary", points: summary?.dataPoints ?? [] };
}

type Point = ReturnType<typeof pointsOf>["points"][number];

function checkPoint(point: DataPoint, metric: Metric, want: Point): void {
  assert.deepEqual(
    [point.metricName, point.metricUnit, point.metricType, point.startUnixNano, point.timeUnixNano],
    [metric.name, metric.unit, pointsOf(metric).type, want.startTimeUnixNano, want.timeUnixNano],
  );
  assert.deepEqual(point.numberValue, numberOf(want));
  checkAttributes(point, want.attributes);
}

function numberOf(point: Point): number | bigint | undefined {
  const { asDouble, asInt } = point as NumberDataPoint;
  return asInt === undefined ? asDouble : narrowed(asInt);
}
