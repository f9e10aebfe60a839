import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A folder in which `@rapidsai/cudf` can be required that computes without a GPU, with the manners of release 22.12 as its
 * sources show them: tables come in and go out as Arrow IPC streams or tables of its own apache-arrow; a group-by computes
 * one statistic of every column that is not the key; rows come in another order from statistic to statistic; counts are
 * 32-bit; rows without a key are dropped; `nunique` and `std` do not read their arguments; text cannot be summed; what has been
 * disposed of cannot be used.
 */
export function rapidsDouble(): string {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-rapids-"));
  const modules = join(folder, "node_modules");
  for (const name of ["cudf", "cuda", "rmm"]) {
    const at = join(modules, "@rapidsai", name);
    mkdirSync(at, { recursive: true });
    writeFileSync(
      join(at, "package.json"),
      JSON.stringify({ name: `@rapidsai/${name}`, version: "22.12.1", main: "index.js" }),
    );
    writeFileSync(join(at, "index.js"), sources[name as keyof typeof sources]);
  }
  symlinkSync(join(root, "node_modules/apache-arrow"), join(modules, "apache-arrow"));
  return folder;
}

const cudf = `"use strict";
const arrow = require("apache-arrow");

class DataFrame {
  #table;
  constructor(table) { this.#table = table; }
  static fromArrow(bytes) {
    if (!(bytes instanceof Uint8Array)) throw new TypeError("Expected an Arrow IPC stream");
    return new DataFrame(arrow.tableFromIPC(bytes));
  }
  get table() {
    if (this.#table === undefined) throw new Error("the DataFrame has been disposed");
    return this.#table;
  }
  groupBy({ by, include_nulls = false }) { return new GroupBySingle(this.table, by, include_nulls); }
  toArrow() { return this.table; }
  dispose() { this.#table = undefined; }
}

class GroupBySingle {
  #groups = new Map();
  #names;
  #by;
  constructor(table, by, includeNulls) {
    this.#by = by;
    this.#names = table.schema.fields.map((field) => field.name).filter((name) => name !== by);
    const keys = table.getChild(by);
    for (let row = 0; row < table.numRows; row++) {
      const key = keys.get(row);
      if (key === null && !includeNulls) continue;
      if (!this.#groups.has(key)) this.#groups.set(key, this.#names.map(() => []));
      this.#names.forEach((name, place) => {
        const value = table.getChild(name).get(row);
        if (value !== null) this.#groups.get(key)[place].push(value);
      });
    }
  }
  /** By hash: last group first. By sorting: keys from high to low. */
  #compute(path, type, compute) {
    const keys = [...this.#groups.keys()];
    if (path === "hash") keys.reverse();
    else keys.sort((left, right) => right - left);
    const columns = { [this.#by]: arrow.vectorFromArray(keys, new arrow.Int32()) };
    this.#names.forEach((name, place) => {
      columns[name] = arrow.vectorFromArray(
        keys.map((key) => {
          const values = this.#groups.get(key)[place];
          if (values.some((value) => typeof value === "string")) throw new Error("unsupported aggregation for strings");
          return compute(values);
        }),
        type,
      );
    });
    return new DataFrame(new arrow.Table(columns));
  }
  count() { return this.#compute("hash", new arrow.Int32(), (values) => values.length); }
  sum() { return this.#compute("hash", new arrow.Float64(), (values) => (values.length === 0 ? null : sum(values))); }
  mean() { return this.#compute("hash", new arrow.Float64(), (values) => (values.length === 0 ? null : sum(values) / values.length)); }
  min() { return this.#compute("hash", new arrow.Float64(), (values) => values.reduce((a, b) => Math.min(a, b), Infinity)); }
  max() { return this.#compute("hash", new arrow.Float64(), (values) => values.reduce((a, b) => Math.max(a, b), -Infinity)); }
  std() {
    return this.#compute("hash", new arrow.Float64(), (values) => {
      const mean = sum(values) / values.length;
      return values.length < 2 ? null : Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
    });
  }
  nunique() { return this.#compute("sort", new arrow.Int32(), (values) => new Set(values).size); }
  quantile(q = 0.5, interpolation = "linear") {
    if (interpolation !== "linear") throw new Error("only linear is doubled");
    return this.#compute("sort", new arrow.Float64(), (values) => {
      const sorted = values.toSorted((left, right) => left - right);
      const at = (sorted.length - 1) * q;
      const low = sorted[Math.floor(at)];
      return sorted.length === 0 ? null : low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
    });
  }
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

module.exports = { DataFrame };
`;

const sources = {
  cudf,
  cuda: `exports.devices = [{ name: "Double GPU", getProperties: () => ({ totalGlobalMem: 16 * 2 ** 30 }) }];`,
  rmm: `exports.CudaMemoryResource = class {};
exports.PoolMemoryResource = class { constructor(upstream, initial, maximum) { this.sizes = [initial, maximum]; } };
exports.setCurrentDeviceResource = () => {};`,
} as const;
