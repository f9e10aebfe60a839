import type { EdgeRow, NodeRow } from "./tables.ts";

/** Which columns the viewer reads, and how: the part of a dataset that is not its tables. */
export interface Encodings {
  readonly node_encodings: {
    readonly bindings: Readonly<Record<string, keyof NodeRow>>;
    readonly complex: object;
  };
  readonly edge_encodings: { readonly bindings: Readonly<Record<string, keyof EdgeRow>> };
}

/** The notebook's colours. */
const statusColors = { OK: "#4CAF50", ERROR: "#F44336", UNSET: "#9E9E9E" };

/**
 * The notebook's bindings. Its `point_color="status"` is the colour encoding only: as a binding the viewer wants numbers.
 */
export const encodings: Encodings = {
  node_encodings: {
    bindings: { node: "node_id", node_title: "name", node_size: "duration_ms", node_x: "x", node_y: "y" },
    complex: {
      default: {
        pointColorEncoding: {
          graphType: "point",
          encodingType: "color",
          attribute: "status",
          variation: "categorical",
          name: "custom",
          mapping: { categorical: { fixed: statusColors, other: statusColors.UNSET } },
        },
      },
    },
  },
  edge_encodings: { bindings: { source: "source", destination: "destination", edge_title: "trace_id" } },
};

/** How the viewer opens: it keeps the positions that are given. */
export const viewerOptions = { play: "0", lockedX: "true", lockedY: "true" };
