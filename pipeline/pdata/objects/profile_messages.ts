import { id, many, message, one, repeated, scalar } from "./field.ts";
import { anyValue, instrumentationScope, resource } from "./messages.ts";

/** The messages of the profiles signal, which is still in development upstream. */

const index = (number: number) => scalar(number, "int32");
const indices = (number: number) => repeated(index(number));

export const valueType = message("opentelemetry.proto.profiles.v1development.ValueType", {
  typeStrindex: index(1),
  unitStrindex: index(2),
});

export const sample = message("opentelemetry.proto.profiles.v1development.Sample", {
  stackIndex: index(1),
  attributeIndices: indices(2),
  linkIndex: index(3),
  values: repeated(scalar(4, "int64")),
  timestampsUnixNano: repeated(scalar(5, "fixed64")),
});

export const profile = message("opentelemetry.proto.profiles.v1development.Profile", {
  sampleType: one(1, () => valueType),
  samples: many(2, () => sample),
  timeUnixNano: scalar(3, "fixed64"),
  durationNano: scalar(4, "uint64"),
  periodType: one(5, () => valueType),
  period: scalar(6, "int64"),
  profileId: id(7, 16),
  droppedAttributesCount: scalar(8, "uint32"),
  originalPayloadFormat: scalar(9, "string"),
  originalPayload: scalar(10, "bytes"),
  attributeIndices: indices(11),
});

export const scopeProfiles = message("opentelemetry.proto.profiles.v1development.ScopeProfiles", {
  scope: one(1, () => instrumentationScope),
  profiles: many(2, () => profile),
  schemaUrl: scalar(3, "string"),
});

export const resourceProfiles = message("opentelemetry.proto.profiles.v1development.ResourceProfiles", {
  resource: one(1, () => resource),
  scopeProfiles: many(2, () => scopeProfiles),
  schemaUrl: scalar(3, "string"),
});

export const mapping = message("opentelemetry.proto.profiles.v1development.Mapping", {
  memoryStart: scalar(1, "uint64"),
  memoryLimit: scalar(2, "uint64"),
  fileOffset: scalar(3, "uint64"),
  filenameStrindex: index(4),
  attributeIndices: indices(5),
});

export const line = message("opentelemetry.proto.profiles.v1development.Line", {
  functionIndex: index(1),
  line: scalar(2, "int64"),
  column: scalar(3, "int64"),
});

export const location = message("opentelemetry.proto.profiles.v1development.Location", {
  mappingIndex: index(1),
  address: scalar(2, "uint64"),
  lines: many(3, () => line),
  attributeIndices: indices(4),
});

export const profiledFunction = message("opentelemetry.proto.profiles.v1development.Function", {
  nameStrindex: index(1),
  systemNameStrindex: index(2),
  filenameStrindex: index(3),
  startLine: scalar(4, "int64"),
});

export const profileLink = message("opentelemetry.proto.profiles.v1development.Link", {
  traceId: id(1, 16),
  spanId: id(2, 8),
});

export const keyValueAndUnit = message("opentelemetry.proto.profiles.v1development.KeyValueAndUnit", {
  keyStrindex: index(1),
  value: one(2, () => anyValue),
  unitStrindex: index(3),
});

export const stack = message("opentelemetry.proto.profiles.v1development.Stack", { locationIndices: indices(1) });

export const profilesDictionary = message("opentelemetry.proto.profiles.v1development.ProfilesDictionary", {
  mappingTable: many(1, () => mapping),
  locationTable: many(2, () => location),
  functionTable: many(3, () => profiledFunction),
  linkTable: many(4, () => profileLink),
  stringTable: repeated(scalar(5, "string")),
  attributeTable: many(6, () => keyValueAndUnit),
  stackTable: many(7, () => stack),
});
