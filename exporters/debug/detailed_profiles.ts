import type { Decoded } from "../../pipeline/pdata/index.ts";
import { field, resourceLines, scopeLines, textOf } from "./detailed_lines.ts";
import { timeText } from "./go_text.ts";
import { indexedText } from "./normal_text.ts";
import { idText, plainText, typedText } from "./values.ts";

type Dictionary = NonNullable<Decoded["profiles"]["dictionary"]>;
type Profile = Decoded["profiles"]["resourceProfiles"][number]["scopeProfiles"][number]["profiles"][number];

/** The dictionary, then every profile with its samples. */
export function detailedProfiles({ resourceProfiles, dictionary }: Decoded["profiles"]): string {
  return textOf([
    ...(dictionary === undefined ? [] : dictionaryLines(dictionary)),
    ...resourceProfiles.flatMap(({ resource, schemaUrl, scopeProfiles }, index) => [
      ...resourceLines("ResourceProfiles", index, schemaUrl, resource),
      ...scopeProfiles.flatMap((scoped, scopeIndex) => [
        ...scopeLines("ScopeProfiles", scopeIndex, scoped.schemaUrl, scoped.scope),
        ...scoped.profiles.flatMap((profile, at) => profileLines(profile, at, dictionary)),
      ]),
    ]),
  ]);
}

function dictionaryLines(dictionary: Dictionary): string[] {
  return [
    ...dictionary.mappingTable.flatMap((mapping, index) => [
      `Mapping #${index}`,
      `    Memory start: ${mapping.memoryStart}`,
      `    Memory limit: ${mapping.memoryLimit}`,
      `    File offset: ${mapping.fileOffset}`,
      `    File name: ${mapping.filenameStrindex}`,
      `    Attributes: ${listText(mapping.attributeIndices)}`,
    ]),
    ...dictionary.locationTable.flatMap((location, index) => [
      `Location #${index}`,
      `    Mapping index: ${location.mappingIndex}`,
      `    Address: ${location.address}`,
      ...location.lines.flatMap((line, at) => [
        `    Line #${at}`,
        `        Function index: ${line.functionIndex}`,
        `        Line: ${line.line}`,
        `        Column: ${line.column}`,
      ]),
      `    Attributes: ${listText(location.attributeIndices)}`,
    ]),
    ...dictionary.functionTable.flatMap((profiled, index) => [
      `Function #${index}`,
      `    Name: ${profiled.nameStrindex}`,
      `    System name: ${profiled.systemNameStrindex}`,
      `    Filename: ${profiled.filenameStrindex}`,
      `    Start line: ${profiled.startLine}`,
    ]),
    ...tableLines(dictionary),
  ];
}

/** Of the attribute and the link table the Collector prints the last entry only; so does this. */
function tableLines({ attributeTable, linkTable, stringTable }: Dictionary): string[] {
  const attribute = attributeTable.at(-1);
  const link = linkTable.at(-1);
  return [
    ...(attribute === undefined
      ? []
      : [
          "Attribute table:",
          `     -> Key: Int(${attribute.keyStrindex})`,
          `     -> Value: Str(${plainText(attribute.value)})`,
          `     -> unit: Int(${attribute.unitStrindex})`,
        ]),
    ...(link === undefined
      ? []
      : [
          "Link table:",
          `     -> Trace ID: Str(${idText(link.traceId)})`,
          `     -> Span ID: Str(${idText(link.spanId)})`,
        ]),
    ...(stringTable.length === 0 ? [] : ["String table:", ...stringTable.map((text) => `    ${text}`)]),
  ];
}

function profileLines(profile: Profile, index: number, dictionary: Dictionary | undefined): string[] {
  return [
    `Profile #${index}`,
    field("Profile ID", idText(profile.profileId)),
    field("Start time", timeText(profile.timeUnixNano)),
    field("DurationNano", profile.durationNano),
    field("Dropped attributes count", profile.droppedAttributesCount),
    ...profile.samples.flatMap((sample, at) => [
      `    Sample #${at}`,
      `        Values: ${listText(sample.values)}`,
      ...(sample.attributeIndices.length === 0 ? [] : ["        Attributes:"]),
      ...sample.attributeIndices.map((entry) => `             -> ${indexedText(dictionary, entry, ": ", typedText)}`),
    ]),
  ];
}

function listText(numbers: readonly (number | bigint)[]): string {
  return `[${numbers.join(" ")}]`;
}
