import assert from "node:assert/strict";
import { describe, it } from "node:test";
import protobuf from "protobufjs";
import type { Field } from "../../../../pipeline/pdata/objects/field.ts";
import { packs } from "../../../../pipeline/pdata/objects/field.ts";
import { allMessages } from "../../../../pipeline/pdata/objects/requests.ts";
import { protos } from "../oracle/protobuf.ts";

/** What a table entry and a .proto field must agree on. */
function facts(field: Field): object {
  return {
    number: field.number,
    protoName: field.protoName,
    type: field.kind === "id" ? "bytes" : field.kind === "message" ? field.type().name : field.kind,
    repeated: field.repeated,
    packed: packs(field),
    oneof: field.oneof,
    optional: field.optional,
    names: field.names,
  };
}

function protoFacts(field: protobuf.Field): object {
  const { resolvedType, partOf } = field;
  const isEnum = resolvedType instanceof protobuf.Enum;
  return {
    number: field.id,
    protoName: (field as unknown as { protoName: string }).protoName,
    type: isEnum ? "enum" : resolvedType === null ? field.type : resolvedType.fullName.slice(1),
    repeated: field.repeated,
    packed: field.repeated && (isEnum || Object.hasOwn(protobuf.types.packed, field.type)),
    oneof: partOf === null || partOf.isProto3Optional ? undefined : partOf.name,
    optional: partOf?.isProto3Optional === true,
    names: isEnum ? { ...resolvedType.values } : undefined,
  };
}

describe("message table", () => {
  for (const message of allMessages()) {
    it(`says of ${message.name} what proto/ says`, () => {
      const type = protos.lookupType(message.name);
      const table = Object.fromEntries(message.fields.map((field) => [field.name, facts(field)]));
      const proto = Object.fromEntries(type.fieldsArray.map((field) => [field.name, protoFacts(field)]));
      assert.deepEqual(table, proto);
    });
  }

  it("has every message of the signals", () => {
    const names = new Set(allMessages().map((message) => message.name));
    const missing: string[] = [];
    const visit = (space: protobuf.NamespaceBase): void => {
      for (const child of space.nestedArray) {
        if (child instanceof protobuf.Namespace) visit(child);
        if (child instanceof protobuf.Type && !names.has(child.fullName.slice(1))) missing.push(child.name);
      }
    };
    for (const signal of ["common", "resource", "trace", "metrics", "logs", "profiles"]) {
      visit(protos.lookup(`opentelemetry.proto.${signal}`) as protobuf.NamespaceBase);
    }
    assert.deepEqual(missing.sort(), ["LogsData", "MetricsData", "ProfilesData", "TracesData"]);
  });

  it("gives ids the size their name demands", () => {
    for (const message of allMessages()) {
      for (const field of message.fields) {
        const size = { traceId: 16, spanId: 8, parentSpanId: 8, profileId: 16 }[field.name] ?? 0;
        assert.equal(field.idSize, size, `${message.name}.${field.name}`);
      }
    }
  });
});
