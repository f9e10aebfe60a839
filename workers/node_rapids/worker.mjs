// The aggregation worker behind `engine: node_rapids`: group-bys on a GPU with @rapidsai/cudf. Speaks
// docs/aggregation-workers.md over standard input and output; standard error is its log. Plain JavaScript for the Node that
// the user's build of node-rapids runs on (16 or newer), which need not be the daemon's.
//
//   node worker.mjs [--pool-bytes N] [--module PATH]

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";

const protocol = 1;
const kinds = { hello: 1, request: 2, table: 3, answer: 4, error: 5 };
const functions = ["count", "sum", "mean", "min", "max", "std", "nunique", "quantile"];

class BadRequest extends Error {}

function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
}

// Whatever a library prints goes to the log: only frames may reach the parent.
console.log = console.info = console.error;

/**
 * node-rapids, and the apache-arrow it was built with: objects of another version of it are not understood.
 * @returns {import("./rapids.d.ts").Libraries}
 */
function loadLibraries() {
  const named = option("module", "@rapidsai/cudf");
  const from = createRequire(join(process.cwd(), "here.js"));
  const path = from.resolve(named);
  const beside = createRequire(path);
  return {
    version: versionOf(dirname(path)),
    cudf: from(path),
    arrow: beside("apache-arrow"),
    cuda: beside("@rapidsai/cuda"),
    rmm: beside("@rapidsai/rmm"),
  };
}

/** The version of the package that holds `folder`. */
function versionOf(folder) {
  const file = join(folder, "package.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")).version;
  return dirname(folder) === folder ? "of unknown version" : versionOf(dirname(folder));
}

const { version, cudf, arrow, cuda, rmm } = loadLibraries();
// Kept, because the library keeps no reference of its own.
const pool = setUpPool(Number(option("pool-bytes", "0")));

function setUpPool(bytes) {
  if (bytes === 0) return undefined;
  const resource = new rmm.PoolMemoryResource(new rmm.CudaMemoryResource(), bytes, bytes);
  rmm.setCurrentDeviceResource(resource);
  return resource;
}

/** Rows by their group: one number for each combination of the key columns, numbered by first sight. */
function groupRows(table, names) {
  const columns = names.map((name) => textsOrNumbers(columnNamed(table, name)));
  const ids = new Int32Array(table.numRows);
  const known = new Map();
  const firstRows = [];
  for (let row = 0; row < ids.length; row++) {
    const key = columns.length === 1 ? columns[0](row) : JSON.stringify(columns.map((valueAt) => valueAt(row)));
    let id = known.get(key);
    if (id === undefined) {
      id = firstRows.push(row) - 1;
      known.set(key, id);
    }
    ids[row] = id;
  }
  return { ids, firstRows, columns };
}

/** The value of a row; null where it is absent, or no number. */
function textsOrNumbers(vector) {
  return (row) => {
    const value = vector.get(row);
    return value === null || Number.isNaN(value) ? null : value === 0 ? 0 : value;
  };
}

function columnNamed(table, name) {
  const vector = table.getChild(name);
  if (vector) return vector;
  throw new BadRequest(`no column "${name}"; there are ${table.schema.fields.map((field) => field.name).join(", ")}`);
}

/** The rows of a column that have a value, with their groups: to count texts, a number stands for each. */
function presentRows(table, name, wanted, ids) {
  const vector = columnNamed(table, name);
  const isText = arrow.DataType.isDictionary(vector.type) || arrow.DataType.isUtf8(vector.type);
  if (isText && wanted !== "count" && wanted !== "nunique")
    throw new BadRequest(`${wanted}(${name}): the column holds text, not numbers`);
  const groups = new Int32Array(ids.length);
  const values = new Float64Array(ids.length);
  const numbers = new Map();
  let count = 0;
  for (let row = 0; row < ids.length; row++) {
    const value = vector.get(row);
    if (value === null || Number.isNaN(value)) continue;
    if (isText && !numbers.has(value)) numbers.set(value, numbers.size);
    groups[count] = ids[row];
    values[count++] = isText ? numbers.get(value) : value;
  }
  return { groups: groups.subarray(0, count), values: values.subarray(0, count) };
}

/**
 * What one group-by of the library gives, as numbers by group; NaN for a group without rows. One statistic a call.
 * @param {(groups: import("./rapids.d.ts").GroupBy) => import("./rapids.d.ts").DataFrame} compute
 */
function aggregated(groups, values, groupCount, compute) {
  const found = new Float64Array(groupCount).fill(Number.NaN);
  if (groups.length === 0) return found;
  // Only bytes cross over: the library has a copy of apache-arrow of its own.
  const table = new arrow.Table({ key: arrow.makeVector(groups), value: arrow.makeVector(values) });
  const frame = cudf.DataFrame.fromArrow(arrow.tableToIPC(table, "stream"));
  const result = compute(frame.groupBy({ by: "key" }));
  const answer = result.toArrow();
  const keys = answer.getChild("key");
  const numbers = answer.getChild("value");
  // The order of the rows differs from statistic to statistic.
  for (let row = 0; row < answer.numRows; row++) {
    const number = numbers.get(row);
    if (number !== null) found[Number(keys.get(row))] = Number(number);
  }
  result.dispose();
  frame.dispose();
  return found;
}

/** @type {Record<string, (groups: import("./rapids.d.ts").GroupBy, aggregation: { q: number }) => import("./rapids.d.ts").DataFrame>} */
const statistics = {
  count: (groups) => groups.count(),
  sum: (groups) => groups.sum(),
  mean: (groups) => groups.mean(),
  min: (groups) => groups.min(),
  max: (groups) => groups.max(),
  std: (groups) => groups.std(),
  nunique: (groups) => groups.nunique(),
  quantile: (groups, { q }) => groups.quantile(q, "linear"),
};

function answerOf(table, { groupBy, aggregations }) {
  const { ids, firstRows, columns } = groupRows(table, groupBy);
  const fields = groupBy.map((name, place) => [name, keyVector(firstRows.map((row) => columns[place](row)))]);
  const present = new Map();
  for (const aggregation of aggregations) {
    const { as, fn, column } = aggregation;
    if (!functions.includes(fn)) throw new BadRequest(`no function ${fn}; there are ${functions.join(", ")}`);
    const rows =
      column === undefined
        ? { groups: ids, values: new Float64Array(ids.length) }
        : presentRows(table, column, fn, ids);
    const numbers = aggregated(rows.groups, rows.values, firstRows.length, (groups) =>
      statistics[fn](groups, aggregation),
    );
    if (fn === "std") blankLessThanTwo(numbers, rows.groups);
    const isCount = fn === "count" || fn === "nunique";
    present.set(as, nullableVector(isCount ? numbers.map((number) => (Number.isNaN(number) ? 0 : number)) : numbers));
  }
  return new arrow.Table(Object.fromEntries([...fields, ...present]));
}

/** The deviation of one value is absent, whatever the library gives. */
function blankLessThanTwo(numbers, groups) {
  const counts = new Int32Array(numbers.length);
  for (const group of groups) counts[group]++;
  for (let group = 0; group < numbers.length; group++) if (counts[group] < 2) numbers[group] = Number.NaN;
}

function keyVector(values) {
  const isText = values.some((value) => typeof value === "string");
  const isNumber = values.some((value) => typeof value === "number");
  return arrow.vectorFromArray(values, isNumber && !isText ? new arrow.Float64() : new arrow.Utf8());
}

function nullableVector(numbers) {
  return arrow.vectorFromArray(
    Array.from(numbers, (number) => (Number.isNaN(number) ? null : number)),
    new arrow.Float64(),
  );
}

/** Three rows through the library: what cannot do that is of no use. */
function probe() {
  const sums = aggregated(Int32Array.of(0, 1, 0), Float64Array.of(1, 2, 3), 2, (groups) => groups.sum());
  if (sums[0] !== 4 || sums[1] !== 2) throw new Error(`the sums of a trial are ${sums.join(", ")}, not 4, 2`);
}

function memory() {
  const { rss } = process.memoryUsage();
  const { totalGlobalMem } = cuda.devices[0].getProperties();
  return {
    resident_bytes: rss,
    total_bytes: totalGlobalMem,
    ...(pool !== undefined && { pool_bytes: Number(option("pool-bytes", "0")) }),
  };
}

function write(kind, payload) {
  const header = Buffer.alloc(5);
  header.writeUInt32LE(payload.length + 1);
  header[4] = kind;
  process.stdout.write(header);
  process.stdout.write(payload);
}

const writeJson = (kind, value) => write(kind, Buffer.from(JSON.stringify(value)));

function codeOf(error) {
  if (error instanceof BadRequest) return "bad_request";
  return /out_of_memory|bad_alloc|memory/i.test(String(error)) ? "out_of_memory" : "internal";
}

function answer(request, payload) {
  const beganMs = performance.now();
  try {
    const bytes = arrow.tableToIPC(answerOf(arrow.tableFromIPC(payload), request), "stream");
    writeJson(kinds.answer, { id: request.id, compute_ms: performance.now() - beganMs, memory: memory() });
    write(kinds.table, bytes);
  } catch (error) {
    writeJson(kinds.error, { id: request.id, code: codeOf(error), message: String(error) });
  }
}

probe();
const { name: device } = cuda.devices[0];
writeJson(kinds.hello, { protocol, engine: `node-rapids ${version}`, device, gpu: true, functions, memory: memory() });

let header;
let parts = [];
let size = 0;
for await (const part of process.stdin) {
  parts.push(part);
  size += part.length;
  for (let frame = nextFrame(); frame !== undefined; frame = nextFrame()) {
    const payload = frame.subarray(5);
    if (frame[4] === kinds.request) header = JSON.parse(String(payload));
    if (frame[4] !== kinds.table || header === undefined) continue;
    answer(header, payload);
    header = undefined;
  }
}

/** The next whole frame; undefined until there is one. */
function nextFrame() {
  while (parts.length > 1 && parts[0].length < 5) parts.splice(0, 2, Buffer.concat(parts.slice(0, 2)));
  if (size < 5) return undefined;
  const end = parts[0].readUInt32LE(0) + 4;
  if (size < end) return undefined;
  const all = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  parts = all.length > end ? [all.subarray(end)] : [];
  size -= end;
  return all.subarray(0, end);
}
