import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { detailedLogs } from "../../../exporters/debug/detailed_logs.ts";
import { detailedMetrics } from "../../../exporters/debug/detailed_metrics.ts";
import { detailedProfiles } from "../../../exporters/debug/detailed_profiles.ts";
import { detailedTraces } from "../../../exporters/debug/detailed_traces.ts";
import { fixedText, shortText, timeText } from "../../../exporters/debug/go_text.ts";
import { normalLogs, normalMetrics, normalProfiles, normalTraces } from "../../../exporters/debug/normal_text.ts";
import { decode } from "../../../pipeline/pdata/index.ts";
import { logs, metrics, profiles, traces } from "./data.ts";

/** The text of a template without its indentation; `·` stands for a space at the end of a line. */
function lines([text = ""]: TemplateStringsArray): string {
  return `${text.replace(/^\n/, "").replace(/\n *$/, "").replace(/^ {4}/gm, "").replaceAll("·", " ")}\n`;
}

describe("debug, verbosity normal", () => {
  it("prints one line per span", () => {
    assert.equal(
      normalTraces(decode<"traces">(traces)),
      lines`
    ResourceTraces #0 [https://opentelemetry.io/resource-schema] service.name=checkout
    ScopeTraces #0 lib@1.2 [https://opentelemetry.io/scope-schema] scope-attr=1
    GET / 0102030405060708090a0b0c0d0e0f10 1112131415161718 http.status=200 ok=true
    empty··
    ScopeTraces #1
    ResourceTraces #1
    `,
    );
  });

  it("prints one line per log record, with a space even without attributes", () => {
    assert.equal(
      normalLogs(decode<"logs">(logs)),
      lines`
    ResourceLog #0 host=a
    ScopeLog #0 app
    it failed code=7 ratio=0.5
    {"a":[1,"x"],"b":null}·
    `,
    );
  });

  it("prints one line per data point", () => {
    assert.equal(
      normalMetrics(decode<"metrics">(metrics)),
      lines`
    ResourceMetrics #0
    ScopeMetrics #0
    requests{zone=a,code=200} 3
    load{} 1.5
    big{} 1e+06
    latency{} count=6 sum=12.5 min=0.1 max=9 le0.5=1 le2=2 3
    sizes{} count=5 sum=-1.5 le-1=1 le-0.7071067811865475=2 zero=1 le2=1
    rpc{} count=2 sum=3.500000 q0.5=1 q0.99=2.5
    `,
    );
  });

  it("prints one line per profile", () => {
    assert.equal(
      normalProfiles(decode<"profiles">(profiles)),
      lines`
    ResourceProfiles #0
    ScopeProfiles #0
    0102030405060708090a0b0c0d0e0f10 samples=2 key=foobar [Missing Dictionary AttributeTable Item #9]
    `,
    );
  });
});

describe("debug, verbosity detailed", () => {
  it("prints every field of spans", () => {
    assert.equal(
      detailedTraces(decode<"traces">(traces)),
      lines`
    ResourceSpans #0
    Resource SchemaURL: https://opentelemetry.io/resource-schema
    Resource attributes:
         -> service.name: Str(checkout)
    Resource entity refs:
         -> Entity ref #0:
              -> Type: service
              -> Schema URL: https://entity
              -> ID keys:
                   -> service.name
              -> Description keys:
                   -> service.version
    ScopeSpans #0
    ScopeSpans SchemaURL: https://opentelemetry.io/scope-schema
    InstrumentationScope lib 1.2
    InstrumentationScope attributes:
         -> scope-attr: Int(1)
    Span #0
        Trace ID       : 0102030405060708090a0b0c0d0e0f10
        Parent ID      : 2122232425262728
        ID             : 1112131415161718
        Name           : GET /
        Kind           : Server
        TraceState     : ot=th:8
        Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC
        End time       : 2020-02-11 20:26:13.5 +0000 UTC
        Status code    : Error
        Status message : cancelled
        DroppedAttributesCount: 1
        DroppedEventsCount: 2
        DroppedLinksCount: 3
    Attributes:
         -> http.status: Int(200)
         -> ok: Bool(true)
    Events:
    SpanEvent #0
         -> Name: exception
         -> Timestamp: 2020-02-11 20:26:13.000000123 +0000 UTC
         -> DroppedAttributesCount: 4
         -> Attributes::
              -> exception.type: Str(TypeError)
    SpanEvent #1
         -> Name: bare
         -> Timestamp: 1970-01-01 00:00:00 +0000 UTC
         -> DroppedAttributesCount: 0
    Links:
    SpanLink #0
         -> Trace ID: 0102030405060708090a0b0c0d0e0f10
         -> ID: 1112131415161718
         -> TraceState: a=b
         -> DroppedAttributesCount: 5
         -> Attributes::
              -> link: Double(0.25)
    Span #1
        Trace ID       :·
        Parent ID      :·
        ID             :·
        Name           : empty
        Kind           : Unspecified
        Start time     : 1970-01-01 00:00:00 +0000 UTC
        End time       : 1970-01-01 00:00:00 +0000 UTC
        Status code    : Unset
        Status message :·
        DroppedAttributesCount: 0
        DroppedEventsCount: 0
        DroppedLinksCount: 0
    ScopeSpans #1
    ScopeSpans SchemaURL:·
    InstrumentationScope··
    ResourceSpans #1
    Resource SchemaURL:·
    `,
    );
  });

  it("prints every field of log records", () => {
    assert.equal(
      detailedLogs(decode<"logs">(logs)),
      lines`
    ResourceLog #0
    Resource SchemaURL:·
    Resource attributes:
         -> host: Str(a)
    ScopeLogs #0
    ScopeLogs SchemaURL:·
    InstrumentationScope app·
    LogRecord #0
    ObservedTimestamp: 2020-02-11 20:26:13.000000789 +0000 UTC
    Timestamp: 2020-02-11 20:26:12 +0000 UTC
    SeverityText: Oops
    SeverityNumber: Error2(18)
    EventName: app.failure
    Body: Str(it failed)
    Attributes:
         -> code: Int(7)
         -> ratio: Double(0.5)
    Trace ID: 0102030405060708090a0b0c0d0e0f10
    Span ID: 1112131415161718
    Flags: 1
    LogRecord #1
    ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC
    Timestamp: 1970-01-01 00:00:00 +0000 UTC
    SeverityText:·
    SeverityNumber: Unspecified(0)
    Body: Map({"a":[1,"x"],"b":null})
    Trace ID:·
    Span ID:·
    Flags: 0
    `,
    );
  });

  it("prints every field of data points", () => {
    const text = detailedMetrics(decode<"metrics">(metrics));
    const blocks = text.split(/^(?=Metric #)/m).slice(1);
    assert.equal(
      blocks[0],
      lines`
    Metric #0
    Descriptor:
         -> Name: requests
         -> Description: All of them
         -> Unit: 1
         -> DataType: Sum
         -> Metadata:
              -> origin: Str(test)
         -> IsMonotonic: true
         -> AggregationTemporality: Cumulative
    NumberDataPoints #0
    Data point attributes:
         -> zone: Str(a)
         -> code: Int(200)
    StartTimestamp: 2020-02-11 20:26:12 +0000 UTC
    Timestamp: 2020-02-11 20:26:13 +0000 UTC
    Value: 3
    Exemplars:
    Exemplar #0
         -> Trace ID: 0102030405060708090a0b0c0d0e0f10
         -> Span ID: 1112131415161718
         -> Timestamp: 2020-02-11 20:26:13 +0000 UTC
         -> Value: 15.000000
         -> FilteredAttributes:
              -> attachment: Bytes(aGk=)
    `,
    );
    assert.match(blocks[1] ?? "", /DataType: Gauge\nNumberDataPoints #0\n.*\n.*\nValue: 1.500000\n$/);
    assert.equal(
      blocks[3]?.split("UTC\n").at(-1),
      lines`
    Count: 6
    Sum: 12.500000
    Min: 0.100000
    Max: 9.000000
    ExplicitBounds #0: 0.500000
    ExplicitBounds #1: 2.000000
    Buckets #0, Count: 1
    Buckets #1, Count: 2
    Buckets #2, Count: 3
    `,
    );
    assert.equal(
      blocks[4]?.split("UTC\n").at(-1),
      lines`
    Count: 5
    Sum: -1.500000
    Bucket [-1.414214, -1.000000), Count: 1
    Bucket [-1.000000, -0.707107), Count: 2
    Bucket [0, 0], Count: 1
    Bucket (1.414214, 2.000000], Count: 1
    `,
    );
    assert.equal(
      blocks[5]?.split("UTC\n").at(-1),
      lines`
    Count: 2
    Sum: 3.500000
    QuantileValue #0: Quantile 0.500000, Value 1.000000
    QuantileValue #1: Quantile 0.990000, Value 2.500000
    `,
    );
  });

  it("prints the dictionary and the samples of profiles", () => {
    assert.equal(
      detailedProfiles(decode<"profiles">(profiles)),
      lines`
    Mapping #0
        Memory start: 2
        Memory limit: 3
        File offset: 4
        File name: 5
        Attributes: [7 8]
    Location #0
        Mapping index: 3
        Address: 4
        Line #0
            Function index: 1
            Line: 2
            Column: 3
        Attributes: []
    Function #0
        Name: 2
        System name: 3
        Filename: 4
        Start line: 5
    Attribute table:
         -> Key: Int(1)
         -> Value: Str(foobar)
         -> unit: Int(0)
    Link table:
         -> Trace ID: Str(0102030405060708090a0b0c0d0e0f10)
         -> Span ID: Str(1112131415161718)
    String table:
       ·
        key
    ResourceProfiles #0
    Resource SchemaURL:·
    ScopeProfiles #0
    ScopeProfiles SchemaURL:·
    InstrumentationScope··
    Profile #0
        Profile ID     : 0102030405060708090a0b0c0d0e0f10
        Start time     : 2020-02-11 20:26:12 +0000 UTC
        DurationNano   : 10
        Dropped attributes count: 1
        Sample #0
            Values: [4]
            Attributes:
                 -> key: Str(foobar)
        Sample #1
            Values: [9 10]
    `,
    );
  });
});

describe("numbers and times as Go writes them", () => {
  for (const [value, fixed, short] of [
    [0, "0.000000", "0"],
    [-0, "-0.000000", "-0"],
    [1.23, "1.230000", "1.23"],
    [1 / 128, "0.007812", "0.0078125"],
    [3 / 128, "0.023438", "0.0234375"],
    [-1 / 128, "-0.007812", "-0.0078125"],
    [0.0001, "0.000100", "0.0001"],
    [0.00001, "0.000010", "1e-05"],
    [123456, "123456.000000", "123456"],
    [1234567, "1234567.000000", "1.234567e+06"],
    [1e21, "1000000000000000000000.000000", "1e+21"],
    [Number.NaN, "NaN", "NaN"],
    [Infinity, "+Inf", "+Inf"],
    [-Infinity, "-Inf", "-Inf"],
  ] as const) {
    it(`${fixed}, ${short}`, () => {
      assert.equal(fixedText(value), fixed);
      assert.equal(shortText(value), short);
    });
  }

  for (const [nanos, want] of [
    [0n, "1970-01-01 00:00:00 +0000 UTC"],
    [1581452772000000321n, "2020-02-11 20:26:12.000000321 +0000 UTC"],
    [1581452772500000000n, "2020-02-11 20:26:12.5 +0000 UTC"],
    [2n ** 64n - 1n, "1969-12-31 23:59:59.999999999 +0000 UTC"],
  ] as const) {
    it(want, () => assert.equal(timeText(nanos), want));
  }
});
