import type { FeatureGateView } from "../pipeline/view.ts";
import { unknownText } from "./arguments.ts";
import { UsageError } from "./usage_error.ts";

/** A feature gate of the Collector: off by default as alpha, on as beta, no longer a choice when stable. */
interface Gate {
  readonly stage: "Alpha" | "Beta" | "Stable";
  readonly from: string;
  /** The release that has it last. */
  readonly to?: string;
  readonly description: string;
}

const noEffect = "Accepted without effect:";

/** The gates of the Collector v0.161 with the components that otelpipe has too, and otelpipe's own, sorted by id. */
export const gates: Readonly<Record<string, Gate>> = {
  "confmap.enableMergeAppendOption": {
    stage: "Alpha",
    from: "v0.120.0",
    description: "Later sources add to the lists of extensions, receivers and exporters instead of replacing them.",
  },
  "exporter.file.nativeCompression": {
    stage: "Alpha",
    from: "v0.154.0",
    description: `${noEffect} the file exporter would compress whole files instead of messages.`,
  },
  "extension.healthcheck.useComponentStatus": {
    stage: "Alpha",
    from: "v0.142.0",
    description: `${noEffect} health would follow the status of components.`,
  },
  "filter.filterlog.useOTTLBridge": {
    stage: "Alpha",
    from: "v0.81.0",
    description: `${noEffect} settings that match log records would be read as OTTL.`,
  },
  "filter.filtermetric.useOTTLBridge": {
    stage: "Alpha",
    from: "v0.81.0",
    description: `${noEffect} settings that match metrics would be read as OTTL.`,
  },
  "filter.filterspan.useOTTLBridge": {
    stage: "Alpha",
    from: "v0.79.0",
    description: `${noEffect} settings that match spans would be read as OTTL.`,
  },
  "otelpipe.grpcJs": {
    stage: "Alpha",
    from: "v0.2.0",
    description: "@grpc/grpc-js speaks gRPC in place of otelpipe's own code.",
  },
  "otelpipe.nodeHttp": {
    stage: "Alpha",
    from: "v0.2.0",
    description: "node:http alone speaks HTTP/1.1 in place of otelpipe's own code.",
  },
  "ottl.PanicDuplicateName": {
    stage: "Stable",
    from: "v0.141.0",
    to: "v0.161.0",
    description: `${noEffect} two OTTL functions of one name are a bug.`,
  },
  "ottl.contexts.enableOTelColContext": {
    stage: "Stable",
    from: "v0.147.0",
    to: "v0.161.0",
    description: `${noEffect} OTTL knows the paths below otelcol.`,
  },
  "ottl.functions.enableLambda": {
    stage: "Alpha",
    from: "v0.155.0",
    description: `${noEffect} OTTL functions would take lambdas.`,
  },
  "ottl.set.allowNil": {
    stage: "Beta",
    from: "v0.158.0",
    description: `${noEffect} the OTTL function set hands nil on to its target.`,
  },
  "pdata.useProtoPooling": {
    stage: "Alpha",
    from: "v0.133.0",
    description: `${noEffect} memory of telemetry would be pooled; otelpipe keeps the bytes as they came.`,
  },
  "pkg.exporterhelper.queueBatchEnabled": {
    stage: "Alpha",
    from: "v0.158.0",
    description: `${noEffect} exporters would batch in their queues by default.`,
  },
  "receiverhelper.newReceiverMetrics": {
    stage: "Alpha",
    from: "v0.138.0",
    description: `${noEffect} receivers would count refusals by who is to blame.`,
  },
  "service.AllowNoPipelines": {
    stage: "Alpha",
    from: "v0.122.0",
    description: "A configuration may do without pipelines, receivers and exporters.",
  },
  "service.partialReload": {
    stage: "Alpha",
    from: "v0.157.0",
    description: `${noEffect} it would choose what a reload rebuilds.`,
  },
  "service.partialReloadReceivers": {
    stage: "Beta",
    from: "v0.157.0",
    description: `${noEffect} it would choose what a reload rebuilds.`,
  },
  "service.profilesSupport": {
    stage: "Alpha",
    from: "v0.112.0",
    description: "Pipelines may carry profiles. Needed with --strict-compat only.",
  },
  "telemetry.newPipelineTelemetry": {
    stage: "Alpha",
    from: "v0.123.0",
    description: `${noEffect} own metrics would name the component in their scope.`,
  },
};

/** Which gates are on, and what there is to tell the user. */
export interface EnabledGates {
  readonly enabled: ReadonlySet<string>;
  readonly notices: readonly string[];
}

/**
 * The gates that are on after `lists`, comma-separated ids in the order of the command line: `-id` turns one off, `+id`
 * or `id` on.
 *
 * @throws {UsageError} with everything that is wrong with one list.
 * @see Collector: `featuregate/flag.go`, `featuregate/registry.go`.
 */
export function enabledGates(lists: readonly string[]): EnabledGates {
  const enabled = new Set(Object.keys(gates).filter(isOnByDefault));
  const notices: string[] = [];
  for (const list of lists.filter((text) => text !== "")) {
    const problems = list.split(",").flatMap((word, index) => setGate(word, index, enabled, notices));
    if (problems.length === 0) continue;
    throw new UsageError(`invalid value ${JSON.stringify(list)} for --feature-gates: ${problems.join("; ")}`);
  }
  return { enabled, notices };
}

/** All gates, as the service shows them. `enabled` are those that are on, unless it is as nobody had said anything. */
export function gateViews(enabled?: ReadonlySet<string>): readonly FeatureGateView[] {
  return Object.entries(gates).map(([id, { stage, from, to, description }]) => {
    const isEnabled = enabled === undefined ? isOnByDefault(id) : enabled.has(id);
    return { id, isEnabled, stage, description, from, ...(to !== undefined && { to }) };
  });
}

/** Whether a gate is on when nobody says anything. */
export function isOnByDefault(id: string): boolean {
  return gates[id]?.stage !== "Alpha";
}

/** Turns one gate on or off; gives back what is wrong with that. */
function setGate(word: string, index: number, enabled: Set<string>, notices: string[]): readonly string[] {
  if (word === "") return [`empty feature gate identifier at index ${index}`];
  const id = /^[+-]/.test(word) ? word.slice(1) : word;
  const on = !word.startsWith("-");
  const gate = Object.hasOwn(gates, id) ? gates[id] : undefined;
  if (gate === undefined)
    return [`${unknownText("feature gate", id, Object.keys(gates))} (otelpipe featuregate lists them)`];
  if (gate.stage === "Stable") {
    if (!on) return [`feature gate ${JSON.stringify(id)} is stable, can not be disabled`];
    notices.push(`Feature gate ${JSON.stringify(id)} is stable and always on; naming it fails after ${gate.to}.`);
  } else if (on) enabled.add(id);
  else enabled.delete(id);
  return [];
}
