import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Attributes } from "@opentelemetry/api";

const fields = ["index", "uuid", "name", "memory.total", "compute_cap", "driver_version"] as const;

/**
 * Resource attributes that say which GPUs this host has, from `nvidia-smi`; none where it is missing or fails.
 * They describe the server only when it runs on this host too: ask `isLocal` first.
 */
export async function gpuAttributes(): Promise<Attributes> {
  const query = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
  const found = await promisify(execFile)("nvidia-smi", query, { timeout: 5_000 }).catch(() => undefined);
  return found === undefined ? {} : parseGpus(found.stdout, process.env["CUDA_VISIBLE_DEVICES"]);
}

/** True when the server at `url` shares this host, and so its GPUs. */
export function isLocal(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

/**
 * The attributes for `nvidia-smi`'s CSV. With several GPUs only those that `visible` (`CUDA_VISIBLE_DEVICES`) names by
 * UUID are certain, because its numbers follow another order; `hw.id` appears only when one GPU is left.
 */
export function parseGpus(csv: string, visible: string | undefined): Attributes {
  const all = csv
    .trim()
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(parseGpu);
  const uuids = (visible ?? "").split(",").filter((id) => id.startsWith("GPU-"));
  const gpus = uuids.length === 0 ? all : all.filter(({ uuid }) => uuids.some((id) => uuid?.startsWith(id)));
  const [first] = gpus;
  if (first === undefined) return {};
  return known({
    "gpu.count": gpus.length,
    "gpu.model": first.name,
    "gpu.memory.total": first["memory.total"] === undefined ? undefined : Number(first["memory.total"]),
    "gpu.compute_capability": first.compute_cap,
    "gpu.driver_version": first.driver_version,
    ...(gpus.length === 1
      ? { "gpu.uuid": first.uuid, "hw.id": first.uuid, "hw.name": `gpu${first.index}`, "hw.model": first.name }
      : {}),
  });
}

type Gpu = Partial<Record<(typeof fields)[number], string>>;

/** One line of the CSV; what the driver does not know (`[N/A]`, `[Not Supported]`) is left out. */
function parseGpu(line: string): Gpu {
  const values = line.split(",").map((value) => value.trim());
  const pairs = fields.map((field, index) => [field, values[index]] as const);
  return Object.fromEntries(
    pairs.filter(([, value]) => value !== undefined && !/^\[?(N\/A|Not Supported)/.test(value)),
  );
}

function known(attributes: Record<string, string | number | undefined>): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
