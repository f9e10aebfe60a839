/**
 * The small part of node-rapids (`@rapidsai/cudf`, `cuda` and `rmm` 22.12) that `worker.mjs` uses. `npm run test:interop` holds it
 * against the declarations of the real packages, and the worker against it.
 */

export interface Libraries {
  readonly version: string;
  readonly cudf: Cudf;
  // biome-ignore lint/suspicious/noExplicitAny: apache-arrow in the version that node-rapids brings
  readonly arrow: any;
  readonly cuda: Cuda;
  readonly rmm: Rmm;
}

export interface Cudf {
  readonly DataFrame: { fromArrow(stream: Uint8Array): DataFrame };
}

/** Holds memory of the device until it is disposed of. */
export interface DataFrame {
  groupBy(props: { by: "key" }): GroupBy;
  /** A table of node-rapids' own apache-arrow. */
  toArrow(): Table;
  dispose(): void;
}

/** Each call computes one statistic of every column that is not the key. */
export interface GroupBy {
  count(): DataFrame;
  sum(): DataFrame;
  mean(): DataFrame;
  min(): DataFrame;
  max(): DataFrame;
  std(): DataFrame;
  nunique(): DataFrame;
  quantile(q: number, interpolation: "linear"): DataFrame;
}

export interface Table {
  readonly numRows: number;
  getChild(name: "key" | "value"): { get(row: number): unknown } | null;
}

export interface Cuda {
  readonly devices: {
    readonly [index: number]: { readonly name: string; getProperties(): { totalGlobalMem: number } };
  };
}

export interface Rmm {
  readonly CudaMemoryResource: new () => MemoryResource;
  readonly PoolMemoryResource: new (
    upstream: MemoryResource,
    initialBytes: number,
    maximumBytes: number,
  ) => MemoryResource;
  setCurrentDeviceResource(resource: MemoryResource): unknown;
}

/** Nothing is asked of it. */
// biome-ignore lint/suspicious/noExplicitAny: each is handed back to the library that made it
export type MemoryResource = any;
