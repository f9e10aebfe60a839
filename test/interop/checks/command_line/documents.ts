import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";

/** What two documents do not agree on, one sentence each, and a line for the table. */
export interface Agreement {
  readonly different: readonly string[];
  readonly result: string;
}

interface Listed {
  readonly name: string;
  readonly stability: Readonly<Record<string, string>>;
}

const sections = ["receivers", "processors", "exporters", "connectors", "extensions"] as const;

/** Both list the same keys, and of a component that both have the same stability for what the Collector lists. */
export function componentsDifferences(ours: string, theirs: string): Agreement {
  const [our, their] = [parse(ours), parse(theirs)] as Record<string, readonly Listed[]>[];
  const different: string[] = [];
  if (!isDeepStrictEqual(Object.keys(our ?? {}), Object.keys(their ?? {}))) different.push("components: other keys");
  let shared = 0;
  for (const section of sections) {
    for (const { name, stability } of their?.[section] ?? []) {
      const mine = our?.[section]?.find((candidate) => candidate.name === name)?.stability;
      shared += 1;
      for (const [signal, level] of Object.entries(stability)) {
        if (mine?.[signal] === level) continue;
        different.push(`components: ${section} ${name}: ${signal} is ${mine?.[signal]}, the Collector's ${level}`);
      }
    }
  }
  return { different, result: `same keys; ${shared} components of the Collector with the same stability` };
}

/** Where the Collector prints what otelpipe has another way of saying. */
const saidOtherwise = new Map([
  ["service.telemetry.metrics.level", "the level as it was written, not with a capital"],
  ["service.telemetry.resource.schema_url", "the SDK's own schema is no setting"],
]);

/** Every value that the Collector prints is printed by otelpipe too, at the same place. Empty values are not compared. */
export function printedDifferences(ours: string, theirs: string): Agreement {
  const our = new Map(leavesOf(parse(ours), ""));
  const leaves = leavesOf(parse(theirs), "").filter(([path]) => !saidOtherwise.has(path));
  const different = leaves
    .filter(([path, value]) => !isDeepStrictEqual(our.get(path), value))
    .map(([path, value]) => `print-config: ${path} is ${our.get(path)}, the Collector's ${value}`);
  return {
    different,
    result: `${leaves.length} values of the Collector's are there; ${saidOtherwise.size} are said otherwise`,
  };
}

function leavesOf(value: unknown, path: string): [string, unknown][] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === "" ? key : `${path}.${key}`));
}
