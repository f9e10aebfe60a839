import { type Account, isOrganizationOf } from "./accounts.ts";
import { readArrowFile } from "./arrow_check.ts";
import { checkDataset, columnsOfFiles, refused } from "./dataset_check.ts";
import { type FakeRequest, jsonBody, type Reply, reply } from "./request.ts";
import { type ShareOptions, shareDataset } from "./share_route.ts";
import type { Storage, StoredFile } from "./storage.ts";

const fileTypes = ["arrow", "csv", "json", "orc", "parquet", "xls", "xlsx"];
const compressions = ["", "gzip", "bz2", "zip", "xz"];

/** What an account does with files and datasets, once its token has been checked; undefined for any other path. */
export function uploadRoute(
  storage: Storage,
  account: Account,
  options: ShareOptions,
  request: FakeRequest,
): Reply | undefined {
  const { method, path } = request;
  const [, switched] = /^\/api\/v2\/o\/([^/]+)\/switch\/$/.exec(path) ?? [];
  if (switched !== undefined && method === "POST") return switchOrganization(account, switched, request);
  const [, fileId] = /^\/api\/v2\/upload\/files\/([^/]+)$/.exec(path) ?? [];
  if (fileId !== undefined && method === "POST") return uploadFile(storage, account, fileId, request);
  const [, deletedFile] = /^\/api\/v2\/files\/([^/]+)$/.exec(path) ?? [];
  if (deletedFile !== undefined && method === "DELETE") return remove(storage.files, account, deletedFile);
  const [, deletedDataset] = /^\/api\/v2\/datasets\/([^/]+)\/$/.exec(path) ?? [];
  if (deletedDataset !== undefined && method === "DELETE") return remove(storage.datasets, account, deletedDataset);
  const [, datasetId] = /^\/api\/v2\/upload\/datasets\/([^/]+)$/.exec(path) ?? [];
  if (datasetId !== undefined && method === "GET") return getDataset(storage, account, datasetId);
  const [, tableOf, kind] = /^\/api\/v2\/upload\/datasets\/([^/]+)\/(nodes|edges)\/arrow$/.exec(path) ?? [];
  if (tableOf !== undefined && kind !== undefined && method === "POST") {
    return uploadTable(storage, account, tableOf, kind, request);
  }
  switch (`${method} ${path}`) {
    case "POST /api/v2/files/":
      return createFile(storage, account, request);
    case "GET /api/v2/files/":
      return list(storage.files, account, request, ({ id, fields }) => ({ file_id: id, ...fields }));
    case "POST /api/v2/upload/datasets/":
      return createDataset(storage, account, request);
    case "GET /api/v2/datasets/":
      return list(storage.datasets, account, request, ({ id, body }) => ({ dataset_id: id, ...body }));
    case "POST /api/v2/share/link/":
      return shareDataset(storage, account, options, request);
    default:
      return undefined;
  }
}

function switchOrganization(account: Account, slug: string, request: FakeRequest): Reply {
  const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") ?? false;
  const form = new URLSearchParams(request.body.toString());
  if (!isForm || form.get("slug") !== slug) return reply(400, { status: "ERR", message: "slug is required" });
  if (!isOrganizationOf(account, slug)) return reply(403, { status: "ERR", message: `not a member of ${slug}` });
  return reply(200, { status: "OK", message: "Switched" });
}

function createFile(storage: Storage, account: Account, request: FakeRequest): Reply {
  const body = jsonBody(request);
  const { file_type, file_compression = "", org_name, name = "", description = "" } = body;
  if (!fileTypes.includes(String(file_type)))
    return reply(400, { file_type: [`"${file_type}" is not a valid choice.`] });
  if (!compressions.includes(String(file_compression))) {
    return reply(400, { file_compression: [`"${file_compression}" is not a valid choice.`] });
  }
  if (!isOrganizationOf(account, org_name)) return reply(403, { detail: "Not a member of this organization." });
  const file = storage.addFile(account, body);
  return reply(200, { file_id: file.id, file_type, name, description, created_at: "2026-01-01T00:00:00Z" });
}

function uploadFile(storage: Storage, account: Account, id: string, request: FakeRequest): Reply {
  const file = storage.files.get(id);
  if (file === undefined || file.owner !== account) return reply(404, { detail: "Not found." });
  if (request.headers["content-type"]?.startsWith("multipart/"))
    return reply(415, { detail: "Unsupported media type." });
  const erase = request.query.get("erase") ?? "false";
  if (erase !== "true" && erase !== "false") return reply(400, { erase: ["Must be a valid boolean."] });
  if (file.fields["file_type"] !== "arrow") return reply(501, { detail: "This stand-in reads Arrow files only." });
  try {
    file.arrow = readArrowFile(request.body);
    file.bytes = request.body;
    return reply(200, fileAnswer(file, { isValid: true, isUploaded: true, errors: [] }));
  } catch (thrown) {
    const errors = [thrown instanceof Error ? thrown.message : String(thrown)];
    return reply(200, fileAnswer(file, { isValid: false, isUploaded: erase === "false", errors }));
  }
}

function fileAnswer(file: StoredFile, outcome: { isValid: boolean; isUploaded: boolean; errors: readonly string[] }) {
  const { id, fields, arrow, bytes } = file;
  const columns = [...(arrow?.columns ?? [])];
  return {
    file_id: id,
    file_type: fields["file_type"],
    file_compression: fields["file_compression"] ?? "",
    name: fields["name"] ?? "",
    description: fields["description"] ?? "",
    author: 1,
    bytes_count: bytes?.length ?? 0,
    is_valid: outcome.isValid,
    is_uploaded: outcome.isUploaded,
    errors: outcome.errors,
    parser_options: {},
    tables_schemas: outcome.isValid
      ? [
          {
            name: "table",
            num_rows: arrow?.table.numRows,
            num_cols: columns.length,
            dtypes: Object.fromEntries(columns.map(([name, type]) => [name, String(type)])),
          },
        ]
      : [],
  };
}

function createDataset(storage: Storage, account: Account, request: FakeRequest): Reply {
  const body = jsonBody(request);
  if (!isOrganizationOf(account, body["org_name"])) return reply(403, { detail: "Not a member of this organization." });
  const own = (id: string) => {
    const file = storage.files.get(id);
    return file?.owner === account ? file : undefined;
  };
  const columns = {
    edges: columnsOfFiles(body["edge_files"], own),
    nodes: columnsOfFiles(body["node_files"], own),
  };
  const { problems, warnings } = checkDataset(body, columns);
  if (problems.length > 0) throw refused(problems.join("; "));
  const dataset = storage.addDataset(account, { body, columns, warnings });
  return reply(201, { success: true, message: "Dataset created", data: { dataset_id: dataset.id } });
}

/** The older way: a dataset without files gets its tables afterwards. */
function uploadTable(storage: Storage, account: Account, id: string, kind: string, request: FakeRequest): Reply {
  const dataset = storage.datasets.get(id);
  if (dataset === undefined || dataset.owner !== account) return reply(404, { detail: "Not found." });
  try {
    const { table, columns } = readArrowFile(request.body);
    dataset.columns = { ...dataset.columns, [kind]: columns };
    const { problems, warnings } = checkDataset(dataset.body, dataset.columns);
    if (problems.length > 0) throw new Error(problems.join("; "));
    dataset.warnings = warnings;
    const dtypes = Object.fromEntries([...columns].map(([name, type]) => [name, String(type)]));
    const data = { dataset_id: id, dtypes, num_cols: columns.size, num_rows: table.numRows, time_parsing_s: 0 };
    return reply(200, { success: true, message: `Dataset ${kind} created`, data });
  } catch (thrown) {
    const error_message = thrown instanceof Error ? thrown.message : String(thrown);
    const data = { args: { compression: null, dataset_id: id }, error_message };
    return reply(400, { success: false, error_code: 400, message: "Failed to parse", data });
  }
}

function getDataset(storage: Storage, account: Account, id: string): Reply {
  const dataset = storage.datasets.get(id);
  if (dataset === undefined || dataset.owner !== account) return reply(404, { detail: "Not found." });
  return reply(200, { success: true, data: { dataset_id: id, ...dataset.body } });
}

interface Owned {
  readonly id: string;
  readonly owner: Account;
}

function list<T extends Owned>(
  all: ReadonlyMap<string, T>,
  account: Account,
  request: FakeRequest,
  row: (one: T) => object,
): Reply {
  const limit = Number(request.query.get("limit") ?? 100);
  const offset = Number(request.query.get("offset") ?? 0);
  const own = [...all.values()].filter(({ owner }) => owner === account).reverse();
  const results = own.slice(offset, offset + limit).map(row);
  return reply(200, { count: own.length, next: null, previous: null, results });
}

function remove(all: Map<string, Owned>, account: Account, id: string): Reply {
  if (all.get(id)?.owner !== account) return reply(404, { detail: "Not found." });
  all.delete(id);
  return reply(204);
}
