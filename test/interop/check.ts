import type { Peer } from "./peers/peer.ts";

/** The peers a check can ask for. */
export type PeerName =
  | "collector"
  | "collector_released"
  | "go_sdk"
  | "grpc_go"
  | "grpc_java"
  | "h2spec"
  | "jaeger"
  | "java_sdk"
  | "javascript_sdk"
  | "linters"
  | "node_rapids"
  | "python_sdk"
  | "tonic"
  | "telemetrygen";

/** One line of the result table. */
export interface Row {
  /** The peer as a person would call it, such as `Python SDK, gRPC, gzip`. */
  readonly peer: string;
  readonly checked: string;
  readonly result: string;
  /** How many scenarios the line stands for, and in how many of them both did the same: 1 of each unless said. */
  readonly scenarios?: number;
  readonly equal?: number;
}

/** Where otelpipe and the Collector answer differently on purpose. */
export interface Difference {
  readonly input: string;
  readonly otelpipe: string;
  readonly collector: string;
  readonly reason: string;
}

/** What a check has shown; it throws when something is wrong. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly differences?: readonly Difference[];
}

/** A check against real peers: skipped when one of them cannot be had, failed when it throws. */
export interface Check<Need extends PeerName = PeerName> {
  readonly name: string;
  /** The line of the summary it is counted under. */
  readonly area: string;
  readonly needs: readonly Need[];
  run(peers: Readonly<Record<Need, Peer>>): Promise<Findings>;
}

/** Ties the peers that `run` may use to those that `needs` names. */
export function check<const Need extends PeerName>(definition: Check<Need>): Check {
  return definition as unknown as Check;
}
