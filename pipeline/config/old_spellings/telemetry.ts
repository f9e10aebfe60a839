import { type Table, treeAt } from "../tree.ts";
import type { OldSpelling } from "./components.ts";
import type { Edit } from "./edit.ts";

const metrics = ["service", "telemetry", "metrics"] as const;

/** `service::telemetry::metrics::address`: a reader of today, unless readers are given as well. */
export function metricsAddress(root: Table): readonly OldSpelling[] {
  const node = treeAt(root, [...metrics, "address"]);
  if (node?.kind !== "scalar" || typeof node.value !== "string") return [];
  const match = /^\[?([^\]]*?)\]?:(\d+)$/.exec(node.value);
  if (match === null) return [];
  const prometheus = { host: match[1] || "0.0.0.0", port: Number(match[2]) };
  const reader: Edit = {
    do: "set",
    path: [...metrics, "readers"],
    value: [{ pull: { exporter: { prometheus } } }],
  };
  const isReplaced = treeAt(root, [...metrics, "readers"]) !== undefined;
  return [
    {
      place: node.place,
      message: `service::telemetry::metrics::address is now written readers: [{pull: {exporter: {prometheus: {host: ${prometheus.host}, port: ${prometheus.port}}}}}]`,
      edits: [{ do: "remove", path: [...metrics, "address"] }, ...(isReplaced ? [] : [reader])],
    },
  ];
}
