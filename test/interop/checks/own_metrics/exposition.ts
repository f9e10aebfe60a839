/** One metric family of Prometheus' text format. */
export interface Family {
  readonly type: string;
  readonly help: string;
  /** The series, each as its name, labels in order, and value. */
  readonly series: readonly Series[];
}

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

const sample = /^([\w:]+)(?:\{(.*)\})? (\S+)$/;
const label = /([\w:]+)="((?:[^"\\]|\\.)*)"/g;

/** Reads what a Prometheus endpoint says, by the name of the family. */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, { type: string; help: string; series: Series[] }>();
  let current = { type: "untyped", help: "", series: [] as Series[] };
  for (const line of text.split("\n")) {
    const [hash, kind, name = "", ...rest] = line.split(" ");
    if (hash === "#" && kind === "HELP") {
      current = { type: "untyped", help: rest.join(" "), series: [] };
      families.set(name, current);
    } else if (hash === "#" && kind === "TYPE") {
      current = families.get(name) ?? { type: "untyped", help: "", series: [] };
      current.type = rest.join(" ");
      families.set(name, current);
    } else {
      const [, metric, labels = "", value = ""] = sample.exec(line) ?? [];
      if (metric === undefined) continue;
      const pairs = [...labels.matchAll(label)].map(([, key = "", text = ""]) => [key, text] as const);
      current.series.push({ name: metric, labels: Object.fromEntries(pairs.sort()), value });
    }
  }
  return families;
}

/** Families whose values are of this run and this machine: only that they are there is compared. */
const ofTheMachine = /^(otelcol_process_|promhttp_|http_|rpc_)|_duration|_bytes$/;

/**
 * A family in words: its type, its help, and its series with what is comparable of them. Ports and random ids have one
 * name each; a histogram's buckets are told in one piece.
 */
export function describeFamily(name: string, family: Family, ports: ReadonlyMap<string, string>): string {
  const buckets = new Map<string, string[]>();
  const lines: string[] = [];
  for (const { name: metric, labels, value } of family.series) {
    const { le, ...others } = labels;
    const told = Object.entries(others).map(([key, text]) => `${key}=${placeholder(name, key, text, ports)}`);
    const series = `${metric}{${told.join(", ")}}`;
    const shown = ofTheMachine.test(name) || metric.endsWith("_sum") ? "" : ` ${value}`;
    if (le === undefined) lines.push(`${series}${shown}`);
    else buckets.set(series, [...(buckets.get(series) ?? []), `${le}${shown.replace(" ", ": ")}`]);
  }
  for (const [series, bounds] of buckets) lines.push(`${series} ${bounds.join(", ")}`);
  return `${family.type}, "${family.help}", ${[...new Set(lines)].sort().join("; ")}`;
}

function placeholder(family: string, key: string, text: string, ports: ReadonlyMap<string, string>): string {
  // What the program is called and which one it is.
  if (family === "target_info" || key.startsWith("service_")) return "…";
  return ports.get(text) ?? text;
}
